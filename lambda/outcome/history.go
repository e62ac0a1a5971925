package outcome

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// Exhausted returns the settings whose flap budget is used up by the records, each with the reason: somebody else keeps
// writing them, and to write them once more would go on for ever.
func Exhausted(budget baseline.FlapBudget, records []Record, cause event.Cause, now time.Time) map[string]string {
	flapping := map[string]string{}
	if budget.Times == 0 {
		return flapping
	}
	written := map[string][]Record{}
	for _, record := range records {
		if record.Began.Before(now.Add(-budget.Within)) {
			continue
		}
		for _, setting := range record.written() {
			written[setting] = append(written[setting], record)
		}
	}
	for setting, by := range written {
		if len(by) >= budget.Times {
			flapping[setting] = flapReason(budget, setting, by, cause)
		}
	}
	return flapping
}

// written returns the settings that the accepted writes of a record were to fix.
func (r Record) written() []string {
	var all []string
	for _, s := range r.Sent {
		for _, setting := range s.Fixes {
			if s.Status == Accepted && !slices.Contains(all, setting) {
				all = append(all, setting)
			}
		}
	}
	return all
}

// fixed reports whether the record's run saw the setting hold.
func (r Record) fixed(setting string) bool {
	return slices.ContainsFunc(r.Drifts, func(d Finding) bool { return d.Setting == setting && d.State == StateFixed })
}

func flapReason(budget baseline.FlapBudget, setting string, by []Record, cause event.Cause) string {
	unheld := 0
	causes := []event.Cause{cause}
	for _, record := range by {
		if !record.fixed(setting) {
			unheld++
		}
		causes = append(causes, record.Cause)
	}
	start := fmt.Sprintf("it was written %s within %d minutes", times(len(by)), int(budget.Within.Minutes()))
	if unheld > 0 {
		return fmt.Sprintf("%s, and %s it did not hold (%s): another automation sets it back at once, or the pool does "+
			"not keep it, so it is skipped until that ends (flapBudget: %s)", start, times(unheld), count(causes), budget)
	}
	return fmt.Sprintf("%s, and set back each time (%s): two automations undo each other, so it is skipped until one of "+
		"them stops (flapBudget: %s)", start, count(causes), budget)
}

// count says how often each of the callers behind the causes called, the most frequent first. A scan names no caller.
func count(causes []event.Cause) string {
	counts, seen := map[string]int{}, map[string]bool{}
	for _, c := range causes {
		if c.RequestID == "" && caller(c) == unknownCaller || c.EventID != "" && seen[c.EventID] {
			continue // of no call, or delivered again
		}
		seen[c.EventID] = true
		counts[caller(c)]++
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	var parts []string
	for _, name := range names[:min(len(names), 3)] {
		parts = append(parts, name+" called "+times(counts[name]))
	}
	return cmp.Or(strings.Join(parts, ", "), "found by scans")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// caller names who made a call, shortly: the role, or the user.
func caller(c event.Cause) string {
	switch {
	case c.Issuer != "":
		return "role " + c.Issuer[strings.LastIndexByte(c.Issuer, '/')+1:]
	case c.Actor != "":
		return c.Actor[strings.LastIndexAny(c.Actor, "/:")+1:]
	default:
		return unknownCaller
	}
}

// Actor names the caller behind a cause in full.
func Actor(c event.Cause) string { return cmp.Or(c.Actor, unknownCaller) }

const unknownCaller = "an unknown caller"

// LostUpdates returns a finding for each write of ours that may have undone the event's call: the call was made between
// our read and our write of a document that it can change, and a write sends the whole document as it was read.
//
// For example, a call at 12:00:01 to a pool that we read at 12:00:00 and wrote at 12:00:02.
func LostUpdates(request event.Request, records []Record) []Finding {
	call, at := request.Call, request.Cause.Time
	if len(call.Changes) == 0 || call.New || at.IsZero() {
		return nil
	}
	var findings []Finding
	for _, record := range records {
		if record.Cause.EventID == request.Cause.EventID {
			continue // it answers this very call
		}
		for _, s := range record.Sent {
			if s.RequestID != "" && s.RequestID == request.Cause.RequestID {
				return nil // the event is of this write
			}
			if s.Made() && s.overlaps(at, record.Until) && changes(request, s.Document) {
				findings = append(findings, lostUpdate(request, record, s))
			}
		}
	}
	return findings
}

// overlaps reports whether a call at a time falls between the read and the write. CloudTrail gives whole seconds.
func (s Sent) overlaps(at, until time.Time) bool {
	end := s.At
	if end.IsZero() {
		end = until
	}
	return at.Add(time.Second).After(s.Read) && !at.After(end)
}

// changes reports whether the request's call can have set something in a document: the one that it writes, or one that
// holds a parameter of it too. What else changes with it is the service's doing, and no caller's to lose.
func changes(request event.Request, name baseline.DocumentName) bool {
	call, kind := request.Call, string(name.Kind())
	if !slices.Contains(call.Changes, kind) || request.ClientID != "" && name.Client() != "" &&
		request.ClientID != name.Client() {
		return false
	}
	if table, _ := name.Table(); table.WriteCall == call.Name || len(call.Changes) == 1 {
		return true
	}
	return slices.ContainsFunc(parameters(request), func(parameter string) bool {
		return len(name.Holds(strings.ToUpper(parameter[:1])+parameter[1:])) > 0
	})
}

// parameters are the names of what the request's call set, without those that say what it is about.
func parameters(request event.Request) []string {
	return slices.DeleteFunc(slices.Clone(request.Named), func(name string) bool {
		return name == "" || slices.ContainsFunc([]string{"userPoolId", "clientId", "resourceArn"}, func(id string) bool {
			return strings.EqualFold(id, name)
		})
	})
}

func lostUpdate(request event.Request, record Record, s Sent) Finding {
	what := "what it set is not known: CloudTrail shows no parameters"
	if set := parameters(request); len(set) > 0 {
		what = "its parameters: " + strings.Join(set, ", ")
	}
	made := "at a time that is not known"
	if !s.At.IsZero() {
		made = "at " + s.At.UTC().Format(time.RFC3339)
	}
	d := Finding{Setting: string(s.Document), Want: "what the call set", State: StateReported, Code: CodeLostUpdate,
		Reason: fmt.Sprintf("%s by %s was made at %s, between our read and our %s %s, which sent the whole document as "+
			"it was read: what the call set may be lost (%s; record %s)", request.Call.Name, Actor(request.Cause),
			request.Cause.Time.UTC().Format(time.RFC3339), s.Call, made, what, record.ID)}
	if len(record.Drifts) > 0 {
		d.Rule = record.Drifts[0].Rule
	}
	return d
}

// Interrupted returns the records of runs that were interrupted.
func Interrupted(records []Record, now time.Time) []Record {
	var open []Record
	for _, record := range records {
		if record.Interrupted(now) {
			open = append(open, record)
		}
	}
	return open
}

// RestoresOf returns what the interrupted runs may have taken from the pool, with the values that it had.
func RestoresOf(records []Record) []baseline.Drift {
	var all []baseline.Drift
	for _, record := range records {
		if record.Before == nil {
			continue
		}
		for _, d := range record.Before.State().RestoresOf(record.Restores()) {
			if !slices.ContainsFunc(all, func(o baseline.Drift) bool { return o.Setting == d.Setting }) {
				all = append(all, d)
			}
		}
	}
	return all
}

// InterruptedFindings says what interrupted runs wrote, and which of their fixes hold in the state now.
func InterruptedFindings(records []Record, found baseline.Comparison, now userpool.State) []Finding {
	var findings []Finding
	for _, record := range records {
		findings = append(findings, InterruptedFinding(record))
		findings = append(findings, unknownRestores(record, now)...)
		for _, d := range record.Drifts {
			drifts := slices.ContainsFunc(found.Drifts, func(f baseline.Drift) bool {
				return userpool.Touches(f.Setting, d.Setting)
			})
			name, _ := baseline.DocumentOf(d.Setting)
			if drifts || !now.Has(name) || !slices.Contains(record.made(), d.Setting) ||
				record.Before != nil && record.Before.State().Alike(now)(d.Setting) {
				continue
			}
			d.State, d.Code = StateFixed, CodeInterrupted
			d.Reason = "written by the run of record " + record.ID + ", which was interrupted; it holds now"
			findings = append(findings, d)
		}
	}
	return findings
}

// unknownRestores returns the findings of what a record without its state may have taken: nobody knows its values.
func unknownRestores(record Record, now userpool.State) []Finding {
	if record.Before != nil {
		return nil
	}
	var findings []Finding
	for _, setting := range record.Restores() {
		d := baseline.Drift{Setting: setting}
		if len(now.Lacks([]baseline.Drift{d})) > 0 {
			findings = append(findings, NotRestored(d, "record "+record.ID+" does not hold what it was"))
		}
	}
	return findings
}

// InterruptedFinding says that a run was interrupted.
func InterruptedFinding(record Record) Finding {
	var writes []string
	for _, s := range record.Sent {
		if s.Made() {
			writes = append(writes, s.Call+" ("+string(s.Status)+")")
		}
	}
	return Finding{Setting: string(record.Sent[0].Document), Want: "a run that ends", State: StateReported,
		Code: CodeInterrupted, Have: "an interrupted run", Reason: fmt.Sprintf("an earlier run began at %s, wrote %s "+
			"and was interrupted before it could notify anybody (record %s)", record.Began.UTC().Format(time.RFC3339),
			strings.Join(writes, ", "), record.ID)}
}

// made returns the settings of the writes that were made, or may have been.
func (r Record) made() []string {
	var all []string
	for _, s := range r.Sent {
		if s.Made() {
			all = append(all, s.Fixes...)
		}
	}
	return all
}

// stopTime is how long a document is left alone after a write moved a member that this build does not know.
const stopTime = 24 * time.Hour

// Moved returns the unknown members that writes of the records moved of late, by their documents.
func Moved(records []Record, now time.Time) map[baseline.DocumentName][]string {
	moved := map[baseline.DocumentName][]string{}
	for _, record := range records {
		for _, s := range record.Sent {
			if len(s.Moved) > 0 && now.Before(s.At.Add(stopTime)) {
				moved[s.Document] = append(moved[s.Document], s.Moved...)
			}
		}
	}
	return moved
}

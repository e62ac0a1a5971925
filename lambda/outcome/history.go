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

// A History is what the ledger stores for one pool.
type History struct {
	Records []Record             // light records, the oldest first
	Notes   map[string]time.Time // expiry by name
}

// Exhausted returns the settings whose flap budget is used up, each with the reason. Another automation keeps writing
// them, so writing them again would not help.
func Exhausted(budget baseline.FlapBudget, records []Record, cause event.Cause, now time.Time) map[string]string {
	written, flapping := map[string][]Record{}, map[string]string{}
	for _, record := range records {
		if record.Began.Before(now.Add(-budget.Within)) {
			continue
		}
		for _, setting := range record.fixes(func(s Sent) bool { return s.Status == Accepted }) {
			written[setting] = append(written[setting], record)
			if by := written[setting]; budget.Times > 0 && len(by) >= budget.Times {
				flapping[setting] = flapReason(budget, setting, by, cause)
			}
		}
	}
	return flapping
}

func flapReason(budget baseline.FlapBudget, setting string, by []Record, cause event.Cause) string {
	unheld, causes := 0, []event.Cause{cause}
	for _, record := range by {
		causes = append(causes, record.Cause)
		fixed := func(d Finding) bool { return d.Setting == setting && d.State == StateFixed }
		if !slices.ContainsFunc(record.Drifts, fixed) {
			unheld++
		}
	}
	how := fmt.Sprintf("changed back each time (%s): two automations undo each other, so poolkeeper skips it until one "+
		"of them stops", callers(causes))
	if unheld > 0 {
		how = fmt.Sprintf("%s the value did not last (%s): another automation changes it back at once, or the pool does "+
			"not keep it, so poolkeeper skips it until that ends", times(unheld), callers(causes))
	}
	return fmt.Sprintf("it was written %s within %d minutes, and %s (flapBudget: %s)", times(len(by)),
		int(budget.Within.Minutes()), how, budget)
}

// callers lists the callers of the causes with the number of their calls, the most frequent first. The caller is
// unknown if a scan found the drift.
func callers(causes []event.Cause) string {
	counts, seen := map[string]int{}, map[string]bool{}
	for _, c := range causes {
		name := unknownCaller
		switch {
		case c.Issuer != "":
			name = "role " + c.Issuer[strings.LastIndexByte(c.Issuer, '/')+1:]
		case c.Actor != "":
			name = c.Actor[strings.LastIndexAny(c.Actor, "/:")+1:]
		case c.RequestID == "":
			continue // not a call
		}
		if c.EventID == "" || !seen[c.EventID] {
			seen[c.EventID] = true
			counts[name]++
		}
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

// Actor returns the full name of the caller of a cause.
func Actor(c event.Cause) string { return cmp.Or(c.Actor, unknownCaller) }

const unknownCaller = "an unknown caller"

// LostUpdates returns a finding for each of our writes that may have undone the event's call. This can happen if the
// call changed a document between our read and our write, because a write sends the whole document as it was read.
//
// For example, the call was made at 12:00:01, and we read the pool at 12:00:00 and wrote it at 12:00:02.
func LostUpdates(request event.Request, records []Record) []Finding {
	call, at := request.Call, request.Cause.Time
	if len(call.Changes) == 0 || call.New || at.IsZero() {
		return nil
	}
	var findings []Finding
	for _, record := range records {
		if record.Cause.EventID == request.Cause.EventID {
			continue // the write is our reaction to this call
		}
		for _, s := range record.Sent {
			if s.RequestID != "" && s.RequestID == request.Cause.RequestID {
				return nil // the event was caused by this write
			}
			// CloudTrail times are in whole seconds.
			between := at.Add(time.Second).After(s.Read) && !at.After(cmp.Or(s.At, record.Until))
			if s.Made() && between && changes(request, s.Document) {
				findings = append(findings, lostUpdate(request, record, s))
			}
		}
	}
	return findings
}

// changes reports whether the call may have set a value in a document: the document that it writes, or one that
// contains one of its parameters. Other changes are side effects of the service and not a lost update.
func changes(request event.Request, name baseline.DocumentName) bool {
	call, client := request.Call, name.Client()
	if !slices.Contains(call.Changes, name.Kind()) ||
		request.ClientID != "" && client != "" && request.ClientID != client {
		return false
	}
	if table, _ := name.Table(); table.WriteCall == call.Name || len(call.Changes) == 1 {
		return true
	}
	return slices.ContainsFunc(parameters(request), func(parameter string) bool {
		return len(name.Holds(strings.ToUpper(parameter[:1])+parameter[1:])) > 0
	})
}

// parameters returns the names of the parameters that the call set, without the ids of the pool and the client.
func parameters(request event.Request) []string {
	return slices.DeleteFunc(slices.Clone(request.Named), func(name string) bool {
		return slices.Contains([]string{"", "userpoolid", "clientid", "resourcearn"}, strings.ToLower(name))
	})
}

func lostUpdate(request event.Request, record Record, s Sent) Finding {
	what, made := "its parameters are unknown: CloudTrail shows none", "at an unknown time"
	if set := parameters(request); len(set) > 0 {
		what = "its parameters: " + strings.Join(set, ", ")
	}
	if !s.At.IsZero() {
		made = "at " + s.At.UTC().Format(time.RFC3339)
	}
	d := Finding{Setting: string(s.Document), Want: "the changes of the call", State: StateReported, Code: CodeLostUpdate,
		Reason: fmt.Sprintf("%s was called by %s at %s, between poolkeeper's read and its %s %s, which sent the whole "+
			"document as it was read: the changes of the call may be lost (%s; record %s)", request.Call.Name,
			Actor(request.Cause), request.Cause.Time.UTC().Format(time.RFC3339), s.Call, made, what, record.ID)}
	if len(record.Drifts) > 0 {
		d.Rule = record.Drifts[0].Rule
	}
	return d
}

// Interrupted returns the records of runs that were interrupted.
func Interrupted(records []Record, now time.Time) []Record {
	return slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return !r.Interrupted(now) })
}

// RestoresOf returns the known drifts and those that restore what interrupted runs may have removed from the pool.
func RestoresOf(records []Record, known []baseline.Drift) []baseline.Drift {
	for _, record := range records {
		if record.Before == nil {
			continue
		}
		for _, d := range record.Before.State().RestoresOf(record.Restores()) {
			if !slices.ContainsFunc(known, func(o baseline.Drift) bool { return o.Setting == d.Setting }) {
				known = append(known, d)
			}
		}
	}
	return known
}

// InterruptedFindings returns the findings about interrupted runs: what they wrote, which removed settings have unknown
// old values, because a record has no state, and which of their fixes are in the current state.
func InterruptedFindings(records []Record, found baseline.Comparison, now userpool.State) []Finding {
	var findings []Finding
	for _, record := range records {
		findings = append(findings, InterruptedFinding(record))
		for _, setting := range record.Restores() {
			d := baseline.Drift{Setting: setting}
			if record.Before == nil && len(now.Lacks([]baseline.Drift{d})) > 0 {
				findings = append(findings, NotFixed(d, "record "+record.ID+" does not have the old values", CodeRestore))
			}
		}
		made := record.fixes(Sent.Made)
		for _, d := range record.Drifts {
			drifts := slices.ContainsFunc(found.Drifts, func(f baseline.Drift) bool {
				return userpool.Touches(f.Setting, d.Setting)
			})
			name, _ := baseline.DocumentOf(d.Setting)
			same := record.Before != nil && record.Before.State().Alike(now, d.Setting)
			if !drifts && now.Has(name) && slices.Contains(made, d.Setting) && !same {
				d.State, d.Code = StateFixed, CodeInterrupted
				d.Reason = "written by the run of record " + record.ID + ", which was interrupted; the setting is compliant now"
				findings = append(findings, d)
			}
		}
	}
	return findings
}

// InterruptedFinding returns the finding that a run was interrupted, or deferred with settings still to be restored.
func InterruptedFinding(record Record) Finding {
	var writes []string
	for _, s := range record.Sent {
		if s.Made() {
			writes = append(writes, s.Call+" ("+string(s.Status)+")")
		}
	}
	return Finding{Setting: string(record.Sent[0].Document), Want: "a run that finishes", State: StateReported,
		Code: CodeInterrupted, Have: "an interrupted run", Reason: fmt.Sprintf("an earlier run began at %s, wrote %s "+
			"and was interrupted before it finished (record %s)", record.Began.UTC().Format(time.RFC3339),
			strings.Join(writes, ", "), record.ID)}
}

// stopTime is how long a document is not written after a write changed an unknown member of it.
const stopTime = 24 * time.Hour

// ChangedMembers returns the unknown members that recent writes in the records changed, by document.
func ChangedMembers(records []Record, now time.Time) map[baseline.DocumentName][]string {
	changed := map[baseline.DocumentName][]string{}
	for _, record := range records {
		for _, s := range record.Sent {
			if len(s.Changed) > 0 && now.Before(s.At.Add(stopTime)) {
				changed[s.Document] = append(changed[s.Document], s.Changed...)
			}
		}
	}
	return changed
}

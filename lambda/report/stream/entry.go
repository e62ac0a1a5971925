package stream

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// An Entry is one unit of output: the results for one pool or one file, or the summary at the end. Its exported fields
// and methods are for the templates.
type Entry struct {
	Name     string // id of the pool, or name of the file; "" for a summary
	Word     string
	Notes    []string
	Findings []finding
	Failed   string // why the pool or file fails, if no finding says so
	Pool     poolLine
	json     any
	kind     string // of the template for a terminal; "" if the entry is not shown to people
}

// A finding is one problem of a pool or file. If it is not about a setting of a pool, only Reason and Source are set.
type finding struct {
	outcome.Finding
	ID      string // a stable id: the setting, or the id of the warning
	Level   string
	Excerpt string // the line of the file, and what is before the mark below it; "" if it is not shown
}

// The levels of SARIF.
const failure, warning, note = "error", "warning", "note"

var levels = map[outcome.State]string{outcome.StateFixed: note, outcome.StateExempted: note,
	outcome.StateReported: warning, outcome.StatePlanned: failure, outcome.StateUnfixable: failure}

// Where returns what the finding is about: a setting, or a position in a file.
func (f finding) Where() string { return cmp.Or(f.Setting, f.Source.String()) }

// Says returns the finding as one sentence.
func (f finding) Says() string {
	if f.Setting == "" {
		return f.Reason
	}
	text := fmt.Sprintf("%s: %s, wanted %s (%s)", f.Setting, report.Value(f.Have), report.Value(f.Want),
		report.RuleNamed(f.Rule))
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	return text
}

// A poolLine is the JSON line of a pool: the function's response and some details. A preview has no cause and nothing
// verified.
type poolLine struct {
	outcome.Outcome
	Account  string            `json:"account,omitempty"`
	Region   string            `json:"region,omitempty"`
	Name     string            `json:"name,omitempty"`
	State    string            `json:"state,omitempty"`
	Cause    *event.Cause      `json:"cause,omitempty"`
	Drifts   []report.Drift    `json:"drifts"`
	Verified *outcome.Verified `json:"verified,omitempty"`
}

func ofPool(out outcome.Outcome, line poolLine, brief bool) Entry {
	out = report.Legible(out)
	e := Entry{Name: cmp.Or(out.UserPoolID, "(no user pool)"), Word: string(out.Outcome)}
	if pool := report.PoolOf(out); pool.Account != "" {
		line.Account, line.Region = pool.Account, pool.Region
		e.Name = pool.Account + "/" + e.Name
	}
	line.Outcome, line.Drifts = out, report.New(out, "", "").Drifts
	e.Pool, e.json = line, line
	explained := false // fixed findings do not explain why a pool fails
	for _, d := range out.Drifts {
		e.Findings = append(e.Findings, finding{d, d.Setting, levels[d.State], ""})
		explained = explained || levels[d.State] != note
	}
	fails := []outcome.Ending{outcome.Deferred, outcome.Unfixable, outcome.Unconverged}
	if !explained && slices.Contains(fails, out.Outcome) {
		e.Failed = string(out.Outcome) + ": " + out.Reason
	}
	if !brief || len(out.Drifts)+len(out.Writes) > 0 || e.Failed != "" {
		e.kind = "pool"
	}
	return e
}

// OfOutcome returns the entry for a pool that was reconciled. If brief, pools without findings are not shown to people.
func OfOutcome(out outcome.Outcome, brief bool) Entry {
	return ofPool(out, poolLine{Cause: &out.Cause, Verified: &out.Verified}, brief)
}

// OfPreview returns the entry for a pool that was only read. If brief, pools without findings are not shown to people.
func OfPreview(p outcome.Preview, brief bool) Entry {
	return ofPool(p.Outcome, poolLine{Name: p.Details.PoolName, State: p.State}, brief)
}

// TextOf returns an outcome as text for a terminal.
func TextOf(out outcome.Outcome, paint Paint) string {
	var b strings.Builder
	_ = New(Text, &b, paint).Write(OfOutcome(out, false)) // a Builder returns no error
	return b.String()
}

// OfFailure returns the entry for a pool that could not be read.
func OfFailure(id string, err error) Entry {
	why := baseline.Legible(err.Error())
	return Entry{Name: id, Word: "failed", Failed: why, Notes: []string{why}, kind: "failure",
		json: object{"userPoolId": id, "error": why}}
}

// OfScan returns the entry for a scan.
func OfScan(scan outcome.ScanResult) Entry {
	e := Entry{Word: string(scan.Outcome), kind: "scan", json: object{"scan": scan},
		Notes: []string{fmt.Sprintf("%s  %d user pools", scan.Outcome, scan.Pools)}}
	if scan.Reason != "" {
		e.Notes = append(e.Notes, "  reason    "+baseline.Legible(scan.Reason))
	}
	return e
}

// OfSummary returns the entry at the end. value is the JSON of the summary, under that name, and text is the summary
// for people.
func OfSummary(name string, value any, text string) Entry {
	return Entry{Notes: strings.Split(text, "\n"), json: object{name: value}, kind: "summary"}
}

// A fileFinding is a finding of a baseline file, as JSON.
type fileFinding struct {
	Level   string `json:"level"`
	ID      string `json:"id"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

// OfFile returns the entry for a baseline file. Findings are shown with their source lines, unless a line may contain a
// sensitive value.
func OfFile(name string, faults baseline.Errors, lints []baseline.Lint, source []byte) Entry {
	e := Entry{Name: name, Word: "valid", kind: "file"}
	all := []fileFinding{}
	add := func(level, id, path, message string, at baseline.Position) {
		all = append(all, fileFinding{level, id, at.File, at.Line, at.Column, path, message})
		if path != "" {
			message = path + ": " + message
		}
		f := finding{outcome.Finding{State: outcome.State(level), Reason: message, Source: at}, id, level, ""}
		if text, column, ok := baseline.Excerpt(source, at); ok && baseline.MayShow(message) {
			f.Excerpt = "    " + text + "\n    " + strings.Repeat(" ", column)
		}
		e.Findings = append(e.Findings, f)
	}
	for _, f := range faults {
		e.Word = "invalid"
		add(failure, "error", f.Path, f.Message, f.Position)
	}
	for _, l := range lints {
		add(warning, l.ID, l.Path, l.Message, l.Position)
	}
	e.json = object{"file": name, "findings": all}
	return e
}

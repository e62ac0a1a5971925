package stream

import (
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// An Entry is one unit of output: the results for one pool or one file, or the summary at the end.
type Entry struct {
	name     string // id of the pool, or name of the file; "" for a summary
	title    string // the name of the pool, or ""
	word     string
	notes    []string
	findings []finding
	failed   string // why the pool or file fails, if no finding says so
	json     any
	text     func(report.Paint) string // nil if the entry is not shown to people
}

// A finding is one problem of a pool or file. If it is not about a setting of a pool, only Reason is set.
type finding struct {
	outcome.Finding
	id    string // a stable id: the setting, or the id of the warning
	level level
}

// A level is a level of SARIF.
type level string

const (
	failure level = "error"
	warning level = "warning"
	note    level = "note"
)

func (f finding) where() string {
	if f.Setting != "" {
		return f.Setting
	}
	return f.Source.String()
}

// says returns the finding as one sentence.
func (f finding) says() string {
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

func ofPool(out outcome.Outcome) (Entry, poolLine) {
	e := Entry{name: out.UserPoolID, word: string(out.Outcome)}
	if e.name == "" {
		e.name = "(no user pool)"
	}
	line := poolLine{Outcome: out, Drifts: report.New(out, "", "").Drifts}
	if pool := report.PoolOf(out); pool.Account != "" {
		line.Account, line.Region = pool.Account, pool.Region
		e.name = pool.Account + "/" + e.name
	}
	for _, d := range out.Drifts {
		e.findings = append(e.findings, finding{d, d.Setting, levels[d.State]})
	}
	switch out.Outcome {
	case outcome.Deferred, outcome.Unfixable, outcome.Unconverged:
		// Fixed findings do not explain why the pool fails.
		if !slices.ContainsFunc(e.findings, func(f finding) bool { return f.level != note }) {
			e.failed = string(out.Outcome) + ": " + out.Reason
		}
	}
	return e, line
}

// add adds a note unless it is empty.
func (e *Entry) add(name, text string) {
	if text != "" {
		e.notes = append(e.notes, name+": "+text)
	}
}

var levels = map[outcome.State]level{
	outcome.StateFixed: note, outcome.StateExempted: note, outcome.StateReported: warning,
	outcome.StatePlanned: failure, outcome.StateUnfixable: failure,
}

// OfOutcome returns the entry for a pool that was reconciled. If brief, pools without findings are not shown to people.
func OfOutcome(out outcome.Outcome, brief bool) Entry {
	out = report.Legible(out)
	e, line := ofPool(out)
	line.Cause, line.Verified = &out.Cause, &out.Verified
	e.json = line
	if len(out.Writes) > 0 {
		verified := "not verified"
		if out.Verified != (outcome.Verified{}) {
			verified = report.VerifiedText(out.Verified)
		}
		e.add("written", strings.Join(out.Writes, ", ")+"; "+verified)
	}
	e.add("reason", out.Reason)
	nothing := out.Outcome == outcome.Unchanged || out.Outcome == outcome.Ignored
	if !brief || len(out.Drifts) > 0 || !nothing {
		e.text = func(paint report.Paint) string { return report.Text(out, paint) }
	}
	return e
}

// OfPreview returns the entry for a pool that was only read. If brief, pools without findings are not shown to people.
func OfPreview(p outcome.Preview, brief bool) Entry {
	p.Outcome = report.Legible(p.Outcome)
	e, line := ofPool(p.Outcome)
	line.Name, line.State = p.Details.PoolName, p.State
	e.json = line
	if line.Name != "" {
		e.title = report.Value(line.Name)
	}
	e.add("calls", strings.Join(p.Writes, ", "))
	e.add("reason", p.Reason)
	if !brief || len(p.Drifts) > 0 || e.failed != "" {
		e.text = func(paint report.Paint) string { return report.Plan(p, paint) }
	}
	return e
}

// OfFailure returns the entry for a pool that could not be read.
func OfFailure(id string, err error) Entry {
	why := baseline.Legible(err.Error())
	return Entry{name: id, word: "failed", failed: why, notes: []string{why},
		json: object{"userPoolId": id, "error": why},
		text: func(paint report.Paint) string {
			return fmt.Sprintf("%s  %s\n  reason    %s\n", paint.Of(report.Bad, "failed"), id, why)
		}}
}

// OfScan returns the entry for a scan.
func OfScan(scan outcome.ScanResult) Entry {
	text := func(paint report.Paint) string { return report.Scan(scan, paint) }
	return Entry{notes: strings.Split(strings.TrimSpace(text(false)), "\n"), json: object{"scan": scan}, text: text}
}

// OfSummary returns the entry at the end. value is the JSON of the summary, under that name, and text is the summary
// for people.
func OfSummary(name string, value any, text string) Entry {
	return Entry{notes: strings.Split(text, "\n"), json: object{name: value},
		text: func(report.Paint) string { return text + "\n" }}
}

// A fileFinding is a finding of a baseline file, as JSON.
type fileFinding struct {
	Level   level  `json:"level"`
	ID      string `json:"id"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

// OfFile returns the entry for a baseline file. Findings are shown with their source lines.
func OfFile(name string, faults baseline.Errors, lints []baseline.Lint, source []byte) Entry {
	e := Entry{name: name, word: "valid"}
	all := []fileFinding{}
	add := func(l level, id, path, message string, at baseline.Position) {
		all = append(all, fileFinding{l, id, at.File, at.Line, at.Column, path, message})
		if path != "" {
			message = path + ": " + message
		}
		e.findings = append(e.findings, finding{outcome.Finding{State: outcome.State(l), Reason: message, Source: at}, id, l})
	}
	for _, f := range faults {
		e.word = "invalid"
		add(failure, "error", f.Path, f.Message, f.Position)
	}
	for _, l := range lints {
		add(warning, l.ID, l.Path, l.Message, l.Position)
	}
	e.json = object{"file": name, "findings": all}
	e.text = func(paint report.Paint) string {
		var b strings.Builder
		for _, f := range e.findings {
			if f.level == warning {
				fmt.Fprintf(&b, "%s: %s: %s [%s]\n", f.Source, paint.Of(report.Warn, "warning"), f.Reason, f.id)
			} else {
				fmt.Fprintf(&b, "%s: %s\n", f.Source, f.Reason)
			}
			b.WriteString(caret(source, f, paint))
		}
		return b.String()
	}
	return e
}

// caret returns the source line of a finding with a mark below it, unless the line may contain a sensitive value.
func caret(source []byte, f finding, paint report.Paint) string {
	text, column, ok := baseline.Excerpt(source, f.Source)
	if !ok || !baseline.MayShow(f.Reason) {
		return ""
	}
	return "    " + text + "\n    " + strings.Repeat(" ", column) + paint.Of(report.Bad, "^") + "\n"
}

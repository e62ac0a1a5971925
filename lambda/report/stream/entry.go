package stream

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// An Entry is what is written at a time: what there is to say about one pool, one file, or all of them at the end.
type Entry struct {
	name     string // id of the pool, or name of the file; "" for a summary
	title    string // the name of the pool, or ""
	word     string
	notes    []string
	findings []finding
	failed   string // why the pool or file is not as required, where no finding says it
	json     any
	text     func(io.Writer, report.Paint) error // nil where people need not see the entry
}

// A finding is one thing that is not as required.
type finding struct {
	id        string // stable: the setting, or the id of the warning
	level     level
	state     string
	setting   string // "" where the finding is not about a setting of a pool
	have      any
	want      any
	rule      string
	reason    string
	position  baseline.Position
	exemption string // why it does not count, or ""
}

// A level is one of SARIF's.
type level string

const (
	failure level = "error"
	warning level = "warning"
	note    level = "note"
)

func (f finding) where() string {
	if f.setting != "" {
		return f.setting
	}
	return f.position.String()
}

// says is the finding in one sentence.
func (f finding) says() string {
	if f.setting == "" {
		return f.reason
	}
	text := fmt.Sprintf("%s: %s, wanted %s (%s)", f.setting, report.Value(f.have), report.Value(f.want),
		report.RuleNamed(f.rule))
	if f.reason != "" {
		text += ": " + f.reason
	}
	return text
}

// A poolLine is a pool as a line of JSON: the answer of the function, and a little more.
type poolLine struct {
	Outcome    outcome.Ending    `json:"outcome"`
	UserPoolID string            `json:"userPoolId"`
	Account    string            `json:"account,omitempty"`
	Region     string            `json:"region,omitempty"`
	Name       string            `json:"name,omitempty"`
	Baseline   string            `json:"baseline"`
	State      string            `json:"state,omitempty"`
	Cause      *event.Cause      `json:"cause,omitempty"`
	Drifts     []report.Drift    `json:"drifts"`
	Verified   *outcome.Verified `json:"verified,omitempty"`
	Writes     []string          `json:"writes"`
	Reason     string            `json:"reason"`
	Critical   bool              `json:"critical,omitempty"`
	Record     string            `json:"record,omitempty"`
	Undetected int               `json:"undetected,omitempty"`
}

func ofPool(out outcome.Outcome) (Entry, poolLine) {
	e := Entry{name: out.UserPoolID, word: string(out.Outcome)}
	if e.name == "" {
		e.name = "(no user pool)"
	}
	line := poolLine{Outcome: out.Outcome, UserPoolID: out.UserPoolID, Baseline: out.Baseline, Drifts: []report.Drift{},
		Writes: out.Writes, Reason: out.Reason, Critical: out.Critical, Record: out.Record, Undetected: out.Undetected}
	if pool := report.PoolOf(out); pool.Account != "" {
		line.Account, line.Region = pool.Account, pool.Region
		e.name = pool.Account + "/" + e.name
	}
	for _, d := range out.Drifts {
		line.Drifts = append(line.Drifts,
			report.Drift{Finding: d, Source: d.Source.String(), Checks: report.ChecksOf(d.Setting)})
		f := finding{id: d.Setting, level: levels[d.State], state: string(d.State), setting: d.Setting, have: d.Have,
			want: d.Want, rule: d.Rule, reason: d.Reason, position: d.Source}
		if d.State == outcome.StateExempted {
			f.exemption = d.Reason
		}
		e.findings = append(e.findings, f)
	}
	switch out.Outcome {
	case outcome.Deferred, outcome.Unfixable, outcome.Unconverged:
		// What was fixed does not say why the pool is not as required.
		if !slices.ContainsFunc(e.findings, func(f finding) bool { return f.level != note }) {
			e.failed = string(out.Outcome) + ": " + out.Reason
		}
	}
	return e, line
}

var levels = map[outcome.State]level{
	outcome.StateFixed: note, outcome.StateExempted: note, outcome.StateReported: warning,
	outcome.StatePlanned: failure, outcome.StateUnfixable: failure,
}

// OfOutcome is the entry of a pool that was reconciled. If brief, people do not see a pool where nothing was found.
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
		e.notes = append(e.notes, "written: "+strings.Join(out.Writes, ", ")+"; "+verified)
	}
	if out.Reason != "" {
		e.notes = append(e.notes, "reason: "+out.Reason)
	}
	nothing := out.Outcome == outcome.Unchanged || out.Outcome == outcome.Ignored
	if !brief || len(out.Drifts) > 0 || !nothing {
		e.text = func(w io.Writer, paint report.Paint) error { return report.Text(w, out, paint) }
	}
	return e
}

// OfPreview is the entry of a pool that was only read. If brief, people do not see a pool where nothing was found.
func OfPreview(p outcome.Preview, brief bool) Entry {
	p.Outcome = report.Legible(p.Outcome)
	e, line := ofPool(p.Outcome)
	line.Name, line.State = p.Details.PoolName, p.State
	e.json = line
	if line.Name != "" {
		e.title = report.Value(line.Name)
	}
	if len(p.Writes) > 0 {
		e.notes = append(e.notes, "calls: "+strings.Join(p.Writes, ", "))
	}
	if p.Reason != "" {
		e.notes = append(e.notes, "reason: "+p.Reason)
	}
	if !brief || len(p.Drifts) > 0 || e.failed != "" {
		e.text = func(w io.Writer, paint report.Paint) error { return report.Plan(w, p, paint) }
	}
	return e
}

// OfFailure is the entry of a pool that could not be read.
func OfFailure(id string, err error) Entry {
	why := baseline.Legible(err.Error())
	return Entry{name: id, word: "failed", failed: why, notes: []string{why},
		json: map[string]any{"userPoolId": id, "error": why},
		text: func(w io.Writer, paint report.Paint) error {
			_, err := fmt.Fprintf(w, "%s  %s\n  reason    %s\n", paint.Bad("failed"), id, why)
			return err
		}}
}

// OfSummary is the entry at the end: value is the summary's JSON, under that name, and text says the same on one or
// more lines.
func OfSummary(name string, value any, text string) Entry {
	return Entry{notes: strings.Split(text, "\n"), json: map[string]any{name: value},
		text: func(w io.Writer, _ report.Paint) error { _, err := fmt.Fprintln(w, text); return err }}
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

// OfFile is the entry of a baseline file. The source lines are shown under the findings.
func OfFile(name string, faults baseline.Errors, lints []baseline.Lint, source []byte) Entry {
	e := Entry{name: name, word: "valid"}
	all := []fileFinding{}
	add := func(l level, id, path, message string, at baseline.Position) {
		all = append(all, fileFinding{l, id, at.File, at.Line, at.Column, path, message})
		if path != "" {
			message = path + ": " + message
		}
		e.findings = append(e.findings, finding{id: id, level: l, state: string(l), reason: message, position: at})
	}
	for _, f := range faults {
		e.word = "invalid"
		add(failure, "error", f.Path, f.Message, f.Position)
	}
	for _, l := range lints {
		add(warning, l.ID, l.Path, l.Message, l.Position)
	}
	e.json = map[string]any{"file": name, "findings": all}
	e.text = func(w io.Writer, paint report.Paint) error {
		var b strings.Builder
		for _, f := range e.findings {
			if f.level == warning {
				fmt.Fprintf(&b, "%s: %s: %s [%s]\n", f.position, paint.Warn("warning"), f.reason, f.id)
			} else {
				fmt.Fprintf(&b, "%s: %s\n", f.position, f.reason)
			}
			b.WriteString(caret(source, f, paint))
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	return e
}

// caret shows the place of a finding, and a mark under it, unless the line may hold a message text or a secret.
func caret(source []byte, f finding, paint report.Paint) string {
	text, column, ok := baseline.Excerpt(source, f.position)
	if !ok || !baseline.MayShow(f.reason) {
		return ""
	}
	return "    " + text + "\n    " + strings.Repeat(" ", column) + paint.Bad("^") + "\n"
}

package stream

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// An Entry is what is written at a time: what there is to say of one pool, of one file, or of all of them at the end.
type Entry struct {
	name     string // id of the pool, or name of the file; "" of a summary
	title    string // the name of the pool, or ""
	word     string
	notes    []string
	findings []finding
	failed   string // why nothing could be found out
	json     any
	text     func(io.Writer, report.Paint) error // nil: not worth a word to people
}

// A finding is one thing that is not as it should be.
type finding struct {
	id       string // stable: the setting, or the id of the warning
	level    level
	state    string
	setting  string // "" where the finding is not about a setting of a pool
	have     any
	want     any
	rule     string
	reason   string
	position baseline.Position
	pardon   string // why it does not count, or ""
}

// A level is one of SARIF's.
type level string

const (
	wrong   level = "error"
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
	text := fmt.Sprintf("%s: %s, wanted %s (%s)", f.setting, report.Value(f.have), report.Value(f.want), report.RuleNamed(f.rule))
	if f.reason != "" {
		text += ": " + f.reason
	}
	return text
}

// poolLine is a pool as a line of JSON: what the function answers with, and a little more.
type poolLine struct {
	Outcome    reconcile.Word      `json:"outcome"`
	UserPoolID string              `json:"userPoolId"`
	Name       string              `json:"name,omitempty"`
	Baseline   string              `json:"baseline"`
	State      string              `json:"state,omitempty"`
	Cause      *event.Cause        `json:"cause,omitempty"`
	Drifts     []driftLine         `json:"drifts"`
	Verified   *reconcile.Verified `json:"verified,omitempty"`
	Writes     []string            `json:"writes"`
	Reason     string              `json:"reason"`
	Critical   bool                `json:"critical,omitempty"`

	Record      string            `json:"record,omitempty"`
	Missed      *reconcile.Missed `json:"missed,omitempty"`
	Overwritten []string          `json:"overwritten,omitempty"`
	Repeated    bool              `json:"repeated,omitempty"`
}

type driftLine struct {
	reconcile.Drift
	Source string   `json:"source,omitempty"`
	Checks []string `json:"checks,omitempty"`
}

func ofPool(out reconcile.Outcome) (Entry, poolLine) {
	e := Entry{name: out.UserPoolID, word: string(out.Outcome)}
	if e.name == "" {
		e.name = "(no user pool)"
	}
	line := poolLine{Outcome: out.Outcome, UserPoolID: out.UserPoolID, Baseline: out.Baseline, Drifts: []driftLine{}, Writes: out.Writes, Reason: out.Reason, Critical: out.Critical,
		Record: out.Record, Missed: out.Missed, Overwritten: out.Overwritten, Repeated: out.Repeated}
	for _, d := range out.Drifts {
		line.Drifts = append(line.Drifts, driftLine{d, d.Source.String(), report.ChecksOf(d.Setting)})
		f := finding{id: d.Setting, level: levels[d.State], state: string(d.State), setting: d.Setting, have: d.Have, want: d.Want, rule: d.Rule, reason: d.Reason, position: d.Source}
		if d.State == reconcile.Exempted {
			f.pardon = d.Reason
		}
		e.findings = append(e.findings, f)
	}
	switch out.Outcome {
	case reconcile.Deferred, reconcile.Unfixable, reconcile.Unconverged:
		// What was fixed says nothing of why the pool is not right.
		if !slices.ContainsFunc(e.findings, func(f finding) bool { return f.level != note }) {
			e.failed = string(out.Outcome) + ": " + out.Reason
		}
	}
	return e, line
}

var levels = map[reconcile.DriftState]level{
	reconcile.Fixed: note, reconcile.Exempted: note, reconcile.Reported: warning, reconcile.Planned: wrong, reconcile.NotFixable: wrong,
}

// OfOutcome is the entry of a pool that was dealt with. People are not told of a pool in which brief finds nothing.
func OfOutcome(out reconcile.Outcome, brief bool) Entry {
	out = report.Legible(out)
	e, line := ofPool(out)
	line.Cause, line.Verified = &out.Cause, &out.Verified
	e.json = line
	if len(out.Writes) > 0 {
		verified := "the pool could not be read and judged after that"
		if out.Verified != (reconcile.Verified{}) {
			verified = fmt.Sprintf("%d owned settings hold, %d unmanaged settings unchanged", out.Verified.Owned, out.Verified.UnmanagedUnchanged)
		}
		e.notes = append(e.notes, "written: "+strings.Join(out.Writes, ", ")+"; "+verified)
	}
	if out.Reason != "" {
		e.notes = append(e.notes, "reason: "+out.Reason)
	}
	if !brief || len(out.Drifts) > 0 || out.Outcome != reconcile.Unchanged && out.Outcome != reconcile.Ignored {
		e.text = func(w io.Writer, paint report.Paint) error { return report.Text(w, out, paint) }
	}
	return e
}

// OfPreview is the entry of a pool that was only looked at. People are not told of a pool in which brief finds nothing.
func OfPreview(p reconcile.Preview, brief bool) Entry {
	p.Outcome = report.Legible(p.Outcome)
	e, line := ofPool(p.Outcome)
	line.Name, line.State = p.PoolName, p.State
	e.json = line
	if p.PoolName != "" {
		e.title = report.Value(p.PoolName)
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

// OfFailure is the entry of a pool that could not be looked at.
func OfFailure(id string, err error) Entry {
	why := baseline.Legible(err.Error())
	return Entry{name: id, word: "failed", failed: why, notes: []string{why},
		json: map[string]any{"userPoolId": id, "error": why},
		text: func(w io.Writer, paint report.Paint) error {
			_, err := fmt.Fprintf(w, "%s  %s\n  reason    %s\n", paint.Bad("failed"), id, why)
			return err
		}}
}

// OfSummary is the entry at the end: value is the summary's JSON, under that name, and text says the same in one or more lines.
func OfSummary(name string, value any, text string) Entry {
	return Entry{notes: strings.Split(text, "\n"), json: map[string]any{name: value},
		text: func(w io.Writer, _ report.Paint) error { _, err := fmt.Fprintln(w, text); return err }}
}

// OfFile is the entry of a baseline file. The lines of its source are shown under what is said of them.
func OfFile(name string, faults baseline.Faults, lints []baseline.Lint, source []byte) Entry {
	e := Entry{name: name, word: "valid"}
	type said struct {
		Level   level  `json:"level"`
		ID      string `json:"id"`
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Path    string `json:"path"`
		Message string `json:"message"`
	}
	all := []said{}
	add := func(l level, id, path, message string, at baseline.Position) {
		all = append(all, said{l, id, at.File, at.Line, at.Column, path, message})
		if path != "" {
			message = path + ": " + message
		}
		e.findings = append(e.findings, finding{id: id, level: l, state: string(l), reason: message, position: at})
	}
	for _, f := range faults {
		e.word = "faulty"
		add(wrong, "fault", f.Path, f.Message, f.Position)
	}
	for _, l := range lints {
		add(warning, l.ID, l.Path, l.Message, l.Position)
	}
	e.json = map[string]any{"file": name, "findings": all}
	sourceLines := strings.Split(string(source), "\n")
	e.text = func(w io.Writer, paint report.Paint) error {
		var b strings.Builder
		for _, f := range e.findings {
			if f.level == warning {
				fmt.Fprintf(&b, "%s: %s: %s [%s]\n", f.position, paint.Warn("warning"), f.reason, f.id)
			} else {
				fmt.Fprintf(&b, "%s: %s\n", f.position, f.reason)
			}
			b.WriteString(caret(sourceLines, f, paint))
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	return e
}

// caret shows the place of a finding: the line up to the word that it is about, and a mark under that. A line that may hold a message text or a secret is not shown.
func caret(lines []string, f finding, paint report.Paint) string {
	at := f.position
	if at.Line < 1 || at.Line > len(lines) || at.Column < 1 {
		return ""
	}
	text := strings.TrimRight(lines[at.Line-1], "\r")
	if at.Line == 1 {
		text = strings.TrimPrefix(text, "\ufeff") // which has no column
	}
	line := []rune(text)
	if at.Column > len(line) || !baseline.MayShow(f.reason) || !baseline.MayShow(string(line)) {
		return ""
	}
	end := at.Column - 1
	for end < len(line) && (end == at.Column-1 || !strings.ContainsRune(" ,:]}#", line[end])) {
		end++
	}
	// One place for each character, so that the mark is under its own.
	shown := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, string(line[:end]))
	if end < len(line) {
		shown += " …"
	}
	return "    " + shown + "\n    " + strings.Repeat(" ", at.Column-1) + paint.Bad("^") + "\n"
}

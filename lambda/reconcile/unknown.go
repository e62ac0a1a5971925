package reconcile

import (
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// moved notes what no write was to change and is not what it was. Whose unknown members moved, those documents are not
// written any more.
func (w *work) moved(changes []userpool.Change) {
	r := w.run
	w.done.moved = nil
	for _, change := range changes {
		text := change.String()
		if member := userpool.UnknownOf(change.Setting); member != "" {
			r.out.Critical = true
			text += ", which this build does not know"
			w.stop(userpool.DocumentOf(member), member)
		}
		w.done.moved = append(w.done.moved, text)
	}
}

// stop keeps this run and those that read its record from writing a document.
func (w *work) stop(name baseline.DocumentName, member string) {
	r := w.run
	for i := range r.record.Sent {
		s := &r.record.Sent[i]
		if s.Made() && s.Document == name && !slices.Contains(s.Moved, member) {
			s.Moved = append(s.Moved, member)
			r.rules.Moved[name] = append(r.rules.Moved[name], member)
		}
	}
}

// echoed says which unknown members a write of the documents sent back, or "".
func (r *run) echoed(state userpool.State, names []baseline.DocumentName) string {
	var members []string
	for _, name := range names {
		for _, member := range state.Echoed(name, r.with.Baseline.Unknown) {
			if text := userpool.Titled(member); !slices.Contains(members, text) {
				members = append(members, text)
			}
		}
	}
	if len(members) == 0 {
		return ""
	}
	return "the write sent back what this build does not know, as it was read: " + strings.Join(members, ", ")
}

// unsteady notes the unknown members that differ between two reads with no write between.
func (w *work) unsteady(a, b userpool.State) {
	w.skip = append(w.skip, a.Focus(w.done.unit).Unsteady(b.Focus(w.done.unit))...)
}

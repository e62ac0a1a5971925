package reconcile

import (
	"slices"
	"time"

	"poolkeeper/baseline"
)

// Missed is drift that no event told of: a sweep found it, and the last look at the whole pool did not.
type Missed struct {
	Since    time.Time `json:"since"` // of that last look
	Settings []string  `json:"settings"`
}

// missed returns the drifts of a sweep that nobody reported, or nil. What was left then, and what was exempted then, is no news; and after a change of the baseline nothing is known.
func (r *run) missed(state baseline.Identity, settings map[string]any, drifts []baseline.Drift) *Missed {
	since := r.known.Whole
	if !r.leased || r.request.Call.Name != "" || r.cause.EventID == "" || since.IsZero() || r.rec != nil {
		return nil
	}
	m := Missed{Since: since}
	then := baseline.Compare(r.Baseline.Policy(state, since), settings).Drifts
	for _, d := range drifts {
		exempted := slices.ContainsFunc(then, func(t baseline.Drift) bool { return t.Setting == d.Setting && t.Exempted != nil })
		if d.Exempted == nil && !exempted && !slices.Contains(r.known.Left, d.Setting) {
			m.Settings = append(m.Settings, d.Setting)
		}
	}
	if len(m.Settings) == 0 {
		return nil
	}
	return &m
}

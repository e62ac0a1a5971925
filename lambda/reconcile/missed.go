package reconcile

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// Missed is drift that no event told of: a sweep found it, and the last look at the whole pool did not.
type Missed struct {
	Since    time.Time `json:"since"` // of that last look; of a pool that was never looked at, when it was made
	Settings []string  `json:"settings"`
}

// An unheard is drift that a sweep found so soon after a change of the pool that the event of that may still come. It is missed if none has come by a later sweep.
type unheard struct {
	Missed
	Found time.Time `json:"found"`
}

// inFlight is how long after a call its event may still come: CloudTrail and EventBridge hand it over within minutes.
const inFlight = 15 * time.Minute

// missed returns the drifts of a sweep that nobody reported, or nil. What was left then, and what was exempted then, is no news; and after a change of the baseline nothing is known.
func (r *run) missed(state userpool.State, drifts []baseline.Drift) *Missed {
	if !r.leased || r.request.Call.Name != "" || r.cause.EventID == "" || r.rec != nil || r.request.Sweep.Asked {
		return nil
	}
	m := r.unreported(state, drifts)
	if due := r.known.Unheard; due != nil && r.Now().Sub(due.Found) >= inFlight {
		r.known.Unheard = nil
		defer func() {
			if m.Since.IsZero() || due.Since.Before(m.Since) {
				m.Since = due.Since
			}
			m.Settings = joined(due.Settings, m.Settings)
		}()
	}
	if len(m.Settings) > 0 && r.Now().Sub(changed(state, m.Settings)) < inFlight {
		if r.known.Unheard == nil {
			r.known.Unheard = &unheard{Missed{Since: m.Since}, r.Now()}
		}
		r.known.Unheard.Settings, m.Settings = joined(r.known.Unheard.Settings, m.Settings), nil
	}
	return m
}

// unreported is what the last look at the whole pool did not find.
func (r *run) unreported(state userpool.State, drifts []baseline.Drift) *Missed {
	m := &Missed{Since: r.known.Whole}
	if created := instant(state.Documents[baseline.UserPool]["CreationDate"]); r.fresh && created.After(r.request.Sweep.First) && !r.request.Sweep.First.IsZero() {
		m.Since = created
	}
	if m.Since.IsZero() {
		return m
	}
	then := baseline.Compare(r.Baseline.Policy(state.Identity(), m.Since), state.Settings()).Drifts
	for _, d := range drifts {
		exempted := slices.ContainsFunc(then, func(t baseline.Drift) bool { return t.Setting == d.Setting && t.Exempted != nil })
		if d.Exempted == nil && !exempted && !slices.Contains(r.known.Left, d.Setting) {
			m.Settings = append(m.Settings, d.Setting)
		}
	}
	return m
}

// hears says whether the event is of a call that can have done what a sweep found before the event came.
func (r *run) hears() bool {
	u, at := r.known.Unheard, r.cause.Time
	return u != nil && !at.Before(u.Since.Add(-settled)) && !at.After(u.Found) && !r.ownWrite() && !slices.Contains(r.known.Own, r.cause.RequestID) && slices.ContainsFunc(u.Settings, r.changes)
}

// hear takes what the event's call can have done from what nobody has told of.
func (r *run) hear() {
	if !r.hears() {
		return
	}
	left := *r.known.Unheard
	left.Settings = slices.DeleteFunc(slices.Clone(left.Settings), r.changes)
	if r.known.Unheard = &left; len(left.Settings) == 0 {
		r.known.Unheard = nil
	}
}

// changes says whether the event's call can have changed a setting.
func (r *run) changes(setting string) bool {
	name, _ := baseline.DocumentOf(setting)
	return slices.Contains(r.request.Call.Changes, string(name.Kind())) && (r.request.ClientID == "" || name.Client() == "" || name.Client() == r.request.ClientID)
}

// changed returns when the latest of the documents was changed in which the settings stand. One that does not say so changes with its pool.
func changed(state userpool.State, settings []string) (latest time.Time) {
	for _, setting := range settings {
		name, _ := baseline.DocumentOf(setting)
		at := instant(state.Documents[name]["LastModifiedDate"])
		if at.IsZero() {
			at = instant(state.Documents[baseline.UserPool]["LastModifiedDate"])
		}
		if at.After(latest) {
			latest = at
		}
	}
	return latest
}

// instant reads a time of the API, in seconds since 1970; what is none is the zero time.
func instant(v any) time.Time {
	number, _ := v.(json.Number)
	seconds, err := number.Float64()
	if err != nil || math.Abs(seconds) > 1e11 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}

func joined(some, others []string) []string {
	all := slices.Concat(some, others)
	slices.SortFunc(all, baseline.Order)
	all = slices.Compact(all)
	return all[:min(len(all), mostLeft)]
}

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

// What a run has found that no event told of.
type misses struct {
	counted bool     // what no event told of was counted
	unheard *unheard // and this may have an event yet
}

// missed returns the drifts of a sweep that nobody reported, or nil. What was left then, and what was exempted then, is no news; and after a change of the baseline nothing is known. A sweep that a call asked
// for counts none, for nobody can tell which pool that call was about.
func (r *run) missed(state userpool.State, drifts []baseline.Drift) *Missed {
	if !r.leased || r.request.Call.Name != "" || r.cause.EventID == "" || r.rec != nil || !r.request.Sweep.Asked.IsZero() {
		return nil
	}
	now, news, waiting := r.Now(), r.unreported(state, drifts), r.known.Unheard
	var flying *unheard
	if news != nil && now.Sub(changed(state, news.Settings)) < inFlight {
		flying, news = &unheard{*news, now}, nil
	}
	if waiting != nil && now.Sub(waiting.Found) >= inFlight {
		news = news.and(&waiting.Missed)
	} else if waiting != nil {
		if flying == nil {
			flying = waiting
		} else {
			flying = &unheard{*flying.and(&waiting.Missed), now}
		}
	}
	r.counted, r.unheard = true, flying
	return news
}

// and returns both together; either may be nil.
func (m *Missed) and(other *Missed) *Missed {
	switch {
	case m == nil:
		return other
	case other == nil:
		return m
	}
	both := &Missed{Since: m.Since, Settings: slices.Concat(m.Settings, other.Settings)}
	if other.Since.Before(m.Since) {
		both.Since = other.Since
	}
	slices.SortFunc(both.Settings, baseline.Order)
	both.Settings = slices.Compact(both.Settings)
	both.Settings = both.Settings[:min(len(both.Settings), mostLeft)]
	return both
}

// atRisk is what a later sweep has to count if this run is killed once it has begun to write.
func (r *run) atRisk() *unheard {
	news := r.out.Missed
	if news == nil {
		return r.unheard
	}
	if r.unheard != nil {
		news = news.and(&r.unheard.Missed)
	}
	return &unheard{*news, r.Now().Add(-inFlight)}
}

// unreported is what the last look at the whole pool did not find, or nil.
func (r *run) unreported(state userpool.State, drifts []baseline.Drift) *Missed {
	m := &Missed{Since: r.known.Whole}
	if created := instant(state.Documents[baseline.UserPool]["CreationDate"]); r.known.New && created.After(r.request.Sweep.First) && !r.request.Sweep.First.IsZero() {
		m.Since = created
	}
	if m.Since.IsZero() {
		return nil
	}
	then := baseline.Compare(r.Baseline.Policy(state.Identity(), m.Since), state.Settings()).Drifts
	for _, d := range drifts {
		exempted := slices.ContainsFunc(then, func(t baseline.Drift) bool { return t.Setting == d.Setting && t.Exempted != nil })
		if d.Exempted == nil && !exempted && !slices.Contains(r.known.Left, d.Setting) {
			m.Settings = append(m.Settings, d.Setting)
		}
	}
	if len(m.Settings) == 0 {
		return nil
	}
	m.Settings = m.Settings[:min(len(m.Settings), mostLeft)]
	return m
}

// hears says whether the event is of a call that can have done what a sweep found before the event came.
func (r *run) hears() bool {
	u, at := r.known.Unheard, r.cause.Time
	if !r.request.Sweep.Asked.IsZero() {
		at = r.request.Sweep.Asked
	}
	return u != nil && !at.Before(u.Since.Add(-settled)) && !at.After(u.Found) && !r.ownWrite() && !slices.Contains(r.known.Own, r.cause.RequestID) && slices.ContainsFunc(u.Settings, r.changes)
}

// hear takes what the event's call can have done from what nobody has told of.
func (r *run) hear() {
	r.known.New = r.known.New && r.request.Call.Name == ""
	if !r.hears() {
		return
	}
	left := *r.known.Unheard
	left.Settings = slices.DeleteFunc(slices.Clone(left.Settings), r.changes)
	if r.known.Unheard = &left; len(left.Settings) == 0 {
		r.known.Unheard = nil
	}
}

// changes says whether the call can have changed a setting that the event, or the sweep that it asked for, is about.
func (r *run) changes(setting string) bool {
	name, _ := baseline.DocumentOf(setting)
	return !r.request.Sweep.Asked.IsZero() ||
		slices.Contains(r.request.Call.Changes, string(name.Kind())) && (r.request.ClientID == "" || name.Client() == "" || name.Client() == r.request.ClientID)
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

package report

import (
	"slices"

	"poolkeeper/lambda/reconcile"
)

// called says whether it was a call that led to the pool, and not a sweep.
func (r Report) called() bool { return r.Why.RequestID != "" || r.Who.Principal != "" }

// short returns the report with no more than so many drifts, those first that people do not know yet, and of those the gravest, and no more than so many of the calls, but some of them.
func (r Report) short(most int) Report {
	r.Writes, r.Why.WriteRequestIDs = r.Writes[:min(len(r.Writes), max(most, fewest))], r.Why.WriteRequestIDs[:min(len(r.Why.WriteRequestIDs), max(most, fewest))]
	if len(r.Drifts) <= most {
		return r
	}
	var kept []Drift
	for _, drifts := range [][]Drift{r.of(reconcile.NotFixable), r.of(reconcile.Fixed), r.of(reconcile.Reported), r.of(reconcile.Planned), r.of(reconcile.Exempted)} {
		kept = append(kept, drifts...)
	}
	kept = newFirst(kept)[:most]
	r.Omitted += len(r.Drifts) - len(kept)
	r.Drifts = kept
	return r
}

// newFirst returns the drifts, those last that people were told of before.
func newFirst(drifts []Drift) []Drift {
	slices.SortStableFunc(drifts, func(a, b Drift) int {
		switch {
		case a.Told.IsZero() == b.Told.IsZero():
			return 0
		case a.Told.IsZero():
			return -1
		default:
			return 1
		}
	})
	return drifts
}

// fewest is how many calls are always told.
const fewest = 10

// known says whether there is nothing in it but what people were told before: no call of now has done it.
func (r Report) known() bool {
	some := r.of(reconcile.Fixed, reconcile.NotFixable, reconcile.Reported)
	return len(some) > 0 && !slices.ContainsFunc(some, func(d Drift) bool { return d.Told.IsZero() })
}

// unread says whether the pool could not be read.
func (r Report) unread() bool {
	return r.Outcome == reconcile.Unfixable && len(r.Drifts)+r.Omitted == 0
}

// of returns the drifts in one of the states.
func (r Report) of(states ...reconcile.DriftState) []Drift {
	var some []Drift
	for _, d := range r.Drifts {
		for _, s := range states {
			if d.State == s {
				some = append(some, d)
			}
		}
	}
	return some
}

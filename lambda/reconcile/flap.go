package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// countFlaps finds the drifts of which the flap budget is used up: somebody else keeps writing the setting, and to write it once more would go on for ever.
func (r *run) countFlaps(ctx context.Context, drifts []baseline.Drift) {
	budget := r.Baseline.Flap
	fixable := slices.ContainsFunc(drifts, func(d baseline.Drift) bool {
		return d.Mode == baseline.Enforce && d.Exempted == nil && d.Action != baseline.Report
	})
	if r.flaps != nil || r.cause.EventID == "" || budget.Times == 0 || !fixable || r.ownWrite() {
		return
	}
	r.flaps = map[string]string{}
	records := r.recent(ctx, r.Now().Add(-budget.Within), "counting what was written")
	for _, d := range drifts {
		var causes []event.Cause
		for _, rec := range records {
			if slices.ContainsFunc(rec.Drifts, func(was Drift) bool { return was.Setting == d.Setting && was.State == Fixed }) {
				causes = append(causes, rec.Cause)
			}
		}
		if len(causes) >= budget.Times {
			r.flaps[d.Setting] = fmt.Sprintf("it was put right %d times within %d minutes, and %s after us: two automations take turns, so it is left until one of them stops (flapBudget: %s)",
				len(causes), int(budget.Within.Minutes()), setBy(append(causes[1:], r.cause)), budget)
		}
	}
}

// setBy names the writers behind the causes, who came most often first.
func setBy(causes []event.Cause) string {
	times := map[string]int{}
	for _, c := range causes {
		times[writer(c)]++
	}
	names := slices.SortedFunc(maps.Keys(times), func(a, b string) int { return cmp.Or(times[b]-times[a], strings.Compare(a, b)) })
	var parts []string
	for _, name := range names[:min(len(names), 3)] {
		parts = append(parts, fmt.Sprintf("%s set it %d times", name, times[name]))
	}
	return strings.Join(parts, ", ")
}

// writer names who made a call, shortly: the role, or the user.
func writer(c event.Cause) string {
	switch {
	case c.Issuer != "":
		return "role " + c.Issuer[strings.LastIndexByte(c.Issuer, '/')+1:]
	case c.Actor != "":
		return c.Actor[strings.LastIndexAny(c.Actor, "/:")+1:]
	default:
		return "somebody unseen"
	}
}

// repeated says whether people were told already that somebody keeps writing, and there is nothing else to tell.
func (r *run) repeated() bool {
	if len(r.flaps) == 0 || len(r.out.Writes) > 0 || r.out.Outcome != Unconverged {
		return false
	}
	if r.Now().Sub(r.known.Told) < r.Baseline.Flap.Within {
		return true
	}
	r.known.Told = r.Now()
	return false
}

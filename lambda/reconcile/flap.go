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

// What is used up of the flap budget.
type budget struct {
	flaps   map[string]string // settings of which the flap budget is used up, and the reason; nil until they were counted
	records []Record          // by which they are
}

// countFlaps finds the drifts of which the flap budget is used up: somebody else keeps writing the setting, and to write it once more would go on for ever.
func (r *run) countFlaps(ctx context.Context, drifts []baseline.Drift) {
	budget := r.Baseline.Flap
	fixable := slices.ContainsFunc(drifts, func(d baseline.Drift) bool {
		return d.Rule == "" || d.Mode == baseline.Enforce && d.Exempted == nil && d.Action != baseline.Report
	})
	if r.cause.EventID == "" || budget.Times == 0 || !fixable || r.ownWrite() {
		return
	}
	if r.flaps == nil {
		r.flaps, r.records = map[string]string{}, r.recent(ctx, r.Now().Add(-budget.Within), "counting what was written")
	}
	for _, d := range drifts {
		var causes []event.Cause
		unheld := 0 // who sets it back at once does so before it is read back
		for _, rec := range r.records {
			if wrote, held := rec.wrote(d.Setting); wrote {
				causes = append(causes, rec.Cause)
				if !held {
					unheld++
				}
			}
		}
		if len(causes) < budget.Times {
			continue
		}
		if since := slices.Concat(causes[1:], []event.Cause{r.cause}); unheld == 0 {
			r.flaps[d.Setting] = fmt.Sprintf("it was written %s within %d minutes, and %s after us: two automations take turns, so it is left until one of them stops (flapBudget: %s)",
				times(len(causes)), int(budget.Within.Minutes()), count(since, func(name string, n int) string { return name + " set it " + times(n) }), budget)
		} else {
			r.flaps[d.Setting] = fmt.Sprintf("it was written %s within %d minutes, and %s it did not hold, while %s: another automation sets it back at once, or the pool does not keep it, so it is left until that ends (flapBudget: %s)",
				times(len(causes)), int(budget.Within.Minutes()), times(unheld), count(since, func(name string, n int) string { return name + " called " + times(n) }), budget)
		}
	}
}

// wrote says whether a write of the setting was accepted, and whether it was seen to hold then: a run may have come to no end.
func (r Record) wrote(setting string) (wrote, held bool) {
	for _, d := range r.Drifts {
		held = held || d.Setting == setting && d.State == Fixed
		wrote = wrote || d.Setting == setting && d.Left == LeftUnheld
	}
	for _, s := range r.Sent {
		wrote = wrote || !s.Unclear && slices.Contains(s.Fixes, setting)
	}
	return wrote || held, held
}

// count says how often each of the writers behind the causes came, the most frequent first.
func count(causes []event.Cause, each func(name string, n int) string) string {
	counts := map[string]int{}
	for i, c := range causes {
		if !slices.ContainsFunc(causes[:i], func(b event.Cause) bool { return b.EventID != "" && b.EventID == c.EventID }) { // which was tried again
			counts[writer(c)]++
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	var parts []string
	for _, name := range names[:min(len(names), 3)] {
		parts = append(parts, each(name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
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

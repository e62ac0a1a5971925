package reconcile

import (
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// settle decides the outcome from the last state that was read.
func (r *run) settle(found baseline.Comparison, report []Drift) {
	if r.unclear != "" { // and there is nothing left to write
		r.out.Writes, r.unclear, r.out.Times.Written = append(r.out.Writes, r.unclear), "", r.planned
	}
	if r.sent != nil {
		r.out.Times.Verified = r.Now()
	}
	unheld := r.unheld(found)
	listed := map[string]bool{}
	for _, d := range report {
		listed[d.Setting] = true
	}
	r.out.Drifts = append(r.out.Drifts, report...)
	for _, d := range r.sentFixes {
		if listed[d.Setting] || d.Rule == "" {
			continue // listed already, or given back on nobody's demand
		}
		listed[d.Setting] = true
		switch _, refused := r.refused[d.Setting]; {
		case unheld[d.Setting]:
			r.out.Drifts = append(r.out.Drifts, drift(d, NotFixable, unheldReason).left(LeftUnheld))
		case refused && drifts(found, d.Setting):
			r.out.Drifts = append(r.out.Drifts, r.givenUp(d))
		case !owns(found, d.Setting):
			r.out.Drifts = append(r.out.Drifts, drift(d, Reported, unseenReason))
		default:
			r.out.Drifts = append(r.out.Drifts, drift(d, Fixed, ""))
		}
	}
	for _, d := range found.Drifts {
		if !listed[d.Setting] && d.Exempted == nil {
			r.out.Drifts = append(r.out.Drifts, drift(d, NotFixable, "it held before the write and does not hold after it"))
			r.moved = append(r.moved, d.Setting)
		}
	}
	slices.SortStableFunc(r.out.Drifts, func(a, b Drift) int { return baseline.Order(a.Setting, b.Setting) })
	if r.sent != nil {
		r.out.Verified = Verified{Owned: holding(found), UnmanagedUnchanged: r.unmanaged}
	}
	r.out.Outcome, r.out.Reason = r.judge(len(unheld))
}

// givenUp is a drift that the service refused to have written. One that stands in two documents may have been written in the other.
func (r *run) givenUp(d baseline.Drift) Drift {
	own, _ := baseline.DocumentOf(d.Setting)
	for of := range r.accepted {
		if of.setting == d.Setting && of.document != own {
			return drift(d, NotFixable, r.refused[d.Setting]+"; it was written in "+string(of.document)+", where it stands too").left(LeftHalf)
		}
	}
	return drift(d, NotFixable, r.refused[d.Setting])
}

const unseenReason = "whether it holds was not seen: the pool is gone, or no rule requires it any more"

const unheldReason = "a write was accepted, but reading back shows that it did not hold"

// judge names the outcome of a run that came to its end, and the reason where one is needed.
func (r *run) judge(unheld int) (Word, string) {
	var fixed, unfixable, reported int
	var wanting bool // a drift of an enforcing rule for which there is nothing to write
	var reasons []string
	for _, d := range r.out.Drifts {
		switch d.State {
		case Fixed:
			fixed++
			continue
		case Exempted:
			continue
		case NotFixable:
			unfixable++
		case Reported:
			reported++
			wanting = wanting || d.Left == LeftNoValue
		}
		if !slices.Contains(reasons, d.Reason) {
			reasons = append(reasons, d.Reason)
		}
	}
	reason := strings.Join(reasons, "; ")
	flapping := slices.ContainsFunc(r.out.Drifts, func(d Drift) bool { return d.Left == LeftFlapping })
	switch {
	case len(r.moved) > 0:
		slices.Sort(r.moved)
		moved := "settings moved that were not to: " + strings.Join(slices.Compact(r.moved), ", ")
		return Unconverged, strings.Join(append([]string{moved}, reasons...), "; ")
	case unheld > 0, flapping:
		return Unconverged, reason
	case fixed > 0 && (unfixable > 0 || wanting):
		return Partial, reason
	case unfixable > 0:
		return Unfixable, reason
	case fixed > 0:
		return Remediated, ""
	case reported > 0:
		return Drifted, reason
	case len(r.returned()) > 0:
		return Remediated, "what a write of ours had taken from the pool was given back: " + strings.Join(r.returned(), ", ")
	default:
		return Unchanged, ""
	}
}

// returned are the settings that were written on nobody's demand but to give them back.
func (r *run) returned() []string {
	var settings []string
	for _, d := range r.sentFixes {
		if d.Rule == "" && !slices.Contains(settings, d.Setting) {
			settings = append(settings, d.Setting)
		}
	}
	return settings
}

func drift(d baseline.Drift, state DriftState, reason string) Drift {
	return Drift{Setting: d.Setting, Rule: d.Rule, Want: d.Want, Have: d.Have, State: state, Reason: reason, Source: d.Position}
}

// left is the drift with the reason in a word.
func (d Drift) left(why Left) Drift {
	d.Left = why
	return d
}

// holding counts the owned leaf settings that hold.
func holding(found baseline.Comparison) int {
	drifted := baseline.Comparison{}
	for _, d := range found.Drifts {
		drifted.Owned = append(drifted.Owned, d.Setting)
	}
	n := 0
	for _, setting := range found.Owned {
		if !drifted.Owns(setting) {
			n++
		}
	}
	return n
}

package reconcile

import (
	"context"
	"errors"
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// recover finds out what is left to do of runs that were killed before they gave the pool back, or could not go on: what their writes may have taken from the pool, and to tell people what they have put
// right.
func (r *run) recover(ctx context.Context) {
	if len(r.known.Open) == 0 || r.recovered || !r.remembers() {
		return
	}
	var owed []baseline.Drift
	var untold []Record
	for _, id := range r.known.Open {
		rec, err := r.Ledger.Record(ctx, id)
		if err != nil && !errors.Is(err, ErrNoRecord) {
			r.fault("reading the record of a write that was not finished", err)
			return
		}
		if err != nil || len(rec.Sent) == 0 {
			continue
		}
		rec.Drifts = slices.Clone(rec.Drifts)
		untold = append(untold, rec)
		if rec.Outcome != "" || rec.Before == nil {
			continue
		}
		for _, d := range rec.Before.State().Debts(rec.Owes) {
			if !slices.ContainsFunc(owed, func(o baseline.Drift) bool { return o.Setting == d.Setting }) {
				owed = append(owed, d)
			}
		}
	}
	r.recovered, r.owed, r.untold = true, owed, untold
	r.wide = len(owed) > 0 || len(untold) > 0 // it may stand in any document
}

// judgeUntold judges what the runs have written that did not come to tell of it, by the first state that is read: before this run writes anything itself.
func (r *run) judgeUntold(found baseline.Comparison, now userpool.State) {
	if r.saw {
		return
	}
	r.saw = true
	for i := range r.untold {
		rec := &r.untold[i]
		out := Outcome{Outcome: Remediated, UserPoolID: r.id, PoolName: r.out.PoolName, PoolARN: r.out.PoolARN, Baseline: rec.Baseline, Cause: rec.Cause, Record: rec.ID,
			Reason: endedReason + rec.ID, Drifts: []Drift{}, Times: Times{Seen: rec.Began, Verified: r.Now()}}
		for j, d := range rec.Drifts {
			switch {
			case d.State != Fixed && d.State != Planned:
				continue
			case drifts(found, d.Setting):
				out.Outcome, d.State, d.Reason = Partial, NotFixable, lapsedReason
			default:
				d.State = Fixed
			}
			rec.Drifts[j] = d
			out.Drifts = append(out.Drifts, d)
		}
		for _, s := range rec.Sent {
			out.Writes = append(out.Writes, s.Call)
			out.Times.Written = s.until()
			if s.RequestID != "" {
				out.RequestIDs = append(out.RequestIDs, s.RequestID)
			}
		}
		out.Verified = Verified{Owned: holding(found), UnmanagedUnchanged: unmoved(*rec, found, now)}
		fixed := slices.ContainsFunc(out.Drifts, func(d Drift) bool { return d.State == Fixed })
		if fixed {
			r.out.Earlier = append(r.out.Earlier, out)
		}
		if rec.Outcome == "" || rec.Outcome == Deferred {
			rec.Outcome, rec.Reason, rec.Verified, rec.Ended = out.Outcome, out.Reason, out.Verified, r.Now()
			if !fixed {
				rec.Outcome = Unfixable
			}
		}
	}
}

const (
	endedReason  = "the invocation that wrote this ended before it could say so, and another has looked since: record "
	lapsedReason = "it does not hold: the write was not made, or somebody has set it since"
)

// drifts says whether a setting is not as required.
func drifts(found baseline.Comparison, setting string) bool {
	return slices.ContainsFunc(found.Drifts, func(d baseline.Drift) bool { return userpool.Touches(d.Setting, setting) })
}

// unmoved counts the settings of nobody's that are what they were before the record's writes, as far as that was kept.
func unmoved(rec Record, found baseline.Comparison, now userpool.State) int {
	if rec.Before == nil {
		return 0
	}
	as, err := userpool.NewPlan(rec.Before.State(), nil, userpool.Options{})
	if err != nil {
		return 0
	}
	unmanaged, _ := as.Unmoved(now, found.Owns)
	return unmanaged
}

// finishUntold closes the records of the runs that could not do so themselves.
func (r *run) finishUntold(ctx context.Context) {
	for _, rec := range r.untold {
		if !r.saw || r.promised || !r.remembers() {
			return
		}
		if err := r.Ledger.Put(ctx, rec); err != nil {
			r.fault("finishing the record of another invocation", err)
		}
	}
}

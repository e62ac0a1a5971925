package reconcile

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// What was found of runs that came to no end.
type recovery struct {
	recovered bool      // the open records were read
	untold    []Record  // those of them of which nobody was told, as far as is known
	unsettled time.Time // when the last of their writes was made, as far as is known
	looked    bool      // and judged by the first look at the pool
	finishing []Record  // those that are finished for whoever could not
}

// recover finds out what is left to do of runs that were killed before they gave the pool back, or could not go on: what their writes may have taken from the pool, and to tell people what they have put
// right. What is not to be had, or of which no write was made, is left at that.
func (r *run) recover(ctx context.Context) {
	if len(r.known.Open)+len(r.known.Owing) == 0 || r.recovered || !r.remembers() {
		return
	}
	var owed []baseline.Drift
	var untold []Record
	var open, owing []string
	for _, id := range append(slices.Clone(r.known.Open), r.known.Owing...) {
		pool, _, ok := SplitRecordID(id)
		if !ok || pool != r.id || slices.Contains(open, id) || slices.Contains(owing, id) {
			continue
		}
		rec, err := r.Ledger.Record(ctx, id)
		if errors.Is(err, ErrUnreadable) {
			r.failing(unfinishedRecord, err)
		} else if err != nil && !errors.Is(err, ErrNoRecord) {
			r.fault(unfinishedRecord, err)
			r.owedUnknown = true
			return
		}
		if err != nil || len(rec.Sent) == 0 {
			continue
		}
		rec.ID, rec.UserPoolID = id, r.id // whatever it says of itself
		owes := slices.Contains(r.known.Owing, id)
		if slices.Contains(r.known.Open, id) {
			rec.Drifts = slices.Clone(rec.Drifts)
			open, untold = append(open, id), append(untold, rec)
			owes = owes || rec.Outcome == ""
		}
		for _, s := range rec.Sent {
			if at := cmp.Or(s.At, s.Read); at.After(r.unsettled) {
				r.unsettled = at
			}
		}
		if rec.Before == nil || !owes {
			continue
		}
		for _, d := range rec.Before.State().Debts(rec.Owes) {
			if !slices.ContainsFunc(owed, func(o baseline.Drift) bool { return o.Setting == d.Setting }) {
				owed, owing = append(owed, d), append(owing, id)
			}
		}
	}
	r.recovered, r.owed, r.untold, r.debtors = true, owed, untold, owing
	r.known.Open, r.known.Owing = open, slices.DeleteFunc(r.known.Owing, func(id string) bool { return !slices.Contains(owing, id) })
	r.wide = len(owed) > 0 || len(untold) > 0 // it may stand in any document
}

// judgeUntold judges, by the first look at the pool, what the runs have written that did not come to tell of it. A later look would show what this run wrote itself.
func (r *run) judgeUntold(found baseline.Comparison, now userpool.State) {
	if r.looked {
		return
	}
	r.looked = true
	for i := range r.untold {
		rec := &r.untold[i]
		out := r.outcomeOf(*rec)
		if rec.Finished() { // it knew more than can be seen now
			r.out.Earlier = append(r.out.Earlier, out)
			continue
		}
		out.Drifts = append(out.Drifts, rec.judge(found, now)...)
		out.Outcome, out.Verified, out.Times.Verified = wordOf(out.Drifts), Verified{Owned: holding(found), UnmanagedUnchanged: unmoved(*rec, found, now)}, r.Now()
		if out.Outcome != Unfixable { // then there is nothing to tell: what is not as required is this run's to deal with
			r.out.Earlier = append(r.out.Earlier, out)
		}
		rec.Outcome, rec.Reason, rec.Verified, rec.Ended = out.Outcome, out.Reason, out.Verified, out.Times.Verified
		r.finishing = append(r.finishing, *rec)
	}
}

const unfinishedRecord = "reading the record of a write that was not finished"

// outcomeOf is the outcome of a run that ended before it could tell of it, as its record has it; where that is not finished, there are no drifts yet.
func (r *run) outcomeOf(rec Record) Outcome {
	out := Outcome{UserPoolID: r.id, PoolName: r.out.PoolName, PoolARN: r.out.PoolARN, Baseline: rec.Baseline, Cause: rec.Cause, Record: r.idOf(rec),
		Reason: "the invocation that wrote this ended before it could say so, and another has looked since: " + r.named(rec), Drifts: []Drift{}, Times: Times{Seen: rec.Began},
		Narrow: true}
	for _, s := range rec.Sent {
		out.Writes = append(out.Writes, s.Call)
		out.Times.Written = cmp.Or(s.At, s.Read)
		if s.RequestID != "" {
			out.RequestIDs = append(out.RequestIDs, s.RequestID)
		}
	}
	if rec.Finished() {
		out.Outcome, out.Drifts, out.Verified, out.Times.Verified = rec.Outcome, rec.Drifts, rec.Verified, rec.Ended
		if rec.Reason != "" {
			out.Reason = rec.Reason + "; " + out.Reason
		}
	}
	return out
}

// judge decides what became of the drifts that the record's writes were to fix, and returns those: a setting has to be as required, and other than it was.
func (r *Record) judge(found baseline.Comparison, now userpool.State) (judged []Drift) {
	alike := func(string) bool { return false }
	if r.Before != nil {
		alike = r.Before.State().Alike(now)
	}
	for i, d := range r.Drifts {
		if d.State != Fixed && d.State != Planned {
			continue
		}
		name, _ := baseline.DocumentOf(d.Setting)
		switch {
		case drifts(found, d.Setting), now.Has(name) && alike(d.Setting):
			d.State, d.Reason = NotFixable, "it does not hold: the write was not made, or somebody has set it since"
		case !owns(found, d.Setting):
			d.State, d.Reason = Reported, unseenReason
		default:
			d.State = Fixed
		}
		r.Drifts[i] = d
		judged = append(judged, d)
	}
	return judged
}

// wordOf is the word for a run of which only its drifts are known, that were fixed, lapsed, or not seen.
func wordOf(drifts []Drift) Word {
	has := func(state DriftState) bool {
		return slices.ContainsFunc(drifts, func(d Drift) bool { return d.State == state })
	}
	switch {
	case has(Fixed) && (has(NotFixable) || has(Reported)):
		return Partial
	case has(Fixed):
		return Remediated
	case has(Reported):
		return Drifted
	default:
		return Unfixable
	}
}

// drifts says whether a setting is not as required.
func drifts(found baseline.Comparison, setting string) bool {
	return slices.ContainsFunc(found.Drifts, func(d baseline.Drift) bool { return userpool.Touches(d.Setting, setting) })
}

// owns says whether something is required of the setting, of a part of it, or of what it is a part of.
func owns(found baseline.Comparison, setting string) bool {
	return slices.ContainsFunc(found.Required, func(required string) bool { return userpool.Touches(required, setting) })
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

// finishUntold closes the records of the runs that could not do so themselves. What they owe to the pool has to stand in the ledger by then.
func (r *run) finishUntold(ctx context.Context) {
	for _, rec := range r.finishing {
		if !r.leased || !r.remembers() || r.owes() && !r.promised {
			return
		}
		if err := r.store(ctx, rec); err != nil {
			r.fault("finishing the record of another invocation", err)
		}
	}
}

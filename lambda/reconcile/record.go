package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// enter records what is about to be written, and makes sure that the pool is still ours.
func (r *run) enter(ctx context.Context, v view) (ours bool) {
	if !r.leased {
		return true
	}
	now := r.Now()
	if r.rec == nil {
		before := userpool.NewBackup(v.state, now)
		r.rec = &Record{ID: NewRecordID(r.id, now), UserPoolID: r.id, Cause: r.cause, Baseline: r.Baseline.Digest, Began: now, Before: &before, Sent: []Sent{}}
	}
	r.rec.Drifts = []Drift{}
	for _, d := range v.plan.Fixes {
		r.rec.Drifts = append(r.rec.Drifts, drift(d, Planned, ""))
	}
	for _, w := range v.plan.Writes {
		for _, d := range w.Owes {
			if !slices.Contains(r.rec.Owes, d.Setting) {
				r.rec.Owes = append(r.rec.Owes, d.Setting)
			}
		}
	}
	if !slices.Contains(r.known.Open, r.rec.ID) {
		r.known.Open = append(r.known.Open, r.rec.ID)
	}
	if !r.prolong(ctx) {
		return false
	}
	r.put(ctx)
	return true
}

// prolong keeps the pool for a while longer, and says whether it is still ours.
func (r *run) prolong(ctx context.Context) bool {
	if !r.remembers() {
		return true
	}
	until := r.Now().Add(holdTime)
	if !r.keep(ctx, r.poolKey(), r.known, until) {
		r.leased = false
		return false
	}
	r.until = until
	return true
}

// ours says whether the pool is still ours for the time of one more write.
func (r *run) ours(ctx context.Context) bool {
	if !r.leased || !r.remembers() || r.Now().Add(clockSkew+writeTime).Before(r.until) {
		return true
	}
	return r.prolong(ctx)
}

// errTaken says that somebody else has taken the pool: the hold ran out before the work was done.
var errTaken = errors.New("the work took so long that another invocation has taken the pool")

// wrote records a write that was accepted, or may have been.
func (r *run) wrote(request userpool.Request, requestID string) {
	if r.rec != nil {
		r.rec.Sent = append(r.rec.Sent, Sent{Call: request.Call, Document: request.Document, RequestID: requestID, Read: r.planned, At: r.Now(), Body: request.Body})
	}
}

func (r *run) put(ctx context.Context) {
	if !r.remembers() {
		return
	}
	if err := r.Ledger.Put(ctx, *r.rec); err != nil {
		r.fault("recording the write", err)
		return
	}
	if len(r.rec.Sent) > 0 {
		r.out.Record = r.rec.ID
	}
}

// promise keeps what is owed to the pool for whoever takes it next, and says whether that could be done.
func (r *run) promise(ctx context.Context) bool {
	if !r.leased {
		return false
	}
	if r.rec != nil {
		r.put(ctx) // without an outcome, which leaves it open
	}
	return r.remembers() && r.keep(ctx, r.poolKey(), r.known, r.until) && r.remembers()
}

// finish records how it ended.
func (r *run) finish(ctx context.Context) {
	if r.rec == nil || r.promised {
		return
	}
	r.rec.Outcome, r.rec.Reason, r.rec.Verified, r.rec.Ended = r.out.Outcome, r.out.Reason, r.out.Verified, r.Now()
	if len(r.out.Drifts) > 0 {
		r.rec.Drifts = r.out.Drifts
	}
	r.put(ctx)
}

// recover finds out what processes owe to the pool that were killed between two writes, or could not go on.
func (r *run) recover(ctx context.Context) {
	if len(r.known.Open) == 0 || r.recovered || !r.remembers() {
		return
	}
	var owed []baseline.Drift
	for _, id := range r.known.Open {
		rec, err := r.Ledger.Record(ctx, id)
		if err != nil && !errors.Is(err, ErrNoRecord) {
			r.fault("reading the record of a write that was not finished", err)
			return
		}
		if err != nil || rec.Outcome != "" || rec.Before == nil {
			continue
		}
		for _, d := range rec.Before.State().Debts(rec.Owes) {
			if !slices.ContainsFunc(owed, func(o baseline.Drift) bool { return o.Setting == d.Setting }) {
				owed = append(owed, d)
			}
		}
	}
	r.recovered, r.owed = true, owed
	r.wide = len(owed) > 0 // what is owed may stand in any document
}

// recent returns the records of the pool that may have to do with a time, or nothing if the ledger failed.
func (r *run) recent(ctx context.Context, from time.Time, doing string) []Record {
	if !r.remembers() {
		return nil
	}
	records, err := r.Ledger.Records(ctx, r.id, from)
	if err != nil {
		r.fault(doing, err)
	}
	return records
}

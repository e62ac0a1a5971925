package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"poolkeeper/lambda/userpool"
)

// What a run has recorded of its own writes.
type recording struct {
	rec   *Record // of this run's writes
	kept  bool    // the ledger has it
	ahead int     // how many of its writes, the last ones, are still to be made
}

// enter records what is about to be written, and makes sure that the pool is still ours.
func (r *run) enter(ctx context.Context, v view) (ours bool) {
	if !r.leased {
		return true
	}
	now := r.Now()
	if r.rec == nil {
		r.rec = &Record{ID: NewRecordID(r.id, now), UserPoolID: r.id, Cause: r.cause, Baseline: r.Baseline.Digest, Began: now, Sent: []Sent{}}
	}
	r.unsend()
	if len(r.rec.Sent) == 0 { // as it is now, if it was planned again
		before := userpool.NewBackup(v.state, now)
		r.rec.Before, r.rec.Owes = &before, nil
	}
	r.rec.Drifts = []Drift{}
	for _, d := range slices.Concat(r.sentFixes, v.plan.Fixes) { // those of earlier plans may not have been told
		if !slices.ContainsFunc(r.rec.Drifts, func(known Drift) bool { return known.Setting == d.Setting }) {
			r.rec.Drifts = append(r.rec.Drifts, drift(d, Planned, ""))
		}
	}
	for _, w := range v.plan.Writes {
		for _, d := range w.Owes {
			if !slices.Contains(r.rec.Owes, d.Setting) {
				r.rec.Owes = append(r.rec.Owes, d.Setting)
			}
		}
	}
	if r.counted {
		r.known.Unheard = r.atRisk()
	}
	if !slices.Contains(r.known.Open, r.rec.ID) {
		r.known.Open = append(r.known.Open, r.rec.ID)
	}
	return r.prolong(ctx)
}

// prolong keeps the pool for a while longer, and says whether it is still ours. It is asked of a ledger that failed before, too: whoever has taken the pool meanwhile must not be written over.
func (r *run) prolong(ctx context.Context) bool {
	now := r.Now()
	kept, err := r.Ledger.Keep(ctx, r.poolKey(), r.owner(), encoded(r.known), now.Add(holdTime))
	switch {
	case err != nil:
		r.fault("holding on to the pool", err)
		r.asked = now
	case !kept:
		r.leased = false
		return false
	default:
		r.until = now.Add(holdTime)
		r.stay(ctx)
	}
	return true
}

// ours says whether the pool is still ours for the time of one more write.
func (r *run) ours(ctx context.Context) bool {
	now := r.Now()
	if !r.leased || now.Add(clockSkew+writeTime).Before(r.until) || now.Sub(r.asked) < lastPoll {
		return true
	}
	return r.prolong(ctx)
}

// errTaken says that somebody else has taken the pool: the hold ran out before the work was done.
var errTaken = errors.New("the work took so long that another invocation has taken the pool")

// sending records writes before they are made, so that none is ever made that stands in no record: the first of those given, or, as a pool may have a thousand clients and each put holds the whole record,
// all of them once they are of clients.
func (r *run) sending(ctx context.Context, writes []userpool.Request, read time.Time) {
	if r.rec == nil || r.ahead > 0 {
		return
	}
	if writes[0].Document.Client() == "" {
		writes = writes[:1]
	} else {
		read = r.planned // which is when the others were read, until their turn comes
	}
	for _, w := range writes {
		sent := Sent{Call: w.Call, Document: w.Document, Read: read, Unclear: true, Body: w.Body}
		for _, d := range w.Fixes {
			sent.Fixes = append(sent.Fixes, d.Setting)
		}
		r.rec.Sent = append(r.rec.Sent, sent)
	}
	r.ahead = len(writes)
	r.put(ctx)
}

// answered records what became of the first of those writes.
func (r *run) answered(requestID string, read time.Time, err error) {
	if r.rec == nil {
		return
	}
	at := len(r.rec.Sent) - r.ahead
	r.ahead--
	unclear := classOf(err) == userpool.ClassUnclear
	if err != nil && !unclear {
		r.rec.Sent = slices.Delete(r.rec.Sent, at, at+1)
		return
	}
	sent := &r.rec.Sent[at]
	sent.RequestID, sent.Read, sent.At, sent.Unclear = requestID, read, r.Now(), unclear
}

// unsend takes back what was to be written and was not.
func (r *run) unsend() {
	r.rec.Sent = r.rec.Sent[:len(r.rec.Sent)-r.ahead]
	r.ahead = 0
}

func (r *run) put(ctx context.Context) {
	if !r.remembers() {
		return
	}
	if err := r.store(ctx, *r.rec); err != nil {
		r.fault("recording the write", err)
		return
	}
	r.kept = true
}

// store puts a record into the ledger.
func (r *run) store(ctx context.Context, rec Record) error {
	if r.Passing && rec.Finished() {
		rec = rec.Light()
	}
	return r.Ledger.Put(ctx, rec)
}

// idOf returns the id of a record for the outcome, and named what a reason calls it.
func (r *run) idOf(rec Record) string {
	if r.Passing {
		return ""
	}
	return rec.ID
}

func (r *run) named(rec Record) string {
	if r.Passing {
		return "record of this run"
	}
	return "record " + rec.ID
}

// finish records how it ended.
func (r *run) finish(ctx context.Context) {
	if r.rec == nil {
		return
	}
	r.unsend()
	r.rec.Outcome, r.rec.Reason, r.rec.Verified, r.rec.Ended = r.out.Outcome, r.out.Reason, r.out.Verified, r.Now()
	if len(r.out.Drifts) > 0 {
		r.rec.Drifts = r.out.Drifts
	}
	r.put(ctx)
	if r.kept && len(r.rec.Sent) > 0 {
		r.out.Record = r.idOf(*r.rec)
	}
}

// recent returns the records of the pool that may have to do with a time and can be read, or nothing if the ledger failed.
func (r *run) recent(ctx context.Context, from time.Time, doing string) []Record {
	if !r.remembers() {
		return nil
	}
	records, err := r.Ledger.Records(ctx, r.id, from)
	if errors.Is(err, ErrUnreadable) {
		r.failing(doing, err)
	} else if err != nil {
		r.fault(doing, err)
	}
	return records
}

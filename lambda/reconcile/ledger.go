package reconcile

import (
	"context"
	"errors"
	"time"

	"poolkeeper/lambda/outcome"
)

// A Ledger stores leases, write-ahead records and notes. It is safe for concurrent use, also by several processes.
type Ledger interface {
	// Acquire acquires or renews the lease of a pool for the owner until a time. It returns false if another owner has
	// the lease at the time now. A zero until releases the lease.
	Acquire(ctx context.Context, pool, owner string, now, until time.Time) (bool, error)
	// History returns the light records of a pool that began at the time since or later, the oldest first, and its
	// notes. If consistent, it includes every write that was acknowledged before the call.
	History(ctx context.Context, pool string, since time.Time, consistent bool) (outcome.History, error)
	// Record returns a whole record, or the error outcome.ErrNoRecord.
	Record(ctx context.Context, id string) (outcome.Record, error)
	// Put writes a record and replaces an earlier one with the same id.
	Put(ctx context.Context, record outcome.Record) error
	// Note stores names for a pool. Each name expires at the latest of its times.
	Note(ctx context.Context, pool string, notes map[string]time.Time) error
}

// A tolerantLedger lets a run continue without its ledger after a failure: from then on, its results are empty. Only
// writes that may remove a setting still need the ledger.
type tolerantLedger struct {
	ledger Ledger
	pool   string
	err    error // the first error, with the failed operation
}

// succeeded reports whether an operation succeeded, and keeps the first error.
func (t *tolerantLedger) succeeded(doing string, err error) bool {
	if err != nil && t.err == nil {
		t.err = errors.New(doing + ": " + err.Error())
	}
	return err == nil
}

// acquire acquires or renews the lease. Another owner's lease ends clockSkew later than it says, because clocks differ.
// Without a ledger, the run continues without a lease.
func (t *tolerantLedger) acquire(ctx context.Context, owner string, now time.Time) bool {
	if t.err != nil {
		return true
	}
	granted, err := t.ledger.Acquire(ctx, t.pool, owner, now.Add(-clockSkew), now.Add(leaseTime))
	return !t.succeeded("acquiring the lease", err) || granted
}

// release calls the ledger even if it failed before, because other runs wait for the lease.
func (t *tolerantLedger) release(ctx context.Context, owner string, now time.Time) {
	ctx, stop := closing(ctx)
	defer stop()
	_, err := t.ledger.Acquire(ctx, t.pool, owner, now, time.Time{})
	t.succeeded("releasing the lease", err)
}

func (t *tolerantLedger) history(ctx context.Context, since time.Time, consistent bool) outcome.History {
	if t.err == nil {
		history, err := t.ledger.History(ctx, t.pool, since, consistent)
		if errors.Is(err, outcome.ErrUnreadable) || t.succeeded("reading the records", err) {
			return history
		}
	}
	return outcome.History{}
}

// whole returns a record with its state and bodies, or the light record if the ledger has only that. It fails only if
// the ledger fails.
func (t *tolerantLedger) whole(ctx context.Context, record outcome.Record) (outcome.Record, error) {
	if t.err == nil {
		whole, err := t.ledger.Record(ctx, record.ID)
		if errors.Is(err, outcome.ErrNoRecord) || errors.Is(err, outcome.ErrUnreadable) {
			return record, nil
		}
		if t.succeeded("reading a record", err) {
			return whole, nil
		}
	}
	return record, t.err
}

func (t *tolerantLedger) put(ctx context.Context, record outcome.Record) {
	if t.err == nil {
		t.succeeded("writing the record", t.ledger.Put(ctx, record))
	}
}

// closeTime limits the last calls of a run.
const closeTime = 5 * time.Second

// closing returns a context for calls that are made even after the deadline of the run.
func closing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), closeTime)
}

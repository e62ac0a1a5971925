package reconcile

import (
	"context"
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

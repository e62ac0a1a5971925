package reconcile

import (
	"context"
	"time"

	"poolkeeper/lambda/outcome"
)

// A Ledger keeps leases, write-ahead records and notes. It is safe for concurrent use, by several processes too.
type Ledger interface {
	// Acquire gives the lease of a pool to the owner until a time, or renews it. It returns false where another
	// owner has it at the time now. With the zero time it releases the lease.
	Acquire(ctx context.Context, pool, owner string, now, until time.Time) (bool, error)
	// History returns what is kept of a pool: its light records begun at the time since or later, the oldest
	// first, and its notes. A consistent one shows every write that was acknowledged before the call.
	History(ctx context.Context, pool string, since time.Time, consistent bool) (outcome.History, error)
	// Record returns a whole record. The error is outcome.ErrNoRecord where there is none.
	Record(ctx context.Context, id string) (outcome.Record, error)
	// Put writes a record in place of an earlier one of the same id.
	Put(ctx context.Context, record outcome.Record) error
	// Note keeps names of a pool, each until the latest of its times.
	Note(ctx context.Context, pool string, notes map[string]time.Time) error
}

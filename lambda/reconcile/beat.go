package reconcile

import (
	"context"
	"encoding/json"
	"time"
)

// beatTime is how often what was taken is taken for longer while a pool is read: that of hundreds of clients takes minutes, for the API allows five reads of clients a second and pool.
const beatTime = holdTime / 3

// hold keeps the pool and the event from others until release is called, which says whether the pool is still ours. If it is not, the context that is returned ends.
func (r *run) hold(ctx context.Context) (held context.Context, release func() (ours bool)) {
	if !r.leased || !r.remembers() {
		return ctx, func() bool { return true }
	}
	held, lose := context.WithCancel(ctx)
	released, ended := make(chan struct{}), make(chan beat, 1)
	go func() { ended <- r.beat(held, lose, released) }()
	return held, func() bool {
		close(released)
		b := <-ended
		lose()
		if b.err != nil {
			r.fault("holding on to the pool", b.err)
		}
		if !b.until.IsZero() {
			r.until = b.until
			if !r.claimed.IsZero() {
				r.claimed = b.until
			}
		}
		r.leased = !b.lost
		return r.leased
	}
}

// A beat is what became of a hold meanwhile.
type beat struct {
	until time.Time // how long it is now; zero if it was not prolonged
	lost  bool
	err   error
}

// beat prolongs the hold again and again, until it is released, lost, or the ledger fails. It runs beside the read, and changes nothing of the run.
func (r *run) beat(ctx context.Context, lose func(), released <-chan struct{}) (b beat) {
	keys, notes := []Key{r.poolKey()}, []any{r.known}
	if !r.claimed.IsZero() {
		keys, notes = append(keys, r.eventKey()), append(notes, r.noted)
	}
	ticker := time.NewTicker(beatTime)
	defer ticker.Stop()
	for {
		select {
		case <-released:
			return b
		case <-ctx.Done():
			return b
		case <-ticker.C:
		}
		until := r.Now().Add(holdTime)
		for i, key := range keys {
			raw, err := json.Marshal(notes[i])
			kept := false
			if err == nil {
				kept, err = r.Ledger.Keep(ctx, key, r.owner(), raw, until)
			}
			if ctx.Err() != nil {
				return b
			}
			if b.err = err; err != nil {
				return b
			}
			if !kept && key.Kind == PoolKey {
				b.lost = true
				lose()
				return b
			}
		}
		b.until = until
	}
}

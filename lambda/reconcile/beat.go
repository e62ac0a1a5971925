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
	if !r.leased {
		return ctx, func() bool { return true }
	}
	if r.until.Sub(r.Now()) < holdTime/2 && !r.prolong(ctx) {
		ended, stop := context.WithCancel(ctx)
		stop()
		return ended, func() bool { return false }
	}
	held, lose := context.WithCancel(ctx)
	b := beat{ledger: r.Ledger, now: r.Now, owner: r.owner(), keys: []Key{r.poolKey()}, notes: [][]byte{encoded(r.known)}, until: r.until}
	if !r.claimed.IsZero() {
		b.keys, b.notes = append(b.keys, r.eventKey()), append(b.notes, encoded(r.noted))
	}
	released, ended := make(chan struct{}), make(chan beat, 1)
	go func() {
		b.goOn(held, released)
		if b.lost {
			lose()
		}
		ended <- b
	}()
	return held, func() bool {
		close(released)
		b := <-ended
		lose()
		if b.err != nil {
			r.failing("holding on to the pool", b.err)
		}
		r.until, r.leased = b.until, !b.lost
		if !r.claimed.IsZero() {
			r.claimed = b.until
		}
		return r.leased
	}
}

func encoded(note any) []byte {
	raw, err := json.Marshal(note)
	if err != nil {
		panic(err) // texts and times always encode
	}
	return raw
}

// A beat prolongs the hold of the pool, the first of its keys, and what else was taken. It runs beside a run, and changes nothing of it.
type beat struct {
	ledger Ledger
	now    func() time.Time
	owner  string
	keys   []Key
	notes  [][]byte

	until time.Time // how long the pool is held
	lost  bool      // somebody else has taken it
	err   error     // what the ledger failed at last
}

// goOn prolongs the hold again and again, until it is released or lost. A failure of the ledger is no end: it is tried again.
func (b *beat) goOn(ctx context.Context, released <-chan struct{}) {
	ticker := time.NewTicker(beatTime)
	defer ticker.Stop()
	for !b.lost {
		select {
		case <-released:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
			b.once(ctx)
		}
	}
}

func (b *beat) once(ctx context.Context) {
	until := b.now().Add(holdTime)
	for i, key := range b.keys {
		kept, err := b.ledger.Keep(ctx, key, b.owner, b.notes[i], until)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			b.err = err
		case key.Kind != PoolKey:
		case kept:
			b.until = until
		default:
			b.lost = true
			return
		}
	}
}

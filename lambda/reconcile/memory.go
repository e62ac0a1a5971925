package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A memory is what is kept of a pool.
type memory struct {
	findings
	New   bool      `json:"new,omitempty"`  // nobody has looked at the pool yet, nor did an event tell of it
	Wrote time.Time `json:"wrote,omitzero"` // when a write was last made, at the latest
	Open  []string  `json:"open,omitempty"` // the records whose writes are being made, came to no end, or were told to nobody
	// Owing are the records whose writes took something from the pool that nobody could give back yet, and said so.
	Owing []string  `json:"owing,omitempty"`
	Due   time.Time `json:"due,omitzero"` // when the turn comes of a run that waits to look at the pool
}

// Findings are what was found with one baseline.
type findings struct {
	Baseline string               `json:"baseline"` // and whether it only audited
	Looks    map[string]time.Time `json:"looks"`    // by document, or document and client: when the latest read began after which the pool was judged
	Whole    time.Time            `json:"whole,omitzero"`
	Left     []string             `json:"left,omitempty"` // settings that were not as required and were left so, when last looked at
	Own      []string             `json:"own,omitempty"`  // the requests of our latest writes that were verified
	Unheard  *unheard             `json:"unheard,omitempty"`
	Told     map[string]said      `json:"told,omitempty"` // what people know of what lasts: by setting, or by the call that is denied
}

const (
	// settled is how long before a read a call has to have been made for the read to show what it changed: CloudTrail gives the time in whole seconds, and a read may show the old
	// state for a second or two.
	settled = 3 * time.Second
	// rest is how long a pool is let alone after it was looked at, while events about it keep coming: one more look then sees what all of them did.
	rest = 2 * time.Second
	// brief is how long a pool is kept from others while its turn to be read comes.
	brief = 250 * time.Millisecond
	// mostLeases bounds how often a pool is taken and left again to wait for a turn.
	mostLeases = 100
)

// remembered does the work with the help of the ledger: an event that was handled costs nothing, nobody else is at work on the pool meanwhile, and what was done can be told later.
func (r *run) remembered(ctx context.Context) (Outcome, error) {
	if !r.remembers() || !r.Baseline.MaySelect(r.id) || !r.concerned() {
		out, err := r.end(r.work(ctx))
		r.tell(ctx)
		return out, err
	}
	if done, out, err := r.claim(ctx); done {
		return out, err
	}
	if done, err := r.lease(ctx); done {
		return r.close(ctx, err)
	}
	return r.close(ctx, r.work(ctx))
}

func (r *run) poolKey() Key { return Key{PoolKey, r.id} }

// lease takes the pool, and a turn to read it. done says that there is nothing to do, as a look at the pool since the event's call has seen what it did, or that the pool cannot be had.
func (r *run) lease(ctx context.Context) (done bool, err error) {
	for range mostLeases {
		if !r.remembers() {
			return false, nil
		}
		r.known, r.theirs, r.owed, r.untold, r.debtors, r.recovered = memory{New: true}, findings{}, nil, nil, nil, false
		taken := r.take(ctx, r.poolKey(), func(note []byte) (bool, error) {
			err := decodeNote(note, &r.known)
			_, covered := r.covered(ctx)
			return (covered || r.verified()) && !r.hears(), err
		})
		r.leased, r.until = taken, r.Now().Add(holdTime)
		if !r.remembers() {
			return false, nil
		}
		if taken {
			r.recover(ctx)
			r.hear()
			r.standsFor()
		}
		look, covered := r.covered(ctx)
		switch {
		case r.verified():
			r.ignore("the event is of our own write, which was verified")
			return true, nil
		case covered:
			r.ignore("the pool was looked at after this call, at " + look.UTC().Format(time.RFC3339) + ", and what it changed was seen then")
			return true, nil
		case !taken && r.leavesItAhead(ctx):
			r.ignore("another event waits for the pool, and looks at all of it after this call")
			return true, nil
		case !taken:
			return true, r.later(errors.New("another invocation is at work on the pool"))
		}
		wait := max(look.Add(rest).Sub(r.Now()), min(r.unsettled.Add(settled).Sub(r.Now()), settled))
		if wait <= 0 {
			wait = r.queue(ctx)
		}
		if wait <= brief {
			r.known.Due = time.Time{}
			if r.stood && r.Sleep(ctx, rest) != nil { // who had it read the pool until a moment ago, and the API's rate counts both
				break
			}
			return false, nil
		}
		r.stay(ctx)
		// Somebody else's look may see all that there is to see meanwhile.
		r.leave(ctx)
		if r.Sleep(ctx, wait) != nil {
			break
		}
	}
	return true, r.later(errors.New("too many events at once: this one's turn did not come"))
}

// covered says whether a look at the pool since the event's call has seen what it did, and returns when the latest such look was. It never is while a write is being made. What is owed to the pool does
// not matter: whoever looked has tried to give it back.
func (r *run) covered(ctx context.Context) (look time.Time, covered bool) {
	if r.known.Baseline != r.fingerprint() {
		if r.Aside {
			r.theirs = r.known.findings
		}
		r.known.findings = findings{Baseline: r.fingerprint()}
	}
	if len(r.known.Open) > 0 && !r.recovered {
		return look, false
	}
	r.findOverwritten(ctx)
	if r.stood { // others rely on it
		return look, false
	}
	look, looked := r.lastLook()
	return look, looked && len(r.overwritten) == 0 && len(r.untold) == 0 && look.After(r.cause.Time.Add(settled))
}

// verified says whether the event is of a write of ours that was read back. It goes by the request and not by who made it: whoever has taken over our role is not believed.
func (r *run) verified() bool {
	return r.cause.RequestID != "" && len(r.untold) == 0 && !r.stood && slices.Contains(r.known.Own, r.cause.RequestID)
}

// fingerprint names the baseline, and whether it may write.
func (r *run) fingerprint() string {
	if len(r.Baseline.Enforced()) == 0 {
		return r.Baseline.Digest + " audit"
	}
	return r.Baseline.Digest
}

// lastLook returns the time of the look before which everything was seen that the event's call can have changed. looked is false where there was none, where the event itself is what is
// reported, and where it comes again because what was seen could not be put right.
func (r *run) lastLook() (look time.Time, looked bool) {
	call := r.request.Call
	if r.cause.Time.IsZero() || r.noted.Outcome != "" {
		return time.Time{}, false
	}
	if ofSweep := call.Name == "" && !r.request.Sweep.Started.IsZero(); ofSweep {
		return r.known.Whole, !r.known.Whole.IsZero() && !r.known.Whole.After(r.Now().Add(clockSkew))
	}
	if len(call.Changes) == 0 || call.Happened != "" {
		return time.Time{}, false
	}
	for i, document := range call.Changes {
		seen := r.known.Looks[document]
		if of := r.known.Looks[document+"/"+r.request.ClientID]; r.request.ClientID != "" && of.After(seen) {
			seen = of
		}
		if seen.IsZero() || seen.After(r.Now().Add(clockSkew)) { // by a clock that is wrong
			return time.Time{}, false
		}
		if i == 0 || seen.Before(look) {
			look = seen
		}
	}
	return look, true
}

// close ends the run with the ledger: the record is finished, people are told, the pool is given back, and the event is handled or free again.
func (r *run) close(ctx context.Context, err error) (Outcome, error) {
	r.mute = false // what was taken is given back even where the ledger failed meanwhile
	r.closing(ctx, func(ctx context.Context) {
		r.failed = err != nil
		r.promised = r.owes() && r.promise(ctx)
		_, err = r.end(err)
		r.out.Repeated = r.repeated()
		r.finish(ctx)
		r.finishUntold(ctx)
	})
	// Until the pool is given back its record stands open: if this process dies first, whoever takes the pool next tells people in its place.
	told := r.tell(ctx)
	r.closing(ctx, func(ctx context.Context) {
		r.learn(err, told)
		r.leave(ctx)
		r.handled(ctx, err)
	})
	return r.out, err
}

// closing makes calls to the ledger that are made even where the time is used up.
func (r *run) closing(ctx context.Context, calls func(context.Context)) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer stop()
	calls(ctx)
}

// tell tells people, if there is anybody to do so, and says whether they know of the outcome now. Without anybody, whoever called knows; of a sweep, only what it did.
func (r *run) tell(ctx context.Context) (told bool) {
	told = !r.out.Repeated && (!r.sweeping || len(r.out.Writes) > 0)
	if r.Tell != nil {
		r.out.each(func(out Outcome) { told = r.Tell(ctx, out) })
	}
	return told && !r.Aside
}

// closeTime bounds the last calls of a run to the ledger, before people are told and after.
const closeTime = 5 * time.Second

// leave gives the pool back.
func (r *run) leave(ctx context.Context) {
	if r.leased {
		r.leased = false
		if r.theirs.Baseline != "" {
			r.known.findings, r.theirs = r.theirs, findings{}
		}
		r.keep(ctx, r.poolKey(), r.known, time.Time{})
	}
}

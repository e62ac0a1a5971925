package reconcile

import (
	"context"
	"encoding/json"
	"time"
)

// Of those who wait for the same only one waits long, for the function may run only so often at once. It looks at everything then, so that the others can leave it to that one.

// placeTime is how long the place of the one that waits long is taken for, again and again. With the clocks' skew it is less than anybody waits before asking for it, so that nobody relies on one that has got
// what it waited for before the others' calls were made.
const placeTime = 6 * time.Second

// A place is what is kept of whoever waits long: the baseline that it goes by.
type place struct {
	Baseline string `json:"baseline"`
}

func placeOf(key Key) Key { return Key{PlaceKey, string(key.Kind) + "/" + key.ID} }

// standInLine takes the place of the one that waits long for what the key names, or keeps it. If somebody else has it, behind says so. The event of a write of ours only asks, for it would put nothing right.
func (r *run) standInLine(ctx context.Context, key Key) bool {
	own := key.Kind == PoolKey && r.ownWrite()
	now := r.Now()
	until := now.Add(placeTime)
	if own {
		until = now.Add(-time.Hour)
	}
	note, taken, err := r.Ledger.Take(ctx, placeOf(key), r.owner(), now.Add(-clockSkew), until)
	switch {
	case err != nil:
		r.out.LedgerFaults = append(r.out.LedgerFaults, "waiting in line: "+err.Error())
		return false
	case !taken:
		ahead := place{}
		r.behind = json.Unmarshal(note, &ahead) == nil && ahead.Baseline == r.fingerprint()
		return false
	case own:
		return false
	case !r.inLine:
		r.inLine = true
		r.stood = r.stood || key.Kind == PoolKey
		return r.keepPlace(ctx, key, place{r.fingerprint()}, until)
	default:
		return true
	}
}

func (r *run) keepPlace(ctx context.Context, key Key, note place, until time.Time) bool {
	kept, err := r.Ledger.Keep(ctx, placeOf(key), r.owner(), encoded(note), until)
	if err != nil {
		r.out.LedgerFaults = append(r.out.LedgerFaults, "waiting in line: "+err.Error())
	}
	return kept
}

// leaveLine gives the place back, and says no more that anybody waits.
func (r *run) leaveLine(ctx context.Context, key Key) {
	if r.inLine {
		r.inLine = false
		r.keepPlace(ctx, key, place{}, time.Time{})
	}
}

// leavesItAhead says whether the one that waits for the pool sees all that the event's call did: it looks at everything, and later. That the call was lost to a write of ours is told by its own event.
func (r *run) leavesItAhead(ctx context.Context) bool {
	call := r.request.Call
	if !r.behind || len(call.Changes) == 0 || call.Happened != "" || r.cause.Time.IsZero() || r.noted.Outcome != "" || r.hears() {
		return false
	}
	r.sought, r.overwritten = false, nil
	r.findOverwritten(ctx)
	return r.remembers() && len(r.overwritten) == 0
}

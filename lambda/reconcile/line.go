package reconcile

import (
	"context"
	"encoding/json"
	"time"
)

// Of those who wait for the same only one waits long, for the function may run only so often at once. The others come again when Lambda tries them again, or leave it to the one that waits.

// A place is what is kept of whoever waits long.
type place struct {
	Call   string `json:"call"`
	Client string `json:"client"`
}

func (r *run) place() place { return place{r.request.Call.Name, r.request.ClientID} }

func placeOf(key Key) Key { return Key{PlaceKey, string(key.Kind) + "/" + key.ID} }

// standInLine takes the place of the one that waits long for what the key names, or keeps it. If somebody else has it, first says who.
func (r *run) standInLine(ctx context.Context, key Key) bool {
	now := r.Now()
	if !r.remembers() || !r.inLine.IsZero() && r.inLine.Sub(now) > holdTime/2 {
		return r.remembers()
	}
	note, taken, err := r.Ledger.Take(ctx, placeOf(key), r.owner(), now.Add(-clockSkew), now.Add(holdTime))
	switch {
	case err != nil:
		r.fault("waiting in line", err)
	case !taken:
		r.first = &place{}
		if json.Unmarshal(note, r.first) != nil {
			r.first = nil
		}
	default:
		r.inLine = now.Add(holdTime)
		r.keep(ctx, placeOf(key), r.place(), r.inLine)
	}
	return taken && err == nil
}

func (r *run) leaveLine(ctx context.Context, key Key) {
	if !r.inLine.IsZero() {
		r.inLine = time.Time{}
		r.keep(ctx, placeOf(key), r.place(), time.Time{})
	}
}

// leftToTheOneAhead says whether the one that waits for the pool sees all that the event's call did: it looks at the same, and later. That the call was lost to a write of ours is told by its own event.
func (r *run) leftToTheOneAhead(ctx context.Context) bool {
	call := r.request.Call
	if r.first == nil || *r.first != r.place() || len(call.Changes) == 0 || call.Happened != "" || r.cause.Time.IsZero() || r.noted.Outcome != "" || r.hears() {
		return false
	}
	r.sought, r.overwritten = false, nil
	r.findOverwritten(ctx)
	return r.remembers() && len(r.overwritten) == 0
}

package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// An Entry is an event of ours, to be put onto a bus.
type Entry struct{ DetailType, Detail string }

// A Bus hands what is put onto it to this function again, each entry at least once.
type Bus interface {
	// Put puts the entries onto the bus, however many there are. It returns those that were not taken, or of which it is not known, and why. The
	// error is nil if and only if there are none.
	Put(ctx context.Context, entries []Entry) (left []Entry, err error)
}

const (
	// burst is how many pools are put onto the bus at once: what sweepPace allows in a second, for all of them may be taken up in the same moment.
	burst = int(time.Second / sweepPace)
	// putTries is how often entries are put before the sweep is deferred.
	putTries = 4
	// pageTime is the time that one page may need, its 60 pools at the pace of a sweep with a bus that fails now and then, and the event that goes on
	// after it; without it no page is begun.
	pageTime = 2 * time.Minute
	// mostSweep is the time in which any sweep ends: it is enough for ten times the pools that Cognito allows an account.
	mostSweep = 6 * time.Hour
)

// Dispatch puts one event onto the bus for every pool that may be selected by its id, page by page and no faster than the reconciles that follow may call the API. Before its time is used up it
// puts an event there that goes on with the next page. The error is nil, or a *DeferredError if pools were not sent; the event that comes again sends those of its pages anew,
// so that a pool may come twice and none is left out. With a ledger, an event that was handled before, or whose call came before another sweep of its kind, is ignored.
func (r *Reconciler) Dispatch(ctx context.Context, request event.Request) (Sweeping, error) {
	d := dispatch{run: r.begin("", request.Cause), at: request.Sweep}
	d.request = request
	if request.Detail != "" {
		d.says = append(d.says, request.Detail)
	}
	// Whoever sends the event of a time that is still to come, or of none, has not had that one's sweep.
	if timely := !d.cause.Time.IsZero() && !d.cause.Time.After(d.Now().Add(clockSkew)); d.remembers() && timely {
		if done, _, err := d.claim(ctx); done {
			return d.sweeping(), err
		}
	}
	err := d.once(ctx)
	if d.Ledger != nil {
		d.mute = false // what was taken is given back even where the ledger failed meanwhile
		d.closing(ctx, func(ctx context.Context) {
			d.leaveSweep(ctx)
			d.handled(ctx, err)
		})
	}
	return d.sweeping(), err
}

// A dispatch is one invocation's part of a sweep.
type dispatch struct {
	*run               // its outcome is that of the sweep
	at     event.Sweep // how far the sweep has come
	says   []string    // for the reason
	joins  bool        // it has taken the turn to sweep for a call
	joined sweepNote   // what is kept of such sweeps
}

// once sends the pools, if they are to be sent.
func (d *dispatch) once(ctx context.Context) error {
	if done, err := d.join(ctx); done {
		_, err := d.end(err)
		return err
	}
	if now := d.Now().UTC().Truncate(time.Second); d.at.Started.IsZero() || d.at.Started.After(now) {
		d.at.Started = now
	}
	d.findPurpose(ctx)
	if err := d.pages(ctx); err != nil {
		d.out.Outcome, d.out.Reason = Deferred, err.Error()
		return &DeferredError{Reason: err.Error(), Cause: errors.Unwrap(err)}
	}
	d.joined.By = ""
	d.out.Outcome, d.out.Reason = Swept, strings.Join(d.says, "; ")
	return nil
}

func (d *dispatch) sweeping() Sweeping {
	return Sweeping{Outcome: d.out.Outcome, Outcomes: map[Word]int{}, Failed: []Failure{}, Dispatched: d.at.Pools, Reason: d.out.Reason, LedgerFaults: d.out.LedgerFaults}
}

func (d *dispatch) pages(ctx context.Context) error {
	if d.Now().Sub(d.at.Started) > mostSweep {
		return fmt.Errorf("it began %s, and %d pools later there is no end to it", d.at.Started.Format(time.RFC3339), d.at.Pools)
	}
	for n := 0; ; n++ {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pageTime {
			if n == 0 {
				return fmt.Errorf("there is no time for a single page of pools: the function has to have more than %s", pageTime)
			}
			return d.goOn(ctx)
		}
		d.stayInSweep(ctx)
		ids, next, err := d.Pools.List(ctx, d.at.Token)
		switch {
		case err != nil && d.at.Token != "" && !d.at.Restarted && classOf(err) == userpool.ClassRefused:
			d.at = event.Sweep{Started: d.at.Started, Restarted: true, Purpose: d.at.Purpose}
			d.says = append(d.says, "the API no longer takes the token of the next page, so the sweep began again at the first")
			continue
		case err != nil:
			return fmt.Errorf("the pools could not be listed; not every pool was sent: %w", err)
		}
		if err := d.send(ctx, slices.DeleteFunc(ids, func(id string) bool { return !d.Baseline.MaySelect(id) })); err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		d.at.Token = next
	}
}

// send puts the pools of one page onto the bus.
func (d *dispatch) send(ctx context.Context, ids []string) error {
	sent := 0
	for batch := range slices.Chunk(ids, burst) {
		var entries []Entry
		for _, id := range batch {
			entries = append(entries, entry(event.ReconcilePool, event.Member{UserPoolID: id, Sweep: d.at.Started, Function: d.Function, Purpose: d.at.Purpose}))
		}
		left, err := d.put(ctx, entries)
		sent += len(batch) - len(left)
		d.at.Pools += len(batch) - len(left)
		if err != nil {
			return fmt.Errorf("%d pools of this page could not be sent, nor were those of the pages after it: %w", len(ids)-sent, err)
		}
		if err := d.Sleep(ctx, time.Duration(len(batch))*sweepPace); err != nil {
			return fmt.Errorf("the time is used up; %d pools of this page were not sent, nor were those of the pages after it: %w", len(ids)-sent, err)
		}
	}
	if len(ids) == 0 {
		return d.Sleep(ctx, sweepPace) // the list itself is a read
	}
	return nil
}

// goOn puts the event onto the bus that goes on with the next page.
func (d *dispatch) goOn(ctx context.Context) error {
	next := d.at
	next.Function = d.Function
	if _, err := d.put(ctx, []Entry{entry(event.SweepPools, next)}); err != nil {
		return fmt.Errorf("the event that goes on with the sweep could not be sent, so the pools of the next pages were not: %w", err)
	}
	d.says = append(d.says, fmt.Sprintf("%d pools were sent so far; the sweep goes on in another invocation", d.at.Pools))
	return nil
}

// put puts the entries onto the bus, and those again that it did not take.
func (d *dispatch) put(ctx context.Context, entries []Entry) (left []Entry, err error) {
	for tries := 1; ; tries++ {
		if entries, err = d.Bus.Put(ctx, entries); err == nil || tries == putTries {
			return entries, err
		}
		if ended := d.Sleep(ctx, d.Jitter(firstWait<<(tries-1))); ended != nil {
			return entries, err
		}
	}
}

func entry(kind string, detail any) Entry {
	text, err := json.Marshal(detail)
	if err != nil {
		panic(err) // texts, numbers and times of our own always encode
	}
	return Entry{DetailType: kind, Detail: string(text)}
}

package reconcile

import (
	"context"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

func (r *Reconciler) begin(id string, cause event.Cause) *run {
	return &run{Reconciler: r, id: id, cause: cause, start: r.Now(), refused: map[string]string{}, accepted: map[written]bool{}, raced: map[string]bool{},
		out: Outcome{Times: Times{Seen: r.Now()}, UserPoolID: id, Baseline: r.Baseline.Digest, Cause: cause, Drifts: []Drift{}, Writes: []string{}}}
}

// work reads, plans and writes until there is nothing further to do. The error is what defers the event.
func (r *run) work(ctx context.Context) error {
	waits := 0
	for plans := 1; ; plans++ {
		next, err := r.once(ctx)
		switch {
		case next == finished:
			return err
		case next == planAgain && plans < mostPlans:
			continue
		case waits+1 == attempts:
			return r.later(err)
		}
		if ended := r.Sleep(ctx, r.Jitter(firstWait<<waits)); ended != nil {
			return r.later(err)
		}
		waits++
	}
}

// A step is what is to come after one attempt.
type step int

const (
	finished  step = iota
	planAgain      // at once: the service has taught us something, which cannot happen without end
	waitFirst      // then read and plan again: the pool was busy, or it is unclear whether a write was applied
)

// A run is one reconcile of one pool, over all its attempts.
type run struct {
	*Reconciler
	id    string
	cause event.Cause
	start time.Time
	out   Outcome

	request      event.Request     // the event's; without a call, everything is looked at
	offered      bool              // the pool has just been made to offer a document that it did not
	from         string            // digest of the state to start from, or ""
	refused      map[string]string // settings that the service refused to have written, and why
	moveValidity bool
	smsTries     int
	sent         *userpool.Plan            // the latest plan of which a write was accepted, or may have been
	unclear      string                    // the latest write call, if it may have been accepted and nothing was written since
	sentFixes    []baseline.Drift          // what all such writes were to fix
	accepted     map[written]bool          // what was accepted of it
	raced        map[string]bool           // settings of it that are not written again, whatever is read
	looks        int                       // that were made only for it to show
	moved        []string                  // settings that were not to move and did
	unmanaged    int                       // unmanaged settings that are exactly what they were
	owed         []baseline.Drift          // what an accepted write may have taken, and no write has given back yet
	given        []baseline.Drift          // what of it a write has given back
	lacks        []baseline.Drift          // what of it was last seen to be missing
	judged       time.Time                 // when the latest read began that showed the pool
	wide         bool                      // everything is looked at, whatever the event's call can have changed
	unseen       bool                      // the pool is not to be seen here
	unreadable   error                     // why the pool could not be read, if it is not for us to read
	sweeping     bool                      // it is part of a sweep, of which people are told as a whole
	shown        func(setting string) bool // whether the latest look shows if a setting is as it is to be

	// With a ledger:
	name        string            // who this run is
	mute        bool              // the ledger failed, and is not asked again
	claimed     time.Time         // until when the event is ours
	leased      bool              // the pool is ours
	until       time.Time         // how long it is
	asked       time.Time         // when the ledger failed to say that it still is
	turn        time.Time         // to read, taken and not used yet
	inLine      Key               // the place that is ours, of the one that waits long
	stood       bool              // it was, now or when the event was tried before
	waiter      place             // what is known of the one that has it
	counted     bool              // what no event told of was counted
	unheard     *unheard          // and this may have an event yet
	known       memory            // what is kept of the pool
	rec         *Record           // of this run's writes
	kept        bool              // the ledger has it
	ahead       int               // how many of its writes, the last ones, are still to be made
	planned     time.Time         // when the read began that the latest plan is based on
	again       time.Time         // when the documents of the pool itself were read again after that
	noted       eventNote         // what is kept of the event
	owedUnknown bool              // the ledger failed before it said what is owed to the pool
	recovered   bool              // the open records were read
	untold      []Record          // those of them of which nobody was told, as far as is known
	unsettled   time.Time         // when the last of their writes was made, as far as is known
	looked      bool              // and judged by the first look at the pool
	finishing   []Record          // those that are finished for whoever could not
	debtors     []string          // the records of which something is owed
	failed      bool              // it ended with an error
	promised    bool              // what is owed stands in the ledger, for whoever takes the pool next
	sought      bool              // lost updates were looked for
	overwritten []overlap         // and found
	flaps       map[string]string // settings of which the flap budget is used up, and the reason; nil until they were counted
	records     []Record          // by which they are
}

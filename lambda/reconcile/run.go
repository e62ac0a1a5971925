package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// A run is one reconcile of one pool.
type run struct {
	with        *Reconciler
	request     event.Request
	owner       string // owner of the lease, unique for each run
	start       time.Time
	ledger      *tolerantLedger
	scope       Scope
	rules       Rules
	first       userpool.State // from the last read of the whole scope
	state       userpool.State // from the last read
	readAt      time.Time      // when that read of the whole scope began
	history     outcome.History
	interrupted []outcome.Record // whole records of interrupted earlier runs
	record      outcome.Record   // record of this run's writes; without any, it is empty
	works       []*work          // one for each unit, in their order
	out         outcome.Outcome
}

func (r *Reconciler) begin(request event.Request) *run {
	now, scope := r.Now(), ScopeOf(r.Baseline, request)
	run := &run{with: r, request: request, owner: fmt.Sprintf("%016x", rand.Uint64()), start: now, scope: scope,
		ledger: &tolerantLedger{ledger: r.Ledger, pool: request.UserPoolID},
		rules: Rules{Baseline: r.Baseline, Now: now, Whole: scope.Whole,
			OwnWrite: r.OwnRole != "" && request.Cause.Issuer == r.OwnRole},
		out: outcome.Outcome{UserPoolID: request.UserPoolID, Baseline: r.Baseline.Digest, Cause: request.Cause,
			Drifts: []outcome.Finding{}, Writes: []string{}}}
	if request.Kind != event.Ignored { // such an event detects nothing
		run.out.Details.Times.Seen = now
	}
	return run
}

// reconcile runs all steps. from is the digest of the expected initial state, or "".
func (r *run) reconcile(ctx context.Context, from string) (outcome.Outcome, error) {
	if r.scope.Ignored != "" {
		return r.ignore(r.scope.Ignored)
	}
	if r.covered(ctx) {
		return r.end(ctx, nil)
	}
	if err := r.observe(ctx); err != nil {
		return r.endUnwritten(ctx, err)
	}
	if from != "" && r.state.Digest() != from {
		r.out.Outcome, r.out.Reason = outcome.Drifted, outcome.MovedReason
		return r.out, nil
	}
	if len(r.rules.policy(r.state).Rules) == 0 && len(r.interrupted) == 0 {
		return r.ignore("no rule selects this pool")
	}
	err := r.units(ctx)
	if err != nil && !slices.ContainsFunc(r.record.Sent, outcome.Sent.Made) {
		return r.endUnwritten(ctx, err)
	}
	return r.end(ctx, err)
}

// historyTime is how far back the records of a pool are read. It is longer than all retries of a message and than the
// interval between scans.
const historyTime = 3 * 24 * time.Hour

// covered reports whether this process already read the same scope after the event's call, and left nothing to fix.
// Then only the records are read, for the findings about this call.
func (r *run) covered(ctx context.Context) bool {
	call, at := r.request.Call, r.request.Cause.Time
	if call.Name == "" {
		at = r.request.Scan.Started
	}
	watches := slices.Contains(r.with.Baseline.Watches(r.request.UserPoolID), call.Watched)
	if at.IsZero() || r.rules.OwnWrite || watches || call.Name == event.DeleteUserPool {
		return false
	}
	value, _ := r.with.reads.Load(r.request.UserPoolID)
	last, ok := value.(lastRead)
	if !ok || !at.Add(staleReadTime).Before(last.at) || !last.scope.covers(r.scope) {
		return false
	}
	r.history = r.ledger.history(ctx, r.start.Add(-historyTime), false)
	if len(outcome.Interrupted(r.history.Records, r.start)) > 0 {
		return false
	}
	r.out.Details.Notified = r.history.Notes
	r.out.Reason = "the read at " + last.at.UTC().Format(time.RFC3339) + ", after this call, left nothing to fix"
	return true
}

// observe reads the pool and its records in parallel, and finds interrupted runs.
func (r *run) observe(ctx context.Context) error {
	known := make(chan outcome.History, 1)
	go func() { known <- r.ledger.history(ctx, r.start.Add(-historyTime), false) }()
	err := r.readAll(ctx)
	unknown := r.useHistory(ctx, <-known)
	if err = cmp.Or(unknown, err); err != nil || len(r.interrupted) == 0 || !r.widen() {
		return err
	}
	return r.readAll(ctx)
}

// widen extends the scope to everything that interrupted runs may have written, and reports whether the scope grew. A
// request for some clients is extended only to the clients that those runs wrote. Otherwise each message of a fan-out
// would start another fan-out.
func (r *run) widen() bool {
	before := r.scope
	if !r.scope.Whole {
		r.scope = wholeScope(r.with.Baseline, r.request.UserPoolID)
		if len(r.request.Clients) > 0 {
			r.scope.Whole, r.scope.Clients = false, slices.Clone(r.request.Clients)
			for _, record := range r.interrupted {
				for _, s := range record.Sent {
					r.scope.Clients = append(r.scope.Clients, s.Document.Client())
				}
			}
		}
	}
	if len(outcome.RestoresOf(r.interrupted, nil)) > 0 { // whether required or not
		r.scope.Kinds = slices.Concat(poolUnit, r.scope.Kinds)
	}
	r.rules.Whole = r.scope.Whole
	return !before.covers(r.scope) || r.scope.Whole != before.Whole
}

func (r *run) readAll(ctx context.Context) error {
	selected := &selection{run: r}
	from := r.with.Now()
	state, err := r.with.Pools.Read(ctx, r.request.UserPoolID, selected.want())
	if err != nil {
		return err
	}
	r.state, r.first, r.readAt = state, state, from
	r.out.Details.Clients, r.rules.Rest = selected.rest, selected.rest
	r.out.Details.PoolName = state.Identity().Name
	r.out.Details.PoolARN, _ = state.Documents[baseline.UserPool]["Arn"].(string)
	return nil
}

// useHistory derives the flap budget, the changed unknown members and the interrupted runs from the records of the
// pool. It fails if the ledger cannot return what an interrupted run may have removed.
func (r *run) useHistory(ctx context.Context, history outcome.History) error {
	r.history, r.out.Details.Notified = history, history.Notes
	if r.with.Actor == "" { // a person who runs a command wants the write
		r.rules.Flapping = outcome.Exhausted(r.with.Baseline.Flap, history.Records, r.request.Cause, r.start)
	}
	r.rules.Changed = outcome.ChangedMembers(history.Records, r.start)
	r.interrupted = nil
	for _, record := range outcome.Interrupted(history.Records, r.with.Now()) {
		whole, err := r.ledger.whole(ctx, record)
		if err != nil && len(record.Restores()) > 0 {
			return fmt.Errorf("an interrupted run may have removed a setting from the pool: %w", err)
		}
		r.interrupted = append(r.interrupted, whole)
	}
	return nil
}

// units brings one unit after the other to the baseline. Fixes that were rejected in one unit are tried once more after
// a later unit wrote. For example, log delivery may have blocked a change of the tier.
func (r *run) units(ctx context.Context) error {
	for _, unit := range r.scope.Units(r.state) {
		w := &work{run: r, unit: unit, odd: map[baseline.DocumentName]error{}}
		if unit.isPool() {
			w.attempt.Restores = outcome.RestoresOf(r.interrupted, nil)
		}
		r.works = append(r.works, w)
		if err := w.reconcile(ctx); err != nil {
			return err
		}
	}
	for _, w := range r.works {
		if w.done.refused == 0 || w.done.writes == len(r.out.Writes) {
			continue
		}
		moved := w.done.moved
		w.attempt.Restart()
		w.waits, w.readAt, w.began = 0, time.Time{}, false // the unit is read again, and that state must not change
		if err := w.reconcile(ctx); err != nil {
			return err
		}
		w.done.moved = slices.Concat(moved, w.done.moved) // what changed in the first try stays reported
	}
	return nil
}

func (r *run) ignore(reason string) (outcome.Outcome, error) {
	r.out.Outcome, r.out.Reason = outcome.Ignored, reason
	return r.end(context.Background(), nil) // which then makes no call
}

// endUnwritten ends a run that an error stopped before it wrote anything.
func (r *run) endUnwritten(ctx context.Context, err error) (outcome.Outcome, error) {
	switch cognito.ClassOf(err) {
	case cognito.ClassGone:
		deleted := r.request.Call.Name == event.DeleteUserPool
		r.out.Outcome, r.out.Reason = outcome.Ignored, outcome.GoneReason
		if rule := r.with.Baseline.NamesPool(r.request.UserPoolID); rule != "" && deleted {
			r.out.Outcome, r.out.Reason, r.out.Critical = outcome.Drifted, "the user pool was deleted", true
			r.out.Drifts = append(r.out.Drifts, outcome.Deleted(rule, r.request.Cause))
		}
		for _, record := range r.interrupted {
			r.out.Drifts, r.out.Outcome = append(r.out.Drifts, outcome.InterruptedFinding(record)), outcome.Drifted
		}
	case cognito.ClassElsewhere:
		r.interrupted = nil // their records stay open
		r.out.Outcome, r.out.Reason = outcome.Ignored, "the pool is a secondary replica: change it in its primary Region"
	case cognito.ClassDenied, cognito.ClassRefused:
		r.interrupted = nil
		r.out.Outcome, r.out.Reason = outcome.Unfixable, err.Error()
	default:
		return r.end(ctx, err)
	}
	return r.end(ctx, nil)
}

// later returns the error that defers the request.
func (r *run) later(err error) error {
	if already, ok := errors.AsType[*outcome.DeferredError](err); ok {
		return already
	}
	return &outcome.DeferredError{UserPoolID: r.request.UserPoolID, Cause: err, Reason: err.Error()}
}

// A lastRead is the time when the process last read a pool in a scope and left nothing to fix.
type lastRead struct {
	at    time.Time
	scope Scope
}

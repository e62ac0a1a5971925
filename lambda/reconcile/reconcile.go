package reconcile

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// Pools reads and writes user pools.
type Pools interface {
	Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error)
	Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error)
	Write(ctx context.Context, id string, request userpool.Request) (requestID string, err error)
	List(ctx context.Context, token string) (ids []string, next string, err error)
}

// A Reconciler brings pools to a baseline. All fields but OwnRole are needed. It is safe for concurrent use.
type Reconciler struct {
	Pools    Pools
	Baseline *baseline.Baseline
	OwnRole  string // ARN of our own role; its writes are never answered with a write
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error // returns early, with the context's error, when the context ends
	Jitter   func(time.Duration) time.Duration          // spreads a wait
	// Ledger, if not nil, remembers between invocations.
	Ledger Ledger
	// Patience is how long an event, or a pool, is waited for that somebody else has taken.
	Patience time.Duration
	// Passing says that the Ledger ends with this process: nobody can look its records up, so no outcome names one, and of those that are finished neither the state before nor the bodies are kept.
	Passing bool
	// Aside says that others are told of what the Ledger remembers than those whom this process tells: what it tells counts as told to nobody, what a killed process told nobody stays to be told,
	// and what was found with another baseline is kept.
	Aside bool
	// Tell, if not nil, tells people of an outcome. It is called for each, the Earlier ones first, before the event counts as handled: whoever is killed first is made up for by the next one, so that people may be told
	// twice, rather than not at all. It returns whether people know by then: what lasts is Repeated only if they do.
	Tell func(context.Context, Outcome) bool
	// Before, if not nil, is called with the state that was read before the first write of a reconcile. If it fails, nothing is written.
	Before func(userpool.State) error
	// Bus, if not nil, is where a sweep puts an event for each pool, instead of reconciling the pools itself. Function, if not "", says in these events which function they are for.
	Bus      Bus
	Function string
}

// New returns a Reconciler that lives by the real clock.
func New(pools Pools, required *baseline.Baseline, ownRole string) *Reconciler {
	return &Reconciler{Pools: pools, Baseline: required, OwnRole: ownRole, Patience: Attended, Now: time.Now, Sleep: sleep,
		Jitter: func(d time.Duration) time.Duration { return d/2 + rand.N(d) }}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const (
	// attempts is how often a pool is read and planned before the event is deferred.
	attempts = 4
	// mostPlans bounds the plans of one event. Each refusal gives up a setting, so it is never reached unless the service contradicts itself.
	mostPlans = 64
	// firstWait is the wait before the second attempt; each further one waits twice as long.
	firstWait = 500 * time.Millisecond
	// writeTime is the time that one write, with the verification after it, may need; without it no write is started.
	writeTime = 5 * time.Second
)

// Answer does what an event about one pool asks for: it brings to the baseline what the event's call can have changed, and reports what the baseline watches. The error is
// nil or a *DeferredError, and then the outcome is Deferred.
func (r *Reconciler) Answer(ctx context.Context, request event.Request) (Outcome, error) {
	run := r.begin(request.UserPoolID, request.Cause)
	run.request, run.sweeping = request, !request.Sweep.Started.IsZero()
	return run.remembered(ctx)
}

// Reconcile brings a whole pool to the baseline. The error is nil or a *DeferredError, and then the outcome is Deferred.
func (r *Reconciler) Reconcile(ctx context.Context, id string, cause event.Cause) (Outcome, error) {
	return r.begin(id, cause).remembered(ctx)
}

// ReconcileFrom is Reconcile for a pool that was planned before: if it is no longer in the state with that digest, nothing is written, and the outcome is
// Drifted with the reason MovedReason.
func (r *Reconciler) ReconcileFrom(ctx context.Context, id, state string, cause event.Cause) (Outcome, error) {
	run := r.begin(id, cause)
	run.from = state
	return run.remembered(ctx)
}

// MovedReason says that a pool is not as it was when it was planned.
const MovedReason = "the pool is no longer in the state that the plan was made for"

// GoneReason says that a pool is not there, or not any more.
const GoneReason = "there is no such user pool here"

// A view is a pool as one attempt found it, and what is to be done about it.
type view struct {
	state    userpool.State
	required baseline.Policy // of the pool as a whole
	policy   baseline.Policy // of what was looked at
	found    baseline.Comparison
	lost     []baseline.Drift // what a write of ours took from the pool, and is to be given back
	kept     []Drift          // and what of it cannot be
	report   []Drift          // what is not written, and why
	plan     userpool.Plan
}

// look reads, compares and plans. done says that there is nothing further to do, with the outcome set or the error that defers the event.
func (r *run) look(ctx context.Context) (v view, done bool, err error) {
	if !r.Baseline.MaySelect(r.id) {
		r.ignore("no rule selects this pool")
		return v, true, nil
	}
	if !r.concerned() {
		r.ignore("the baseline owns and watches nothing that " + r.request.Call.Name + " changes")
		return v, true, nil
	}
	if v.state, err = r.read(ctx, &r.out.Durations.Read); err != nil {
		return v, true, r.unread(err)
	}
	r.planned = r.judged
	r.out.PoolName = v.state.Identity().Name
	r.out.PoolARN, _ = v.state.Documents[baseline.UserPool]["Arn"].(string)
	v.policy = r.Baseline.Policy(v.state.Identity(), r.Now())
	if len(v.policy.Rules) == 0 {
		r.judgeUntold(baseline.Comparison{}, v.state)
		if r.sent == nil {
			r.ignore("no rule selects this pool")
			return v, true, nil
		}
		// One did when it was written.
		r.lacks = v.state.Lacks(r.owed)
		for _, d := range r.lacks {
			r.moved, d.Want = append(r.moved, d.Setting), "what it was before"
			v.kept = append(v.kept, taken(d, "no rule selects the pool any more"))
		}
		r.settle(baseline.Comparison{}, v.kept)
		return v, true, nil
	}
	v.required = v.policy
	v.policy = v.policy.Only(r.counts(v.state))
	r.shown = func(setting string) bool { return r.shows(v.state, v.required, setting) }
	r.out.Elsewhere, r.out.Narrow = r.notShown()
	v.found = compare(v.policy, v.state)
	r.judgeUntold(v.found, v.state)
	r.lacks = v.state.Lacks(r.owed)
	r.countFlaps(ctx, slices.Concat(v.found.Drifts, r.lacks))
	v.lost, v.kept = r.inspect(v.state, v.found, v.policy)
	if m := r.missed(v.state, v.found.Drifts); m != nil {
		r.out.Missed = m
	}
	if err := r.plan(&v); err != nil {
		return v, true, r.later(err)
	}
	return v, false, nil
}

// plan plans for what the look found, and reports what is not written.
func (r *run) plan(v *view) (err error) {
	report, fixable := r.sort(v.found.Drifts)
	report = append(report, v.kept...)
	lostUpdates := r.lostUpdates(v.state.Settings(), fixable, report)
	r.out.Overwritten = settingsOf(lostUpdates)
	report = append(report, lostUpdates...)
	report = append(report, r.watched(v.state, v.required)...)
	then := func(state userpool.State) (drifts, fixable []baseline.Drift) {
		drifts = compare(v.policy, state).Drifts
		_, fixable = r.sort(drifts)
		return drifts, fixable
	}
	v.plan, err = userpool.NewPlan(v.state, append(fixable, v.lost...), userpool.Options{Unknown: r.Baseline.Unknown, MoveValidity: r.moveValidity, Owned: v.found.Owned, Then: then})
	if err != nil {
		return err
	}
	for _, left := range v.plan.Left {
		if touchesAny(v.lost, left.Setting) {
			r.moved = append(r.moved, left.Setting)
			report = append(report, taken(left.Drift, left.Reason))
			continue
		}
		report = append(report, drift(left.Drift, NotFixable, left.Reason))
	}
	v.report = report
	return nil
}

// compare is baseline.Compare, but that a client which only has the pool's risk configuration has none where none is wanted.
func compare(policy baseline.Policy, state userpool.State) baseline.Comparison {
	found := baseline.Compare(policy, state.Settings())
	found.Drifts = slices.DeleteFunc(found.Drifts, func(d baseline.Drift) bool {
		client, below, _ := baseline.ClientOf(d.Setting)
		return below == string(baseline.RiskConfiguration) && d.Action == baseline.LeaveOut && state.Inherits(client)
	})
	return found
}

// sort divides the drifts into those to report as they are and those to plan for.
func (r *run) sort(drifts []baseline.Drift) (report []Drift, fixable []baseline.Drift) {
	for _, d := range drifts {
		_, refused := r.refused[d.Setting]
		flapping, flaps := r.flaps[d.Setting]
		switch {
		case d.Exempted != nil:
			report = append(report, drift(d, Exempted, "until "+d.Exempted.Until.Format(time.RFC3339)+", "+d.Exempted.Owner+": "+d.Exempted.Reason))
		case d.Mode == baseline.Audit:
			report = append(report, drift(d, Reported, auditReason).left(LeftAudited))
		case r.ownWrite():
			report = append(report, drift(d, Reported, ownWriteReason).left(LeftOwnWrite))
		case d.Action == baseline.Report:
			report = append(report, drift(d, Reported, noValueReason).left(LeftNoValue))
		case flaps:
			report = append(report, drift(d, NotFixable, flapping).left(LeftFlapping))
		case r.raced[d.Setting]: // settle says whether it holds
		case refused:
			report = append(report, r.givenUp(d))
		default:
			fixable = append(fixable, d)
		}
	}
	return report, fixable
}

const auditReason = "the rule only audits"

const noValueReason = "the requirement names no value to write"

const ownWriteReason = "the event is of our own write, which is never answered with a write"

// ownWrite says whether it was our own role that called, or asked for the sweep: were that answered with a write, and a setting did not hold, there would be no end to it.
func (r *run) ownWrite() bool {
	return r.OwnRole != "" && r.cause.Issuer == r.OwnRole || r.request.Sweep.Own
}

func (r *run) read(ctx context.Context, took *time.Duration) (state userpool.State, err error) {
	held, release := r.hold(ctx)
	err = r.await(held)
	from := r.Now()
	if err == nil {
		state, err = r.Pools.Read(held, r.id, r.want())
		*took += r.Now().Sub(from)
	}
	if !release() {
		err = errTaken
	}
	if err == nil {
		r.judged = from
	}
	return state, err
}

func settingsOf(drifts []Drift) []string {
	var settings []string
	for _, d := range drifts {
		settings = append(settings, d.Setting)
	}
	return settings
}

func touchesAny(drifts []baseline.Drift, path string) bool {
	return slices.ContainsFunc(drifts, func(d baseline.Drift) bool { return userpool.Touches(d.Setting, path) })
}

func classOf(err error) userpool.Class {
	var failed *userpool.Error
	if errors.As(err, &failed) {
		return failed.Class
	}
	return ""
}

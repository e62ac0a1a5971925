package reconcile

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// A work handles one unit: it reads, decides, writes and verifies until nothing is left to write.
type work struct {
	run        *run
	unit       Unit
	done       result // so far
	attempt    Attempt
	origin     userpool.State                  // state before the first write of this try of the unit
	began      bool                            // a write was made or may have been made
	readAt     time.Time                       // when the current state of the unit was read; zero after a write was sent
	unverified time.Time                       // when the last write was or may have been accepted; zero once verified
	unclear    []userpool.Request              // writes whose response was lost
	leased     time.Time                       // when the lease was last renewed; zero without a lease
	waits      int                             // number of waits because the pool was busy
	roleTries  int                             // number of tries with a rejected role for text messages
	skip       []string                        // unknown members that change without our writes
	odd        map[baseline.DocumentName]error // by document, if its write was rejected with an unknown code
}

type result struct {
	found     baseline.Comparison
	findings  []outcome.Finding
	fixes     []baseline.Drift // fixes whose writes were accepted or may have been
	refused   int              // number of settings that the service rejected or is known to reject
	moved     []string         // settings that changed unexpectedly
	unmanaged int              // number of unchanged unmanaged settings
	lost      int              // number of restores that are still to be made
	writes    int              // number of writes of the run when the unit ended
}

// reconcile brings the unit to the baseline. An error defers the request.
func (w *work) reconcile(ctx context.Context) error {
	err := w.converge(ctx)
	if err != nil {
		w.suspend()
		err = w.run.later(err)
	}
	return err
}

func (w *work) converge(ctx context.Context) error {
	r := w.run
	decision := Decide(r.rules, w.unit, r.state, w.attempt)
	if len(decision.Plan.Writes) == 0 && !r.stale(w.unit) {
		w.finish(decision)
		return nil
	}
	if w.unit.isPool() {
		defer w.release(ctx)
		if err := w.acquire(ctx); err != nil {
			return err
		}
	}
	switch gone, err := w.loop(ctx); {
	case gone:
		w.done = result{}
	case err != nil:
		return err
	case len(r.out.Writes) > 0:
		w.done.addFollowers(r.rules, decision.Found.Drifts)
	}
	return nil
}

// addFollowers adds findings that the writes of an earlier unit fixed: a client without its own risk configuration has
// the pool's.
func (d *result) addFollowers(rules Rules, drifts []baseline.Drift) {
	for _, fix := range drifts {
		if _, skipped := rules.skip(fix, Attempt{}); skipped {
			continue
		}
		still := slices.ContainsFunc(d.found.Drifts, func(f baseline.Drift) bool { return f.Setting == fix.Setting })
		if !still && !finds(d.findings, fix.Setting) {
			d.findings = append(d.findings, outcome.Of(fix, outcome.StateFixed, "", ""))
		}
	}
}

func finds(findings []outcome.Finding, setting string) bool {
	return slices.ContainsFunc(findings, func(f outcome.Finding) bool { return f.Setting == setting })
}

// stale reports whether the state of the unit may have changed since the run wrote. The pool is read again before a
// retry. Risk configurations depend on threat protection, log delivery depends on the tier, and a client without its
// own risk configuration has the pool's.
func (r *run) stale(unit Unit) bool {
	last := unit[len(unit)-1]
	return len(r.out.Writes) > 0 && (unit.isPool() || last == baseline.LogDelivery || userpool.IsRisk(last))
}

// acquire acquires the lease of the pool and reads the records again, because a run that was interrupted in the
// meantime may have removed settings. If that run may have written more than this one has read, the request is
// deferred: the next try reads all of it.
func (w *work) acquire(ctx context.Context) error {
	r := w.run
	for waited := time.Duration(0); !r.ledger.acquire(ctx, r.owner, r.with.Now()); waited += leasePoll {
		if waited >= r.with.LeaseWait || r.with.Sleep(ctx, leasePoll) != nil {
			return errLeased
		}
	}
	w.leased = r.with.Now()
	if err := r.useHistory(ctx, r.ledger.history(ctx, r.start.Add(-historyTime), true)); err != nil {
		return err
	}
	if len(r.interrupted) > 0 && r.widen() {
		return errUnread
	}
	w.attempt.Restores = outcome.RestoresOf(r.interrupted, w.attempt.Restores)
	return nil
}

func (w *work) release(ctx context.Context) {
	if !w.leased.IsZero() {
		w.run.ledger.release(ctx, w.run.owner, w.run.with.Now())
		w.leased = time.Time{}
	}
}

// leasePoll is the wait between attempts to acquire a lease that another run has.
const leasePoll = 2 * time.Second

var (
	errLeased = errors.New("another run has the lease of this pool")
	errTaken  = errors.New("the lease expired, and another run has acquired it")
	errLate   = errors.New("too little time is left to write and verify")
	errUnread = errors.New("another run was interrupted, and this run has not read all that it may have written")
	errShown  = errors.New("reads do not return the latest write yet")
)

// loop reads, decides and writes until nothing is left to write. It reports whether the unit's app client was deleted.
// GivesUp, Next and Retry change the attempt when they return true, so the next decision has another plan.
func (w *work) loop(ctx context.Context) (gone bool, err error) {
	for {
		if err := w.read(ctx); err != nil {
			return w.gone(ctx, err)
		}
		decision := Decide(w.run.rules, w.unit, w.run.state, w.attempt)
		repeated := w.attempt.Repeats(decision.Plan.Writes)
		switch {
		case len(decision.Plan.Writes) > 0 && w.attempt.GivesUp(decision.Plan.Fixes):
		case len(repeated) > 0 && !w.unverified.IsZero():
			err = w.verify(ctx) // waits for a consistent read, or records that the value did not last
		case len(repeated) > 0:
			w.attempt.Unhold(repeated)
		case len(decision.Plan.Writes) > 0:
			err = w.writePlan(ctx, decision.Plan)
		case w.attempt.Next():
		case !w.unverified.IsZero():
			err = w.verify(ctx)
		case w.attempt.Retry():
		default:
			if err = w.blocked(); err == nil {
				w.finish(decision)
				return false, nil
			}
		}
		if err != nil {
			return false, err
		}
	}
}

// blocked returns the error of a document of which every write was rejected with an unknown code: perhaps no write is
// possible at present. If another write was accepted, the rejected settings are the cause.
func (w *work) blocked() error {
	written := slices.Concat(slices.Collect(maps.Values(w.attempt.Accepted))...)
	for _, name := range w.unit {
		if err := w.odd[name]; err != nil && !slices.Contains(written, name) {
			return err
		}
	}
	return nil
}

// read reads the unit again, unless the state is fresh. If a write is not verified, it first waits staleReadTime: an
// older state may still have a setting that must be restored.
func (w *work) read(ctx context.Context) error {
	if !w.readAt.IsZero() {
		return nil
	}
	r := w.run
	if wait := w.unverified.Add(staleReadTime).Sub(r.with.Now()); wait > 0 {
		if err := r.with.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	for try := 0; ; try++ {
		at := r.with.Now()
		state, err := r.readUnit(ctx, w.unit)
		if err != nil {
			return err
		}
		if len(r.out.Writes) == 0 && len(w.unclear) == 0 {
			w.skip = append(w.skip, r.state.Unsteady(state, w.unit)...)
		}
		r.state = state
		if !slices.ContainsFunc(w.unit, state.Focus(w.unit).Late) {
			w.readAt = at
			return nil
		}
		if try == len(verifyWaits) {
			return errShown
		}
		if err := r.with.Sleep(ctx, verifyWaits[try]); err != nil {
			return err
		}
	}
}

// readUnit returns the run's state with the current documents of the unit.
func (r *run) readUnit(ctx context.Context, unit Unit) (userpool.State, error) {
	state := r.state
	state.Documents = maps.Clone(r.state.Documents)
	if unit.isPool() {
		now, err := r.with.Pools.Read(ctx, state.ID, userpool.Want{Documents: unit})
		maps.Copy(state.Documents, now.Documents)
		return state, err
	}
	for _, name := range unit {
		document, err := r.with.Pools.Document(ctx, state.ID, name)
		if err != nil {
			return state, err
		}
		state.Documents[name] = document
	}
	return state, nil
}

// gone reports whether the unit belongs to an app client that was deleted in the meantime. Such a client must also be
// missing in the list of clients; otherwise gone returns the error.
func (w *work) gone(ctx context.Context, err error) (bool, error) {
	client := w.unit[0].Client()
	if client == "" || cognito.ClassOf(err) != cognito.ClassGone {
		return false, err
	}
	state, err := w.run.with.Pools.Read(ctx, w.run.request.UserPoolID, userpool.Want{
		Clients: func(_ baseline.Identity, c baseline.ClientIdentity) []baseline.DocumentName {
			if c.ID != client {
				return nil
			}
			return []baseline.DocumentName{baseline.AppClient}
		}})
	if err == nil && len(state.Clients) > 0 {
		err = errShown
	}
	return err == nil, err
}

// suspend sets the result of a unit whose run is deferred.
func (w *work) suspend() {
	w.done.found, w.done.findings = baseline.Comparison{}, nil
	if w.done.lost = len(w.attempt.Restores); !w.readAt.IsZero() {
		w.done.lost = len(w.run.state.Focus(w.unit).Lacks(w.attempt.Restores))
	}
	for _, d := range w.done.fixes {
		reason := "written, but not verified"
		if len(w.attempt.Accepted[d.Setting]) == 0 {
			reason = "sent, but it is not known whether it was written"
		}
		if d.Rule != "" {
			w.done.findings = append(w.done.findings, outcome.Of(d, outcome.StateReported, reason, outcome.CodeUnverified))
		}
	}
}

// finish sets the result of the unit, from its last decision.
func (w *work) finish(last Decision) {
	r, done := w.run, &w.done
	notRefused := func(d baseline.Drift) bool { return w.attempt.Refused[d.Setting] == "" }
	for _, request := range w.unclear { // nothing is left to write, so it was made unless its fixes were rejected later
		if len(request.Fixes) == 0 || slices.ContainsFunc(request.Fixes, notRefused) {
			r.out.Writes = append(r.out.Writes, request.Call)
		}
	}
	w.unclear = nil
	done.found, done.findings, done.lost = last.Found, last.Findings, len(last.Lost)
	done.refused = len(w.attempt.Refused) + len(last.Plan.Skipped)
	done.writes = len(r.out.Writes)
	for _, d := range done.fixes {
		if !finds(done.findings, d.Setting) && d.Rule != "" {
			names := w.attempt.Accepted[d.Setting]
			if len(names) == 0 {
				name, _ := baseline.DocumentOf(d.Setting)
				names = append(names, name)
			}
			reason := r.state.Echoes(names, r.with.Baseline.Unknown)
			done.findings = append(done.findings, outcome.Of(d, outcome.StateFixed, reason, ""))
		}
	}
}

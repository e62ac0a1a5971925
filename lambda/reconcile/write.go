package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// writePlan makes the writes of a plan in order, each once, and learns from the responses. An error defers the request.
func (w *work) writePlan(ctx context.Context, plan userpool.Plan) error {
	w.attempt.Try(plan.Fixes)
	if !w.began {
		w.origin = w.run.state.Focus(w.unit)
	}
	read := w.readAt
	for i, request := range plan.Writes {
		if err := w.mayWrite(ctx, len(plan.Writes)-i); err != nil {
			return err
		}
		err := w.send(ctx, request, read)
		w.readAt = time.Time{}
		if err != nil {
			return w.answer(ctx, plan, request, err)
		}
		w.noteSent(request, true)
	}
	return w.verify(ctx)
}

// mayWrite checks that there is time for the remaining writes, and renews a lease that is older than clockSkew.
func (w *work) mayWrite(ctx context.Context, left int) error {
	r := w.run
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < time.Duration(left)*writeTime {
		return errLate
	}
	if now := r.with.Now(); !w.leased.IsZero() && now.Sub(w.leased) > clockSkew {
		if !r.ledger.acquire(ctx, r.owner, now) {
			w.leased = time.Time{}
			return errTaken
		}
		w.leased = now
	}
	return nil
}

// send adds the write to the record, with the time when its state was read, makes it, and notes the response, which is
// stored with the next write or at the end.
func (w *work) send(ctx context.Context, request userpool.Request, read time.Time) error {
	r := w.run
	sent := w.intend(ctx, request, read)
	if (request.Trial || len(request.Removes) > 0) && r.ledger.err != nil {
		sent.Status = outcome.Refused // it is not sent
		return errors.New("SetUserPoolMfaConfig may remove a setting that must be restored, which needs the " +
			"ledger: " + r.ledger.err.Error())
	}
	requestID, err := r.with.Pools.Write(ctx, r.request.UserPoolID, request)
	sent.RequestID, sent.At = requestID, r.with.Now()
	switch {
	case err == nil:
		sent.Status = outcome.Accepted
	case cognito.ClassOf(err) == cognito.ClassUnclear:
		sent.Status = outcome.Unclear
	default:
		sent.Status = outcome.Refused
	}
	if requestID != "" {
		r.out.Details.RequestIDs = append(r.out.Details.RequestIDs, requestID)
	}
	return err
}

// intend adds the write to the record before it is sent.
func (w *work) intend(ctx context.Context, request userpool.Request, read time.Time) *outcome.Sent {
	r := w.run
	now := r.with.Now()
	if len(r.record.Sent) == 0 {
		pool := r.request.UserPoolID
		r.record = outcome.Record{ID: outcome.NewRecordID(pool, now, r.owner[:8]), UserPoolID: pool,
			Cause: r.request.Cause, Baseline: r.with.Baseline.Digest, Actor: r.with.Actor, Began: now,
			Drifts: []outcome.Finding{}}
	}
	if !slices.ContainsFunc(r.record.Sent, outcome.Sent.Made) {
		r.record.Before = new(userpool.NewBackup(r.state, now))
	}
	sent := outcome.Sent{Call: request.Call, Document: request.Document, Status: outcome.Intended,
		Read: read, Body: request.Body, Trial: request.Trial}
	for _, d := range request.Fixes {
		sent.Fixes = append(sent.Fixes, d.Setting)
		if !finds(r.record.Drifts, d.Setting) && d.Rule != "" {
			r.record.Drifts = append(r.record.Drifts, outcome.Of(d, outcome.StatePlanned, "", ""))
		}
	}
	for _, d := range request.Removes {
		sent.Removes = append(sent.Removes, d.Setting)
	}
	r.record.Until = now.Add(leaseTime)
	r.record.Sent = append(r.record.Sent, sent)
	r.ledger.put(ctx, r.record)
	return &r.record.Sent[len(r.record.Sent)-1]
}

// noteSent records a write that was accepted, or may have been because its response was lost.
func (w *work) noteSent(request userpool.Request, accepted bool) {
	w.unverified, w.began = w.run.with.Now(), true
	if request.Trial {
		return // nothing changed
	}
	w.attempt.Progress()
	w.attempt.Restores = append(w.attempt.Restores, request.Removes...)
	w.done.fixes = append(w.done.fixes, request.Fixes...)
	w.unclear = slices.DeleteFunc(w.unclear, func(u userpool.Request) bool { return u.Call == request.Call })
	if !accepted {
		w.unclear = append(w.unclear, request)
		return
	}
	w.run.out.Writes = append(w.run.out.Writes, request.Call)
	w.run.out.Details.Times.Written = w.run.with.Now()
	w.attempt.Accept(request)
}

// answer handles a failed write. An error defers the request; nil means to read and decide again.
func (w *work) answer(ctx context.Context, plan userpool.Plan, request userpool.Request, err error) error {
	switch cognito.ClassOf(err) {
	case cognito.ClassUnclear:
		w.noteSent(request, false)
		return w.wait(ctx, err)
	case cognito.ClassBusy:
		return w.wait(ctx, err)
	case cognito.ClassSMSRole: // a new role takes a moment to become visible everywhere
		if w.roleTries++; w.roleTries == 1 {
			return w.wait(ctx, err)
		}
	case cognito.ClassValidity:
		if !w.attempt.MoveValidity {
			w.attempt.MoveValidity = true
			return nil
		}
	case cognito.ClassOdd:
		w.odd[request.Document] = err
	case cognito.ClassRefused, cognito.ClassDenied, cognito.ClassOff, cognito.ClassGone: // rejected, see below
	default:
		return err
	}
	fixes := request.Fixes
	if len(fixes) == 0 {
		fixes = plan.Fixes // the write only accompanied that of another document
	}
	reason, document := err.Error(), []baseline.DocumentName{request.Document}
	if echoes := w.run.state.Echoes(document, w.run.with.Baseline.Unknown); echoes != "" {
		reason += "; " + echoes + "; set it to omit or stop under unknownMembers"
	}
	w.attempt.Refuse(plan.Fixes, fixes, reason)
	return nil
}

func (w *work) wait(ctx context.Context, err error) error {
	r := w.run
	if w.waits+1 == busyTries || r.with.Sleep(ctx, r.with.Jitter(firstWait<<w.waits)) != nil {
		return err
	}
	w.waits++
	w.attempt.Forget()
	return nil
}

// verifyWaits are the waits between the reads of a verification. For a second or two after a write, a read may return
// an older state.
var verifyWaits = []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
	1600 * time.Millisecond}

// verify reads the unit until the fixes are visible and nothing else has changed, or until the waits are used up. It
// compares with the state before the first write of this try of the unit.
func (w *work) verify(ctx context.Context) error {
	r := w.run
	skip := w.origin.Unknown(w.origin.Names(), r.with.Baseline.Unknown, baseline.OmitUnknown)
	var last userpool.State // the last state with all fixes
	for try := 0; ; try++ {
		at := r.with.Now()
		state, err := r.readUnit(ctx, w.unit)
		if err != nil {
			return err
		}
		focused := state.Focus(w.unit)
		found := compare(r.rules.ofUnit(focused, w.unit), focused)
		unheld := w.unheld(found)
		lost := focused.Lacks(w.attempt.Restores)
		if len(unheld)+len(lost) == 0 {
			if last.Documents != nil {
				w.skip = append(w.skip, last.Unsteady(state, w.unit)...)
			}
			last = state
		}
		unmanaged, moved := userpool.Moved(w.origin, w.done.fixes, focused, slices.Concat(skip, w.skip), found.Owns)
		if len(unheld)+len(lost)+len(moved) > 0 && try < len(verifyWaits) {
			if err := r.with.Sleep(ctx, verifyWaits[try]); err != nil {
				return err
			}
			continue
		}
		r.state, w.readAt, w.unverified = state, at, time.Time{}
		w.done.unmanaged, w.done.moved = unmanaged, r.record.Shift(moved)
		r.rules.Changed = outcome.ChangedMembers(append(slices.Clip(r.history.Records), r.record), r.start)
		w.attempt.Unhold(append(unheld, lost...))
		r.out.Details.Times.Verified = r.with.Now()
		return nil
	}
}

// unheld returns the drifts that remain although the writes of their fixes were accepted.
func (w *work) unheld(found baseline.Comparison) []baseline.Drift {
	return slices.DeleteFunc(slices.Clone(found.Drifts), func(d baseline.Drift) bool {
		_, refused := w.attempt.Refused[d.Setting]
		return len(w.attempt.Accepted[d.Setting]) == 0 || refused || w.attempt.Postponed[d.Setting]
	})
}

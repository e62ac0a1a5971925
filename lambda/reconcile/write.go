package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// What a run has learned of its writes.
type writing struct {
	sent         *userpool.Plan    // the latest plan of which a write was accepted, or may have been
	sentFixes    []baseline.Drift  // what all such writes were to fix
	unclear      string            // the latest write call, if it may have been accepted and nothing was written since
	refused      map[string]string // settings that the service refused to have written, and why
	moveValidity bool
	smsTries     int
	offered      bool     // the pool has just been made to offer a document that it did not
	moved        []string // settings that were not to move and did
	unmanaged    int      // unmanaged settings that are exactly what they were
}

// write makes the writes of the plan in their order, each once. done says that all were accepted; if not, the step says what is next. What is refused of one client stands in no other's way, and a pool
// may have a thousand: it is planned again once all were tried.
func (r *run) write(ctx context.Context, plan userpool.Plan) (next step, done bool, err error) {
	from := r.Now()
	defer func() { r.out.Durations.Write += r.Now().Sub(from) }()
	refused := false
	for i, request := range plan.Writes {
		read, err := r.afresh(ctx, plan, i)
		if err != nil {
			return waitFirst, false, err
		}
		if !r.ours(ctx) {
			return finished, false, r.later(errTaken)
		}
		if request.Document.Client() != "" && !r.timeFor(ctx, 1) {
			return finished, false, r.later(errLate)
		}
		r.sending(ctx, plan.Writes[i:], read)
		requestID, err := r.Pools.Write(ctx, r.id, request)
		r.answered(requestID, read, err)
		if requestID != "" {
			r.out.RequestIDs = append(r.out.RequestIDs, requestID)
		}
		if err == nil {
			r.out.Writes = append(r.out.Writes, request.Call)
			r.out.Times.Written, r.unclear = r.Now(), ""
			r.noteSent(plan, request)
			for _, d := range request.Fixes {
				r.accepted[written{request.Document, d.Setting}] = true
			}
			if touchesDocument(r.owed, request.Document) {
				r.given, r.owed, r.lacks = r.owed, nil, nil
			}
			continue
		}
		if next, err = r.unwritten(plan, request, err); next != planAgain || request.Document.Client() == "" {
			return next, false, err
		}
		refused = true
	}
	if refused {
		return planAgain, false, nil
	}
	return finished, true, nil
}

// noteSent remembers a write that was accepted, or may have been, for the comparison with the next state that is read.
func (r *run) noteSent(plan userpool.Plan, request userpool.Request) {
	r.sent = &plan
	r.sentFixes = append(r.sentFixes, request.Fixes...)
	r.owed = append(r.owed, request.Owes...)
}

// touchesDocument says whether a write of the document gives back what is owed.
func touchesDocument(owed []baseline.Drift, name baseline.DocumentName) bool {
	return slices.ContainsFunc(owed, func(d baseline.Drift) bool {
		of, _ := baseline.DocumentOf(d.Setting)
		return of == name
	})
}

// unwritten decides what follows a write that failed. A refused write is never sent again with something left out: it is planned again
// without the requirement that the service's answer names, or without all that it was to fix.
func (r *run) unwritten(plan userpool.Plan, request userpool.Request, err error) (step, error) {
	switch classOf(err) {
	case userpool.ClassBusy:
		return waitFirst, err
	case userpool.ClassUnclear:
		r.unclear = request.Call
		r.noteSent(plan, request)
		return waitFirst, err
	case userpool.ClassSMSRole:
		if r.smsTries++; r.smsTries < smsTries {
			return waitFirst, err
		}
	case userpool.ClassValidity:
		if !r.moveValidity {
			r.moveValidity = true
			return planAgain, nil
		}
	case userpool.ClassElsewhere:
		if r.sent != nil {
			return finished, r.later(err) // what was begun is not left at that
		}
		r.pass(elsewhere)
		return finished, nil
	case userpool.ClassImporting, userpool.ClassOdd, "":
		return finished, r.later(err)
	}
	r.refuse(plan, request, err)
	return planAgain, nil
}

// smsTries is how often a write is planned for a pool whose role for text messages is refused: a role that was just made takes a
// moment to be seen everywhere.
const smsTries = 2

// refuse gives up the drifts that the answer names, or all of this write if it names none of them.
func (r *run) refuse(plan userpool.Plan, request userpool.Request, err error) {
	fixes := request.Fixes
	if len(fixes) == 0 {
		fixes = plan.Fixes // the write only accompanied another
	}
	var failed *userpool.Error
	if errors.As(err, &failed) {
		if named := naming(fixes, failed.Names()); len(named) > 0 {
			fixes = named
		}
	}
	for _, d := range fixes {
		r.refused[d.Setting] = err.Error()
	}
}

func naming(fixes []baseline.Drift, names []string) []baseline.Drift {
	var named []baseline.Drift
	for _, d := range fixes {
		for _, name := range names {
			if userpool.Touches(d.Setting, name) {
				named = append(named, d)
				break
			}
		}
	}
	return named
}

// verifyWaits are the waits between the reads of a verification: for a second or two a read may still show the old state.
var verifyWaits = []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond}

// verify reads the pool again until the fixes hold and nothing else has moved, or the waits are used up.
func (r *run) verify(ctx context.Context, plan userpool.Plan, policy baseline.Policy, report []Drift) error {
	for try := 0; ; try++ {
		state, err := r.read(ctx, &r.out.Durations.Verify)
		if err != nil {
			return r.later(err)
		}
		found := compare(policy, state)
		unmanaged, moved := plan.Unmoved(state, found.Owns)
		missing := state.Lacks(r.given)
		held := len(r.unheld(found)) == 0 && len(missing) == 0
		if held && len(moved) == 0 || try == len(verifyWaits) {
			r.unmanaged, r.moved = unmanaged, append(r.moved, moved...)
			if len(missing) > 0 {
				r.owed, r.lacks = r.given, missing
				for _, d := range missing {
					r.moved = append(r.moved, d.Setting)
				}
			}
			r.settle(found, report)
			return nil
		}
		if err := r.Sleep(ctx, verifyWaits[try]); err != nil {
			return r.later(err)
		}
	}
}

// unheld returns the drifts that are still there although a write that was to fix them was accepted.
func (r *run) unheld(found baseline.Comparison) map[string]bool {
	still := map[string]bool{}
	for _, d := range found.Drifts {
		for _, fix := range r.sentFixes {
			if _, refused := r.refused[d.Setting]; fix.Setting == d.Setting && !refused {
				still[d.Setting] = true
			}
		}
	}
	return still
}

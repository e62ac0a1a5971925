package reconcile

import (
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// unread ends a run whose pool could not be read.
func (r *run) unread(err error) error {
	deleted := classOf(err) == userpool.ClassGone && r.request.Call.Name == event.DeleteUserPool
	if deleted {
		r.owed = nil // to whom?
	}
	if r.sent != nil || len(r.owed) > 0 {
		return r.later(err) // what was begun is not left at that
	}
	switch classOf(err) {
	case userpool.ClassGone:
		r.judgeUntold(baseline.Comparison{}, userpool.State{})
		if rule := r.Baseline.NamesPool(r.id); rule != "" && deleted {
			r.deleted(rule)
			return nil
		}
		r.pass(GoneReason)
		return nil
	case userpool.ClassElsewhere:
		r.pass(elsewhere)
		return nil
	case userpool.ClassDenied, userpool.ClassRefused:
		r.out.Outcome, r.out.Reason, r.unreadable, r.judged = Unfixable, err.Error(), err, time.Time{}
		return nil
	default:
		return r.later(err)
	}
}

func (r *run) ignore(reason string) { r.out.Outcome, r.out.Reason = Ignored, reason }

// pass ignores a pool that is not to be seen here. If it is to be seen when the event comes again, the event counts.
func (r *run) pass(reason string) {
	r.ignore(reason)
	r.unseen = true
}

const elsewhere = "the pool is a secondary replica: it is changed in its primary Region"

// later makes the error that defers the event.
func (r *run) later(err error) error {
	e := &DeferredError{UserPoolID: r.id, Cause: err, Reason: "the pool kept changing"}
	if err != nil {
		e.Reason = err.Error()
	}
	return e
}

func (r *run) end(err error) (Outcome, error) {
	r.out.Durations.Total = r.Now().Sub(r.start)
	if err != nil && len(r.owed) > 0 && !r.promised {
		// Nobody would know of the debt when the event comes again, so this is said now instead of being tried later.
		r.out.Outcome = Unconverged
		r.out.Reason = r.owed[0].Setting + " may have been lost by a write of " + strings.Join(r.out.Writes, ", ") + ", and could not be given back: " + err.Error()
		return r.out, nil
	}
	if err != nil {
		r.out.Outcome, r.out.Reason, r.out.Missed = Deferred, err.Error(), nil // which whoever comes next tells
	}
	if err != nil && r.promised {
		r.out.Reason += "; " + r.owed[0].Setting + " may have been lost meanwhile, and is given back when the event comes again"
	}
	return r.out, err
}

package reconcile

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// end ends a run: it collects the findings, determines the ending, and prepares the records for Close. An error
// defers the request.
func (r *run) end(ctx context.Context, err error) (outcome.Outcome, error) {
	r.gather()
	var moved []string
	fixes, lost := 0, 0
	for _, w := range r.works {
		moved = append(moved, w.done.moved...)
		fixes += len(w.done.fixes)
		lost += w.done.lost
		r.out.Verified.UnmanagedUnchanged += w.done.unmanaged
		if len(w.done.fixes) > 0 {
			r.out.Verified.Owned += w.done.found.Holding()
		}
	}
	switch {
	case err != nil:
		err = r.later(err)
		r.out.Outcome, r.out.Reason = outcome.Deferred, err.Error()
	case r.out.Outcome == "":
		ending, reason := Conclude(r.out.Drifts, moved)
		if ending == outcome.Unchanged && fixes > 0 {
			ending, reason = outcome.Remediated, "settings that an earlier write removed were restored"
		}
		r.out.Outcome, r.out.Reason = ending, cmp.Or(reason, r.out.Reason)
	}
	r.remember()
	r.prepareRecords(ctx, err, lost)
	r.out.Details.Duration = r.with.Now().Sub(r.start)
	if r.ledger.err != nil {
		r.out.Details.LedgerError = r.ledger.err.Error()
	}
	return r.out, err
}

// gather collects the findings of the units and of watched resources.
func (r *run) gather() {
	var found baseline.Comparison
	var all []outcome.Finding
	for _, w := range r.works {
		all = append(all, w.done.findings...)
		found.Drifts = append(found.Drifts, w.done.found.Drifts...)
	}
	if r.state.Documents != nil {
		all = slices.Concat(all, r.rules.missing(r.state), outcome.Watched(r.request, r.rules.policy(r.state), r.state),
			outcome.InterruptedFindings(r.interrupted, found, r.state))
	}
	if !r.rules.OwnWrite {
		all = append(all, outcome.LostUpdates(r.request, r.history.Records)...)
	}
	for _, d := range all {
		ofRun := d.State == outcome.StateReported && (d.Code == outcome.CodeInterrupted || d.Code == outcome.CodeLostUpdate)
		same := func(k outcome.Finding) bool { // the reason names the record of the run
			return k.Setting == d.Setting && k.Code == d.Code && (!ofRun || k.Reason == d.Reason)
		}
		if !slices.ContainsFunc(r.out.Drifts, same) {
			r.out.Drifts = append(r.out.Drifts, d)
		}
	}
	slices.SortStableFunc(r.out.Drifts, func(a, b outcome.Finding) int { return baseline.Order(a.Setting, b.Setting) })
	if r.request.Scan.Scheduled {
		r.out.Undetected = outcome.Undetected(r.out, r.history.Notes, r.first, r.start)
	}
}

// Conclude returns the ending of a completed run, with a reason, from its findings and the settings that moved. For
// example, one fixed and one unfixable finding make the ending Partial, regardless of findings that were only reported.
func Conclude(findings []outcome.Finding, moved []string) (outcome.Ending, string) {
	count, coded := map[outcome.State]int{}, map[outcome.Code]int{}
	var reasons []string
	for _, d := range findings {
		count[d.State]++
		coded[d.Code]++
		if d.State != outcome.StateFixed && d.State != outcome.StateExempted && !slices.Contains(reasons, d.Reason) {
			reasons = append(reasons, d.Reason)
		}
	}
	reason := strings.Join(reasons, "; ")
	switch {
	case len(moved) > 0:
		moved = slices.Compact(slices.Sorted(slices.Values(moved)))
		text := "settings changed that no write should have changed: " + strings.Join(moved, ", ")
		return outcome.Unconverged, strings.Join(append([]string{text}, reasons...), "; ")
	case coded[outcome.CodeUnheld]+coded[outcome.CodeFlapping]+coded[outcome.CodeRestore] > 0:
		return outcome.Unconverged, reason
	case count[outcome.StateFixed] > 0 && count[outcome.StateUnfixable]+coded[outcome.CodeNoValue] > 0:
		return outcome.Partial, reason
	case count[outcome.StateUnfixable] > 0:
		return outcome.Unfixable, reason
	case count[outcome.StateFixed] > 0:
		return outcome.Remediated, reason
	case count[outcome.StateReported] > 0:
		return outcome.Drifted, reason
	case count[outcome.StateExempted] > 0:
		return outcome.Exempted, ""
	default:
		return outcome.Unchanged, ""
	}
}

// remember stores in the process that the pool was read and nothing is left to fix, or forgets that.
func (r *run) remember() {
	switch r.out.Outcome {
	case outcome.Unchanged, outcome.Exempted, outcome.Remediated:
		if r.readAt.IsZero() || r.rules.OwnWrite || len(r.rules.Rest) > 0 {
			return
		}
		r.with.reads.Store(r.request.UserPoolID, lastRead{at: r.readAt, scope: r.scope})
	case outcome.Ignored:
	default:
		r.with.reads.Delete(r.request.UserPoolID)
	}
}

// prepareRecords prepares the records that Close writes. The record of a deferred run stays open for the next run if
// settings must still be restored. lost is the number of these settings.
func (r *run) prepareRecords(ctx context.Context, err error, lost int) {
	now := r.with.Now()
	if len(r.record.Sent) > 0 {
		changed := func(s outcome.Sent) bool { return len(s.Changed) > 0 }
		r.out.Critical = r.out.Critical || slices.ContainsFunc(r.record.Sent, changed)
		r.record.Outcome, r.record.Reason, r.record.Verified = r.out.Outcome, r.out.Reason, r.out.Verified
		for _, d := range r.out.Drifts {
			i := slices.IndexFunc(r.record.Drifts, func(k outcome.Finding) bool { return k.Setting == d.Setting })
			if i >= 0 && d.Code != outcome.CodeLostUpdate && d.Code != outcome.CodeInterrupted {
				r.record.Drifts[i] = d
			}
		}
		if slices.ContainsFunc(r.record.Sent, func(s outcome.Sent) bool { return s.Made() && !s.Trial }) {
			r.out.Record = r.record.ID
		}
		if err != nil && lost > 0 {
			r.record.Until, r.record.Outcome = now.Add(staleReadTime), "" // before, a read may still have what is lost
			ctx, stop := closing(ctx)
			defer stop()
			r.ledger.put(ctx, r.record)
		} else {
			r.record.Ended = now
			r.out.Details.Open = append(r.out.Details.Open, r.record)
		}
	}
	if err != nil || r.rules.OwnWrite && lost > 0 { // the missing settings were only reported
		return
	}
	for _, record := range r.interrupted {
		record.Ended, record.Outcome = now, r.out.Outcome
		record.Reason = "the run was interrupted, and a later run completed it"
		r.out.Details.Open = append(r.out.Details.Open, record)
	}
}

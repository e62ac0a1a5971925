package reconcile

import (
	"context"
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// What is owed to the pool.
type debts struct {
	owed        []baseline.Drift // what an accepted write may have taken, and no write has given back yet
	given       []baseline.Drift // what of it a write has given back
	lacks       []baseline.Drift // what of it was last seen to be missing
	debtors     []string         // the records of other runs of which something is owed
	promised    bool             // what is owed stands in the ledger, for whoever takes the pool next
	owedUnknown bool             // the ledger failed before it said what is owed to the pool
}

// inspect compares a pool that is read again with what the latest plan expected of it, and returns what is owed to it and can be given back, and reports what cannot.
func (r *run) inspect(state userpool.State, found baseline.Comparison, policy baseline.Policy) (lost []baseline.Drift, kept []Drift) {
	if r.recovered && r.rec == nil && len(r.lacks) == 0 {
		r.owed = nil // what was killed has taken nothing
	}
	enforces := slices.ContainsFunc(policy.Requirements, func(o baseline.Owned) bool { return o.Mode == baseline.Enforce })
	for _, d := range r.lacks {
		reason, refused := r.refused[d.Setting]
		flapping, flaps := r.flaps[d.Setting]
		switch {
		case r.ownWrite():
			d.Want = "what it was before"
			kept = append(kept, drift(d, Reported, ownWriteReason).left(LeftOwnWrite))
			continue
		case refused:
		case flaps:
			reason = flapping
		case !enforces:
			reason = auditReason
		default:
			lost = append(lost, d)
			continue
		}
		r.moved, d.Want = append(r.moved, d.Setting), "what it was before"
		kept = append(kept, taken(d, reason))
	}
	if r.sent != nil {
		var moved []string
		r.unmanaged, moved = r.sent.Unmoved(state, found.Owns)
		r.moved = append(r.moved, slices.DeleteFunc(moved, func(path string) bool { return touchesAny(lost, path) })...)
	}
	return lost, kept
}

// taken is a setting that a write of ours took from the pool, and that cannot be given back for the reason given.
func taken(d baseline.Drift, reason string) Drift {
	return drift(d, NotFixable, "a write of ours took it from the pool, and it cannot be given back: "+reason).left(LeftTaken)
}

// owes says whether something that a write has taken is missing from the pool, or may be.
func (r *run) owes() bool { return len(r.owed) > 0 && (r.failed || len(r.lacks) > 0) }

// promise keeps what is owed to the pool for whoever takes it next, and says whether that could be done.
func (r *run) promise(ctx context.Context) bool {
	if !r.leased {
		return false
	}
	r.known.Owing = slices.Clone(r.debtors)
	if r.rec != nil {
		r.unsend()
	}
	if r.rec != nil && len(r.rec.Sent) > 0 && len(r.rec.Owes) > 0 {
		r.known.Owing = append(r.known.Owing, r.rec.ID)
		r.put(ctx)
	}
	return r.remembers() && r.keep(ctx, r.poolKey(), r.known, r.until) && r.remembers()
}

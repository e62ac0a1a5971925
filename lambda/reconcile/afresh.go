package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// fresh is how old what was read may be that is sent back. A pool of hundreds of clients takes minutes to read: by then somebody may have changed what was read first.
const fresh = 5 * time.Second

var errStale = errors.New("the pool changed while it was read")

// afresh reads again what the write is about to replace, unless that was read a moment ago, and returns when the write's document was last read. The documents of the pool itself are written together, and are
// read before the first of them. The error says that something changed, or could not be read.
func (r *run) afresh(ctx context.Context, plan userpool.Plan, at int) (read time.Time, err error) {
	if r.Now().Sub(r.planned) <= fresh {
		return r.planned, nil
	}
	if name := plan.Writes[at].Document; name.Client() != "" {
		read = r.Now()
		return read, r.still(ctx, plan, name)
	}
	if at > 0 { // a moment after the first
		if r.again.After(r.planned) {
			return r.again, nil
		}
		return r.planned, nil
	}
	r.again = r.Now()
	for _, name := range baseline.WithCompanions(ofPool(plan)) {
		if err := r.still(ctx, plan, name); err != nil {
			return r.again, err
		}
	}
	return r.again, nil
}

// ofPool are the documents of the pool itself that the plan writes.
func ofPool(plan userpool.Plan) (names []baseline.DocumentName) {
	for _, w := range plan.Writes {
		if w.Document.Client() == "" {
			names = append(names, w.Document)
		}
	}
	return names
}

func (r *run) still(ctx context.Context, plan userpool.Plan, name baseline.DocumentName) error {
	again, err := r.Pools.Document(ctx, r.id, name)
	inherits := func(document map[string]any) bool {
		return userpool.State{ID: r.id, Documents: map[baseline.DocumentName]map[string]any{name: document}}.Inherits(name.Client())
	}
	switch {
	case err == nil && name.Kind() == baseline.ClientRisk && plan.Before.Inherits(name.Client()) && inherits(again) && slices.Contains(ofPool(plan), baseline.RiskConfiguration):
		return nil // it shows what was just written of the pool
	case classOf(err) == userpool.ClassGone, err == nil && !plan.Before.Still(name, again):
		return errStale
	default:
		return err
	}
}

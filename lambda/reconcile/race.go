package reconcile

import (
	"context"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// What one reconcile has written of a setting it does not write again: if it is not there although the write was accepted, somebody sets it back at once, and to write it once more would be to race.

// A written is a setting, and a document that was written for it: some settings stand in two.
type written struct {
	document baseline.DocumentName
	setting  string
}

// What of it was accepted, and is not written again.
type races struct {
	accepted map[written]bool // what was accepted
	raced    map[string]bool  // settings of it that are not written again, whatever is read
	looks    int              // that were made only for it to show
}

// lookAgain looks at the pool, and once more where the plan has to write again what was accepted, which may only be late to show. What does not show then either is left out of the plan, and settle says
// that it does not hold.
func (r *run) lookAgain(ctx context.Context) (v view, done bool, err error) {
	v, done, err = r.look(ctx)
	for again := r.racing(v.plan); !done && len(again) > 0; again = r.racing(v.plan) {
		if late := r.judged.Before(r.out.Times.Written.Add(settled)); late && r.looks < len(verifyWaits) {
			if err := r.Sleep(ctx, verifyWaits[r.looks]); err != nil {
				return v, true, r.later(err)
			}
			r.looks++
			v, done, err = r.look(ctx)
			continue
		}
		for _, setting := range again {
			r.raced[setting] = true
		}
		if err := r.plan(&v); err != nil {
			return v, true, r.later(err)
		}
	}
	return v, done, err
}

// racing returns the settings for which the plan writes a document that was written for them already. What is owed to the pool is none of them: it is owed anew with each write that takes it.
func (r *run) racing(plan userpool.Plan) (settings []string) {
	for _, request := range plan.Writes {
		for _, d := range request.Fixes {
			if d.Rule != "" && r.accepted[written{request.Document, d.Setting}] {
				settings = append(settings, d.Setting)
			}
		}
	}
	return settings
}

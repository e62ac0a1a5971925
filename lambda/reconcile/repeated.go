package reconcile

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// repeated says whether there is nothing to tell but what people were told not long ago: what is left as it is, and that the pool cannot be read. Whatever is new is told, with all that lasts.
func (r *run) repeated() bool {
	if r.sweeping || len(r.out.Writes) > 0 || len(r.out.Overwritten) > 0 || r.out.Missed != nil || r.out.Critical {
		return false
	}
	lasting, news := r.lasting()
	for _, fact := range lasting {
		since := r.Now().Sub(r.known.Said[fact])
		news = news || since < 0 || since >= r.quiet()
	}
	if !news {
		return len(lasting) > 0
	}
	said := map[string]time.Time{}
	for fact, at := range r.known.Said {
		if r.Now().Sub(at) < r.quiet() {
			said[fact] = at
		}
	}
	for _, fact := range lasting {
		if len(said) < mostSaid {
			said[fact] = r.Now()
		}
	}
	r.known.Said = said
	return false
}

// lasting returns what there is to tell that may have been told before, and whether there is anything else.
func (r *run) lasting() (facts []string, news bool) {
	if r.out.Outcome != Unconverged && r.out.Outcome != Unfixable && r.out.Outcome != Drifted {
		return nil, false
	}
	if r.unreadable != "" {
		facts = append(facts, "read: "+string(r.unreadable))
	}
	news = slices.ContainsFunc(r.moved, func(path string) bool { return !touchesAny(r.lacks, path) })
	for _, d := range r.out.Drifts {
		switch {
		case d.State == Exempted:
		case d.Left == LeftFlapping, d.Left == LeftTaken:
			facts = append(facts, d.Setting) // whatever it is set to
		case d.Left == LeftAudited, d.Left == LeftNoValue, d.Left == LeftWatched, d.State == NotFixable:
			facts = append(facts, d.fact())
			news = news || !slices.Contains(r.known.Left, d.Setting)
		default:
			news = true
		}
	}
	return facts, news
}

// fact names the drift with what the setting is.
func (d Drift) fact() string {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%s %v", d.State, d.Have)
	return fmt.Sprintf("%s %x", d.Setting, sum.Sum64())
}

// quiet is how long what lasts is not told again.
func (r *run) quiet() time.Duration { return cmp.Or(r.Baseline.Flap.Within, time.Hour) }

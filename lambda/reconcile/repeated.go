package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/lambda/userpool"
)

// A said is what people were last told of something that lasts, and when.
type said struct {
	What string    `json:"what,omitempty"` // "" where it does not matter
	At   time.Time `json:"at"`
}

// repeated says whether there is nothing to tell but what people were told not long ago and is the same: what is left as it is, and that the pool cannot be read. Whatever is new is told, with all that
// lasts. It notes of each drift when it was told before, if it has been so since.
func (r *run) repeated() bool {
	facts, news := r.lasting()
	for i, d := range r.out.Drifts {
		if last, told := r.known.Told[d.Setting]; told && d.lasts() && last.What == d.fact() && last.What != "" {
			r.out.Drifts[i].Told = last.At
		}
	}
	if r.sweeping || news || len(facts) == 0 || len(r.out.Writes) > 0 || len(r.out.Overwritten) > 0 || r.out.Missed != nil || r.out.Critical {
		return false
	}
	for of, what := range facts {
		last, told := r.known.Told[of]
		since := r.Now().Sub(last.At)
		news = news || !told || last.What != what || since < 0 || since >= r.quiet()
	}
	return !news
}

// lasting returns what there is to tell that may have been told before, by setting or by the call that is denied, and whether there is anything else.
func (r *run) lasting() (facts map[string]string, news bool) {
	facts = map[string]string{}
	if r.out.Outcome == Deferred || r.out.Outcome == Ignored {
		return facts, false
	}
	if failed := (*userpool.Error)(nil); errors.As(r.unreadable, &failed) {
		facts[reading+failed.Call] = sum(wordsOf(failed.Error()))
	}
	news = slices.ContainsFunc(r.moved, func(path string) bool { return !touchesAny(r.lacks, path) })
	for _, d := range r.out.Drifts {
		if d.lasts() {
			facts[d.Setting] = d.fact()
		} else if d.State != Exempted {
			news = true
		}
	}
	if settings := slices.Sorted(maps.Keys(facts)); len(settings) > mostTold {
		var more []string
		for _, setting := range settings[mostTold-1:] {
			more = append(more, setting, facts[setting])
			delete(facts, setting)
		}
		facts["more"] = sum(more)
	}
	return facts, news
}

// reading stands before the call that reads what may not be read.
const reading = "reading by "

// lasts says whether the drift is there until somebody does something about it.
func (d Drift) lasts() bool {
	switch d.Left {
	case LeftAudited, LeftNoValue, LeftWatched, LeftFlapping, LeftTaken, LeftHalf:
		return true
	default:
		return d.State == NotFixable && d.Left == ""
	}
}

// fact is what there is to tell of the drift, but for the setting's name. It does not matter what a setting is that somebody keeps writing, nor in which order the API gives a list.
func (d Drift) fact() string {
	if list, ok := d.Have.([]any); ok {
		var elements []string
		for _, e := range list {
			elements = append(elements, fmt.Sprint(e))
		}
		slices.Sort(elements)
		d.Have = elements
	}
	switch {
	case d.Left == LeftFlapping, d.Left == LeftTaken:
		return ""
	case d.State == NotFixable:
		return sum(d.State, d.Rule, d.Want, d.Have, wordsOf(d.Reason))
	default:
		return sum(d.State, d.Rule, d.Want, d.Have)
	}
}

func sum(parts ...any) string {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%v", parts)
	return fmt.Sprintf("%x", sum.Sum64())
}

// wordsOf returns the words of a reason without numbers and ids, which differ each time.
func wordsOf(reason string) []string {
	return slices.DeleteFunc(strings.Fields(reason), func(word string) bool { return strings.ContainsAny(word, "0123456789") })
}

// learnTold remembers what people know by now, and forgets what is not so any more.
func (r *run) learnTold(told bool) {
	if r.out.Outcome == Ignored {
		if !r.judged.IsZero() && !r.unseen { // nothing is required of the pool
			r.known.Told = nil
		}
		return
	}
	facts, _ := r.lasting()
	know := map[string]said{}
	for of, last := range r.known.Told {
		if what, lasts := facts[of]; lasts && what == last.What || !lasts && !r.over(of, last) {
			know[of] = last
		}
	}
	if told {
		for of, what := range facts {
			know[of] = said{what, r.Now().UTC().Truncate(time.Second)}
		}
	}
	latest := slices.SortedFunc(maps.Keys(know), func(a, b string) int { return cmp.Or(know[b].At.Compare(know[a].At), cmp.Compare(a, b)) })
	for _, of := range latest[min(len(latest), mostTold):] {
		delete(know, of)
	}
	r.known.Told = know
}

// over says whether what was told and was not found now is not so any more. What somebody keeps writing is as required now and then.
func (r *run) over(of string, last said) bool {
	age := r.Now().Sub(last.At)
	return age > forget || (last.What != "" || age >= r.quiet()) && r.unreadable == nil && !r.failed && r.shown != nil && r.shown(of)
}

// quiet is how long what lasts is not told again.
func (r *run) quiet() time.Duration { return cmp.Or(r.Baseline.Flap.Within, time.Hour) }

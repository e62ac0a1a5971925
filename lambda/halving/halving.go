// Package halving finds which fixes of a refused write the service refuses, where its answer does not say so.
//
// A refused write changed nothing. So its fixes are tried in halves, the gravest first, until each is accepted or is
// refused by itself. The package decides what is tried next, and writes nothing.
package halving

import (
	"maps"
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// A Search is what is known of the fixes of some documents. Its zero value is the start.
//
// For example, where A, B and C are refused together, A and B are tried next, and C is postponed. If those two are
// refused too, A is tried by itself, then B, then C.
type Search struct {
	Refused   map[string]string                  // settings that are refused, and why
	Postponed map[string]bool                    // settings that are not tried now
	Accepted  map[string][]baseline.DocumentName // where a setting was written: a twin stands in two documents
	Unheld    map[string]bool                    // settings that were written and do not hold

	waiting   [][]baseline.Drift // what is postponed, the next one last
	last      []string           // the fixes that were refused last, sorted; nil once a write was accepted
	reason    string             // of that refusal
	tries     int
	most      int            // fixes of any plan
	accepted  int            // writes
	refusedAt map[string]int // by setting, how many writes were accepted before it was refused
	retried   bool
}

// minTryCap is enough for six fixes that are all refused: eleven sets of writes. More fixes may take more.
const minTryCap = 12

func (s *Search) tryCap() int { return max(minTryCap, 2*s.most) }

// Try counts the writes of a plan that are tried, and Forget those that were neither accepted nor refused.
func (s *Search) Try(plan []baseline.Drift) { s.tries, s.most = s.tries+1, max(s.most, len(plan)) }

// Forget takes back the last Try.
func (s *Search) Forget() { s.tries-- }

// Progress notes that a write was accepted, or may have been: what was refused before may be accepted now.
func (s *Search) Progress() { s.accepted, s.last = s.accepted+1, nil }

// Accept notes in which document the fixes of an accepted write were written.
func (s *Search) Accept(request userpool.Request) {
	for _, d := range request.Fixes {
		s.Accepted = with(s.Accepted, d.Setting, append(s.Accepted[d.Setting], request.Document))
	}
}

// Repeats returns the fixes that were accepted for their document before. Restores do not count: they may be written
// again after each write that takes them.
func (s *Search) Repeats(writes []userpool.Request) []baseline.Drift {
	var all []baseline.Drift
	for _, request := range writes {
		for _, d := range request.Fixes {
			if d.Rule != "" && slices.Contains(s.Accepted[d.Setting], request.Document) {
				all = append(all, d)
			}
		}
	}
	return all
}

// Unhold notes settings that were written and do not hold. They are not written again.
func (s *Search) Unhold(fixes []baseline.Drift) {
	for _, d := range fixes {
		s.Unheld = with(s.Unheld, d.Setting, true)
	}
}

// Refuse notes a refused write of some fixes of a plan. Culprits are the settings that the answer blames with
// certainty, nil where it names none.
func (s *Search) Refuse(plan, fixes []baseline.Drift, culprits []string, reason string) {
	if len(culprits) > 0 {
		for _, d := range touching(fixes, culprits) {
			s.refuse(d.Setting, reason) // another write cannot help
		}
		return
	}
	s.last, s.reason = names(plan), reason
	groups := userpool.Groups(fixes)
	if len(groups) == 1 {
		s.giveUp(fixes)
		return
	}
	rest := slices.Concat(groups[(len(groups)+1)/2:]...)
	for _, d := range rest {
		s.Postponed = with(s.Postponed, d.Setting, true)
	}
	s.waiting = append(s.waiting, rest)
}

// GivesUp notes the fixes of a plan as refused, and returns true, where nothing is gained by trying them: these very
// fixes were refused and nothing was accepted since, or too much was tried.
func (s *Search) GivesUp(plan []baseline.Drift) bool {
	again := s.last != nil && slices.Equal(s.last, names(plan))
	if !again && s.tries < s.tryCap() {
		return false
	}
	s.giveUp(plan)
	return true
}

// Next has what was postponed last tried now, and reports whether there was anything.
func (s *Search) Next() bool {
	if len(s.waiting) == 0 {
		return false
	}
	last := len(s.waiting) - 1
	for _, d := range s.waiting[last] {
		delete(s.Postponed, d.Setting)
	}
	s.waiting = s.waiting[:last]
	return true
}

// Retry has what was refused tried once more if a write was accepted since, and reports whether there is anything.
func (s *Search) Retry() bool {
	if s.retried || s.tries >= s.tryCap() {
		return false
	}
	s.retried = true
	before := len(s.Refused)
	maps.DeleteFunc(s.Refused, func(setting, _ string) bool {
		at, ok := s.refusedAt[setting]
		return ok && at < s.accepted
	})
	return len(s.Refused) < before
}

// Restart forgets what was refused, for another unit has written since.
func (s *Search) Restart() {
	*s = Search{retried: s.retried, Accepted: s.Accepted, Unheld: s.Unheld}
}

func (s *Search) giveUp(fixes []baseline.Drift) {
	for _, d := range fixes {
		s.refuse(d.Setting, s.reason)
		s.refusedAt = with(s.refusedAt, d.Setting, s.accepted)
	}
}

func (s *Search) refuse(setting, reason string) { s.Refused = with(s.Refused, setting, reason) }

// with returns the map, made where it is nil, with one more entry.
func with[V any](m map[string]V, key string, value V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}

func names(fixes []baseline.Drift) []string {
	all := make([]string, 0, len(fixes))
	for _, d := range fixes {
		all = append(all, d.Setting)
	}
	slices.Sort(all)
	return all
}

// touching returns the fixes that touch a culprit, or all of them where the culprit is a setting that is only sent
// back.
func touching(fixes []baseline.Drift, culprits []string) []baseline.Drift {
	found := slices.DeleteFunc(slices.Clone(fixes), func(d baseline.Drift) bool {
		return !slices.ContainsFunc(culprits, func(c string) bool { return userpool.Touches(d.Setting, c) })
	})
	if len(found) == 0 {
		return fixes
	}
	return found
}

// Package halving finds out which fixes of a rejected write caused the rejection, because the service's response does
// not reliably say so.
//
// A rejected write changes nothing. So the fixes are divided into halves and tried again, the most important first,
// until each fix is accepted or rejected alone. The package decides what to try next; it makes no writes itself.
package halving

import (
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// A Search is the state of the search for rejected fixes. The zero value is the initial state.
//
// For example, if A, B and C are rejected together, A and B are tried next, and C is postponed. If those two are
// rejected too, A is tried alone, then B, then C.
type Search struct {
	Refused   map[string]string                  // rejected settings, with the reason
	Postponed map[string]bool                    // settings that are not tried now
	Accepted  map[string][]baseline.DocumentName // documents in which a setting was written; twins are in two documents
	Unheld    map[string]bool                    // settings that were written but did not keep the value

	waiting   [][]baseline.Drift // postponed fixes, the next ones last
	last      []baseline.Drift   // the last rejected plan; nil after a write was accepted
	groups    [][]baseline.Drift // the rejected groups that were not left out yet
	reason    string             // reason of the last rejection
	tries     int
	most      int      // largest number of fixes in a plan
	given     []string // settings that were given up after the last accepted write
	retriable []string // settings that were given up before it
	retried   bool
}

// exhausted reports whether the limit of tries is reached. Six fixes that are all rejected need eleven tries, and more
// fixes have a higher limit.
func (s *Search) exhausted() bool { return s.tries >= max(12, 2*s.most) }

// Try counts a plan that is tried. Forget uncounts it if it was neither accepted nor rejected.
func (s *Search) Try(plan []baseline.Drift) { s.tries, s.most = s.tries+1, max(s.most, len(plan)) }

// Forget undoes the last Try.
func (s *Search) Forget() { s.tries-- }

// Progress records that a write was accepted or may have been accepted. Fixes that were rejected before may be accepted
// now.
func (s *Search) Progress() {
	s.retriable = append(s.retriable, s.given...)
	s.last, s.given = nil, nil
}

// Accept records the document in which the fixes of an accepted write were written.
func (s *Search) Accept(request userpool.Request) {
	for _, d := range request.Fixes {
		set(&s.Accepted, []baseline.Drift{d}, append(s.Accepted[d.Setting], request.Document))
	}
}

// Repeats returns the fixes that were already accepted for their document. Restores are not included: they may be
// written again after each write that removes them.
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

// Unhold notes settings that were written but did not keep the value. They are not written again.
func (s *Search) Unhold(fixes []baseline.Drift) { set(&s.Unheld, fixes, true) }

// Refuse records a rejected write of fixes.
func (s *Search) Refuse(plan, fixes []baseline.Drift, reason string) {
	s.last, s.reason, s.groups = plan, reason, userpool.Groups(fixes)
	if len(s.groups) == 1 {
		s.giveUp(fixes)
		return
	}
	s.postpone(slices.Concat(s.groups[(len(s.groups)+1)/2:]...))
}

func (s *Search) postpone(fixes []baseline.Drift) {
	set(&s.Postponed, fixes, true)
	s.waiting = append(s.waiting, fixes)
}

// GivesUp reports whether a plan is not to be tried, because the same fixes were rejected and nothing was accepted
// since, or because the limit of tries is reached.
//
// The same plan comes again if its first half cannot be written without a fix of the other half. Then one group after
// the other is left out, the least important first. After that, GivesUp records the fixes as rejected.
func (s *Search) GivesUp(plan []baseline.Drift) bool {
	same := func(a, b baseline.Drift) bool { return a.Setting == b.Setting }
	if (s.last == nil || !slices.EqualFunc(s.last, plan, same)) && !s.exhausted() {
		return false
	}
	if last := len(s.groups) - 1; last >= 0 && !s.exhausted() {
		s.postpone(s.groups[last])
		s.groups = s.groups[:last]
		return true
	}
	s.giveUp(plan)
	return true
}

// Next schedules the fixes that were postponed last, and reports whether there were any.
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

// Retry schedules rejected fixes once more if a write was accepted since, and reports whether there are any.
func (s *Search) Retry() bool {
	if s.retried || s.exhausted() {
		return false
	}
	s.retried = true
	before := len(s.Refused)
	for _, setting := range s.retriable {
		delete(s.Refused, setting)
	}
	return len(s.Refused) < before
}

// Restart forgets all rejections, because another unit has written since.
func (s *Search) Restart() { *s = Search{retried: s.retried, Accepted: s.Accepted, Unheld: s.Unheld} }

func (s *Search) giveUp(fixes []baseline.Drift) {
	set(&s.Refused, fixes, s.reason)
	for _, d := range fixes {
		s.given = append(s.given, d.Setting)
	}
}

// set adds the settings of fixes to a map that may be nil.
func set[V any](m *map[string]V, fixes []baseline.Drift, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	for _, d := range fixes {
		(*m)[d.Setting] = value
	}
}

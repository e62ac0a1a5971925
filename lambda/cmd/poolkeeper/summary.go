package main

import (
	"fmt"
	"slices"
	"strings"

	"poolkeeper/lambda/reconcile"
)

// A summary counts what was found, or done.
type summary struct {
	Pools    int                    `json:"pools"`
	ToChange int                    `json:"toChange"`              // something would be written
	Left     int                    `json:"left"`                  // drift that would be left, with or without something to write beside it
	InSync   int                    `json:"inSync"`                // compliant, or exempted
	Ignored  int                    `json:"ignored"`               // no rule selects them
	Failed   int                    `json:"failed"`                // could not be looked at, or not be written
	Names    []string               `json:"failedPools,omitempty"` // the first of them, with the reason
	Outcomes map[reconcile.Word]int `json:"outcomes,omitempty"`    // of the pools that were written to

	remains bool // a pool that was dealt with has drift that is left
}

// mostNames is how many failed pools a summary names.
const mostNames = 20

func (s *summary) fail(id, reason string) {
	s.Failed++
	if s.Failed <= mostNames {
		s.Names = append(s.Names, id+": "+reason)
	}
}

// look counts a pool that was looked at.
func (s *summary) look(p looked) {
	s.Pools++
	if err := p.failure(); err != nil {
		s.fail(p.id, err.Error())
		return
	}
	left := drifts(p.preview.Outcome, reconcile.Reported, reconcile.NotFixable)
	switch {
	case p.preview.Outcome.Outcome == reconcile.Ignored:
		s.Ignored++
		return
	case drifts(p.preview.Outcome, reconcile.Planned):
		s.ToChange++
	case !left:
		s.InSync++
	}
	if left {
		s.Left++
	}
}

// did counts a pool that was dealt with.
func (s *summary) did(out reconcile.Outcome, err error) {
	if s.Outcomes == nil {
		s.Outcomes = map[reconcile.Word]int{}
	}
	s.Outcomes[out.Outcome]++
	s.remains = s.remains || drifts(out, reconcile.Reported, reconcile.NotFixable)
	if err != nil || out.Reason == reconcile.MovedReason {
		s.fail(out.UserPoolID, out.Reason)
	}
}

func drifts(out reconcile.Outcome, states ...reconcile.DriftState) bool {
	return slices.ContainsFunc(out.Drifts, func(d reconcile.Drift) bool { return slices.Contains(states, d.State) })
}

// plan says what was found.
func (s *summary) plan() string {
	return fmt.Sprintf("Plan: %d of %d pools to change, %d with drift that is left, %d in sync, %d ignored, %d failed.", s.ToChange, s.Pools, s.Left, s.InSync, s.Ignored, s.Failed) + s.names()
}

// done says what was done.
func (s *summary) done() string {
	var words []string
	for _, word := range []reconcile.Word{reconcile.Deferred, reconcile.Unconverged, reconcile.Partial, reconcile.Unfixable, reconcile.Remediated, reconcile.Drifted, reconcile.Unchanged, reconcile.Ignored} {
		if n := s.Outcomes[word]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	if len(words) == 0 {
		return "Done: nothing to write." + s.names()
	}
	return "Done: " + strings.Join(words, ", ") + "." + s.names()
}

func (s *summary) names() string {
	if s.Failed == 0 {
		return ""
	}
	text := "\nFailed:\n  " + strings.Join(s.Names, "\n  ")
	if more := s.Failed - len(s.Names); more > 0 {
		text += fmt.Sprintf("\n  and %d more", more)
	}
	return text
}

// counted returns "1 pool" or "2 pools".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// exit is the exit status of what was found, or done.
func (s *summary) exit() error {
	o := s.Outcomes
	left := s.Left + o[reconcile.Drifted] + o[reconcile.Partial] + o[reconcile.Unfixable] + o[reconcile.Unconverged]
	if o == nil {
		left += s.ToChange
	}
	switch {
	case s.Failed > 0:
		return exit(exitError)
	case left > 0 || s.remains:
		return exit(exitDrifted)
	default:
		return nil
	}
}

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
)

// A summary counts the results of a command.
type summary struct {
	Pools    int                    `json:"pools"`
	ToChange int                    `json:"toChange"`              // pools to write
	Skipped  int                    `json:"skipped"`               // pools with drift that would be skipped
	InSync   int                    `json:"inSync"`                // compliant
	Exempted int                    `json:"exempted"`              // pools whose drift is all exempted
	Ignored  int                    `json:"ignored"`               // pools that no rule selects
	Failed   int                    `json:"failed"`                // pools that could not be read or written
	Names    []string               `json:"failedPools,omitempty"` // the failed pools, with the reasons
	Outcomes map[outcome.Ending]int `json:"outcomes,omitempty"`    // by ending, for pools that were written

	remains bool     // drift remains in a written pool
	notes   []string // checks, warnings and costs of the settings to write
}

func (s *summary) fail(id, reason string) {
	s.Failed++
	s.Names = append(s.Names, id+": "+reason)
}

// read counts a pool that was read.
func (s *summary) read(p poolPlan) {
	s.Pools++
	if err := p.failure(); err != nil {
		s.fail(p.id, err.Error())
		return
	}
	out := p.preview.Outcome
	skipped := skips(out)
	switch {
	case out.Outcome == outcome.Ignored:
		s.Ignored++
		return
	case len(p.toWrite()) > 0:
		s.ToChange++
	case out.Outcome == outcome.Exempted:
		s.Exempted++
	case !skipped:
		s.InSync++
	}
	if skipped {
		s.Skipped++
	}
	for _, d := range out.Drifts {
		for _, text := range report.Meaning(d) {
			note := baseline.AnyClient(d.Setting) + ": " + text
			if d.State == outcome.StatePlanned && !slices.Contains(s.notes, note) {
				s.notes = append(s.notes, note)
			}
		}
	}
}

// did counts a pool that was written.
func (s *summary) did(out outcome.Outcome, err error) {
	if s.Outcomes == nil {
		s.Outcomes = map[outcome.Ending]int{}
	}
	s.Outcomes[out.Outcome]++
	s.remains = s.remains || skips(out)
	var later *outcome.DeferredError
	switch {
	case errors.As(err, &later):
		s.fail(out.UserPoolID, later.Reason) // without the id, which is shown before it
	case err != nil || out.Reason == outcome.MovedReason:
		s.fail(out.UserPoolID, out.Reason)
	}
}

// skips reports whether drift of a pool is not written.
func skips(out outcome.Outcome) bool {
	return slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool {
		return d.State == outcome.StateReported || d.State == outcome.StateUnfixable
	})
}

// plan returns the summary of a plan. If noted, it begins with the notes on the settings to write.
func (s *summary) plan(noted bool) string {
	notes := ""
	if noted && len(s.notes) > 0 {
		notes = "Before you apply:\n  " + strings.Join(s.notes, "\n  ") + "\n"
	}
	return notes + fmt.Sprintf("Plan: %d of %d pools to change, %d with drift that is skipped, %d in sync, %d exempted, "+
		"%d ignored, %d failed.", s.ToChange, s.Pools, s.Skipped, s.InSync, s.Exempted, s.Ignored, s.Failed) + s.names()
}

// done returns the summary of the writes. If restored, that is the word for remediated.
func (s *summary) done(restored bool) string {
	var words []string
	for _, ending := range report.Endings {
		if n := s.Outcomes[ending]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, shown(ending, restored)))
		}
	}
	switch {
	case len(words) > 0:
		return "Done: " + strings.Join(words, ", ") + "." + s.names()
	case s.Failed > 0:
		return "Done: nothing was written." + s.names()
	default:
		return "Done: nothing to write."
	}
}

// shown returns the word that people see for an ending.
func shown(e outcome.Ending, restored bool) outcome.Ending {
	if restored && e == outcome.Remediated {
		return stream.Restored
	}
	return e
}

func (s *summary) names() string {
	if s.Failed == 0 {
		return ""
	}
	return "\nFailed:\n  " + strings.Join(s.Names, "\n  ")
}

// counted returns "1 pool" or "2 pools".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// exit returns the exit status for the results.
func (s *summary) exit() error {
	o := s.Outcomes
	drifted := s.Skipped + o[outcome.Drifted] + o[outcome.Partial] + o[outcome.Unfixable] + o[outcome.Unconverged]
	switch {
	case s.Failed > 0:
		return exit(exitError)
	case drifted > 0 || s.remains || o == nil && s.ToChange > 0:
		return exit(exitDrifted)
	default:
		return nil
	}
}

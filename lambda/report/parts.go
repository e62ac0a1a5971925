package report

import (
	"slices"

	"poolkeeper/lambda/outcome"
)

// A group is the kind of a finding, in the words of a heading.
type group string

// The groups, in the order in which a message shows them: what people have to act on comes first.
const (
	deleted     group = "DELETED"
	notRestored group = "NOT RESTORED"
	notFixed    group = "NOT FIXED"
	maybeLost   group = "MAY BE LOST"
	interrupted group = "INTERRUPTED RUN"
	watched     group = "WATCHED CHANGES"
	fixed       group = "FIXED"
	exempted    group = "EXEMPTED"
)

var groups = []group{deleted, notRestored, notFixed, maybeLost, interrupted, watched, fixed, exempted}

// group returns the group of a finding.
func (d Drift) group() group {
	switch {
	case d.State == outcome.StateFixed:
		return fixed
	case d.State == outcome.StateExempted:
		return exempted
	case d.Code == outcome.CodeDeleted:
		return deleted
	case d.Code == outcome.CodeRestore:
		return notRestored
	case d.Code == outcome.CodeLostUpdate:
		return maybeLost
	case d.Code == outcome.CodeInterrupted:
		return interrupted
	case d.Code == outcome.CodeWatched || d.Code == "" && d.State == outcome.StateReported:
		return watched // a change that a call made has no code: no later run finds it again
	default:
		return notFixed
	}
}

// says describes a finding beside its setting.
func (d Drift) says() string {
	have, want := cut(Value(d.Have), mostValue), cut(Value(d.Want), mostValue)
	switch d.group() {
	case deleted:
		return "was deleted, although rule " + d.Rule + " names it"
	case notRestored:
		return "is " + have + "; it must be " + want
	case maybeLost:
		return "poolkeeper may have undone the call"
	case interrupted:
		return "an earlier run was interrupted after a write"
	case watched:
		return have + " (watched by " + RuleNamed(d.Rule) + ")"
	case fixed:
		return "was " + have + ", required " + want + " (" + rule(d) + ")"
	default:
		return "is " + have + ", required " + want + " (" + rule(d) + ")"
	}
}

// mostValue is how many characters of a value a message shows.
const mostValue = 300

// of returns the findings of the groups, in the order of the groups.
func (r Report) of(groups ...group) []Drift {
	var some []Drift
	for _, g := range groups {
		for _, d := range r.Drifts {
			if d.group() == g {
				some = append(some, d)
			}
		}
	}
	return some
}

// has reports whether a finding has the code.
func (r Report) has(code outcome.Code) bool {
	return slices.ContainsFunc(r.Drifts, func(d Drift) bool { return d.Code == code })
}

// called reports whether an API call led to the run, rather than a scan.
func (r Report) called() bool { return r.Why.RequestID != "" || r.Who.Principal != "" }

// unread reports whether the pool could not be read.
func (r Report) unread() bool {
	return r.Outcome == outcome.Unfixable && len(r.Drifts)+r.Omitted == 0
}

// fewest is how many calls a message always shows.
const fewest = 10

// short returns the report with at most so many findings, in the order of their groups, and at most so many calls.
func (r Report) short(most int) Report {
	calls := max(most, fewest)
	r.Writes = r.Writes[:min(len(r.Writes), calls)]
	r.Why.WriteRequestIDs = r.Why.WriteRequestIDs[:min(len(r.Why.WriteRequestIDs), calls)]
	if len(r.Drifts) > most {
		r.Omitted += len(r.Drifts) - most
		r.Drifts = r.of(groups...)[:most]
	}
	return r
}

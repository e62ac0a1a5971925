package userpool

import (
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A Plan is the ordered writes that end some drifts of a pool, with the state before them and what is expected after
// them.
type Plan struct {
	Before  State
	Writes  []Request
	Fixes   []baseline.Drift // the drifts that the writes end
	Skipped []Skipped        // the drifts that cannot be ended, and why

	after        documents
	omitted      map[baseline.DocumentName][]string
	moveValidity bool
}

// A Skipped drift is one that is not written, with the reason.
type Skipped struct {
	baseline.Drift
	Reason string
}

// A Request is one write call: a whole document.
type Request struct {
	Call     string
	Document baseline.DocumentName
	Body     []byte
	// Fixes are the drifts that this write takes part in ending.
	Fixes []baseline.Drift
	// Restores are settings that this write may take from the pool as a known side effect, with their values. A later
	// write of the plan restores them; until that one is accepted, whoever writes has to restore them.
	Restores []baseline.Drift

	after map[string]any // the document, as it is to be shown
}

// Options are what a plan depends on beside the pool.
type Options struct {
	// Unknown says what to do with members that the member table lacks.
	Unknown map[string]baseline.Unknown
	// Moved are unknown members that a write moved of late. They stop their document, unless Unknown says otherwise.
	Moved map[baseline.DocumentName][]string
	// MoveValidity sends the value of UnusedAccountValidityDays as TemporaryPasswordValidityDays. It is for a pool of
	// which the service has just said that it wants exactly that (ClassValidity).
	MoveValidity bool
	// RiskRequired says that a risk configuration is required, of the pool or of a client.
	RiskRequired bool
}

// NewPlan plans the writes that end the drifts, whose Action must not be Report. A drift is left out, with the reason,
// where the service is known to refuse it, and where an unknown member stops its document. The order of the writes is
// one in which the service takes each of them. Nothing is written.
func NewPlan(state State, drifts []baseline.Drift, options Options) (Plan, error) {
	p := Plan{Before: state, moveValidity: options.MoveValidity, omitted: map[baseline.DocumentName][]string{}}
	if len(drifts) == 0 {
		return p, nil
	}
	before := state.written()
	stopped := p.stopUnknown(options)
	fixes := p.offered(p.orphaning(p.blinding(drifts, options.RiskRequired)))
	for {
		after, touched := apply(before, fixes)
		order, blame, reason := p.order(before, after, touched, fixes, stopped)
		if len(blame) == 0 {
			p.Fixes, p.after = fixes, after
			return p, p.request(order, before, after)
		}
		fixes = p.leave(fixes, func(i int) string {
			if slices.Contains(blame, i) {
				return reason
			}
			return ""
		})
	}
}

// leave returns the drifts without those for which there is a reason to leave them.
func (p *Plan) leave(drifts []baseline.Drift, why func(i int) string) (rest []baseline.Drift) {
	for i, d := range drifts {
		if reason := why(i); reason != "" {
			p.Skipped = append(p.Skipped, Skipped{Drift: d, Reason: reason})
			continue
		}
		rest = append(rest, d)
	}
	return rest
}

// order returns the order of the documents to write, or else the drifts that block the writes and the reason.
func (p *Plan) order(before, after documents, touched map[baseline.DocumentName]bool, fixes []baseline.Drift,
	stopped map[baseline.DocumentName]string,
) (order []baseline.DocumentName, blame []int, reason string) {
	if undone := overruled(after, fixes); len(undone) > 0 {
		return nil, undone, "another requirement that the pool has to meet says otherwise of the same fact"
	}
	order, clash := orderOf(before, after, touched)
	for _, name := range order {
		if why, ok := stopped[name]; ok {
			return nil, writing(before, fixes, name, order), why
		}
	}
	var reasons []string // all that the first fix to give up lacks
	for _, c := range newly(before, after) {
		of := culprits(c, before, fixes)
		if len(blame) == 0 {
			blame = of
		}
		if slices.ContainsFunc(of, func(i int) bool { return slices.Contains(blame, i) }) {
			reasons = append(reasons, c.reason)
		}
	}
	if len(blame) > 0 {
		return nil, blame, strings.Join(reasons, "; ")
	}
	if touched[baseline.MfaConfig] && dropsSMS(before, after) {
		// UpdateUserPool has to follow and bring the sender again, so it must not be one that the service refuses for the
		// pool's own state.
		for _, c := range broken(after, before) {
			if !c.tolerated {
				return nil, writing(before, fixes, baseline.MfaConfig, order),
					"UpdateUserPool would have to follow, and be refused: " + c.reason
			}
		}
	}
	if clash != "" {
		return nil, writing(before, fixes, baseline.MfaConfig, order), clash
	}
	return order, nil, ""
}

// stopUnknown finds the documents that an unknown member stops, and remembers the members to leave out of the others.
func (p *Plan) stopUnknown(options Options) map[baseline.DocumentName]string {
	stopped := map[baseline.DocumentName]string{}
	for _, name := range p.Before.Names() {
		table, _ := name.Table()
		_, omit, stop := divideUnknown(name, p.Before.Documents[name], options.Unknown)
		p.omitted[name] = omit
		for _, path := range options.Moved[name] {
			if sayOf(name, path, options.Unknown) == "" {
				stopped[name] = fmt.Sprintf("unknown member %s: a write of poolkeeper moved it in the last 24 hours, so %s is not "+
					"called; say echo or omit for it under unknownMembers to write anyway", Titled(path), table.WriteCall)
			}
		}
		for _, path := range stop {
			why := "unknownMembers says stop for it"
			if UnknownOf(path) == "" {
				why = "it has a shape that this build does not know, and a write would replace it"
			}
			stopped[name] = fmt.Sprintf("unknown member %s: %s, so %s is not called", Titled(path), why, table.WriteCall)
		}
	}
	return stopped
}

// apply returns the documents with the fixes made, twins and all, and which of them differ for it.
func apply(before documents, fixes []baseline.Drift) (documents, map[baseline.DocumentName]bool) {
	after := before.cloneOf(fixes)
	touched := map[baseline.DocumentName]bool{}
	// Objects go before the leaves in them, so that a requirement on a leaf counts under either of its names.
	fixes = slices.Clone(fixes)
	depth := func(d baseline.Drift) int { return strings.Count(d.Setting, ".") }
	slices.SortStableFunc(fixes, func(a, b baseline.Drift) int { return depth(a) - depth(b) })
	for _, d := range fixes {
		setting := d.Setting
		if setting == unusedDays && d.Action == baseline.Write {
			setting = temporaryDays // the older name is written under the newer
		}
		around := parent(setting)
		gone := around != "" && after.get(around) == nil && before.get(around) != nil
		switch {
		case d.Action == baseline.LeaveOut:
			after.unset(setting)
		case gone && baseline.Empty(d.Value): // with the object around it
		default:
			adopt(after, before, parent(setting))
			fillDefaults(after, parent(setting))
			after.set(setting, baseline.Clone(d.Value))
		}
	}
	// Twins are spread once all fixes are made, for some have a place only then. Leaves go before the objects around
	// them, whose other members may still have what a leaf had under its other name.
	for _, d := range slices.Backward(fixes) {
		spread(after, d.Setting)
	}
	for name := range meant(fixes) {
		touched[name] = !same(before[name], after[name])
	}
	return after, touched
}

// meant returns the documents that the fixes can touch: their own, and of the pool's first two, which have twins in
// each other, both.
func meant(fixes []baseline.Drift) map[baseline.DocumentName]bool {
	names := map[baseline.DocumentName]bool{}
	for _, d := range fixes {
		name, _ := baseline.DocumentOf(d.Setting)
		names[name] = true
		if name == baseline.UserPool || name == baseline.MfaConfig {
			names[baseline.UserPool], names[baseline.MfaConfig] = true, true
		}
	}
	return names
}

// overruled returns the fixes that do not stand once all are made: requirements contradict each other through a twin.
func overruled(after documents, fixes []baseline.Drift) []int {
	return which(fixes, func(i int) bool {
		d := fixes[i]
		now := after.get(d.Setting)
		_, object := d.Value.(map[string]any) // an object may have been completed since
		if superseded(d.Setting) || object && now != nil || now == nil && baseline.Empty(d.Value) {
			return false
		}
		return d.Action == baseline.LeaveOut && now != nil || d.Action == baseline.Write && !same(now, d.Value)
	})
}

// newly returns the conflicts of a state that the pool did not lawfully have already.
func newly(before, now documents) []conflict {
	had := broken(before, before)
	return slices.DeleteFunc(broken(now, before), func(c conflict) bool { return c.tolerated && c.in(had) })
}

// culprits returns the fixes to give up for a conflict: those of the first of its settings without which it is gone,
// or else all that take part, but for those that make no difference. There are none if the pool has the conflict
// without us: then the service decides.
func culprits(c conflict, before documents, fixes []baseline.Drift) []int {
	remains := func(given []int) bool {
		var rest []baseline.Drift
		for i, d := range fixes {
			if !slices.Contains(given, i) {
				rest = append(rest, d)
			}
		}
		after, _ := apply(before, rest)
		return c.in(newly(before, after))
	}
	var all []int
	for _, setting := range c.settings {
		part := which(fixes, func(i int) bool { return Touches(fixes[i].Setting, setting) })
		if len(part) > 0 && !remains(part) {
			all = part
			break
		}
		all = append(all, part...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for _, i := range slices.Clone(all) {
		if rest := slices.DeleteFunc(slices.Clone(all), func(k int) bool { return k == i }); !remains(rest) {
			all = rest
		}
	}
	return all
}

// which returns the indexes of the fixes that are picked.
func which(fixes []baseline.Drift, pick func(i int) bool) []int {
	var all []int
	for i := range fixes {
		if pick(i) {
			all = append(all, i)
		}
	}
	return all
}

// Touches reports whether a drift of one setting changes the other: one covers the other, or their twins do.
func Touches(drifted, setting string) bool {
	if covers(drifted, setting) || covers(setting, drifted) {
		return true
	}
	other, ok := baseline.TwinOf(drifted)
	return ok && (covers(other, setting) || covers(setting, other))
}

// writing returns the fixes that need the write of a document, or all of them where it is in the order and only
// accompanies the write of another.
func writing(before documents, fixes []baseline.Drift, name baseline.DocumentName,
	order []baseline.DocumentName) []int {
	found := which(fixes, func(i int) bool {
		if !meant(fixes[i : i+1])[name] {
			return false
		}
		_, touched := apply(before, fixes[i:i+1])
		return touched[name]
	})
	if len(found) == 0 && slices.Contains(order, name) {
		return which(fixes, func(int) bool { return true })
	}
	return found
}

package userpool

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A Plan is a list of ordered writes that fix drifts of a pool, with the state before and the expected state after
// them.
type Plan struct {
	Before  State
	Writes  []Request
	Fixes   []baseline.Drift // the drifts that the writes fix
	Skipped []baseline.Drift // the drifts that cannot be fixed, each with the reason

	options Options
}

// A Request is one write call, which sends a whole document.
type Request struct {
	Call     string
	Document baseline.DocumentName
	Body     []byte
	// Fixes are the drifts that this write helps to fix.
	Fixes []baseline.Drift
	// Removes are settings that this write may remove as a known side effect, with their values. A later write of the
	// plan restores them. If that write is not accepted, the caller must restore them.
	Removes []baseline.Drift

	// Trial marks a write that changes nothing: it shows whether the service accepts the one that must restore a setting.
	Trial bool

	after map[string]any // the document, as it is to be shown
}

// Options are the inputs of a plan besides the pool and the drifts.
type Options struct {
	// Unknown is what to do with members that are not in the member table.
	Unknown map[string]baseline.Unknown
	// Changed are unknown members that a recent write changed. Their documents are not written, unless Unknown overrides
	// that.
	Changed map[baseline.DocumentName][]string
	// MoveValidity sends the value of UnusedAccountValidityDays as TemporaryPasswordValidityDays. It is set after the
	// service rejected a write with the older name (ClassValidity).
	MoveValidity bool
	// RiskRequired means that a risk configuration is required, for the pool or for a client.
	RiskRequired bool
}

// NewPlan plans the writes that fix the drifts. Their Action must not be Report. A drift is skipped, with a reason, if
// the service is known to reject its write or if an unknown member stops its document. The writes are in an order in
// which the service accepts each of them. NewPlan writes nothing.
func NewPlan(state State, drifts []baseline.Drift, options Options) Plan {
	p := Plan{Before: state, options: options}
	if len(drifts) == 0 {
		return p
	}
	before := state.written()
	p.Fixes = p.possible(drifts)
	for {
		after := apply(before, p.Fixes)
		order, blame, reason := p.order(before, after)
		if len(blame) == 0 {
			p.request(order, before, after)
			return p
		}
		p.Fixes = p.leave(p.Fixes, func(i int) string {
			if slices.Contains(blame, i) {
				return reason
			}
			return ""
		})
	}
}

// leave skips the drifts for which why returns a reason, and returns the others.
func (p *Plan) leave(drifts []baseline.Drift, why func(i int) string) (rest []baseline.Drift) {
	for i, d := range drifts {
		if reason := why(i); reason != "" {
			d.Reason = reason
			p.Skipped = append(p.Skipped, d)
		} else {
			rest = append(rest, d)
		}
	}
	return rest
}

// order returns the order of the documents to write, or the drifts that block the writes, and the reason.
func (p *Plan) order(before, after documents) (order []baseline.DocumentName, blame []int, reason string) {
	if undone := overruled(after, p.Fixes); len(undone) > 0 {
		return nil, undone, "another requirement on the same setting contradicts it"
	}
	order, clash := orderOf(before, after, changed(before, after, p.Fixes))
	for _, name := range order {
		if why := p.stopped(name); why != "" {
			return nil, p.writing(before, name, order), why
		}
	}
	var reasons []string // everything that the first skipped fix needs
	for _, c := range newly(before, after) {
		of := p.culprits(c, before)
		if len(blame) == 0 {
			blame = of
		}
		if slices.ContainsFunc(of, func(i int) bool { return slices.Contains(blame, i) }) {
			reasons = append(reasons, c.Reason)
		}
	}
	if len(blame) > 0 {
		return nil, blame, strings.Join(reasons, "; ")
	}
	if clash != "" {
		return nil, p.writing(before, baseline.MfaConfig, order), clash
	}
	return order, nil, ""
}

// stopped returns why an unknown member stops the write of a document, or "".
func (p *Plan) stopped(name baseline.DocumentName) (reason string) {
	table, _ := name.Table()
	stop := func(path, why, hint string) {
		reason = fmt.Sprintf("unknown member %s: %s, so %s is not called%s", Titled(path), why, table.WriteCall, hint)
	}
	for _, path := range p.options.Changed[name] {
		if handlingOf(path, p.options.Unknown) == "" {
			stop(path, "a write by poolkeeper changed it in the last 24 hours",
				"; set it to echo or omit under unknownMembers to write anyway")
		}
	}
	for _, path := range p.Before.Unknown([]baseline.DocumentName{name}, p.options.Unknown, baseline.StopUnknown) {
		why := "unknownMembers has stop for it"
		if UnknownOf(path) == "" {
			why = "its type is not the known one, and a write would replace its value"
		}
		stop(path, why, "")
	}
	return reason
}

// apply returns the documents with the fixes and their twins applied.
func apply(before documents, fixes []baseline.Drift) documents {
	after := maps.Clone(before)
	for name := range meant(fixes) { // only these: a pool may have a thousand documents
		if object, ok := before[name]; ok {
			after[name] = cloneObject(object)
		}
	}
	// Objects are set before the leaves in them, so that a requirement on a leaf wins, even through its twin.
	fixes = slices.Clone(fixes)
	depth := func(d baseline.Drift) int { return strings.Count(d.Setting, ".") }
	slices.SortStableFunc(fixes, func(a, b baseline.Drift) int { return depth(a) - depth(b) })
	for _, d := range fixes {
		around := parent(d.Setting)
		gone := around != "" && after.get(around) == nil && before.get(around) != nil
		switch {
		case d.Action == baseline.LeaveOut:
			after.unset(d.Setting)
		case gone && baseline.Empty(d.Value): // together with the object around it
		default:
			create(after, before, around)
			after.set(d.Setting, baseline.Clone(d.Value))
		}
	}
	// Update twins after all fixes, because some twins are in objects that only the fixes create. Update leaves before
	// the objects around them, because other members of those objects may still have old values.
	for _, d := range slices.Backward(fixes) {
		spread(after, before, d.Setting)
	}
	return after
}

// changed returns the documents that the fixes change. A client can have a risk configuration of its own without a
// member: removing it is a change, too.
func changed(before, after documents, fixes []baseline.Drift) map[baseline.DocumentName]bool {
	names := meant(fixes)
	maps.DeleteFunc(names, func(name baseline.DocumentName, _ bool) bool {
		whole := strings.TrimSuffix(name.Prefix(), ".")
		removes := func(d baseline.Drift) bool { return d.Setting == whole && d.Action == baseline.LeaveOut }
		return same(before[name], after[name]) && !slices.ContainsFunc(fixes, removes)
	})
	return names
}

// meant returns the documents that the fixes can change: their own. The pool's first two documents, which have twins in
// each other, are returned together.
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

// overruled returns the fixes that another fix undoes, because their requirements contradict each other through a twin.
func overruled(after documents, fixes []baseline.Drift) []int {
	return which(fixes, func(i int) bool {
		d := fixes[i]
		now := after.get(d.Setting)
		_, object := d.Value.(map[string]any) // a fix of an object may have been completed with more members
		if superseded(d.Setting) || object && now != nil || now == nil && baseline.Empty(d.Value) {
			return false
		}
		return d.Action == baseline.LeaveOut && now != nil || d.Action == baseline.Write && !same(now, d.Value)
	})
}

// newly returns the conflicts of a state that the pool does not already have as a tolerated conflict.
func newly(before, now documents) []baseline.Conflict {
	had := broken(before, before)
	return slices.DeleteFunc(broken(now, before), func(c baseline.Conflict) bool { return c.Tolerated && has(had, c.ID) })
}

// culprits returns the fixes to drop because of a conflict: those of the first of its settings whose removal resolves
// it, or otherwise all that contribute to it. It returns none if the pool already has the conflict: then the service's
// response decides.
func (p *Plan) culprits(c baseline.Conflict, before documents) []int {
	remains := func(given []int) bool {
		var rest []baseline.Drift
		for i, d := range p.Fixes {
			if !slices.Contains(given, i) {
				rest = append(rest, d)
			}
		}
		return has(newly(before, apply(before, rest)), c.ID)
	}
	var all []int
	for _, setting := range c.Settings {
		part := which(p.Fixes, func(i int) bool { return Touches(p.Fixes[i].Setting, setting) })
		if len(part) > 0 && !remains(part) {
			all = part
			break
		}
		all = append(all, part...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for _, i := range all {
		if rest := slices.DeleteFunc(slices.Clone(all), func(k int) bool { return k == i }); !remains(rest) {
			all = rest
		}
	}
	return all
}

func which(fixes []baseline.Drift, pick func(i int) bool) []int {
	var all []int
	for i := range fixes {
		if pick(i) {
			all = append(all, i)
		}
	}
	return all
}

// Touches reports whether a fix of one setting changes the other: one covers the other, directly or through a twin.
func Touches(drifted, setting string) bool {
	twin, ok := baseline.TwinOf(drifted)
	return baseline.Concerns(setting, drifted) || baseline.Covers(drifted, setting) || ok && baseline.Covers(twin, setting)
}

// writing returns the fixes that need the write of a document. If the document is written only to accompany another, it
// returns all fixes.
func (p *Plan) writing(before documents, name baseline.DocumentName, order []baseline.DocumentName) []int {
	found := which(p.Fixes, func(i int) bool {
		fix := p.Fixes[i : i+1]
		return meant(fix)[name] && changed(before, apply(before, fix), fix)[name]
	})
	if len(found) == 0 && slices.Contains(order, name) {
		return which(p.Fixes, func(int) bool { return true })
	}
	return found
}

// orderOf returns the documents to write, in an order that breaks no rule of the service between two writes.
// UpdateUserPool comes first if both orders are allowed. If no order is allowed, orderOf returns the reason.
//
// No fixed order works. MFA ON is rejected while one-time codes are allowed as first factors, so they must be removed
// first. And they are rejected while MFA is ON, so MFA must be lowered first. The conflicts of the state between the
// two calls decide.
//
// The other documents follow in the order of the table. By then the pool has the threat protection or the tier that
// they need.
func orderOf(before, after documents, changed map[baseline.DocumentName]bool,
) (order []baseline.DocumentName, clash string) {
	// SetUserPoolMfaConfig without the SMS block may clear the pool's SmsConfiguration, so UpdateUserPool follows and sets
	// it again.
	drops := changed[baseline.MfaConfig] && dropsSMS(before, after)
	for _, name := range namesOf(after) {
		if changed[name] || drops && name == baseline.UserPool {
			order = append(order, name)
		}
	}
	if !changed[baseline.MfaConfig] || !drops && !changed[baseline.UserPool] {
		return order, ""
	}
	allowed := append(broken(before, before), broken(after, before)...)
	rejected := func(first baseline.DocumentName) string { // the rule that the pool would break between the two calls
		between := documents{baseline.UserPool: before[baseline.UserPool], baseline.MfaConfig: before[baseline.MfaConfig]}
		between[first] = after[first]
		for _, c := range broken(between, before) {
			if !has(allowed, c.ID) {
				return c.Reason
			}
		}
		return ""
	}
	poolFirst, mfaFirst := rejected(baseline.UserPool), rejected(baseline.MfaConfig)
	switch {
	case drops || poolFirst != "" && mfaFirst == "":
		order[0], order[1] = baseline.MfaConfig, baseline.UserPool
	case poolFirst != "":
		clash = "both orders of the two calls would be rejected: " + poolFirst + "; " + mfaFirst
	}
	return order, clash
}

// dropsSMS reports whether the write of the MFA document lacks the SMS block although the pool sends text messages.
func dropsSMS(before, after documents) bool {
	block := mfaOn(after) && !baseline.Empty(after.get(smsMFA))
	return !block && !baseline.Empty(before.get(sms)) && !baseline.Empty(after.get(sms))
}

// request builds the write calls in the given order. A write that may clear the pool's sender follows an UpdateUserPool
// that changes nothing: if the service rejects that one, it would not let the sender be restored either.
func (p *Plan) request(order []baseline.DocumentName, before, after documents) {
	own, _ := before.get(mfa).(string)
	shown, _ := p.Before.Documents[baseline.UserPool][mfa].(string)
	live := cmp.Or(own, shown)
	add := func(r Request, docs documents) {
		table, _ := r.Document.Table()
		r.Call, r.Body, r.after = table.WriteCall, Encode(p.body(r.Document, before, docs, live)), docs[r.Document]
		p.Writes = append(p.Writes, r)
	}
	for _, name := range order {
		r := Request{Document: name}
		if name == baseline.MfaConfig && dropsSMS(before, after) {
			r.Removes = []baseline.Drift{{Setting: sms, Action: baseline.Write, Value: baseline.Clone(after.get(sms))}}
			add(Request{Document: baseline.UserPool, Trial: true}, before)
		}
		for _, i := range p.writing(before, name, nil) {
			r.Fixes = append(r.Fixes, p.Fixes[i])
		}
		add(r, after)
		if name == baseline.MfaConfig {
			live = "OFF"
			if mfaOn(after) {
				live, _ = after.get(mfa).(string)
			}
		}
	}
}

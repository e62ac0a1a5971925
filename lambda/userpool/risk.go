package userpool

import (
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A risk configuration is there only while threat protection is on, and a client without one of its own has the pool's. What that means for a plan stands here.

// Inherits says whether the client has no risk configuration of its own, so that what was read as its is the pool's: by the API's word, such an answer names no client. A write
// of it makes it the client's own.
func (s State) Inherits(client string) bool { return s.inherited(baseline.ClientRisk.Of(client)) }

func (s State) inherited(name baseline.DocumentName) bool {
	object := s.Documents[name]
	return name.Kind() == baseline.ClientRisk && object != nil && object["ClientId"] == nil
}

// threatens says whether threat protection is on.
func threatens(docs documents) bool {
	return !baseline.Empty(docs.get(threat)) && docs.get(threat) != "OFF"
}

// Late says whether a state read after the writes does not show yet what they make of risk configurations that they do not write.
func (p Plan) Late(now State) bool {
	if !p.Offers && len(p.following) == 0 {
		return false
	}
	docs := now.written()
	return p.Offers && threatens(docs) && slices.ContainsFunc(p.owned, now.Hides) || slices.ContainsFunc(p.following, func(name baseline.DocumentName) bool {
		return now.inherited(name) && !same(docs[name], docs[baseline.RiskConfiguration])
	})
}

// Hides says whether the setting stands in a document that the pool does not offer for now.
func (s State) Hides(setting string) bool {
	name, _ := baseline.DocumentOf(setting)
	return s.off(name)
}

// blinding leaves the drifts that would turn threat protection off while a risk configuration is required, which would be out of sight then.
func (p *Plan) blinding(drifts []baseline.Drift, owned []string) []baseline.Drift {
	before := p.Before.written()
	required := slices.ContainsFunc(owned, func(setting string) bool {
		name, _ := baseline.DocumentOf(setting)
		return name.Kind() == baseline.RiskConfiguration || name.Kind() == baseline.ClientRisk
	})
	if !required || !threatens(before) {
		return drifts
	}
	return slices.DeleteFunc(slices.Clone(drifts), func(d baseline.Drift) bool {
		if !Touches(d.Setting, threat) {
			return false
		}
		after, _ := apply(before, []baseline.Drift{d})
		if threatens(after) {
			return false
		}
		p.Left = append(p.Left, Left{Drift: d, Reason: "a risk configuration is required too, and there is none while " + threat + " is OFF"})
		return true
	})
}

// orphaning leaves the drifts that would take the last of a client's own risk configuration: from then on the pool's would count, which nobody has asked for.
func (p *Plan) orphaning(drifts []baseline.Drift) []baseline.Drift {
	before := p.Before.written()
	for _, name := range p.Before.Names() {
		if name.Kind() != baseline.ClientRisk || baseline.Empty(before[name]) {
			continue
		}
		whole := strings.TrimSuffix(name.Prefix(), ".")
		ofIt := func(d baseline.Drift) bool { return covers(whole, d.Setting) }
		after, _ := apply(before, slices.DeleteFunc(slices.Clone(drifts), func(d baseline.Drift) bool { return !ofIt(d) }))
		if !baseline.Empty(after[name]) || p.follows(name, drifts) || slices.ContainsFunc(drifts, func(d baseline.Drift) bool { return d.Setting == whole }) {
			continue
		}
		for _, d := range drifts {
			if ofIt(d) {
				p.Left = append(p.Left, Left{Drift: d, Reason: "it is the last of the client's own risk configuration, without which the pool's would count: require " + whole + " to be absent"})
			}
		}
		drifts = slices.DeleteFunc(slices.Clone(drifts), ofIt)
	}
	return drifts
}

// inherit leaves untouched the risk configuration of a client that only has the pool's, where the pool's write makes it what it is to be: a copy of its own would no longer follow
// the pool.
func (p *Plan) inherit(after documents, touched map[baseline.DocumentName]bool) {
	for name := range touched {
		if touched[name] && touched[baseline.RiskConfiguration] && p.Before.inherited(name) && same(after[name], after[baseline.RiskConfiguration]) {
			touched[name] = false
		}
	}
}

// offered divides the drifts into those of documents that can be written now, and those of documents that the pool does not offer.
func (p *Plan) offered(drifts []baseline.Drift) (now, waiting []baseline.Drift) {
	for _, d := range drifts {
		name, _ := baseline.DocumentOf(d.Setting)
		_, read := p.Before.Documents[name]
		switch {
		case p.Before.off(name):
			waiting = append(waiting, d)
		case !read:
			p.Left = append(p.Left, Left{Drift: d, Reason: "there is no such client"})
		default:
			now = append(now, d)
		}
	}
	return now, waiting
}

// wait puts off the drifts of documents that the pool will offer once the writes are made, and leaves the others.
func (p *Plan) wait(waiting []baseline.Drift) {
	for _, d := range waiting {
		if threatens(p.after) {
			p.Later = append(p.Later, Left{d, "once the pool offers it: what else stands there is not known before"})
		} else {
			p.Left = append(p.Left, Left{Drift: d, Reason: "a risk configuration needs " + threat + " AUDIT or ENFORCED"})
		}
	}
}

// reconsider finds out what is left to do for clients that only have the pool's risk configuration once that is written, for what they have then is another matter: what cannot be written of theirs may be
// possible then, and what they are to have may be gone with it.
func (p *Plan) reconsider(order []baseline.DocumentName, drifts []baseline.Drift, options Options) error {
	if !slices.Contains(order, baseline.RiskConfiguration) {
		return nil
	}
	then := State{ID: p.Before.ID, Documents: maps.Clone(p.Before.Documents), Clients: p.Before.Clients}
	for name := range then.Documents {
		if p.Before.inherited(name) && !slices.Contains(order, name) {
			then.Documents[name] = p.after[baseline.RiskConfiguration]
			p.following = append(p.following, name)
		}
	}
	follows := func(d baseline.Drift) bool {
		name, _ := baseline.DocumentOf(d.Setting)
		return slices.Contains(p.following, name)
	}
	var again []baseline.Drift
	for _, l := range p.Left {
		if follows(l.Drift) {
			again = append(again, l.Drift)
		}
	}
	if options.Then != nil {
		all, fixable := options.Then(then)
		isNew := func(d baseline.Drift) bool { return follows(d) && !within(drifts, d.Setting) }
		p.Again = slices.ContainsFunc(all, isNew)
		again = append(again, slices.DeleteFunc(fixable, func(d baseline.Drift) bool { return !isNew(d) })...)
	}
	if len(again) == 0 {
		return nil
	}
	options.Then = nil
	still, err := NewPlan(then, again, options)
	if err != nil {
		return err
	}
	p.Left = slices.DeleteFunc(p.Left, func(l Left) bool { return follows(l.Drift) })
	p.Left = append(p.Left, still.Left...)
	for _, d := range still.Fixes {
		p.Later = append(p.Later, Left{d, "once the pool's risk configuration is written, which is the client's too"})
	}
	return nil
}

func within(drifts []baseline.Drift, setting string) bool {
	return slices.ContainsFunc(drifts, func(d baseline.Drift) bool { return d.Setting == setting })
}

// follows says whether inherit leaves the document untouched once the drifts are ended.
func (p *Plan) follows(name baseline.DocumentName, drifts []baseline.Drift) bool {
	if !p.Before.inherited(name) {
		return false
	}
	after, touched := apply(p.Before.written(), drifts)
	touched[name] = true
	p.inherit(after, touched)
	return !touched[name]
}

// inheriting returns the fixes of clients that the write of the pool's risk configuration makes, as theirs are not written.
func (p *Plan) inheriting(order []baseline.DocumentName) []baseline.Drift {
	return slices.DeleteFunc(slices.Clone(p.Fixes), func(d baseline.Drift) bool {
		name, _ := baseline.DocumentOf(d.Setting)
		return !p.Before.inherited(name) || slices.Contains(order, name)
	})
}

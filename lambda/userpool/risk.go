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

// Late says whether threat protection is on, and one of the settings stands in a document that the pool does not offer yet.
func (s State) Late(settings []string) bool { return threatens(s.written()) && s.hides(settings) }

func (s State) hides(settings []string) bool {
	return slices.ContainsFunc(settings, func(setting string) bool {
		name, _ := baseline.DocumentOf(setting)
		return s.off(name)
	})
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

// reconsider puts off what cannot be written of a client that only has the pool's risk configuration, where it can be once that is written: what the client has then is another matter.
func (p *Plan) reconsider(order []baseline.DocumentName, options Options) error {
	if !slices.Contains(order, baseline.RiskConfiguration) {
		return nil
	}
	then := State{ID: p.Before.ID, Documents: maps.Clone(p.Before.Documents)}
	follows := func(d baseline.Drift) bool {
		name, _ := baseline.DocumentOf(d.Setting)
		return p.Before.inherited(name) && !slices.Contains(order, name)
	}
	var again []baseline.Drift
	for _, l := range p.Left {
		if follows(l.Drift) {
			name, _ := baseline.DocumentOf(l.Setting)
			then.Documents[name] = p.after[baseline.RiskConfiguration]
			again = append(again, l.Drift)
		}
	}
	if len(again) == 0 {
		return nil
	}
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

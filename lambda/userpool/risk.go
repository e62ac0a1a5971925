package userpool

import (
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A risk configuration is there only while threat protection is on, and a client without one of its own has the
// pool's. What that means for a plan stands here.

// Inherits reports whether the client has no risk configuration of its own, so that what was read as its is the pool's:
// as the API has it, such an answer names no client. A write of it makes it the client's own.
func (s State) Inherits(client string) bool { return s.inherited(baseline.ClientRisk.Of(client)) }

func (s State) inherited(name baseline.DocumentName) bool {
	object := s.Documents[name]
	return name.Kind() == baseline.ClientRisk && object != nil && object["ClientId"] == nil
}

// threatens reports whether threat protection is on.
func threatens(docs documents) bool {
	return !baseline.Empty(docs.get(threat)) && docs.get(threat) != "OFF"
}

// After returns the state after a write, as the service shows it if it takes it as it is. While threat protection is
// on, a pool has a risk configuration, be it empty, and the clients without one of their own have that of the pool.
func (s State) After(request Request) State {
	after := s
	after.Documents = maps.Clone(s.Documents)
	table, _ := request.Document.Table()
	shown := maps.Clone(after.Documents[request.Document])
	if shown == nil {
		shown = map[string]any{}
	}
	for _, m := range table.Members {
		if m.Trip == baseline.ReadOnly {
			continue
		}
		delete(shown, readName(&m))
		if v, ok := request.after[m.Name]; ok {
			shown[readName(&m)] = v
		}
	}
	after.Documents[request.Document] = shown
	on := threatens(after.written())
	for name, object := range s.Documents {
		switch {
		case name.Kind() != baseline.RiskConfiguration && name.Kind() != baseline.ClientRisk:
		case !on:
			after.Documents[name] = nil
		case object == nil && name != request.Document:
			after.Documents[name] = map[string]any{}
		case request.Document == baseline.RiskConfiguration && s.inherited(name):
			after.Documents[name] = shown
		}
	}
	return after
}

// Late reports whether the state does not show the document yet as the service must have it: a risk configuration that
// is hidden although threat protection is on, or an inherited one that is not the pool's.
func (s State) Late(name baseline.DocumentName) bool {
	docs := s.written()
	if kind := name.Kind(); kind != baseline.RiskConfiguration && kind != baseline.ClientRisk {
		return false
	}
	if s.Off(name) {
		return threatens(docs)
	}
	pool, read := s.Documents[baseline.RiskConfiguration]
	return s.inherited(name) && read && pool != nil && !same(docs[name], docs[baseline.RiskConfiguration])
}

// blinding leaves the drifts that would turn threat protection off while a risk configuration is required, which would
// be out of sight then.
func (p *Plan) blinding(drifts []baseline.Drift, riskRequired bool) []baseline.Drift {
	before := p.Before.written()
	if !riskRequired || !threatens(before) {
		return drifts
	}
	return p.leave(drifts, func(i int) string {
		if after, _ := apply(before, drifts[i:i+1]); threatens(after) {
			return ""
		}
		return "a risk configuration is required too, and there is none while " + threat + " is OFF"
	})
}

// orphaning leaves the drifts that would take the last of a client's own risk configuration: from then on the pool's
// would count, which nobody has asked for.
func (p *Plan) orphaning(drifts []baseline.Drift) []baseline.Drift {
	before := p.Before.written()
	after, _ := apply(before, drifts)
	return p.leave(drifts, func(i int) string {
		name, _ := baseline.DocumentOf(drifts[i].Setting)
		whole := strings.TrimSuffix(name.Prefix(), ".")
		absent := func(d baseline.Drift) bool { return d.Setting == whole }
		if name.Kind() != baseline.ClientRisk || baseline.Empty(before[name]) || !baseline.Empty(after[name]) ||
			slices.ContainsFunc(drifts, absent) {
			return ""
		}
		return "it is the last of the client's own risk configuration, without which the pool's would count: require " +
			whole + " to be absent"
	})
}

// offered leaves the drifts of documents that the pool does not offer.
func (p *Plan) offered(drifts []baseline.Drift) []baseline.Drift {
	return p.leave(drifts, func(i int) string {
		name, _ := baseline.DocumentOf(drifts[i].Setting)
		if _, read := p.Before.Documents[name]; !read {
			return "there is no such client"
		}
		if p.Before.Off(name) {
			return "a risk configuration needs " + threat + " AUDIT or ENFORCED"
		}
		return ""
	})
}

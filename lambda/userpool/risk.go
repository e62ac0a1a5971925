package userpool

import (
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// This file has the special rules for risk configurations: they exist only while threat protection is on, and a client
// without its own has the pool's.

// Inherits reports whether the client has no risk configuration of its own. Then the API returns the pool's, without a
// client id. A write gives the client its own.
func (s State) Inherits(client string) bool { return s.inherited(baseline.ClientRisk.Of(client)) }

func (s State) inherited(name baseline.DocumentName) bool {
	object := s.Documents[name]
	return name.Kind() == baseline.ClientRisk && object != nil && object["ClientId"] == nil
}

func threatens(docs documents) bool {
	return !baseline.Empty(docs.get(threat)) && docs.get(threat) != "OFF"
}

// After returns the expected state after a write that the service accepts unchanged. While threat protection is on, a
// pool has a risk configuration, possibly an empty one, and clients without their own have the pool's.
func (s State) After(request Request) State {
	after := s
	after.Documents = maps.Clone(s.Documents)
	table, _ := request.Document.Table()
	shown := copyOf(s.Documents[request.Document])
	for _, m := range table.Members {
		if m.Trip == baseline.ReadOnly {
			continue
		}
		delete(shown, readName(&m))
		if v, ok := request.after[m.Name]; ok {
			shown[readName(&m)] = v
		}
	}
	maps.DeleteFunc(shown, func(member string, _ any) bool { // one that the table lacks, if it was not sent back
		_, kept := request.after[member]
		return !kept && readAs(table.Members, member) < 0
	})
	if request.Document.Kind() == baseline.ClientRisk {
		shown["ClientId"] = request.Document.Client() // it is the client's own from now on
		if baseline.Empty(request.after) {
			shown = copyOf(s.Documents[baseline.RiskConfiguration])
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

// copyOf returns a copy of a document, or an empty one where there is none.
func copyOf(document map[string]any) map[string]any {
	if document == nil {
		return map[string]any{}
	}
	return maps.Clone(document)
}

// Late reports whether the service returns the document with a delay: no risk configuration although threat protection
// is on, or an inherited one that differs from the pool's.
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

// blinding skips the drifts that would turn threat protection off while a risk configuration is required, because the
// service would then no longer return it.
func (p *Plan) blinding(drifts []baseline.Drift, riskRequired bool) []baseline.Drift {
	before := p.Before.written()
	if !riskRequired || !threatens(before) {
		return drifts
	}
	return p.leave(drifts, func(i int) string {
		if after, _ := apply(before, drifts[i:i+1]); threatens(after) {
			return ""
		}
		return "a risk configuration is required too, but there is none while " + threat + " is OFF"
	})
}

// orphaning skips the drifts that would remove the last part of a client's own risk configuration, because the pool's
// would then apply, which no rule requires.
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
		return "without it, the client has no risk configuration of its own and would use the pool's: require " +
			whole + " to be absent"
	})
}

// offered skips the drifts of documents that the pool does not offer.
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

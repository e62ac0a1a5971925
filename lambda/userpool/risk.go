package userpool

import (
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// This file has the special rules for risk configurations: they exist only while threat protection is on, and a client
// without its own has the pool's.

// Inherits reports whether the document is that of a client without a risk configuration of its own. Then the API
// returns the pool's, without a client id, or none. A write gives the client its own.
func (s State) Inherits(name baseline.DocumentName) bool {
	return name.Kind() == baseline.ClientRisk && s.Documents[name]["ClientId"] == nil
}

// IsRisk reports whether the document is a risk configuration, of the pool or of a client.
func IsRisk(name baseline.DocumentName) bool {
	return name.Kind() == baseline.RiskConfiguration || name.Kind() == baseline.ClientRisk
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
	shown := map[string]any{}
	for member, v := range s.Documents[request.Document] {
		if i := readAs(table.Members, member); i >= 0 && table.Members[i].Trip == baseline.ReadOnly {
			shown[member] = v
		}
	}
	for member, v := range request.after {
		if i := baseline.Index(table.Members, member); i >= 0 {
			member = readName(&table.Members[i])
		}
		shown[member] = v
	}
	if request.Document.Kind() == baseline.ClientRisk {
		shown["ClientId"] = request.Document.Client() // it is the client's own from now on
		if len(request.after) == 0 {
			shown = map[string]any{}
			maps.Copy(shown, s.Documents[baseline.RiskConfiguration])
		}
	}
	after.Documents[request.Document] = shown
	on := threatens(after.written())
	for name, object := range s.Documents {
		switch {
		case !IsRisk(name):
		case !on:
			after.Documents[name] = nil
		case object == nil && name != request.Document:
			after.Documents[name] = map[string]any{}
		case request.Document == baseline.RiskConfiguration && s.Inherits(name):
			after.Documents[name] = shown
		}
	}
	return after
}

// Late reports whether the service returns the document with a delay: no risk configuration although threat protection
// is on, or an inherited one that differs from the pool's.
func (s State) Late(name baseline.DocumentName) bool {
	docs := s.written()
	if s.Off(name) {
		return IsRisk(name) && threatens(docs)
	}
	return s.Inherits(name) && s.Documents[baseline.RiskConfiguration] != nil &&
		!same(docs[name], docs[baseline.RiskConfiguration])
}

// possible skips the drifts that no write can fix in this pool, and returns the others.
func (p *Plan) possible(drifts []baseline.Drift) []baseline.Drift {
	before := p.Before.written()
	after := apply(before, drifts)
	return p.leave(drifts, func(i int) string {
		name, _ := baseline.DocumentOf(drifts[i].Setting)
		whole := strings.TrimSuffix(name.Prefix(), ".")
		removed := slices.ContainsFunc(drifts, func(d baseline.Drift) bool { return d.Setting == whole })
		switch _, read := p.Before.Documents[name]; {
		case !read:
			return "there is no such client"
		case p.Before.Off(name):
			return "a risk configuration needs " + threat + " AUDIT or ENFORCED"
		case p.options.RiskRequired && threatens(before) && !threatens(apply(before, drifts[i:i+1])):
			return "a risk configuration is required too, but there is none while " + threat + " is OFF"
		case name.Kind() == baseline.ClientRisk && !removed && !baseline.Empty(before[name]) && baseline.Empty(after[name]):
			return "without it, the client has no risk configuration of its own and would use the pool's: require " +
				whole + " to be absent"
		}
		return ""
	})
}

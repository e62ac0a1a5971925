package baseline

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// strictness has the values of the settings that a snapshot requires with OneOf, from the least to the most strict. The
// first one is off.
var strictness = map[string][]string{
	"DeletionProtection":                                            {"INACTIVE", "ACTIVE"},
	"UserPoolAddOns.AdvancedSecurityMode":                           {"OFF", "AUDIT", "ENFORCED"},
	"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode": {"", "AUDIT", "ENFORCED"},
	"MfaConfiguration":                                              {"OFF", "OPTIONAL", "ON"},
	"Clients[].PreventUserExistenceErrors":                          {"LEGACY", "ENABLED"},
}

// A snapshot collects what a baseline file requires of a pool as it is.
type snapshot struct {
	settings map[string]any
	requires []string          // settings
	dropped  map[string]string // why a setting cannot be required as it is
}

// Snapshot returns a baseline file in YAML for the current state of one pool, selected by its id. Settings that matter
// for security become requirements. The others become comments, with sensitive values masked. Settings that are off are
// not required to stay off, except for triggers: no new ones are allowed. If a baseline cannot require a setting as it
// is, a comment gives the reason.
func Snapshot(pool Identity, live map[string]any) ([]byte, error) {
	s := snapshot{settings: live, dropped: map[string]string{}}
	var out bytes.Buffer
	fmt.Fprintf(&out,
		"# yaml-language-server: $schema=./schema.json\n# Snapshot of pool %s.\nversion: 1\nmode: audit # "+
			"only report; enforce fixes drift\nrules:\n  - name: as-found\n    pools: {ids: [%s]}\n", pool.ID, pool.ID)
	block(&out, "    require:\n", "      ", s.require("", Member{Kind: Object, Members: settings}))
	for i, client := range pool.Clients {
		if i == 0 {
			out.WriteString("    clients:\n")
		}
		fmt.Fprintf(&out, "      - ids: [%s] # %s\n", client.ID, printable(client.Name))
		required := s.require(ClientPath(client.ID)+".", Member{Name: Clients, Kind: Object, Members: clientSettings})
		if len(required) == 0 {
			required["ClientName"] = nodeOf(client.Name)
		}
		block(&out, "        require:\n", "          ", required)
	}
	for _, path := range slices.SortedFunc(maps.Keys(s.dropped), Order) {
		fmt.Fprintf(&out, "    # %s cannot be required as it is: %s\n", path, s.dropped[path])
	}
	out.WriteString("    # Current values that are not required:\n")
	for _, name := range slices.SortedFunc(maps.Keys(live), Order) {
		m, known := child(root, name)
		eachLeaf(m, name, live[name], func(m Member, path string, v any) {
			required := slices.ContainsFunc(s.requires, func(r string) bool { return Covers(r, path) })
			if known && !required && !Empty(v) {
				out.WriteString("    #   " + printable(path+": "+plainJSON(Mask(m, v))) + "\n")
			}
		})
	}
	if _, err := Parse("snapshot", out.Bytes()); err != nil { // too many clients, for example
		return nil, fmt.Errorf("writing the baseline of %s: %w", pool.ID, err)
	}
	return out.Bytes(), nil
}

// require returns the requirements on the members of m, as YAML below their names. It drops each one that a baseline
// with the earlier ones would be rejected for.
func (s *snapshot) require(prefix string, m Member) map[string]any {
	required := map[string]any{}
	for _, path := range paths(m.Members) {
		node, ok := requirementOf(prefix+path, ValueAt(s.settings, prefix+path))
		if !ok {
			continue
		}
		keys := strings.Split(path, ".")
		Put(required, keys, node)
		if found := mistakes(required, m); len(found) > 0 {
			s.dropped[prefix+path] = found[0].Message
			Put(required, keys, nil)
		} else {
			s.requires = append(s.requires, prefix+path)
		}
	}
	return required
}

// mistakes returns the errors of requirements on the members of m.
func mistakes(required map[string]any, m Member) Errors {
	p, root := &parser{}, &yaml.Node{}
	_ = root.Encode(required) // maps, texts and nodes always encode
	requirements := field{p, root, m.Name}.require(m)
	p.contradictory(requirements)
	p.twins(requirements)
	return p.errors
}

func block(out *bytes.Buffer, head, indent string, required any) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	_ = encoder.Encode(required) // its nodes were encoded before
	out.WriteString(head)
	for line := range strings.Lines(text.String()) {
		out.WriteString(indent + line)
	}
}

// filled returns an object without its empty members, which mean the same as absent ones, but keeps mandatory members.
// Other values are returned unchanged.
func filled(m Member, v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	full := map[string]any{}
	for name, below := range object {
		of, _ := child(m, name)
		if below = filled(of, below); !Empty(below) || of.Required && below != nil {
			full[name] = below
		}
	}
	return full
}

// requirementOf returns a requirement for a baseline file that the value v at path meets, and false if there is nothing
// to require.
func requirementOf(path string, v any) (*yaml.Node, bool) {
	m, _ := Lookup(path)
	v = filled(m, v)
	degrees := strictness[AnyClient(path)]
	degree := slices.IndexFunc(degrees, func(text string) bool { return text == v })
	switch op := m.Snapshot; {
	case path == "LambdaConfig" && Empty(v):
		return nodeOf(map[string]any{string(Absent): true}), true
	case op == "" || Empty(v) || op == OneOf && degree <= 0:
		return nil, false
	case op == Equal || op == OneOf && degree == len(degrees)-1:
		return nodeOf(v), true
	case op == OneOf:
		v = anys(degrees[degree:])
	}
	return nodeOf(map[string]any{string(m.Snapshot): v}), true
}

// nodeOf converts a JSON value to YAML: numbers stay numbers, and texts are quoted so that YAML does not read them as
// another type.
func nodeOf(v any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.FlowStyle}
	switch v := v.(type) {
	case map[string]any:
		n.Kind = yaml.MappingNode
		for _, key := range inOrder(v) {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, nodeOf(v[key]))
		}
	case []any:
		n.Kind = yaml.SequenceNode
		for _, e := range v {
			n.Content = append(n.Content, nodeOf(e))
		}
	case string:
		n.Tag, n.Style, n.Value = "!!str", yaml.DoubleQuotedStyle, v
	default:
		n.Value = plainJSON(v)
	}
	return n
}

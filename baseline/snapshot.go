package baseline

import (
	"bytes"
	"errors"
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

// Snapshot returns a baseline file in YAML for the current state of one pool, selected by its id. Settings that matter
// for security become requirements. The others become comments, with sensitive values masked. Settings that are off are
// not required to stay off, except for triggers: no new ones are allowed. If a baseline cannot require a setting as it
// is, a comment gives the reason.
func Snapshot(pool Identity, settings map[string]any) ([]byte, error) {
	dropped := map[string]string{}
	for {
		text, err := snapshot(pool, settings, dropped)
		if err == nil {
			_, err = Parse("snapshot", text)
		}
		var found Errors
		if !errors.As(err, &found) {
			return text, err
		}
		before := len(dropped)
		for _, f := range found {
			for _, path := range snapshotOf(pool) {
				at := settingIn(f.Path, pool)
				ofAny := strings.HasPrefix(at, Clients) && Covers(AnyClient(path), at)
				if ofAny || strings.HasPrefix(at, path) || Covers(at, path) {
					dropped[path] = f.Message
				}
			}
		}
		if len(dropped) == before {
			return nil, fmt.Errorf("writing the baseline of %s: %w", pool.ID, err)
		}
	}
}

func snapshotOf(pool Identity) []string {
	var all []string
	for _, path := range paths(root.Members) {
		_, below, ofClient := ClientOf(path)
		if m, _ := Lookup(path); m.Snapshot == "" {
			continue
		} else if !ofClient {
			all = append(all, path)
			continue
		}
		for _, client := range pool.Clients {
			all = append(all, ClientPath(client.ID)+"."+below)
		}
	}
	slices.SortFunc(all, Order)
	return all
}

func settingIn(path string, pool Identity) string {
	if at, ok := strings.CutPrefix(path, "rules[0].require."); ok {
		return at
	}
	for i, client := range pool.Clients {
		if at, ok := strings.CutPrefix(path, fmt.Sprintf("rules[0].clients[%d].require.", i)); ok {
			return ClientPath(client.ID) + "." + at
		}
	}
	return path
}

func snapshot(pool Identity, settings map[string]any, dropped map[string]string) ([]byte, error) {
	required := map[string]any{}
	var requires []string
	for _, path := range snapshotOf(pool) {
		if node, ok := requirementOf(path, filled(path, ValueAt(settings, path))); ok && dropped[path] == "" {
			requires = append(requires, path)
			Put(required, Keys(path), node)
		}
	}
	clients := map[string]any{}
	maps.Copy(clients, required)
	maps.DeleteFunc(required, func(name string, _ any) bool { return strings.HasPrefix(name, clientsPrefix) })
	var out bytes.Buffer
	fmt.Fprintf(&out,
		"# yaml-language-server: $schema=./schema.json\n# Snapshot of pool %s.\nversion: 1\nmode: audit # "+
			"only report; enforce fixes drift\nrules:\n  - name: as-found\n    pools: {ids: [%s]}\n", pool.ID, pool.ID)
	err := block(&out, "    require:\n", "      ", required)
	for i, client := range pool.Clients {
		if i == 0 {
			out.WriteString("    clients:\n")
		}
		fmt.Fprintf(&out, "      - ids: [%s] # %s\n", nodeOf(client.ID).Value, printable(client.Name))
		require, ok := clients[ClientPath(client.ID)]
		if !ok {
			require = map[string]any{"ClientName": nodeOf(client.Name)}
		}
		err = errors.Join(err, block(&out, "        require:\n", "          ", require))
	}
	for _, path := range slices.SortedFunc(maps.Keys(dropped), Order) {
		fmt.Fprintf(&out, "    # %s cannot be required as it is: %s\n", path, dropped[path])
	}
	out.WriteString("    # Current values that are not required:\n")
	for _, line := range others(settings, requires) {
		out.WriteString("    #   " + printable(line) + "\n")
	}
	return out.Bytes(), err
}

func block(out *bytes.Buffer, head, indent string, required any) error {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(required); err != nil {
		return err
	}
	out.WriteString(head)
	for line := range strings.Lines(text.String()) {
		out.WriteString(indent + line)
	}
	return nil
}

func others(settings map[string]any, requires []string) []string {
	var lines []string
	for _, name := range slices.SortedFunc(maps.Keys(settings), Order) {
		m, known := child(root, name)
		if !known || settings[name] == nil {
			continue
		}
		eachLeaf(m, name, settings[name], func(m Member, path string, v any) {
			required := slices.ContainsFunc(requires, func(r string) bool { return Covers(r, path) })
			if !required && !Empty(v) {
				lines = append(lines, path+": "+plainJSON(Mask(m, v)))
			}
		})
	}
	return lines
}

// filled returns an object without its empty members, which mean the same as absent ones, but keeps mandatory members.
// Other values are returned unchanged.
func filled(path string, v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	full := map[string]any{}
	for name, below := range object {
		m, _ := Lookup(path + "." + name)
		if below = filled(path+"."+name, below); !Empty(below) || m.Required && below != nil {
			full[name] = below
		}
	}
	return full
}

// requirementOf returns a requirement for a baseline file that the value v at path meets, and false if there is nothing
// to require.
func requirementOf(path string, v any) (*yaml.Node, bool) {
	m, _ := Lookup(path)
	op := m.Snapshot
	switch degrees := strictness[AnyClient(path)]; {
	case op == OneOf:
		text, _ := v.(string)
		switch at := slices.Index(degrees, text); {
		case at <= 0:
			return nil, false
		case at == len(degrees)-1:
			return nodeOf(v), true
		default:
			return nodeOf(map[string]any{string(op): anys(degrees[at:])}), true
		}
	case Empty(v) && op == Exactly && m.Keep == "" && m.Name == "LambdaConfig":
		return nodeOf(map[string]any{"absent": true}), true
	case Empty(v):
		return nil, false
	case op == Equal:
		return nodeOf(v), true
	default:
		return nodeOf(map[string]any{string(op): v}), true
	}
}

// nodeOf converts a JSON value to YAML: numbers stay numbers, and texts are quoted so that YAML does not read them as
// another type.
func nodeOf(v any) *yaml.Node {
	switch v := v.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, nodeOf(v[key]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, e := range v {
			n.Content = append(n.Content, nodeOf(e))
		}
		return n
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v, Style: yaml.DoubleQuotedStyle}
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: plainJSON(v)}
	}
}

package baseline

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// snapshots are the settings that matter for security, each with the operator by which a baseline that is made of a pool requires it. A pool may become stricter
// where that is a matter of more or less; of its triggers, none may come or go.
var snapshots = map[string]Op{
	"Policies.PasswordPolicy.MinimumLength":                                 AtLeast,
	"Policies.PasswordPolicy.RequireUppercase":                              Equal,
	"Policies.PasswordPolicy.RequireLowercase":                              Equal,
	"Policies.PasswordPolicy.RequireNumbers":                                Equal,
	"Policies.PasswordPolicy.RequireSymbols":                                Equal,
	"Policies.PasswordPolicy.PasswordHistorySize":                           AtLeast,
	"Policies.PasswordPolicy.TemporaryPasswordValidityDays":                 AtMost,
	"Policies.SignInPolicy.AllowedFirstAuthFactors":                         Equal,
	"DeletionProtection":                                                    Equal,
	"LambdaConfig":                                                          Exactly,
	"AutoVerifiedAttributes":                                                Contains,
	"UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate": Contains,
	"AdminCreateUserConfig.AllowAdminCreateUserOnly":                        Equal,
	"UserPoolAddOns.AdvancedSecurityMode":                                   Equal,
	"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode":         Equal,
	"AccountRecoverySetting.RecoveryMechanisms":                             Equal,
	"UserPoolTier":                          Equal,
	"KeyConfiguration":                      Exactly,
	"MfaConfiguration":                      Equal,
	"SoftwareTokenMfaConfiguration.Enabled": Equal,
}

// Snapshot returns a baseline file, in YAML, of a pool as it is: the settings that matter for security as requirements of that pool, by its id, and the others as
// comments, masked where they are texts or secrets. What is off is not required to be off, but for triggers, of which none is allowed beyond those that are there. A
// setting that no baseline can require beside the others, as the pool has it, is left out and says why.
func Snapshot(pool Identity, settings map[string]any) ([]byte, error) {
	dropped := map[string]string{}
	for {
		text, err := snapshot(pool, settings, dropped)
		if err != nil {
			return nil, err
		}
		_, err = Parse("snapshot", text)
		var faults Faults
		if !errors.As(err, &faults) {
			return text, err
		}
		before := len(dropped)
		for _, f := range faults {
			for path := range snapshots {
				if at := strings.TrimPrefix(f.Path, "rules[0].require."); covers(path, at) || covers(at, path) || strings.HasPrefix(at, path+".") {
					dropped[path] = f.Message
				}
			}
		}
		if len(dropped) == before {
			return nil, fmt.Errorf("writing the baseline of %s: %w", pool.ID, err)
		}
	}
}

func snapshot(pool Identity, settings map[string]any, dropped map[string]string) ([]byte, error) {
	required := map[string]any{}
	for path, op := range snapshots {
		m, _ := Lookup(path)
		if text, ok := requirementOf(m, op, filled(at(settings, keys(path)))); ok && dropped[path] == "" {
			put(required, keys(path), text)
		}
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(required); err != nil {
		return nil, fmt.Errorf("writing the baseline of %s: %w", pool.ID, err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# yaml-language-server: $schema=./schema.json\n# Made of the pool %s as it is.\nversion: 1\nmode: audit # report; enforce writes\nrules:\n  - name: as-found\n    pools: {ids: [%s]}\n    require:\n", pool.ID, pool.ID)
	for line := range strings.Lines(text.String()) {
		out.WriteString("      " + line)
	}
	for _, path := range slices.SortedFunc(maps.Keys(dropped), order) {
		fmt.Fprintf(&out, "    # %s cannot be required as it is: %s\n", path, dropped[path])
	}
	out.WriteString("    # As it is, and not required:\n")
	for _, line := range others(settings) {
		out.WriteString("    #   " + oneLine(line) + "\n")
	}
	return out.Bytes(), nil
}

// oneLine takes the line breaks out of a comment: a tag's name may hold anything.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// others returns the settings that a snapshot does not require, a line each.
func others(settings map[string]any) []string {
	var lines []string
	for _, m := range Settings() {
		if settings[m.Name] == nil {
			continue
		}
		eachLeaf(m, m.Name, settings[m.Name], func(m Member, path string, v any) {
			for required := range snapshots {
				if covers(required, path) {
					return
				}
			}
			if !Empty(v) {
				lines = append(lines, path+": "+plainJSON(Mask(m, v)))
			}
		})
	}
	return lines
}

// filled returns an object without its empty members, which equal absent ones; every other value is returned as it is.
func filled(v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	full := map[string]any{}
	for name, below := range object {
		if below = filled(below); !Empty(below) {
			full[name] = below
		}
	}
	return full
}

// requirementOf returns a value of a baseline file that holds for v, and false where there is nothing to require.
func requirementOf(m Member, op Op, v any) (*yaml.Node, bool) {
	switch {
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

// nodeOf writes a JSON value as YAML: numbers as numbers, texts quoted, so that none is taken for something else.
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

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

// snapshots are the settings that matter for security, each with the operator by which a baseline that is made of a
// pool requires it. A pool may become stricter where that is a matter of more or less; of its triggers, none may come
// or go.
var snapshots = map[string]Op{
	"Policies.PasswordPolicy.MinimumLength":                                 AtLeast,
	"Policies.PasswordPolicy.RequireUppercase":                              Equal,
	"Policies.PasswordPolicy.RequireLowercase":                              Equal,
	"Policies.PasswordPolicy.RequireNumbers":                                Equal,
	"Policies.PasswordPolicy.RequireSymbols":                                Equal,
	"Policies.PasswordPolicy.PasswordHistorySize":                           AtLeast,
	"Policies.PasswordPolicy.TemporaryPasswordValidityDays":                 AtMost,
	"Policies.SignInPolicy.AllowedFirstAuthFactors":                         Equal,
	"DeletionProtection":                                                    OneOf,
	"LambdaConfig":                                                          Exactly,
	"AutoVerifiedAttributes":                                                Contains,
	"UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate": Contains,
	"AdminCreateUserConfig.AllowAdminCreateUserOnly":                        Equal,
	"UserPoolAddOns.AdvancedSecurityMode":                                   OneOf,
	"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode":         OneOf,
	"AccountRecoverySetting.RecoveryMechanisms":                             Equal,
	"UserPoolTier":                          Equal,
	"KeyConfiguration":                      Exactly,
	"MfaConfiguration":                      OneOf,
	"SoftwareTokenMfaConfiguration.Enabled": Equal,
	"RiskConfiguration.CompromisedCredentialsRiskConfiguration":            Exactly,
	"RiskConfiguration.AccountTakeoverRiskConfiguration.Actions":           Exactly,
	"RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList":      Contains,
	"RiskConfiguration.RiskExceptionConfiguration.SkippedIPRangeList":      Equal,
	"LogConfigurations.userNotification":                                   Exactly,
	"LogConfigurations.userAuthEvents":                                     Exactly,
	"Clients[].RefreshTokenValidity":                                       Equal,
	"Clients[].AccessTokenValidity":                                        Equal,
	"Clients[].IdTokenValidity":                                            Equal,
	"Clients[].TokenValidityUnits":                                         Exactly,
	"Clients[].ExplicitAuthFlows":                                          Equal,
	"Clients[].SupportedIdentityProviders":                                 Equal,
	"Clients[].CallbackURLs":                                               Equal,
	"Clients[].LogoutURLs":                                                 Equal,
	"Clients[].AllowedOAuthFlows":                                          Equal,
	"Clients[].AllowedOAuthScopes":                                         Equal,
	"Clients[].PreventUserExistenceErrors":                                 OneOf,
	"Clients[].EnableTokenRevocation":                                      Equal,
	"Clients[].RefreshTokenRotation":                                       Exactly,
	"Clients[].RiskConfiguration.CompromisedCredentialsRiskConfiguration":  Exactly,
	"Clients[].RiskConfiguration.AccountTakeoverRiskConfiguration.Actions": Exactly,
}

// strictness has the values of the settings of which a snapshot requires OneOf, each stricter than the one before;
// the first is off.
var strictness = map[string][]string{
	"DeletionProtection":                                            {"INACTIVE", "ACTIVE"},
	"UserPoolAddOns.AdvancedSecurityMode":                           {"OFF", "AUDIT", "ENFORCED"},
	"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode": {"", "AUDIT", "ENFORCED"},
	"MfaConfiguration":                                              {"OFF", "OPTIONAL", "ON"},
	"Clients[].PreventUserExistenceErrors":                          {"LEGACY", "ENABLED"},
}

// Snapshot returns a baseline file, in YAML, of a pool as it is: the settings that matter for security as
// requirements of that pool, by its id, and the others as comments, masked where they are texts or secrets. What is
// off is not required to be off, but for triggers, of which none is allowed beyond those that are there. A setting
// that no baseline can require beside the others, as the pool has it, is left out and says why.
func Snapshot(pool Identity, settings map[string]any) ([]byte, error) {
	dropped := map[string]string{}
	for {
		text, err := snapshot(pool, settings, dropped)
		if err != nil {
			return nil, err
		}
		_, err = Parse("snapshot", text)
		var found Errors
		if !errors.As(err, &found) {
			return text, err
		}
		before := len(dropped)
		for _, f := range found {
			for _, path := range snapshotOf(pool) {
				at := settingIn(f.Path, pool)
				ofAny := strings.HasPrefix(at, Clients) && covers(AnyClient(path), at)
				if ofAny || covers(path, at) || covers(at, path) || strings.HasPrefix(at, path+".") ||
					strings.HasPrefix(at, path+"[") {
					dropped[path] = f.Message
				}
			}
		}
		if len(dropped) == before {
			return nil, fmt.Errorf("writing the baseline of %s: %w", pool.ID, err)
		}
	}
}

// snapshotOf returns the settings of a pool and its clients that a snapshot requires.
func snapshotOf(pool Identity) []string {
	var paths []string
	for path := range snapshots {
		_, below, ofClient := ClientOf(path)
		if !ofClient {
			paths = append(paths, path)
			continue
		}
		for _, client := range pool.Clients {
			paths = append(paths, ClientPath(client.ID)+"."+below)
		}
	}
	slices.SortFunc(paths, Order)
	return paths
}

// settingIn returns the setting that the path of an error in a snapshot speaks of.
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
	required := map[string]map[string]any{"": {}}
	var requires []string
	for _, path := range snapshotOf(pool) {
		if node, ok := requirementOf(path, filled(path, at(settings, keys(path)))); ok && dropped[path] == "" {
			requires = append(requires, path)
			client, below, ofClient := ClientOf(path)
			if !ofClient {
				below = path
			}
			if required[client] == nil {
				required[client] = map[string]any{}
			}
			put(required[client], keys(path)[len(keys(path))-len(strings.Split(below, ".")):], node)
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out,
		"# yaml-language-server: $schema=./schema.json\n# Made of the pool %s as it is.\nversion: 1\nmode: audit # "+
			"report; enforce writes\nrules:\n  - name: as-found\n    pools: {ids: [%s]}\n", pool.ID, pool.ID)
	if err := block(&out, "    require:\n", "      ", required[""]); err != nil {
		return nil, fmt.Errorf("writing the baseline of %s: %w", pool.ID, err)
	}
	for i, client := range pool.Clients {
		if i == 0 {
			out.WriteString("    clients:\n")
		}
		if required[client.ID] == nil {
			required[client.ID] = map[string]any{"ClientName": nodeOf(client.Name)}
		}
		fmt.Fprintf(&out, "      - ids: [%s] # %s\n", nodeOf(client.ID).Value, oneLine(client.Name))
		if err := block(&out, "        require:\n", "          ", required[client.ID]); err != nil {
			return nil, fmt.Errorf("writing the baseline of %s: %w", pool.ID, err)
		}
	}
	for _, path := range slices.SortedFunc(maps.Keys(dropped), Order) {
		fmt.Fprintf(&out, "    # %s cannot be required as it is: %s\n", path, dropped[path])
	}
	out.WriteString("    # As it is, and not required:\n")
	for _, line := range others(settings, requires) {
		out.WriteString("    #   " + oneLine(line) + "\n")
	}
	return out.Bytes(), nil
}

// block writes a tree of requirements, indented, under a head.
func block(out *bytes.Buffer, head, indent string, required map[string]any) error {
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

// oneLine takes the line breaks out of a comment: a tag's name may hold anything.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// others returns the settings that are set and that a snapshot does not require, a line each.
func others(settings map[string]any, requires []string) []string {
	var lines []string
	for _, name := range slices.SortedFunc(maps.Keys(settings), Order) {
		m, known := child(root, name)
		if !known || settings[name] == nil {
			continue
		}
		eachLeaf(m, name, settings[name], func(m Member, path string, v any) {
			required := slices.ContainsFunc(requires, func(r string) bool { return covers(r, path) })
			if !required && !Empty(v) {
				lines = append(lines, path+": "+plainJSON(Mask(m, v)))
			}
		})
	}
	return lines
}

// filled returns an object without its empty members, which equal absent ones, but with those that the API demands;
// every other value is returned as it is.
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

// requirementOf returns a value of a baseline file that holds for v, which is set at path, and false where there is
// nothing to require.
func requirementOf(path string, v any) (*yaml.Node, bool) {
	m, _ := Lookup(path)
	op := snapshots[AnyClient(path)]
	switch degrees := strictness[AnyClient(path)]; {
	case op == OneOf:
		text, _ := v.(string)
		switch at := slices.Index(degrees, text); {
		case at <= 0:
			return nil, false
		case at == len(degrees)-1:
			return nodeOf(v), true
		default:
			var enough []any
			for _, degree := range degrees[at:] {
				enough = append(enough, degree)
			}
			return nodeOf(map[string]any{string(op): enough}), true
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

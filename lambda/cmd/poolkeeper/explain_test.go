package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"poolkeeper/baseline"
)

// TestExplainAgreesWithTheSchema: what is explained of a setting is what the JSON Schema of baseline files has.
func TestExplainAgreesWithTheSchema(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../baseline/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Ref         string           `json:"$ref"`
		Description string           `json:"description"`
		Enum        []any            `json:"enum"`
		AnyOf       []node           `json:"anyOf"`
		Required    []string         `json:"required"`
		Properties  map[string]*node `json:"properties"`
	}
	var schema struct {
		Defs map[string]*node `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	seen := 0
	// branches are the forms of a requirement: the first is a plain value, each other one demands an operator.
	branches := func(n *node) []node {
		if def := schema.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]; def != nil {
			n = def
		}
		if len(n.AnyOf) > 0 {
			return n.AnyOf
		}
		return []node{*n}
	}
	var walk func(above string, properties map[string]*node, members []baseline.Member)
	walk = func(above string, properties map[string]*node, members []baseline.Member) {
		for _, m := range members {
			path, n := above+m.Name, properties[m.Name]
			if n == nil {
				t.Errorf("the schema has no %s", path)
				continue
			}
			seen++
			e, forms := explain(path, m), branches(n)
			var enum, operators []string
			for _, v := range forms[0].Enum {
				text, _ := v.(string)
				enum = append(enum, text)
			}
			for _, form := range forms[1:] {
				operators = append(operators, form.Required...)
			}
			if !slices.Equal(e.Enum, enum) {
				t.Errorf("%s may be %v, and by the schema %v", path, e.Enum, enum)
			}
			for _, list := range [][]string{e.Operators, operators} {
				slices.Sort(list)
			}
			if !slices.Equal(e.Operators, operators) {
				t.Errorf("%s has the operators %v, and by the schema %v", path, e.Operators, operators)
			}
			if !strings.HasPrefix(n.Description, e.About) {
				t.Errorf("%s is %q, and by the schema %q", path, e.About, n.Description)
			}
			for _, said := range slices.Concat(e.Checks, e.Hazards, e.Costs) {
				if !strings.Contains(said, " (") && !strings.Contains(n.Description, said) {
					t.Errorf("the schema does not say of %s: %s", path, said)
				}
			}
			walk(path+".", forms[0].Properties, m.Members)
		}
	}
	walk("", schema.Defs["settings"].Properties, baseline.Settings())
	walk(baseline.Clients+".", schema.Defs["clientSettings"].Properties, baseline.ClientSettings())
	if want := len(everySetting()); seen != want || want < 100 {
		t.Errorf("%d of %d settings were compared", seen, want)
	}
}

package baseline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
)

// TestGenerated: schema.json, the JSON Schema of a baseline file for editors, and SETTINGS.md, the table of all
// settings, are what the member table makes of them.
func TestGenerated(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"schema.json": schemaText(t), "SETTINGS.md": settingsText()} {
		if *baseline.Update {
			if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is stale: run go generate ./baseline (-want +got):\n%.2000s", name, diff)
		}
	}
}

// columns are the facts that have a column of their own. The others are in the last one.
var columns = []string{"written by", "values", "operators", "checked by"}

func settingsText() string {
	var b strings.Builder
	head := "| setting | " + strings.Join(columns, " | ") + " | |\n|" + strings.Repeat("---|", len(columns)+2) + "\n"
	b.WriteString("# Settings\n\nEvery setting that a baseline can require, by its path. Generated from the table that " +
		"validates a baseline by `go generate ./baseline`.\n\n" + head)
	for _, path := range baseline.Paths() {
		if path == baseline.Clients {
			b.WriteString("\n## App clients\n\nIn a baseline, write these under a rule's `clients`, without `Clients[].`. In " +
				"reports, the client's id is between the brackets.\n\n" + head)
			continue
		}
		m, _ := baseline.Lookup(path)
		cells, rest := map[string][]string{}, []string{strings.TrimSuffix(m.Doc, ".")}
		for _, f := range baseline.Explain(path) {
			switch {
			case f.Of != "":
			case slices.Contains(columns, f.Name):
				cells[f.Name] = append(cells[f.Name], f.Text)
			default:
				rest = append(rest, f.Name+": "+f.Text)
			}
		}
		fmt.Fprintf(&b, "| `%s` | ", path)
		for _, column := range columns {
			b.WriteString(strings.Join(cells[column], ", ") + " | ")
		}
		b.WriteString(strings.TrimPrefix(strings.Join(rest, "; "), "; ") + " |\n")
	}
	return b.String()
}

type object = map[string]any

// schemaText returns the JSON Schema: the skeleton with the settings of the member table. It accepts every file that
// the parser accepts. The parser also checks what a schema cannot express.
func schemaText(t *testing.T) string {
	t.Helper()
	encoded := func(v any) (string, error) {
		text, err := json.Marshal(v)
		return string(text), err
	}
	const skeleton = "schema-skeleton.json"
	frame, err := template.New(skeleton).Funcs(template.FuncMap{"json": encoded}).ParseFiles("testdata/" + skeleton)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := frame.Execute(&text, object{"watchable": baseline.Watchable(), "unknowns": baseline.Unknowns(),
		"mostFlaps": baseline.MostFlaps, "mostMinutes": baseline.MostFlapMinutes, "flaps": baseline.DefaultFlapBudget.Times,
		"minutes": baseline.DefaultFlapBudget.Within.Minutes()}); err != nil {
		t.Fatal(err)
	}
	var schema object
	if err := json.Unmarshal(text.Bytes(), &schema); err != nil {
		t.Fatal(err)
	}
	defs, _ := schema["$defs"].(object)
	b := builder{defs: defs, names: map[string]string{}}
	defs["settings"] = b.settings(baseline.Settings(), "")
	defs["clientSettings"] = b.settings(baseline.ClientSettings(), baseline.Clients+".")
	text.Reset()
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// A builder shares equal subschemas: most triggers can be required in the same ways, for example.
type builder struct {
	defs  object
	names map[string]string // of the shared schemas, by their content
}

func (b builder) settings(members []baseline.Member, prefix string) object {
	properties := object{}
	for _, m := range members {
		properties[m.Name] = b.requirement(m, prefix+m.Name)
		if m.ShownBy != "" {
			properties[m.ShownBy] = object{"description": "Present while " + m.Name + " is true.",
				"enum": []any{object{"present": true}, object{"absent": true}}}
		}
	}
	return object{"type": "object", "minProperties": 1, "additionalProperties": false, "properties": properties}
}

func (b builder) requirement(m baseline.Member, path string) object {
	ways := []any{literal(m)}
	switch m.Kind {
	case baseline.Object:
		ways[0] = b.settings(m.Members, path+".")
	case baseline.Map:
		keyed := keyed(m, b.requirement(*m.Elem, path+".KEY"))
		keyed["minProperties"] = 1
		ways[0] = keyed
	}
	for _, op := range m.Operators() {
		properties := object{string(op): argument(op, m)}
		if op.TakesSet() {
			properties["set"] = literal(m)
		}
		ways = append(ways, object{"type": "object", "required": []string{string(op)}, "additionalProperties": false,
			"properties": properties})
	}
	content := fmt.Sprint(ways)
	if b.names[content] == "" {
		b.names[content] = fmt.Sprintf("requirement%d", len(b.names)+1)
		b.defs[b.names[content]] = object{"anyOf": ways}
	}
	schema := object{"$ref": "#/$defs/" + b.names[content]}
	about := m.Doc
	for _, f := range baseline.Explain(path) {
		if slices.Contains([]string{"checked by", "beware", "cost"}, f.Name) && f.Of == "" {
			about += " " + strings.ToUpper(f.Name[:1]) + f.Name[1:] + ": " + f.Text + "."
		}
	}
	if about != "" {
		schema["description"] = strings.TrimSpace(about)
	}
	if m.Deprecated != "" {
		schema["deprecated"] = true
	}
	return schema
}

func keyed(m baseline.Member, value object) object {
	return object{"type": "object", "additionalProperties": value,
		"propertyNames": object{"maxLength": m.KeyMax, "not": object{"pattern": "^" + m.KeyReserved}}}
}

func argument(op baseline.Op, m baseline.Member) object {
	switch op {
	case baseline.OneOf:
		return object{"type": "array", "minItems": 1, "items": literal(m)}
	case baseline.Contains, baseline.Without:
		element := *m.Elem
		if op == baseline.Without {
			element.Unsent = nil
		}
		return object{"type": "array", "minItems": 1, "items": literal(element)}
	case baseline.Absent, baseline.Present:
		return object{"const": true}
	case baseline.Matches:
		return object{"type": "string", "minLength": 1}
	default: // AtLeast, AtMost, Exactly
		return literal(m)
	}
}

func literal(m baseline.Member) object {
	switch m.Kind {
	case baseline.Object:
		properties := object{}
		for _, below := range m.Members {
			properties[below.Name] = literal(below)
		}
		return object{"type": "object", "additionalProperties": false, "properties": properties}
	case baseline.Map:
		schema := keyed(m, literal(*m.Elem))
		schema["maxProperties"] = m.Max
		return schema
	case baseline.List:
		least := m.Min
		if m.Keep != "" {
			least = max(least, 1)
		}
		schema := object{"type": "array", "items": literal(*m.Elem), "uniqueItems": true, "minItems": least}
		if m.Max > 0 {
			schema["maxItems"] = m.Max
		}
		return schema
	case baseline.Integer:
		return object{"type": "integer", "minimum": m.Min, "maximum": m.Max}
	case baseline.Boolean:
		return object{"type": "boolean"}
	default:
		return literalText(m)
	}
}

func literalText(m baseline.Member) object {
	if len(m.Enum) > 0 {
		unsent := func(e string) bool { return slices.Contains(m.Unsent, e) }
		return object{"enum": slices.DeleteFunc(slices.Clone(m.Enum), unsent)}
	}
	schema := object{"type": "string"}
	if !m.Presence {
		schema["minLength"] = max(m.Min, 1)
	}
	if m.Max > 0 {
		schema["maxLength"] = m.Max
	}
	// JSON Schema patterns write Unicode classes differently. For patterns with such a class, only the placeholder is
	// checked.
	switch {
	case strings.Contains(m.Pattern, `\{####\}`):
		schema["pattern"] = `\{####\}`
	case strings.Contains(m.Pattern, `\{##[`):
		schema["pattern"] = `\{##[\s\S]*##\}`
	case m.Pattern != "" && !strings.Contains(m.Pattern, `\p{`):
		schema["pattern"] = "^(?:" + m.Pattern + ")$"
	}
	return schema
}

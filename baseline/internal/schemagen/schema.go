package main

import (
	"bytes"
	_ "embed" // for the skeleton
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"poolkeeper/baseline"
)

type object = map[string]any

//go:embed skeleton.json
var skeleton string

// Schema returns the JSON Schema: the skeleton with the settings of the member table. It accepts every file that the
// parser accepts. The parser also checks what a schema cannot express.
func Schema() ([]byte, error) {
	var frame bytes.Buffer
	t, err := template.New("skeleton.json").Funcs(template.FuncMap{"json": encoded}).Parse(skeleton)
	if err != nil {
		return nil, err
	}
	if err := t.Execute(&frame, object{"watchable": baseline.Watchable(), "unknowns": baseline.Unknowns(),
		"mostFlaps": baseline.MostFlaps, "mostMinutes": baseline.MostFlapMinutes, "flaps": baseline.DefaultFlapBudget.Times,
		"minutes": baseline.DefaultFlapBudget.Within.Minutes()}); err != nil {
		return nil, err
	}
	var schema object
	if err := json.Unmarshal(frame.Bytes(), &schema); err != nil {
		return nil, err
	}
	defs, _ := schema["$defs"].(object)
	b := builder{defs: defs, names: map[string]string{}}
	defs["settings"] = b.settings(baseline.Settings(), "")
	defs["clientSettings"] = b.settings(baseline.ClientSettings(), baseline.Clients+".")
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(schema)
	return text.Bytes(), err
}

func encoded(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// A builder shares equal subschemas: most triggers can be required in the same ways, for example.
type builder struct {
	defs  object
	names map[string]string // of the shared schemas, by their JSON
}

func (b builder) shared(schema object) object {
	content := fmt.Sprint(schema)
	name, ok := b.names[content]
	if !ok {
		name = fmt.Sprintf("requirement%d", len(b.names)+1)
		b.names[content], b.defs[name] = name, schema
	}
	return object{"$ref": "#/$defs/" + name}
}

func (b builder) settings(members []baseline.Member, prefix string) object {
	return object{"type": "object", "minProperties": 1, "additionalProperties": false,
		"properties": b.requirements(members, prefix)}
}

func (b builder) requirements(members []baseline.Member, prefix string) object {
	properties := object{}
	for _, m := range members {
		properties[m.Name] = b.requirement(m, prefix+m.Name)
		if m.ShownBy != "" {
			properties[m.ShownBy] = object{"description": "Present while " + m.Name + " is true.",
				"enum": []any{object{"present": true}, object{"absent": true}}}
		}
	}
	return properties
}

func (b builder) requirement(m baseline.Member, path string) object {
	var ways []any
	switch m.Kind {
	case baseline.Object:
		ways = append(ways, b.settings(m.Members, path+"."))
	case baseline.Map:
		ways = append(ways, keyed(m, b.requirement(*m.Elem, path+".KEY")))
	default:
		ways = append(ways, literal(m))
	}
	for _, op := range m.Operators() {
		properties := object{string(op): argument(op, m)}
		if op.TakesSet() {
			properties["set"] = literal(m)
		}
		ways = append(ways, object{"type": "object", "required": []string{string(op)}, "additionalProperties": false,
			"properties": properties})
	}
	schema := b.shared(object{"anyOf": ways})
	about := slices.DeleteFunc([]string{m.Doc}, func(doc string) bool { return doc == "" })
	for _, f := range baseline.Explain(path) {
		if slices.Contains([]string{"checked by", "beware", "cost"}, f.Name) && f.Of == "" {
			about = append(about, strings.ToUpper(f.Name[:1])+f.Name[1:]+": "+f.Text+".")
		}
	}
	if len(about) > 0 {
		schema["description"] = strings.Join(about, " ")
	}
	if m.Deprecated != "" {
		schema["deprecated"] = true
	}
	return schema
}

func keyed(m baseline.Member, value object) object {
	return object{"type": "object", "minProperties": 1, "additionalProperties": value,
		"propertyNames": object{"maxLength": m.KeyMax, "not": object{"pattern": "^" + m.KeyReserved}}}
}

func argument(op baseline.Op, m baseline.Member) object {
	switch op {
	case baseline.OneOf:
		return object{"type": "array", "minItems": 1, "items": literal(m)}
	case baseline.Contains:
		return object{"type": "array", "minItems": 1, "items": literal(*m.Elem)}
	case baseline.Without:
		element := *m.Elem
		element.Unsent = nil
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
		delete(schema, "minProperties")
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
		return text(m)
	}
}

func text(m baseline.Member) object {
	if len(m.Enum) > 0 {
		return object{"enum": slices.DeleteFunc(slices.Clone(m.Enum), func(e string) bool {
			return slices.Contains(m.Unsent, e)
		})}
	}
	schema := object{"type": "string"}
	if least := max(m.Min, 1); !m.Presence {
		schema["minLength"] = least
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

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

type object = map[string]any

// Schema returns the JSON Schema. It accepts every file that the parser accepts. The parser also checks what a schema
// cannot express.
func Schema() ([]byte, error) {
	b := builder{defs: object{}, names: map[string]string{}}
	b.defs["selector"], b.defs["exception"] = selector(true), selector(false)
	b.defs["settings"] = object{"type": "object", "minProperties": 1, "additionalProperties": false,
		"properties": b.requirements(baseline.Settings(), "")}
	b.defs["clientSettings"] = object{"type": "object", "minProperties": 1, "additionalProperties": false,
		"properties": b.requirements(baseline.ClientSettings(), baseline.Clients+".")}
	schema := object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "poolkeeper baseline",
		"description": "Required settings of Amazon Cognito user pools.",
		"type":        "object",
		"required":    []string{"version", "rules"},
		"properties": object{"version": object{"const": 1}, "mode": mode, "rules": rules(), "exemptions": exemptions(),
			"unknownMembers": unknownMembers(), "flapBudget": flapBudget()},
		"additionalProperties": false,
		"$defs":                b.defs,
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(schema)
	return text.Bytes(), err
}

var (
	word  = object{"type": "string", "minLength": 1}
	texts = object{"type": "array", "items": word, "minItems": 1}
	mode  = object{"enum": []string{string(baseline.Enforce), string(baseline.Audit)},
		"description": "enforce fixes drift, audit only reports it."}
)

func selector(withExcept bool) object {
	properties := object{
		"ids": object{"type": "array", "minItems": 1, "items": object{"type": "string", "pattern": `^[\w-]+_[0-9a-zA-Z]+$`,
			"maxLength": 55}, "description": "Ids of pools."},
		"names": object{"type": "array", "minItems": 1, "items": word,
			"description": "Globs for pool names: * matches any text, ? matches one character."},
		"tags": object{"type": "object", "minProperties": 1, "additionalProperties": texts,
			"description": "Tag keys, each with globs for its values; every key must match."},
	}
	if withExcept {
		properties["except"] = object{"$ref": "#/$defs/exception"}
	}
	return object{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1}
}

func clientSelector(more object) object {
	properties := object{
		"ids": object{"type": "array", "minItems": 1, "items": object{"type": "string", "pattern": `^[\w+]{1,128}$`},
			"description": "Ids of app clients."},
		"names": object{"type": "array", "minItems": 1, "items": word, "description": "Globs for client names."},
	}
	maps.Copy(properties, more)
	return properties
}

func rules() object {
	clients := object{"type": "array", "minItems": 1,
		"description": "App clients, selected by name or id; every client if neither is given.", "items": object{
			"type": "object", "required": []string{"require"}, "additionalProperties": false,
			"properties": clientSelector(object{"require": object{"$ref": "#/$defs/clientSettings"},
				"except": object{"type": "object", "minProperties": 1, "additionalProperties": false,
					"properties": clientSelector(nil)}}),
		}}
	watch := object{"type": "array", "minItems": 1, "items": object{"enum": baseline.Watchable()},
		"description": "Kinds of resources whose additions, changes and deletions are reported but never undone."}
	return object{"type": "array", "minItems": 1,
		"description": "Applied in order; a later rule wins setting by setting.", "items": object{
			"type": "object", "required": []string{"name"}, "additionalProperties": false,
			"anyOf": []any{object{"required": []string{"require"}}, object{"required": []string{"clients"}},
				object{"required": []string{"watch"}}},
			"properties": object{"name": word, "mode": mode, "pools": object{"$ref": "#/$defs/selector"},
				"require": object{"$ref": "#/$defs/settings"}, "clients": clients, "watch": watch},
		}}
}

func exemptions() object {
	return object{"type": "array", "minItems": 1, "items": object{
		"type": "object", "required": []string{"pools", "settings", "until", "reason", "owner"},
		"additionalProperties": false,
		"properties": object{"pools": object{"$ref": "#/$defs/selector"}, "settings": texts,
			"until": object{"type": "string", "format": "date-time"}, "reason": word, "owner": word},
	}}
}

func unknownMembers() object {
	return object{"type": "object", "additionalProperties": object{"enum": baseline.Unknowns()},
		"description": "What to do with a live member that poolkeeper does not know, by its path, by its document " +
			"(UserPool, MfaConfig), or by both; \"*\" is every other one. The default is echo: it is sent back unchanged."}
}

func flapBudget() object {
	return object{"type": "object", "minProperties": 1, "additionalProperties": false,
		"description": "How often one setting of one pool is fixed within a period. After that, drift is only reported.",
		"properties": object{
			"times": object{"type": "integer", "minimum": 1, "maximum": baseline.MostFlaps,
				"default": baseline.DefaultFlapBudget.Times},
			"minutes": object{"type": "integer", "minimum": 1, "maximum": baseline.MostFlapMinutes,
				"default": int(baseline.DefaultFlapBudget.Within.Minutes())},
		}}
}

// A builder shares equal subschemas: most triggers can be required in the same ways, for example.
type builder struct {
	defs  object
	names map[string]string // of the shared schemas, by their JSON
}

func (b builder) shared(schema object) object {
	content, err := json.Marshal(schema)
	if err != nil {
		return schema
	}
	name, ok := b.names[string(content)]
	if !ok {
		name = fmt.Sprintf("requirement%d", len(b.names)+1)
		b.names[string(content)], b.defs[name] = name, schema
	}
	return object{"$ref": "#/$defs/" + name}
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
		ways = append(ways, object{"type": "object", "minProperties": 1, "additionalProperties": false,
			"properties": b.requirements(m.Members, path+".")})
	case baseline.Map:
		ways = append(ways, keyed(m, b.requirement(*m.Elem, path+".KEY")))
	default:
		ways = append(ways, literal(m))
	}
	for _, op := range m.Kind.Operators() {
		if op == baseline.Absent && (m.Keep != "" || m.Required) {
			continue
		}
		properties := object{string(op): argument(op, m)}
		if op.TakesSet() {
			properties["set"] = literal(m)
		}
		ways = append(ways, object{"type": "object", "required": []string{string(op)}, "additionalProperties": false,
			"properties": properties})
	}
	schema := b.shared(object{"anyOf": ways})
	about := []string{}
	if m.Doc != "" {
		about = append(about, m.Doc)
	}
	checks, cautions := controls(path)
	if len(checks) > 0 {
		about = append(about, "Checked by "+strings.Join(checks, ", ")+".")
	}
	for _, c := range cautions {
		about = append(about, strings.ToUpper(c[:1])+c[1:]+".")
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

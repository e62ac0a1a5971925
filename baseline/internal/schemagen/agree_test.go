package main

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

// TestSchemaTakesWhatTheParserTakes: whatever is drawn, good or bad, an editor never marks what the parser takes.
func TestSchemaTakesWhatTheParserTakes(t *testing.T) {
	t.Parallel()
	compiled := schema(t)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		ofClient := rapid.Bool().Draw(t, "of a client")
		members, rule := baseline.Settings(), func(require any) object { return object{"name": "a", "require": require} }
		if ofClient {
			members = baseline.ClientSettings()
			rule = func(require any) object { return object{"name": "a", "clients": []any{object{"require": require}}} }
		}
		m := members[rapid.IntRange(0, len(members)-1).Draw(t, "member")]
		text, err := json.Marshal(object{"version": 1, "rules": []any{rule(object{m.Name: requirement(t, m)})}})
		if err != nil {
			t.Fatal(err)
		}
		_, error := baseline.Parse("a.yaml", text)
		if error != nil {
			return
		}
		taken++
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(v); err != nil {
			t.Errorf("the parser takes %s, and the schema refuses it: %v", text, err)
		}
	})
	if taken == 0 {
		t.Error("nothing was drawn that the parser takes")
	}
}

func requirement(t *rapid.T, m baseline.Member) any {
	operators := append(m.Operators(), baseline.Absent) // also where it is refused
	deep := len(m.Members) > 0 || m.Kind == baseline.Map
	if deep && rapid.IntRange(0, 3).Draw(t, "deeper") > 0 {
		key, below := key(t, m)
		return object{key: requirement(t, below)}
	}
	op := operators[rapid.IntRange(0, len(operators)-1).Draw(t, "operator")]
	if !deep && rapid.Bool().Draw(t, "literal") {
		return drawn(t, m, 0)
	}
	var argument any
	switch op {
	case baseline.OneOf:
		argument = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return drawn(t, m, 0) }), 0, 2).Draw(t, "options")
	case baseline.Contains, baseline.Without:
		argument = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return drawn(t, *m.Elem, 0) }), 0, 2).Draw(t,
			"elements")
	case baseline.Absent, baseline.Present:
		argument = true
	case baseline.Matches:
		argument = rapid.SampledFrom([]string{"*", "", "a?", "*b*"}).Draw(t, "glob")
	default:
		argument = drawn(t, m, 0)
	}
	operation := object{string(op): argument}
	if rapid.IntRange(0, 2).Draw(t, "set") == 0 {
		operation["set"] = drawn(t, m, 0)
	}
	return operation
}

func key(t *rapid.T, m baseline.Member) (string, baseline.Member) {
	if m.Kind == baseline.Map {
		return rapid.SampledFrom([]string{"env", "Level1", "AWS:x", "aws:x", "a.b", "set", "ä"}).Draw(t, "key"), *m.Elem
	}
	below := m.Members[rapid.IntRange(0, len(m.Members)-1).Draw(t, "below")]
	return below.Name, below
}

// drawn is a whole value, mostly one that the API takes.
func drawn(t *rapid.T, m baseline.Member, depth int) any {
	if rapid.IntRange(0, 30).Draw(t, "wrong") == 0 {
		return rapid.SampledFrom([]any{"", "x", 0, -1, true, []any{}, object{}}).Draw(t, "anything")
	}
	switch m.Kind {
	case baseline.Object:
		o := object{}
		for _, below := range m.Members {
			if below.Required && depth < 5 || rapid.IntRange(0, 3).Draw(t, "given") == 0 {
				o[below.Name] = drawn(t, below, depth+1)
			}
		}
		return o
	case baseline.Map:
		o := object{}
		for range rapid.IntRange(0, 2).Draw(t, "keys") {
			k, below := key(t, m)
			o[k] = drawn(t, below, depth+1)
		}
		return o
	case baseline.List:
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return drawn(t, *m.Elem, depth+1) }), 0, 3).Draw(t, "list")
	case baseline.Integer:
		return rapid.SampledFrom([]int64{m.Min, m.Max, m.Min + 1, m.Max + 1}).Draw(t, "number")
	case baseline.Boolean:
		return rapid.Bool().Draw(t, "boolean")
	}
	texts := slices.Concat(m.Enum, []string{"code {####} text", "link {##here##}",
		"arn:aws:lambda:eu-west-1:111122223333:function:x:1", "arn:aws:s3:::bucket", "eu-west-1", "a b", "ü€",
		"a@b.example",
		"https://a.example/?x=1#y", "ab\ncd\tefgh {####}"})
	return rapid.SampledFrom(texts).Draw(t, "text")
}

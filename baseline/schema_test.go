package baseline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

// validator returns what an editor says of a baseline file, in YAML or JSON.
func validator(t *testing.T) func(text []byte) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text []byte) error {
		var document any
		if err := yaml.Unmarshal(text, &document); err != nil {
			return err
		}
		plain, err := json.Marshal(document)
		if err != nil {
			return err
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
		if err != nil {
			return err
		}
		return schema.Validate(value)
	}
}

// beyond are the faulty files whose error no schema can express, or that are no YAML of the kind that editors check.
var beyond = []string{"admin-only", "alias", "broken-second-document", "contradicting-operators",
	"twins-with-operators", "nothing-left", "documents", "developer-without-identity", "email-mfa-without-ses", "key-type",
	"key-type-without-key", "impossible-together", "lifetimes", "lite", "merge", "never-holds", "never-matches",
	"mfa-off-with-factor", "mfa-without-factor", "not-utf-8", "over-two-rules", "same-name", "sender-without-key", "tag",
	"threat-protection-below-plus", "twins", "twice", "odd-key", "two-documents", "two-sms-senders",
	"verification-subset", "syntax", "syntax-bracket", "syntax-control", "syntax-indentation", "syntax-quote",
	"syntax-star", "tab"}

// TestSchemaAgreesWithParser: the schema takes what the parser takes, and refuses what the parser refuses, except
// where it cannot tell. An editor marks a message without its code or link.
func TestSchemaAgreesWithParser(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	if err := validate(baseline.Default()); err != nil {
		t.Errorf("the baseline that ships: %v", err)
	}
	faulty := map[string]string{}
	for _, message := range []string{"SmsAuthenticationMessage: none", "EmailVerificationMessage: \"none {###}\"",
		"VerificationMessageTemplate: {EmailMessageByLink: \"none {##here}\"}"} {
		faulty[message] = "version: 1\nrules: [{name: a, require: {" + message + "}}]\n"
	}
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if slices.Contains(beyond, strings.TrimSuffix(filepath.Base(file), ".yaml")) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		faulty[file] = string(text)
	}
	for name, text := range faulty {
		if err := validate([]byte(text)); !errors.As(err, new(*jsonschema.ValidationError)) {
			t.Errorf("%s: the parser refuses it and the schema takes it: %v", name, err)
		}
	}
}

// TestEverySettingIsCovered: whatever a baseline can require, of the pool, its risk, its logs and its clients, the
// schema takes and the reference lists.
func TestEverySettingIsCovered(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	reference, err := os.ReadFile("SETTINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	var walk func(members []baseline.Member, prefix string)
	walk = func(members []baseline.Member, prefix string) {
		for _, m := range members {
			paths = append(paths, prefix+m.Name)
			walk(m.Members, prefix+m.Name+".")
		}
	}
	walk(baseline.Settings(), "")
	walk(baseline.ClientSettings(), baseline.Clients+".")
	if len(paths) < 200 {
		t.Errorf("there are %d settings", len(paths))
	}
	for _, path := range paths {
		name, ofClient := strings.CutPrefix(path, baseline.Clients+".")
		depth := strings.Count(name, ".") + 1
		rule := "require: {" + strings.ReplaceAll(name, ".", ": {") + ": {present: true" + strings.Repeat("}", depth+1)
		if ofClient {
			rule = "clients: [{" + rule + "}]"
		}
		text := []byte("version: 1\nrules: [{name: a, " + rule + "}]\n")
		if _, err := baseline.Parse("a.yaml", text); err != nil &&
			!strings.Contains(err.Error(), "supports only a CloudWatchLogsConfiguration") {
			t.Errorf("the parser refuses %s: %v", path, err)
		}
		if err := validate(text); err != nil {
			t.Errorf("the schema refuses %s: %v", path, err)
		}
		if !strings.Contains(string(reference), "| `"+path+"` |") {
			t.Errorf("the reference lacks %s", path)
		}
	}
}

// TestSchemaTakesWhatTheParserTakes: whatever is drawn, good or bad, an editor never marks what the parser takes.
func TestSchemaTakesWhatTheParserTakes(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		members, rule := baseline.Settings(), func(require any) object { return object{"name": "a", "require": require} }
		if rapid.Bool().Draw(t, "of a client") {
			members = baseline.ClientSettings()
			rule = func(require any) object { return object{"name": "a", "clients": []any{object{"require": require}}} }
		}
		m := rapid.SampledFrom(members).Draw(t, "member")
		text, err := json.Marshal(object{"version": 1, "rules": []any{rule(object{m.Name: requirement(t, m)})}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := baseline.Parse("a.yaml", text); err != nil {
			return
		}
		taken++
		if err := validate(text); err != nil {
			t.Errorf("the parser takes %s, and the schema refuses it: %v", text, err)
		}
	})
	if taken == 0 {
		t.Error("nothing was drawn that the parser takes")
	}
}

func requirement(t *rapid.T, m baseline.Member) any {
	deep := len(m.Members) > 0 || m.Kind == baseline.Map
	if deep && rapid.IntRange(0, 3).Draw(t, "deeper") > 0 {
		key, below := key(t, m)
		return object{key: requirement(t, below)}
	}
	op := rapid.SampledFrom(append(m.Operators(), baseline.Absent)).Draw(t, "operator") // Absent also where it is refused
	if !deep && rapid.Bool().Draw(t, "literal") {
		return drawn(t, m, 0)
	}
	var argument any
	switch op {
	case baseline.OneOf:
		argument = rapid.SliceOfN(genValue(m, 0), 0, 2).Draw(t, "options")
	case baseline.Contains, baseline.Without:
		argument = rapid.SliceOfN(genValue(*m.Elem, 0), 0, 2).Draw(t, "elements")
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
	below := rapid.SampledFrom(m.Members).Draw(t, "below")
	return below.Name, below
}

func genValue(m baseline.Member, depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any { return drawn(t, m, depth) })
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
		return rapid.SliceOfN(genValue(*m.Elem, depth+1), 0, 3).Draw(t, "list")
	case baseline.Integer:
		return rapid.SampledFrom([]int64{m.Min, m.Max, m.Min + 1, m.Max + 1}).Draw(t, "number")
	case baseline.Boolean:
		return rapid.Bool().Draw(t, "boolean")
	}
	texts := slices.Concat(m.Enum, []string{"code {####} text", "link {##here##}",
		"arn:aws:lambda:eu-west-1:111122223333:function:x:1", "arn:aws:s3:::bucket", "eu-west-1", "a b", "ü€",
		"a@b.example", "https://a.example/?x=1#y", "ab\ncd\tefgh {####}"})
	return rapid.SampledFrom(texts).Draw(t, "text")
}

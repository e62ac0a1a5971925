package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"poolkeeper/baseline"
)

// TestGeneratedFilesAreFresh: the files in the tree are what the table makes.
func TestGeneratedFilesAreFresh(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func() ([]byte, error){"schema.json": Schema, "SETTINGS.md": Settings} {
		want, err := make()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale: run go generate ./baseline (-want +got):\n%.2000s", name, diff)
		}
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// beyond are the faulty files whose error no schema can express, or that are no YAML of the kind that editors check.
var beyond = []string{"admin-only", "alias", "broken-second-document", "contradicting-operators",
	"twins-with-operators", "nothing-left", "documents", "developer-without-identity", "email-mfa-without-ses", "key-type",
	"key-type-without-key", "impossible-together", "lifetimes", "lite", "merge", "never-holds", "never-matches",
	"mfa-off-with-factor", "mfa-without-factor", "not-utf-8", "over-two-rules", "same-name", "sender-without-key", "tag",
	"threat-protection-below-plus", "twins",
	"twice", "odd-key", "two-documents", "two-sms-senders", "verification-subset", "syntax", "syntax-bracket",
	"syntax-control", "syntax-indentation", "syntax-quote", "syntax-star", "tab", "empty", "only-comment"}

// TestSchemaAgreesWithParser: the schema takes what the parser takes, and refuses what the parser refuses, except
// where it cannot tell.
func TestSchemaAgreesWithParser(t *testing.T) {
	t.Parallel()
	compiled := schema(t)
	if err := compiled.Validate(instance(t, baseline.Default())); err != nil {
		t.Errorf("the baseline that ships: %v", err)
	}
	files, err := filepath.Glob("../../testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if slices.Contains(beyond, name) {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(instance(t, data)); err == nil {
			t.Errorf("%s: the parser refuses it and the schema takes it", name)
		}
	}
}

// TestSchemaKnowsPlaceholders: an editor marks a message without its code or link.
func TestSchemaKnowsPlaceholders(t *testing.T) {
	t.Parallel()
	compiled := schema(t)
	for _, message := range []string{"SmsAuthenticationMessage: none", "EmailVerificationMessage: \"none {###}\"",
		"VerificationMessageTemplate: {EmailMessageByLink: \"none {##here}\"}"} {
		if compiled.Validate(instance(t, []byte("version: 1\nrules: [{name: a, require: {"+message+"}}]\n"))) == nil {
			t.Errorf("the schema takes %s", message)
		}
	}
}

// TestEverySettingIsCovered: whatever a baseline can require, of the pool, its risk, its logs and its clients, the
// schema takes and the reference lists.
func TestEverySettingIsCovered(t *testing.T) {
	t.Parallel()
	compiled := schema(t)
	reference, err := Settings()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(members []baseline.Member, above []string, prefix string)
	walk = func(members []baseline.Member, above []string, prefix string) {
		for _, m := range members {
			path := append(slices.Clone(above), m.Name)
			count++
			require := strings.Join(path, ": {") + ": {present: true" + strings.Repeat("}", len(path))
			text := "version: 1\nrules: [{name: a, require: {" + require + "}}]\n"
			if prefix != "" {
				text = "version: 1\nrules: [{name: a, clients: [{require: {" + require + "}}]}]\n"
			}
			if _, err := baseline.Parse("a.yaml", []byte(text)); err != nil &&
				!strings.Contains(err.Error(), "supports only a CloudWatchLogsConfiguration") {
				t.Errorf("the parser refuses %v: %v", path, err)
			}
			if err := compiled.Validate(instance(t, []byte(text))); err != nil {
				t.Errorf("the schema refuses %v: %v", path, err)
			}
			if !strings.Contains(string(reference), "| `"+prefix+strings.Join(path, ".")+"` |") {
				t.Errorf("the reference lacks %s%s", prefix, strings.Join(path, "."))
			}
			walk(m.Members, path, prefix)
		}
	}
	walk(baseline.Settings(), nil, "")
	walk(baseline.ClientSettings(), nil, baseline.Clients+".")
	if count < 200 {
		t.Errorf("there are %d settings", count)
	}
}

func instance(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return plain(v)
}

// plain gives the schema library what JSON would: a point in time is a text.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = plain(e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = plain(e)
		}
		return v
	case nil, bool, string, int, float64:
		return v
	default:
		return "2027-01-31T00:00:00Z"
	}
}

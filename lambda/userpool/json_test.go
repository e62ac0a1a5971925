package userpool

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return `{"a":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}` }
	for name, c := range map[string]struct{ raw, want string }{
		"a member twice":           {`{"Id":"a","Id":"b"}`, "a member is duplicated"},
		"a member twice below":     {`{"a":[{"b":{"c":1,"c":1}}]}`, "a member is duplicated"},
		"twice by an escape":       {`{"Id":"a","\u0049d":"b"}`, "a member is duplicated"},
		"colons in texts":          {`{"a:\":":"b:\\","c":":"}`, ""},
		"bytes that are no UTF-8":  {"{\"a\":\"\xff\"}", "a text is not valid Unicode"},
		"half a character":         {`{"a":"\ud83d"}`, "a text is not valid Unicode"},
		"the other half":           {`{"a":"\ude00x"}`, "a text is not valid Unicode"},
		"half, then an escape":     {`{"a":"\ud83d\n"}`, "a text is not valid Unicode"},
		"half, in a name":          {`{"\udfff":1}`, "a text is not valid Unicode"},
		"a whole character":        {`{"a":"\ud83d\uDE00"}`, ""},
		"no escape":                {`{"a":"\\ud83d"}`, ""},
		"the mark of what is lost": {`{"a":"\ufffd"}`, ""},
		"deep":                     {deep(maxNesting - 1), ""},
		"too deep":                 {deep(maxNesting), "nested deeper than 100 levels"},
		"brackets in texts":        {`{"a":"` + strings.Repeat("[", 1000) + `"}`, ""},
		"text behind":              {`{} {}`, "text after the JSON object"},
		"nothing":                  {`null`, "not a JSON object"},
	} {
		_, err := DecodeObject([]byte(c.raw))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestHostileTrees: a pool with deep nesting or huge numbers is compared and planned for, and sent as it came.
func TestHostileTrees(t *testing.T) {
	t.Parallel()
	rules, err := baseline.Parse("b.yaml", []byte("version: 1\nrules: [{name: a, require: "+
		"{Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}, DeletionProtection: ACTIVE}}]"))
	if err != nil {
		t.Fatal(err)
	}
	digits := strings.Repeat("9", 100000)
	for name, member := range map[string]string{
		"deep objects":                strings.Repeat(`{"a":`, 90) + `1` + strings.Repeat(`}`, 90),
		"deep lists":                  strings.Repeat(`[`, 90) + strings.Repeat(`]`, 90),
		"a long number":               digits,
		"a huge exponent":             "1e2147483647",
		"an exponent without measure": "1e" + digits,
		"a small one":                 "-1e-" + digits,
	} {
		// A known member of another shape stops the write, so what is nested stands in one that nobody knows.
		length, times := member, 2
		if strings.ContainsAny(member, "{[") {
			length, times = "12", 1
		}
		state := stateOf(t, `{"Id":"`+pool+`","Policies":{"PasswordPolicy":{"MinimumLength":`+length+`}},`+
			`"Future":`+member+`}`, `{"MfaConfiguration":"OFF"}`)
		state.Digest()
		state.Leaves()
		found := baseline.Compare(rules.Policy(state.Identity(), time.Time{}), state.Settings())
		i := slices.IndexFunc(found.Drifts, func(d baseline.Drift) bool { return d.Setting == "DeletionProtection" })
		plan := planned(state, Options{}, found.Drifts[i])
		if len(plan.Writes) != 1 || strings.Count(string(plan.Writes[0].Body), member) != times {
			t.Errorf("%s: it does not go back as it came, in %d writes", name, len(plan.Writes))
		}
	}
}

// TestSecretsOf: message texts and external ids are secrets, wherever they are; names are not.
func TestSecretsOf(t *testing.T) {
	t.Parallel()
	document := map[string]any{
		"SmsConfiguration":         map[string]any{"ExternalId": "the-external-id"},
		"SmsMfaConfiguration":      map[string]any{"SmsConfiguration": map[string]any{"ExternalId": "mfa-external-id"}},
		"EmailVerificationMessage": "text {####}",
		"PoolName":                 "customers",
		"SchemaAttributes":         []any{map[string]any{"Name": "phone_number"}},
	}
	got := Secrets(baseline.UserPool, document)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"mfa-external-id", "text {####}", "the-external-id"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestErrorsHideSecretsLaw: no secret is in the text, even where secrets overlap or look like a part of a validation
// error, and where an error repeats only a line of one, trimmed or escaped.
func TestErrorsHideSecretsLaw(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"code", "{####}", "' at '", "Value '", "telltale words", " ", "(hidden)", "1234",
		"é", "\n", `"`})
	escaped := func(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.Map(rapid.SliceOfN(piece, 1, 5), func(p []string) string { return strings.Join(p, "") })
		secrets := rapid.SliceOfN(secret, 1, 4).Draw(t, "secrets")
		around := rapid.SliceOfN(rapid.SampledFrom([]string{
			"Value '%s' at 'emailVerificationMessage' failed to satisfy constraint: a", "the role %s is wrong", "%s",
		}), 1, 4).Draw(t, "around")
		var said []string
		for _, a := range around {
			secret := rapid.SampledFrom(secrets).Draw(t, "repeated")
			line := rapid.SampledFrom(strings.Split(secret, "\n")).Draw(t, "line")
			said = append(said, fmt.Sprintf(a, rapid.SampledFrom([]string{secret, strings.TrimSpace(secret), escaped(secret),
				line, strings.TrimSpace(escaped(line))}).Draw(t, "as")))
		}
		text := Redact(strings.Join(said, "; "), secrets)
		for _, secret := range secrets {
			if strings.Contains(secret, "telltale") && strings.Contains(text, "telltale") {
				t.Fatalf("a secret leaked: %s", text)
			}
		}
	})
}

// anything draws a JSON value, with numbers that no Go type holds and texts that encoders like to change.
func anything(deep int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Just[any](false), rapid.Just[any](""),
		rapid.SampledFrom([]any{"<&> ", "\u2028\u2029", "\U0001f512é\\\"\n", "\ufffd", " {####} "}),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.SampledFrom([]any{
			json.Number("0"), json.Number("-0"), json.Number("1.50"), json.Number("1e400"),
			json.Number("12345678901234567890"), json.Number("1767225600.0"),
		}),
	}
	if deep == 0 {
		return rapid.OneOf(leaves...)
	}
	below := anything(deep - 1)
	key := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a.b", "Name", "", "Enabled"}))
	return rapid.OneOf(append(leaves,
		rapid.Map(rapid.SliceOfN(below, 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(key, below, 0, 3), func(o map[string]any) any { return o }))...)
}

// TestUnknownMembersAreSentBack: a write has the unknown members of a pool as they were read, or none of them, as the
// baseline says. Only null and empty texts are left out where the service shows but refuses them.
func TestUnknownMembersAreSentBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		top, inner := anything(3).Draw(t, "top"), anything(3).Draw(t, "inner")
		state := State{ID: pool, Documents: map[baseline.DocumentName]map[string]any{
			baseline.UserPool: {"Id": pool, "Name": "n", "Unheard": top, "Policies": map[string]any{
				"PasswordPolicy": map[string]any{"MinimumLength": json.Number("8"), "Unheard": inner}}},
			baseline.MfaConfig: {"MfaConfiguration": "OFF"}}}
		for say, want := range map[baseline.Unknown]map[string]any{
			baseline.EchoUnknown: {"Unheard": top, "Policies.PasswordPolicy.Unheard": inner},
			baseline.OmitUnknown: {"Unheard": nil, "Policies.PasswordPolicy.Unheard": nil},
		} {
			options := Options{Unknown: map[string]baseline.Unknown{"*": say}}
			plan := planned(state, options, write("DeletionProtection", "ACTIVE"))
			sent, err := DecodeObject(plan.Writes[0].Body)
			if err != nil {
				t.Fatal(err)
			}
			for path, v := range want {
				got := baseline.At(sent, strings.Split(path, "."))
				// What is empty is not left out, and says nothing.
				if !same(got, v) && (v != "" || got != nil) && (say != baseline.OmitUnknown || !baseline.Empty(got)) {
					t.Fatalf("%s: %s goes back as %v, want %v", say, path, got, v)
				}
			}
		}
	})
}

// TestTwoNamesOfAnUnknownMember: two entries for one member always lead to the same choice.
func TestTwoNamesOfAnUnknownMember(t *testing.T) {
	t.Parallel()
	client := baseline.AppClient.Of("abc")
	state := State{ID: pool, Documents: map[baseline.DocumentName]map[string]any{client: {"Unheard": "x"}}}
	for range 30 {
		both := map[string]baseline.Unknown{"Clients[].Unheard": baseline.OmitUnknown,
			"AppClient.Unheard": baseline.StopUnknown}
		if found := state.Unknown(state.Names(), both, baseline.StopUnknown); len(found) != 1 {
			t.Fatalf("%v", found)
		}
	}
}

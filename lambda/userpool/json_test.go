package userpool

import (
	"strings"
	"testing"
	"time"

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
		document := `{"Id":"` + pool + `","Policies":{"PasswordPolicy":{"MinimumLength":` + length + `}},` +
			`"Future":` + member + `}`
		state := stateOf(t, document, `{"MfaConfiguration":"OFF"}`)
		state.Digest()
		state.Leaves()
		rules, err := baseline.Parse("b.yaml", []byte("version: 1\nrules: [{name: a, require: "+
			"{Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}, DeletionProtection: ACTIVE}}]"))
		if err != nil {
			t.Fatal(err)
		}
		found := baseline.Compare(rules.Policy(state.Identity(), time.Time{}), state.Settings())
		drifts := []baseline.Drift{}
		for _, d := range found.Drifts {
			if d.Setting == "DeletionProtection" {
				drifts = append(drifts, d)
			}
		}
		plan, err := NewPlan(state, drifts, Options{Unknown: map[string]baseline.Unknown{"*": baseline.EchoUnknown}})
		if err != nil || len(plan.Writes) != 1 {
			t.Errorf("%s: %d writes, %v", name, len(plan.Writes), err)
			continue
		}
		if strings.Count(string(plan.Writes[0].Body), member) != times {
			t.Errorf("%s: it does not go back as it came", name)
		}
	}
}

// FuzzPlan plans for pools of arbitrary documents: it never panics.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		`{"Id":"a","UserPoolTags":"hidden","LambdaConfig":[]}`, `{"Policies":{"PasswordPolicy":[]},"MfaConfiguration":7}`,
		`{"FutureThing":{"a":[1.50,1e400,-0]},"Name":"<b>&","EmailConfiguration":{"From":null}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := DecodeObject(raw)
		if err != nil {
			return
		}
		state := State{ID: pool, Documents: map[baseline.DocumentName]map[string]any{
			baseline.UserPool: document, baseline.MfaConfig: {"MfaConfiguration": "OFF"},
		}}
		state.Settings()
		state.Leaves()
		if _, err := NewPlan(state, []baseline.Drift{write("DeletionProtection", "ACTIVE")}, Options{}); err != nil {
			t.Fatal(err)
		}
	})
}

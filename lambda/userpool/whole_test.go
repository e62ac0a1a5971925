package userpool

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

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

// TestWhatIsUnknownGoesBack: a write has the unknown members of a pool as they were read, or none of them, as the
// baseline says. Only null and empty texts are left out where the service shows but refuses them.
func TestWhatIsUnknownGoesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		top, inner := anything(3).Draw(t, "top"), anything(3).Draw(t, "inner")
		state := State{ID: pool, Documents: map[baseline.DocumentName]map[string]any{
			baseline.UserPool: {"Id": pool, "Name": "n", "Unheard": top, "Policies": map[string]any{
				"PasswordPolicy": map[string]any{"MinimumLength": json.Number("8"), "Unheard": inner}}},
			baseline.MfaConfig: {"MfaConfiguration": "OFF"}}}
		for say, want := range map[baseline.Unknown][2]any{
			baseline.EchoUnknown: {top, inner},
			baseline.OmitUnknown: {nil, nil},
		} {
			options := Options{Unknown: map[string]baseline.Unknown{"*": say}}
			plan, err := NewPlan(state, []baseline.Drift{write("DeletionProtection", "ACTIVE")}, options)
			if err != nil || len(plan.Writes) != 1 {
				t.Fatalf("%d writes, %v", len(plan.Writes), err)
			}
			sent, err := DecodeObject(plan.Writes[0].Body)
			if err != nil {
				t.Fatal(err)
			}
			for i, path := range []string{"Unheard", "Policies.PasswordPolicy.Unheard"} {
				got, want := baseline.At(sent, strings.Split(path, ".")), want[i]
				if want == "" {
					want = nil
				}
				if say == baseline.OmitUnknown && baseline.Empty(got) {
					continue // what is empty is not left out, and says nothing
				}
				if !same(got, want) {
					t.Fatalf("%s: %s goes back as %v, want %v", say, path, got, want)
				}
			}
		}
	})
}

package userpool

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

// anything draws a JSON value, with numbers that no type of Go holds and texts that encoders like to change.
func anything(deep int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Just[any](false), rapid.Just[any](""), rapid.SampledFrom([]any{"<&> ", "\u2028\u2029", "\U0001f512é\\\"\n", "\ufffd", " {####} "}), rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.SampledFrom([]any{json.Number("0"), json.Number("-0"), json.Number("1.50"), json.Number("1e400"), json.Number("12345678901234567890"), json.Number("1767225600.0")}),
	}
	if deep == 0 {
		return rapid.OneOf(leaves...)
	}
	below := anything(deep - 1)
	return rapid.OneOf(append(leaves, rapid.Map(rapid.SliceOfN(below, 0, 3), func(l []any) any { return l }), rapid.Map(rapid.MapOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a.b", "Name", "", "Enabled"})), below, 0, 3), func(o map[string]any) any { return o }))...)
}

// TestWhatIsUnknownGoesBack: whatever a pool has in members that nobody knows, at the top or within what is known, its write holds the very same, if that is what the baseline says, and none of it, if that is. Only what is
// nothing, null or an empty text, stays behind at the places where the service shows it and refuses it.
func TestWhatIsUnknownGoesBack(t *testing.T) {
	t.Parallel()
	answers := map[string][]byte{"GetUserPoolMfaConfig": []byte(`{"MfaConfiguration":"OFF"}`)}
	client, _ := answering(t, answers)
	rapid.Check(t, func(t *rapid.T) {
		top, inner := anything(3).Draw(t, "top"), anything(3).Draw(t, "inner")
		raw, err := encode(map[string]any{"UserPool": map[string]any{"Id": pool, "Name": "n", "Unheard": top, "Policies": map[string]any{"PasswordPolicy": map[string]any{"MinimumLength": json.Number("8"), "Unheard": inner}}}})
		if err != nil {
			t.Fatal(err)
		}
		answers["DescribeUserPool"] = raw
		state, err := client.Read(t.Context(), pool, wanted)
		if err != nil {
			t.Fatal(err)
		}
		for say, want := range map[baseline.Unknown][2]any{baseline.EchoUnknown: {top, inner}, baseline.OmitUnknown: {nil, nil}} {
			plan, err := NewPlan(state, []baseline.Drift{{Setting: "DeletionProtection", Action: baseline.Write, Value: "ACTIVE"}}, Options{Unknown: map[string]baseline.Unknown{"*": say}})
			if err != nil || len(plan.Writes) != 1 {
				t.Fatalf("%d writes, %v", len(plan.Writes), err)
			}
			sent, err := decode(plan.Writes[0].Body)
			if err != nil {
				t.Fatal(err)
			}
			for i, path := range []string{"Unheard", "Policies.PasswordPolicy.Unheard"} {
				got, want := get(sent, path), want[i]
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

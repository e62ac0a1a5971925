package userpool

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

// anyJSON draws small values of every kind that a document or a baseline can hold. It draws few scalars, so that some
// are equal.
func anyJSON() *rapid.Generator[any] {
	scalars := rapid.SampledFrom([]any{
		nil, true, false, "", "1", "true", "null", "<&>", "a\u2028é", json.Number("1"), json.Number("1.0"),
		json.Number("1e0"), json.Number("0"), json.Number("-0"), 0, 1, int64(1), 1.0, 1.5,
		map[string]any(nil), []any(nil), map[string]any{}, []any{},
	})
	value := scalars
	for range 3 {
		below := value
		value = rapid.OneOf(scalars,
			rapid.Map(rapid.SliceOfN(below, 0, 3), func(list []any) any { return list }),
			rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "<", ""}), below, 0, 3),
				func(object map[string]any) any { return object }))
	}
	return value
}

// TestSameIsEqualText: two values are the same if and only if encoding/json makes the same text of them. Half of the
// pairs differ in one place at most.
func TestSameIsEqualText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyJSON().Draw(t, "a"), anyJSON().Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = map[string]any{"x": baseline.Clone(a), "y": rapid.SampledFrom([]any{json.Number("1"), 1, nil}).Draw(t, "y")}
			a = map[string]any{"x": a, "y": json.Number("1")}
		}
		if got, want := same(a, b), sameText(a, b); got != want {
			t.Fatalf("same is %v, the texts say %v: %#v %#v", got, want, a, b)
		}
		if !same(a, a) || same(a, b) != same(b, a) {
			t.Fatalf("%#v %#v", a, b)
		}
	})
}

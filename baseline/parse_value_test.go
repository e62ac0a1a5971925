package baseline

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// TestPlainDecimal: a whole number is one as JSON writes it, for it goes to the API as it stands.
func TestPlainDecimal(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]{0,2}(0x)?[0-9_]{0,4}[0-9.e]?`).Draw(t, "text")
		if got, want := plainDecimal(text), form.MatchString(text); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	})
}

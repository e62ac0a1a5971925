package baseline

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestGlobLaw compares with the definition, which is short and slow.
func TestGlobLaw(t *testing.T) {
	t.Parallel()
	var match func(p, s []rune) bool
	match = func(p, s []rune) bool {
		switch {
		case len(p) == 0:
			return len(s) == 0
		case p[0] == '*':
			return match(p[1:], s) || len(s) > 0 && match(p, s[1:])
		default:
			return len(s) > 0 && (p[0] == '?' || p[0] == s[0]) && match(p[1:], s[1:])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("abü[]\\*?")), 0, 8, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abü[]\\")), 0, 8, -1).Draw(t, "text")
		if got, want := glob(pattern, text), match([]rune(pattern), []rune(text)); got != want {
			t.Errorf("glob(%q, %q) = %t, want %t", pattern, text, got, want)
		}
	})
}

// TestGlobBomb: a pattern for which matching by trial takes ages is answered at once.
func TestGlobBomb(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{strings.Repeat("a*", 500) + "b", strings.Repeat("*", 1000) + "b",
		strings.Repeat("*?", 500) + "b", strings.Repeat("*a", 500) + "*b", "*" + strings.Repeat("a", 1000) + "b"} {
		began := time.Now()
		if glob(pattern, strings.Repeat("a", 20000)) || time.Since(began) > 2*time.Second {
			t.Errorf("pattern %.10s... matches, or took %s", pattern, time.Since(began))
		}
	}
}

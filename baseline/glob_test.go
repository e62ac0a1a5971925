package baseline

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		pattern, text string
		want          bool
	}{
		"equal":                          {"prod", "prod", true},
		"case counts":                    {"prod", "Prod", false},
		"whole, not a beginning":         {"prod", "prod-eu", false},
		"whole, not an end":              {"prod", "my-prod", false},
		"empty":                          {"", "", true},
		"empty matches nothing else":     {"", "a", false},
		"star":                           {"*", "anything at all", true},
		"star matches nothing, too":      {"prod*", "prod", true},
		"star in the middle":             {"prod-*-eu", "prod-shop-eu", true},
		"star takes the later end":       {"*-eu", "prod-eu-eu", true},
		"two stars":                      {"*shop*", "my-shop-eu", true},
		"two stars, one part missing":    {"*shop*eu", "my-shop-us", false},
		"question mark is one":           {"eu-west-?", "eu-west-1", true},
		"question mark is never none":    {"eu-west-?", "eu-west-", false},
		"question mark is a character":   {"gr?n", "grün", true},
		"question mark is never two":     {"?", "ab", false},
		"star and question mark":         {"*?", "", false},
		"brackets are themselves":        {"[ab]", "a", false},
		"brackets match brackets":        {"[ab]", "[ab]", true},
		"backslash is itself":            {`\*`, `\anything`, true},
		"braces are themselves":          {"{a,b}", "a", false},
		"star crosses slashes and lines": {"a*b", "a/\n/b", true},
		"text behind the end":            {"a*b", "abc", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := glob(c.pattern, c.text); got != c.want {
				t.Errorf("glob(%q, %q) = %t, want %t", c.pattern, c.text, got, c.want)
			}
		})
	}
}

func TestGlobBomb(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, pattern := range []string{strings.Repeat("a*", 1000) + "b", strings.Repeat("*", 1000) + "b", strings.Repeat("*?", 500) + "b"} {
		if glob(pattern, strings.Repeat("a", 2000)) {
			t.Errorf("pattern %.10s... matches", pattern)
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v: the work grows faster than the lengths", d)
	}
}

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
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("abü*?")), 0, 8, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abü")), 0, 8, -1).Draw(t, "text")
		if got, want := glob(pattern, text), match([]rune(pattern), []rune(text)); got != want {
			t.Errorf("glob(%q, %q) = %t, want %t", pattern, text, got, want)
		}
	})
}

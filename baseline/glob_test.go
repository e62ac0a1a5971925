package baseline

import (
	"strings"
	"testing"

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

// TestGlobBomb: no pattern looks at more characters than the product of the lengths, those of which matching by trial
// takes ages among them.
func TestGlobBomb(t *testing.T) {
	t.Parallel()
	bounded := func(fatal func(string, ...any), pattern, text string) bool {
		matches, steps := globSteps(pattern, text)
		if most := (len(pattern) + 1) * (len(text) + 1); steps > most {
			fatal("%.20q on %.20q takes %d steps, more than %d", pattern, text, steps, most)
		}
		return matches
	}
	for _, pattern := range []string{strings.Repeat("a*", 500) + "b", strings.Repeat("*", 1000) + "b",
		strings.Repeat("*?", 500) + "b", strings.Repeat("*a", 500) + "*b", "*" + strings.Repeat("a", 1000) + "b"} {
		if bounded(t.Errorf, pattern, strings.Repeat("a", 20000)) {
			t.Errorf("pattern %.10s... matches", pattern)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		bounded(t.Fatalf, rapid.StringMatching(`[ab*?]{0,40}`).Draw(t, "pattern"),
			rapid.StringMatching(`[ab]{0,80}`).Draw(t, "text"))
	})
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

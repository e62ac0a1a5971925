package baseline

import (
	"strings"
	"testing"
	"time"
	"unicode"

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
		if glob(pattern, strings.Repeat("a", 20000)) || time.Since(began) > 5*time.Second {
			t.Errorf("pattern %.10s... matches, or took %s", pattern, time.Since(began))
		}
	}
}

func TestLegible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "prod \"shop\" \\n ü €": "prod \"shop\" \\n ü €", "a\nb\r\t": `a\nb\r\t`, "\x1b[2J": `\x1b[2J`,
		"a\u202eb": `a\u202eb`, "\xff": `\xff`, "\u2028": `\u2028`,
		"\U000e0041": `\U000e0041`, "\ufffd": "\ufffd", "\x00": `\x00`,
	} {
		if got := Legible(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text") + string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if got := Legible(text); strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) ||
			Legible(got) != got {
			t.Fatalf("%q is shown as %q", text, got)
		}
	})
}

// TestPoisonedTexts: what a file holds cannot write lines of its own into the log of whoever checks it.
func TestPoisonedTexts(t *testing.T) {
	t.Parallel()
	const nasty = `\n::error::\e[2J\u202e`
	for name, text := range map[string]string{
		"keys": `{version: 1, "a` + nasty + `": 1, rules: [{name: a, require: {"B` + nasty + `": 1}}]}`,
		"values": `{version: 1, mode: "a` + nasty + `", rules: [{name: a, pools: {ids: ["b` + nasty +
			`"]}, require: {DeletionProtection: "c` + nasty + `"}}]}`,
		"names": `{version: 1, rules: [{name: "a` + nasty +
			`", pools: {names: [x]}, require: {DeletionProtection: INACTIVE}}]}`,
	} {
		b, err := Parse("b.yaml", []byte(text))
		said := ""
		if err != nil {
			said = err.Error()
		} else {
			for _, l := range b.Lint(noTime) {
				said += l.Path + l.Message
			}
		}
		if strings.ContainsFunc(said, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) ||
			strings.Contains(said, "\n::") || said == "" {
			t.Errorf("%s: %q", name, said)
		}
	}
}

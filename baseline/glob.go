package baseline

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// glob reports whether the pattern matches the whole text. In a pattern, * matches any text, even an empty one, ?
// matches one character, and every other character matches itself: there are no classes and no escapes.
//
// Backtracking only to the last * is enough: it can match whatever an earlier one could match instead. This limits the
// work to the product of the two lengths.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	i, j, star, retry := 0, 0, -1, 0 // index of the last *, and where in the text to continue after it
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, retry, i = i, j, i+1
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			i, j, retry = star+1, retry+1, retry+1
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

func globAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, text) })
}

// namePattern is the pattern that the API documents for the names of pools and clients.
const namePattern = `[\w\s+=,.@-]+`

// neverMatches returns why a glob cannot match any valid value of the member, or "".
func neverMatches(m Member, pattern string) string {
	switch {
	case len(m.Enum) > 0 && !slices.ContainsFunc(m.Enum, func(e string) bool { return glob(pattern, e) }):
		return fmt.Sprintf("can never match: the values are %s%s", strings.Join(m.Enum, ", "), didYouMean(pattern, m.Enum))
	case len(m.Enum) > 0:
		return ""
	case !strings.ContainsAny(pattern, "*?") && m.Kind != "": // of a setting, not of a selector
		return offText(m, pattern)
	case m.Max > 0 && runes(strings.ReplaceAll(pattern, "*", "")) > m.Max:
		return fmt.Sprintf("can never match: the text has at most %d characters", m.Max)
	case m.Pattern == "":
		return ""
	}
	begins, taken := matchesOf(m.Pattern)
	literal, _, _ := strings.Cut(strings.ReplaceAll(pattern, "?", "*"), "*")
	if strings.HasPrefix(literal, "arn:aws:") && strings.HasPrefix(m.Format, "arn:aws:") {
		begins = m.Format[:strings.IndexAny(m.Format, "RAN")] // up to REGION, ACCOUNT or NAME
	}
	if n := min(len(literal), len(begins)); literal[:n] != begins[:n] {
		return "can never match: the text must begin with " + begins
	}
	for _, r := range pattern {
		if r != '*' && r != '?' && !taken(r) {
			return fmt.Sprintf("can never match: the text cannot contain %q; * matches any text, ? matches one character, and "+
				"every other character matches itself", r)
		}
	}
	return ""
}

// matchesOf returns how every match of a regular expression begins, and which characters one may contain.
func matchesOf(pattern string) (begins string, taken func(r rune) bool) {
	expression, _ := syntax.Parse(pattern, syntax.Perl|syntax.DotNL) // one of the table, so it is valid
	program, _ := syntax.Compile(expression.Simplify())
	begins, _ = program.Prefix()
	return begins, func(r rune) bool {
		return slices.ContainsFunc(program.Inst, func(in syntax.Inst) bool {
			return in.Op >= syntax.InstRune && in.MatchRune(r)
		})
	}
}

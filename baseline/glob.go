package baseline

import "slices"

// glob reports whether the pattern matches the whole text. In a pattern, * matches any text, even an empty one, ?
// matches one character, and every other character matches itself: there are no classes and no escapes.
//
// Backtracking only to the last * is enough: it can match whatever an earlier one could match instead. This limits the
// work to the product of the two lengths.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, retry := -1, 0 // index of the last *, and where in the text to continue after it
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, retry = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			retry++
			i, j = star+1, retry
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func globAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, text) })
}

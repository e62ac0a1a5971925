package baseline

// glob says whether the pattern matches the whole text. In a pattern, * is any text, also none, ? is one character,
// and every other character is itself: no classes and no escapes.
//
// Only the last * seen is ever tried again, for whatever an earlier one could take instead, the last one can take as
// well. That bounds the work by the product of the two lengths, whatever the pattern.
func glob(pattern, text string) bool {
	matches, _ := globSteps(pattern, text)
	return matches
}

// globSteps is glob, and says how often a character was looked at.
func globSteps(pattern, text string) (matches bool, steps int) {
	p, t := []rune(pattern), []rune(text)
	star, retry := -1, 0 // index of the last *, and where in the text to try again behind it
	i, j := 0, 0
	for ; j < len(t); steps++ {
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
			return false, steps
		}
	}
	for ; i < len(p) && p[i] == '*'; steps++ {
		i++
	}
	return i == len(p), steps
}

func globAny(patterns []string, text string) bool {
	for _, p := range patterns {
		if glob(p, text) {
			return true
		}
	}
	return false
}

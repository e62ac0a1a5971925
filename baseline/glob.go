package baseline

// glob reports whether the pattern matches the whole text. In a pattern, * matches any text, even an empty one, ?
// matches one character, and every other character matches itself: there are no classes and no escapes.
//
// Backtracking only to the last * is enough: it can match whatever an earlier one could match instead. This limits the
// work to the product of the two lengths.
func glob(pattern, text string) bool {
	matches, _ := globSteps(pattern, text)
	return matches
}

// globSteps is glob, and also returns how many characters it compared.
func globSteps(pattern, text string) (matches bool, steps int) {
	p, t := []rune(pattern), []rune(text)
	star, retry := -1, 0 // index of the last *, and where in the text to continue after it
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

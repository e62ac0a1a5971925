package baseline

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Legible returns a text that strangers may have had a hand in as one line that shows what it is: what cannot be
// printed, line breaks, escapes of terminals and marks that turn the direction of writing among it, is written as Go
// writes it, \n or \u202e.
func Legible(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || unprintable(r) {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

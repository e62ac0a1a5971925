package baseline

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxFile is the largest file that is read, in bytes. The snapshot of the largest pool, with every text at its limit,
// is much smaller. The limit stops files that are built to exhaust the parser.
const MaxFile = 512 << 10

// Read returns the content of a baseline file. It reads no more than Parse needs to reject a file that is too large,
// because the file may be an endless device.
func Read(file io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	return data, nil
}

// shortened returns the text, cut after the given number of characters.
func shortened(text string, most int) string {
	if _, more := cutRunes(text, most); more == "" {
		return text
	}
	return head(text, most-1) + "…"
}

// quoted returns a text of the file as messages show it.
func quoted(text string) string { return strconv.Quote(shortened(text, 80)) }

// ExcerptWidth is the largest width of an excerpt, in columns.
const ExcerptWidth = 120

// Excerpt returns the part of a source line around a position, at most ExcerptWidth columns wide, and the column of the
// position in it, counted from 0. Unprintable characters become blanks. It returns false if the position does not
// exist, or if the line may contain a message text or a secret.
func Excerpt(source []byte, at Position) (text string, column int, ok bool) {
	line := string(source)
	for range at.Line - 1 {
		_, rest, more := strings.Cut(line, "\n")
		if !more {
			return "", 0, false
		}
		line = rest
	}
	line, _, _ = strings.Cut(line, "\n")
	line = strings.TrimSuffix(line, "\r")
	if at.Line == 1 {
		line = strings.TrimPrefix(line, "\ufeff") // which is not counted as a column
	}
	// Take only a limited part on either side, because a line may be as long as the file.
	before, rest := cutRunes(line, at.Column-1)
	if at.Line < 1 || at.Column < 1 || rest == "" || !MayShow(line) {
		return "", 0, false
	}
	const room = ExcerptWidth - 2 // with an ellipsis on either side
	lead := []rune(tail(before, room/2))
	if len(before) <= room*2/3 && utf8.RuneCountInString(before) <= room*2/3 {
		lead = []rune(before)
	}
	end := 0
	word := []rune(head(rest, room-len(lead)))
	for end < len(word) && (end == 0 || !strings.ContainsRune(" ,:]}#", word[end])) {
		end++
	}
	shown := string(lead) + string(word[:end])
	column = len(lead)
	if len(string(lead)) < len(before) {
		shown, column = "…"+shown, column+1
	}
	if len(string(word[:end])) < len(rest) {
		shown += "…"
	}
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, shown), column, true
}

// cutRunes splits a text after a number of characters.
func cutRunes(text string, n int) (before, after string) {
	end := 0
	for range n {
		if end == len(text) {
			return text, ""
		}
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	return text[:end], text[end:]
}

// head returns the first characters of a text, and tail the last ones.
func head(text string, n int) string {
	before, _ := cutRunes(text, n)
	return before
}

func tail(text string, n int) string {
	start := len(text)
	for range n {
		if start == 0 {
			break
		}
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	return text[start:]
}

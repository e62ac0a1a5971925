package baseline

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
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

func shortened(text string, most int) string {
	if all := []rune(text); len(all) > most {
		return string(all[:most-1]) + "…"
	}
	return text
}

func quoted(text string) string { return strconv.Quote(shortened(text, 80)) }

// ExcerptWidth is the largest width of an excerpt, in columns.
const ExcerptWidth = 120

// Excerpt returns the part of a source line around a position, at most ExcerptWidth columns wide, and the column of the
// position in it, counted from 0. Unprintable characters become blanks. It returns false if the position does not
// exist, or if the line may contain a message text or a secret.
func Excerpt(source []byte, at Position) (text string, column int, ok bool) {
	lines := bytes.SplitN(source, []byte("\n"), at.Line+1)
	if at.Line < 1 || at.Line > len(lines) {
		return "", 0, false
	}
	line := strings.TrimPrefix(string(lines[at.Line-1]), "\ufeff") // which is not counted as a column
	line = strings.TrimSuffix(line, "\r")
	all, i := []rune(line), at.Column-1
	if i < 0 || i >= len(all) || !MayShow(line) {
		return "", 0, false
	}
	const room = ExcerptWidth - 2 // with an ellipsis on either side
	start, end := max(0, i-room/2), i+1
	if i <= room*2/3 {
		start = 0
	}
	for end < min(len(all), start+room) && !strings.ContainsRune(" ,:]}#", all[end]) {
		end++
	}
	text, column = string(all[start:end]), i-start
	if start > 0 {
		text, column = "…"+text, column+1
	}
	if end < len(all) {
		text += "…"
	}
	return printable(text), column, true
}

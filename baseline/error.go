package baseline

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error is one error in a baseline file. It never contains the value of a sensitive setting.
type Error struct {
	Position Position
	Path     string // "rules[0].require.DeletionProtection"; "" for the file as a whole
	Message  string // what is wrong, and how to correct it
}

// Error returns file:line:column: path: message.
func (e Error) Error() string {
	if e.Path != "" {
		e.Message = e.Path + ": " + e.Message
	}
	return e.Position.String() + ": " + e.Message
}

// Errors are all errors of a file, in file order. A file with any error is rejected.
type Errors []Error

// Error returns one line per error.
func (e Errors) Error() string { return strings.Join(collect(e, Error.Error), "\n") }

// Legible returns a text from an untrusted source as one safe line: characters that cannot be printed, such as line
// breaks, terminal escapes and marks that change the direction of text, are escaped as in Go: \n or \u202e.
func Legible(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, unprintable) {
		return text
	}
	escaped := strconv.Quote(text)
	return unquoted.Replace(escaped[1 : len(escaped)-1])
}

// unquoted removes the escapes that only a text in quotes needs.
var unquoted = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, text)
}

// MaxFile is the largest file that is read, in bytes. The snapshot of the largest pool, with every text at its limit,
// is much smaller. The limit stops files that are built to exhaust the parser.
const MaxFile = 512 << 10

// Cut returns a text that is cut after a number of characters.
func Cut(text string, most int) string {
	if all := []rune(text); len(all) > most {
		return string(all[:most-1]) + "…"
	}
	return text
}

func quoted(text string) string { return strconv.Quote(Cut(text, 80)) }

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
	// A byte order mark is not counted as a column.
	line := strings.TrimSuffix(strings.TrimPrefix(string(lines[at.Line-1]), "\ufeff"), "\r")
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

package baseline

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^line (\d+): `) })

// syntax adds the YAML parser's error, at the first line that is not valid YAML, with a hint on the usual mistake.
func (p *parser) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	said := 1
	if found := yamlLine().FindStringSubmatch(text); found != nil {
		said, _ = strconv.Atoi(found[1])
		text = text[len(found[0]):]
	}
	line, at := brokenLine(data, said)
	switch indent, _, _ := strings.Cut(strings.TrimLeft(line, " "), strings.TrimLeft(line, " \t")); {
	case strings.HasPrefix(text, "unknown anchor"): // do not show its name: it may be the beginning of a message text
		text = "anchors are not supported: put a text that begins with * in quotes"
	case strings.Contains(text, "alphabetic or numeric"):
		text += ": put a text that begins with * or & in quotes"
	case strings.Contains(text, "control characters"):
		text += ": save the file as UTF-8"
	case strings.Contains(indent, "\t"):
		text += ": indent with spaces, not with tabs"
	case strings.Contains(text, "cannot start any token"):
		text += ": put the text in quotes"
	default:
		text += ": check the indentation, the brackets and the quotes here"
	}
	p.wrong(&yaml.Node{Line: at, Column: 1}, "", "not YAML: %s", text)
}

// brokenLine returns the first line that is not valid YAML, and its number. The parser often names the line where the
// surrounding block or bracket begins; that line is returned if no line near the end of parsing is the cause.
func brokenLine(data []byte, said int) (string, int) {
	const tries = 20
	lines := bytes.SplitAfter(data, []byte("\n"))
	counted := &lineReader{lines: lines}
	_ = decodeAll(counted)
	at := min(said, len(lines))
	for n := counted.read; n >= 0 && n > counted.read-tries; n-- {
		if decodeAll(&lineReader{lines: lines[:n]}) == nil {
			at = min(n+1, len(lines))
			break
		}
	}
	return strings.TrimRight(string(lines[at-1]), "\r\n"), at
}

// A lineReader returns one line per call, and counts the lines.
type lineReader struct {
	lines [][]byte
	read  int
	rest  []byte
}

func (r *lineReader) Read(into []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.read == len(r.lines) {
			return 0, io.EOF
		}
		r.rest, r.read = r.lines[r.read], r.read+1
	}
	n := copy(into, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func decodeAll(r io.Reader) error {
	decoder := yaml.NewDecoder(r)
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

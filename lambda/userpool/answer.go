package userpool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// maxAnswer bounds what is read of an answer, whatever its status. The longest texts that the API allows come to half a megabyte in one document, and JSON of this size unfolds to 90 MB
// at worst.
const maxAnswer = 2 << 20

var errTooLarge = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)

// bounded is the body of an answer, which ends with errTooLarge where it goes on too long.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}

// decode turns the text of one JSON object into a tree whose numbers are json.Number, so that they are sent as they came. It refuses what the tree could not hold as
// it stands: a member that is there twice, and texts that are no Unicode. And it refuses what is nested so deep that to go through it would take longer than its size tells.
func decode(raw []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil { // null, which the decoder takes for one
		return nil, errors.New("no JSON object")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON object")
	}
	if !utf8.Valid(raw) {
		return nil, errNotUnicode
	}
	written, err := members(raw)
	if err != nil {
		return nil, err
	}
	if written != held(object) {
		return nil, errors.New("a member is there twice")
	}
	return object, nil
}

var errNotUnicode = errors.New("a text is not Unicode")

// maxNesting is many times the depth of any document of a pool.
const maxNesting = 100

// members counts the members of all objects of a JSON text that is known to be valid. Escapes that make half of a character are an error: they are read as something else.
func members(raw []byte) (int, error) {
	count, depth, text := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			text = !text
		case c == ':' && !text:
			count++
		case (c == '{' || c == '[') && !text:
			if depth++; depth > maxNesting {
				return 0, fmt.Errorf("it is nested deeper than %d levels", maxNesting)
			}
		case (c == '}' || c == ']') && !text:
			depth--
		case c == '\\':
			i++
			if raw[i] != 'u' {
				continue
			}
			first := unit(raw[i+1:])
			i += 4
			if !utf16.IsSurrogate(first) {
				continue
			}
			rest := raw[i+1:]
			if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' || utf16.DecodeRune(first, unit(rest[2:])) == utf8.RuneError {
				return 0, errNotUnicode
			}
			i += 6
		}
	}
	return count, nil
}

// unit is the number that the four hexadecimal digits of an escape write.
func unit(digits []byte) rune {
	var r rune
	for _, c := range digits[:4] {
		r <<= 4
		switch {
		case c <= '9':
			r += rune(c - '0')
		default:
			r += rune(c|0x20-'a') + 10
		}
	}
	return r
}

// held counts the members of all objects of a tree.
func held(v any) int {
	count := 0
	switch v := v.(type) {
	case map[string]any:
		count = len(v)
		for _, e := range v {
			count += held(e)
		}
	case []any:
		for _, e := range v {
			count += held(e)
		}
	}
	return count
}

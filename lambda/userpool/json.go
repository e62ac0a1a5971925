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

// DecodeObject turns the text of one JSON object into a tree whose numbers are json.Number, so that they are sent as
// they came. It refuses what the tree could not hold as it stands: a member that is there twice, and texts that are no
// Unicode. And it refuses what is nested so deep that to go through it would take longer than its size tells.
func DecodeObject(raw []byte) (map[string]any, error) {
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

// members counts the members of all objects of a JSON text that is known to be valid. An escape that makes half of a
// character is an error: it is read as something else.
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
			skip, err := escape(raw[i+1:])
			if err != nil {
				return 0, err
			}
			i += skip
		}
	}
	return count, nil
}

// escape returns the length of an escape after its backslash. A pair of surrogates is one escape.
func escape(rest []byte) (int, error) {
	if rest[0] != 'u' {
		return 1, nil
	}
	first := unit(rest[1:])
	if !utf16.IsSurrogate(first) {
		return 5, nil
	}
	next := rest[5:]
	if len(next) < 6 || next[0] != '\\' || next[1] != 'u' ||
		utf16.DecodeRune(first, unit(next[2:])) == utf8.RuneError {
		return 0, errNotUnicode
	}
	return 11, nil
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

// EncodeObject writes a tree as JSON without escaping <, > and &, so that texts go out as they came in.
func EncodeObject(object map[string]any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

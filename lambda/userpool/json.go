package userpool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxNesting is far more than the depth of any document of a pool.
const maxNesting = 100

// DecodeObject decodes one JSON object. Numbers become json.Number, so that they are sent back unchanged. It rejects
// what would not survive a round trip: duplicate members, and texts that are not valid Unicode. It also rejects objects
// that are nested too deep.
func DecodeObject(raw []byte) (map[string]any, error) {
	members, deepest := written(raw)
	if deepest > maxNesting {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxNesting)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	_, err := decoder.Token()
	switch {
	case !ok:
		return nil, errors.New("not a JSON object")
	case err != io.EOF:
		return nil, errors.New("text after the JSON object")
	case members != membersOf(object):
		return nil, errors.New("a member is duplicated")
	case !utf8.Valid(raw) || lossy(raw, object):
		return nil, errors.New("a text is not valid Unicode")
	}
	return object, nil
}

// written counts the members of all objects of a JSON text, and its levels.
func written(raw []byte) (members, deepest int) {
	depth, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == ':':
			members++
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return members, deepest
}

func membersOf(v any) (count int) {
	switch v := v.(type) {
	case map[string]any:
		count = len(v)
		for _, e := range v {
			count += membersOf(e)
		}
	case []any:
		for _, e := range v {
			count += membersOf(e)
		}
	}
	return count
}

// lossy reports whether reading a JSON text lost half of a character, which an escape can name.
func lossy(raw []byte, object map[string]any) bool {
	const lost = "\ufffd"
	lower := bytes.ToLower(raw)
	kept := bytes.Count(lower, []byte(lost)) + bytes.Count(lower, []byte(`\ufffd`))
	return bytes.Contains(lower, []byte(`\ud`)) && bytes.Count(Encode(object), []byte(lost)) > kept
}

// Encode encodes a JSON value without escaping <, > and &, so that texts are sent as they were read. It panics on any
// other value.
func Encode(v any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

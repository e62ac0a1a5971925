package userpool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"unicode/utf8"
)

// maxNesting is many times the depth of any document of a pool.
const maxNesting = 100

// DecodeObject turns the text of one JSON object into a tree whose numbers are json.Number, so that they are sent as
// they came. It refuses what the tree could not hold as it stands: a member that is there twice, and texts that are no
// Unicode. And it refuses what is nested so deep that to go through it would take longer than its size tells.
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
		return nil, errors.New("no JSON object")
	case err != io.EOF:
		return nil, errors.New("text after the JSON object")
	case members != membersOf(object):
		return nil, errors.New("a member is there twice")
	case !utf8.Valid(raw) || halved(raw):
		return nil, errors.New("a text is not Unicode")
	}
	return object, nil
}

// written counts the members of all objects of a JSON text, and the levels that it has.
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

// membersOf counts the members of all objects of a tree.
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

// escapes are those of a JSON text; half a character, which is read as something else, is the submatch.
var escapes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)\\(?:ud[89ab]..\\ud[c-f]..|(ud[89a-f])|.)`)
})

// halved reports whether an escape in a JSON text makes half of a character.
func halved(raw []byte) bool {
	if !bytes.Contains(raw, []byte(`\ud`)) && !bytes.Contains(raw, []byte(`\uD`)) {
		return false
	}
	for _, found := range escapes().FindAllSubmatch(raw, -1) {
		if found[1] != nil {
			return true
		}
	}
	return false
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

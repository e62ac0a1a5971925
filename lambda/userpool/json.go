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
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	v, err := decodeValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("no JSON object")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON object")
	}
	if !utf8.Valid(raw) || halved(raw) {
		return nil, errors.New("a text is not Unicode")
	}
	return object, nil
}

func decodeValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	delim, composite := token.(json.Delim)
	if err != nil || !composite {
		return token, err
	}
	if depth == maxNesting {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxNesting)
	}
	list, object := []any{}, map[string]any{}
	for decoder.More() {
		name := ""
		if delim == '{' {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name, _ = key.(string)
		}
		v, err := decodeValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		if delim == '[' {
			list = append(list, v)
			continue
		}
		if _, twice := object[name]; twice {
			return nil, errors.New("a member is there twice")
		}
		object[name] = v
	}
	if _, err = decoder.Token(); delim == '[' {
		return list, err
	}
	return object, err
}

// escapes are those of a JSON text; half a character, which is read as something else, is the submatch.
var escapes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)\\(?:ud[89ab]..\\ud[c-f]..|(ud[89a-f])|.)`)
})

// halved says whether an escape in a JSON text makes half of a character.
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

package event

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode"
)

// An object is a JSON object about which nothing is certain: any member may be missing, or of any shape.
type object map[string]any

// parse reads a JSON object, and returns nil for any other payload. Numbers stay texts: an event with a number that is
// too large for a float is read all the same.
func parse(payload []byte) object {
	var o object
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if decoder.Decode(&o) != nil {
		return nil
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil
	}
	return o
}

// text returns the member if it is a string, or else "".
func (o object) text(name string) string {
	text, _ := o[name].(string)
	return text
}

// object returns the member if it is an object, or else an empty one.
func (o object) object(name string) object {
	inner, _ := o[name].(map[string]any)
	return inner
}

// ambiguous stands for a member that occurs with several values. No JSON has a value of its type.
type ambiguous struct{}

// value returns the member with the given name in any case, as the case of CloudTrail's parameters is not documented.
// It returns ambiguous{} where several such members differ.
func (o object) value(name string) any {
	var found any
	for key, v := range o {
		if !strings.EqualFold(key, name) || v == nil {
			continue
		}
		text, isText := v.(string)
		if found != nil && (!isText || found != text) {
			return ambiguous{}
		}
		found = v
	}
	return found
}

// maxText is the longest text that is copied from an event, in bytes.
const maxText = 1024

// clean makes a caller's text safe for a log: of bounded length, valid UTF-8 and without control characters.
func clean(text string) string {
	cleaned := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), maxText)], ""))
	if len(text) > maxText {
		cleaned += "…"
	}
	return cleaned
}

// instant returns the time that the text gives, or the zero time. JSON can only hold a time whose year in UTC has four
// digits.
func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if t = t.UTC(); err != nil || t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

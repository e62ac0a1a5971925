package event

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode"
)

// An object is a JSON object of which nothing can be relied on: any member may be missing, or of any shape.
type object map[string]any

// parse reads a JSON object, and returns nil if the payload is something else. Numbers stay texts: one too large for a float is no reason
// to refuse the event around it.
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

// value returns the member whose name is the given one in any case, for the casing of CloudTrail's parameters is not documented. Two
// such members that differ yield a value that is no pool's id.
func (o object) value(name string) any {
	var found any
	for key, v := range o {
		if !strings.EqualFold(key, name) || v == nil {
			continue
		}
		text, isText := v.(string)
		if earlier, wasText := found.(string); found != nil && (!isText || !wasText || earlier != text) {
			return []any{"several values"}
		}
		found = v
	}
	return found
}

// maxText is the longest text that is taken over from an event, in bytes.
const maxText = 1024

// clean makes a text of a stranger fit for a log: of bounded length, in valid UTF-8 and without control characters.
func clean(text string) string {
	cut := len(text) > maxText
	if cut {
		text = text[:maxText]
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsGraphic(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if cut {
		text += "…"
	}
	return text
}

// instant returns the time that the text gives, or the zero time. In UTC the year may leave the four digits that JSON can hold.
func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if t = t.UTC(); err != nil || t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

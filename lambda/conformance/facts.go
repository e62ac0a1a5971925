package conformance

import (
	"bytes"
	_ "embed" // the facts
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed facts.yaml
var table []byte

// A Fact is a question to the API with the expected answers.
type Fact struct {
	ID         string
	Question   string
	Source     string // the section of the notes on the API with this fact
	Needs      string // "", "plus", "sms", "ses" or "lambda"
	Client     bool   // whether to create an app client
	Calls      []map[string]map[string]any
	Together   int            // how often the last call is made in parallel; 0 means once
	Read       string         // a read call and a path in its response, or "" to check whether the last call is accepted
	ReadWith   map[string]any `yaml:"readWith"`
	Documented string
	Measured   string // "" means the same as Documented
	Says       string // words in the error message
}

// A question about one member of a write call, which becomes several facts.
type member struct {
	Name, Shown, At, Source, Needs string
	Setup                          map[string]any // input of an UpdateUserPool call before
	Base                           map[string]any // other members of each call
	Value                          any
	Out, Empty                     string
	OutMeasured                    string `yaml:"outMeasured"`
}

// Facts returns all facts in the order of the table.
func Facts() ([]Fact, error) {
	var file struct {
		Members []struct {
			Call, Read, Needs string
			Setup             map[string]any
			Of                []member
		}
		Facts []Fact
	}
	decoder := yaml.NewDecoder(bytes.NewReader(table))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the facts: %w", err)
	}
	var all []Fact
	for _, document := range file.Members {
		for _, m := range document.Of {
			if m.Needs == "" {
				m.Needs = document.Needs
			}
			if m.Setup == nil {
				m.Setup = document.Setup
			}
			all = append(all, m.facts(document.Call, document.Read)...)
		}
	}
	all = append(all, file.Facts...)
	for i := range all {
		if all[i].Measured == "" {
			all[i].Measured = all[i].Documented
		}
	}
	return all, nil
}

// facts returns the facts about a member: whether reads return the sent value, and what happens if it is left out, sent
// empty or sent unchanged.
func (m member) facts(call, read string) []Fact {
	shown := m.Shown
	if shown == "" {
		shown = m.Name
	}
	path := strings.Join(strings.Fields(read), " ")
	if strings.Contains(path, " ") {
		path += "." + shown
	} else {
		path += " " + shown
	}
	if m.At != "" {
		path += "." + m.At
	}
	var setup []map[string]map[string]any
	if m.Setup != nil {
		setup = append(setup, map[string]map[string]any{"UpdateUserPool": m.Setup})
	}
	with := func(value any, given bool) map[string]map[string]any {
		body := maps.Clone(m.Base)
		if body == nil {
			body = map[string]any{}
		}
		if given {
			body[m.Name] = value
		}
		return map[string]map[string]any{call: body}
	}
	fact := func(kind, question, documented, measured string, last map[string]map[string]any) Fact {
		return Fact{ID: call + "-" + m.Name + "-" + kind, Source: m.Source, Needs: m.Needs, Read: path,
			Client: call == "UpdateUserPoolClient", Documented: documented, Measured: measured,
			Question: fmt.Sprintf(question, m.Name),
			Calls:    slices.Concat(setup, []map[string]map[string]any{with(m.Value, true), last})}
	}
	shows := m.Value
	if m.At != "" {
		shows = at(m.Value, m.At)
	}
	first := fact("shown", "Do reads return the sent value of %s?", text(shows), "", with(m.Value, true))
	first.Calls = slices.Concat(setup, first.Calls[len(first.Calls)-1:])
	return []Fact{
		first,
		fact("out", "What happens to %s if it is left out?", m.Out, m.OutMeasured, with(nil, false)),
		fact("empty", "What happens to %s if it is sent empty?", m.Empty, "", with(emptyOf(m.Value), true)),
		fact("same", "Does %s stay the same if it is sent unchanged?", "kept", "", with(m.Value, true)),
	}
}

func emptyOf(v any) any {
	switch v.(type) {
	case map[string]any:
		return map[string]any{}
	case []any:
		return []any{}
	case string:
		return ""
	case bool:
		return nil
	default:
		return 0
	}
}

// An answer of the API in the format of facts.yaml.
type answer struct {
	word    string // accepted, or refused NAME
	message string // message of the error
	before  any
	after   any
	read    bool // whether there is a value to read after the call
}

// String returns an answer as text for people.
func (a answer) String() string {
	switch {
	case a.message != "":
		return a.word + ": " + a.message
	case !a.read:
		return a.word
	case a.after == nil:
		return "missing"
	case text(a.before) == text(a.after):
		return "kept " + text(a.after)
	default:
		return text(a.after)
	}
}

// meets reports whether an answer is as expected. Several expected answers are joined by " or ".
func (a answer) meets(expected, says string) bool {
	for one := range strings.SplitSeq(expected, " or ") {
		if a.meetsOne(one) && strings.Contains(a.message, says) {
			return true
		}
	}
	return false
}

func (a answer) meetsOne(expected string) bool {
	refusal, refused := strings.CutPrefix(a.word, "refused ")
	if want, ok := strings.CutPrefix(expected, "refused"); ok {
		return refused && (want == "" || want == " "+refusal)
	}
	switch {
	case refused:
		return false
	case expected == "accepted":
		return true
	case expected == "kept":
		return text(a.before) == text(a.after)
	case expected == "missing":
		return a.after == nil
	case expected == "absent":
		return slices.Contains([]string{"null", `""`, "[]", "{}", "false", "0"}, text(a.after))
	default:
		return text(a.after) == expected || text(a.after) == text(expected)
	}
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

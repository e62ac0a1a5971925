package conformance

import (
	"cmp"
	_ "embed" // the facts
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"poolkeeper/baseline"

	"go.yaml.in/yaml/v3"
)

//go:embed facts.yaml
var table string

type object = map[string]any

// A call is the input of an operation by its name.
type call = map[string]object

// A Fact is a question to the API with the expected answers.
type Fact struct {
	ID         string `json:"id"`
	Question   string `json:"question"`
	Source     string `json:"source"` // the section of the notes on the API with this fact
	Documented string `json:"documented"`
	Measured   string `json:"measured"` // facts.yaml has it only if it is not the same as Documented
	Needs      string `json:"-"`        // "plus", "sms", "ses" or "lambda"; Facts clears it if that is available
	Client     bool   `json:"-"`        // whether to create an app client
	Calls      []call `json:"-"`
	Together   int    `json:"-"` // how often the last call is made in parallel; 0 means once
	Read       string `json:"-"` // a read call and a path in its response, or "" to ask whether the last call is accepted
	ReadWith   object `json:"-" yaml:"readWith"`
	Says       string `json:"-"` // words in the error message
}

// A question about one member of a write call, which becomes several facts.
type member struct {
	Name, Shown, At, Source, Needs string
	Setup                          object // input of an UpdateUserPool call before
	Base                           object // other members of each call
	Value                          any
	Out, Empty                     string
	OutMeasured                    string `yaml:"outMeasured"`
}

// Facts returns all facts in the order of the table. have maps a word of Fact.Needs to the ARN of the available role,
// identity or function.
func Facts(have map[string]string) ([]Fact, error) {
	var file struct {
		Members []struct {
			Call, Read, Needs string
			Setup             object
			Of                []member
		}
		Facts []Fact
	}
	filled := strings.NewReplacer("${SMS_ROLE}", have["sms"], "${SES}", have["ses"], "${LAMBDA}", have["lambda"])
	decoder := yaml.NewDecoder(strings.NewReader(filled.Replace(table)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the facts: %w", err)
	}
	var all []Fact
	for _, document := range file.Members {
		for _, m := range document.Of {
			if document.Setup != nil {
				m.Setup, m.Needs = document.Setup, document.Needs
			}
			all = append(all, m.facts(document.Call, document.Read)...)
		}
	}
	all = append(all, file.Facts...)
	for i := range all {
		all[i].Measured = cmp.Or(all[i].Measured, all[i].Documented)
		if _, ok := have[all[i].Needs]; ok {
			all[i].Needs = ""
		}
	}
	return all, nil
}

// empty are the empty values that are sent, by the kind of the value. A bool is sent as null.
var empty = map[reflect.Kind]any{reflect.Map: object{}, reflect.Slice: []any{}, reflect.String: "", reflect.Int: 0}

// facts returns the facts about a member: whether reads return the sent value, and what happens if it is left out, sent
// empty or sent unchanged.
func (m member) facts(operation, read string) []Fact {
	read += cmp.Or(m.Shown, m.Name)
	shows := m.Value
	if m.At != "" {
		read, shows = read+"."+m.At, at(m.Value, m.At)
	}
	with := func(member object) call { return call{operation: merged(m.Base, member)} }
	sent, none := with(object{m.Name: m.Value}), with(object{m.Name: empty[reflect.TypeOf(m.Value).Kind()]})
	fact := func(kind, question, documented, measured string, calls ...call) Fact {
		if m.Setup != nil {
			calls = slices.Insert(calls, 0, call{"UpdateUserPool": m.Setup})
		}
		return Fact{ID: operation + "-" + m.Name + "-" + kind, Question: fmt.Sprintf(question, m.Name), Source: m.Source,
			Documented: documented, Measured: measured, Needs: m.Needs, Client: operation == "UpdateUserPoolClient",
			Calls: calls, Read: read}
	}
	return []Fact{
		fact("shown", "Do reads return the sent value of %s?", text(shows), "", sent),
		fact("out", "What happens to %s if it is left out?", m.Out, m.OutMeasured, sent, with(nil)),
		fact("empty", "What happens to %s if it is sent empty?", m.Empty, "", sent, none),
		fact("same", "Does %s stay the same if it is sent unchanged?", "kept", "", sent, sent),
	}
}

// An answer of the API: the name and message of an error, or "", and the values before and after the call, as JSON. A
// value is "null" if it is missing, and "" if there is none to read.
type answer struct{ refusal, message, before, after string }

// String returns an answer as text for people.
func (a answer) String() string {
	switch {
	case a.refusal != "":
		return strings.TrimSuffix("refused "+a.refusal+": "+a.message, ": ")
	case a.after == "":
		return "accepted"
	case a.is("missing"):
		return "missing"
	case a.is("kept"):
		return "kept " + a.after
	default:
		return a.after
	}
}

// meets reports whether an answer is one of the expected ones, which are joined by " or ".
func (a answer) meets(expected, says string) bool {
	return strings.Contains(a.message, says) && slices.ContainsFunc(strings.Split(expected, " or "), a.is)
}

// is reports whether an answer is as expected, in the format of facts.yaml.
func (a answer) is(expected string) bool {
	if a.refusal != "" {
		return expected == "refused" || expected == "refused "+a.refusal
	}
	switch expected {
	case "accepted":
		return true
	case "kept":
		return a.before == a.after
	case "missing":
		return a.after == "null"
	case "absent":
		return slices.Contains([]string{"null", `""`, "[]", "{}", "false", "0"}, a.after)
	default:
		return a.after == expected || a.after == text(expected)
	}
}

func text(v any) string {
	raw, _ := json.Marshal(v) // values from YAML and JSON always encode
	return string(raw)
}

// at returns the value at a dotted path, or nil.
func at(v any, path string) any { return baseline.At(v, strings.Split(path, ".")) }

// merged returns the members of both objects; those of b override those of a.
func merged(a, b object) object {
	all := object{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

package conformance

import (
	"cmp"
	_ "embed" // the facts
	"encoding/json"
	"fmt"
	"maps"
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
	ID         string
	Question   string
	Source     string // the section of the notes on the API with this fact
	Needs      string // "", "plus", "sms", "ses" or "lambda"
	Client     bool   // whether to create an app client
	Calls      []call
	Together   int    // how often the last call is made in parallel; 0 means once
	Read       string // a read call and a path in its response, or "" to check whether the last call is accepted
	ReadWith   object `yaml:"readWith"`
	Documented string
	Measured   string // "" means the same as Documented
	Says       string // words in the error message
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
	filled := strings.NewReplacer("${SMS_ROLE}", have["sms"], "${SES}", have["ses"], "${LAMBDA}", have["lambda"]).
		Replace(table)
	decoder := yaml.NewDecoder(strings.NewReader(filled))
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
	return append(all, file.Facts...), nil
}

// facts returns the facts about a member: whether reads return the sent value, and what happens if it is left out, sent
// empty or sent unchanged.
func (m member) facts(operation, read string) []Fact {
	read += cmp.Or(m.Shown, m.Name)
	shows := m.Value
	if m.At != "" {
		read, shows = read+"."+m.At, at(m.Value, m.At)
	}
	with := func(member object) call { return call{operation: merged(m.Base, member)} }
	sent := with(object{m.Name: m.Value})
	fact := func(kind, question, documented, measured string, calls ...call) Fact {
		if m.Setup != nil {
			calls = slices.Insert(calls, 0, call{"UpdateUserPool": m.Setup})
		}
		return Fact{ID: operation + "-" + m.Name + "-" + kind, Source: m.Source, Needs: m.Needs,
			Client: operation == "UpdateUserPoolClient", Calls: calls, Read: read,
			Question: fmt.Sprintf(question, m.Name), Documented: documented, Measured: measured}
	}
	return []Fact{
		fact("shown", "Do reads return the sent value of %s?", text(shows), "", sent),
		fact("out", "What happens to %s if it is left out?", m.Out, m.OutMeasured, sent, with(nil)),
		fact("empty", "What happens to %s if it is sent empty?", m.Empty, "", sent, with(object{m.Name: emptyOf(m.Value)})),
		fact("same", "Does %s stay the same if it is sent unchanged?", "kept", "", sent, sent),
	}
}

func emptyOf(v any) any {
	switch v.(type) {
	case object:
		return object{}
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

// An answer of the API.
type answer struct {
	refusal, message string // name and message of the error, or ""
	before, after    any
	read             bool // whether there is a value to read after the call
}

// String returns an answer as text for people.
func (a answer) String() string {
	switch {
	case a.refusal != "":
		return strings.TrimSuffix("refused "+a.refusal+": "+a.message, ": ")
	case !a.read:
		return "accepted"
	case a.after == nil:
		return "missing"
	case text(a.before) == text(a.after):
		return "kept " + text(a.after)
	default:
		return text(a.after)
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
	after := text(a.after)
	switch expected {
	case "accepted":
		return true
	case "kept":
		return text(a.before) == after
	case "missing":
		return a.after == nil
	case "absent":
		return slices.Contains([]string{"null", `""`, "[]", "{}", "false", "0"}, after)
	default:
		return after == expected || after == text(expected)
	}
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// at returns the value at a dotted path, or nil.
func at(v any, path string) any { return baseline.At(v, strings.Split(path, ".")) }

// merged returns the members of both objects; those of b override those of a. A ClientId of "" is left out: the call is
// for the pool.
func merged(a, b object) object {
	all := object{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	if all["ClientId"] == "" {
		delete(all, "ClientId")
	}
	return all
}

// Command model writes the member table as JSON for check.py, which compares it with the API model that AWS publishes.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"poolkeeper/baseline"
)

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type document struct {
	Name    string   `json:"name"`
	Read    string   `json:"read"`
	Write   string   `json:"write"`
	Answer  string   `json:"answer"`
	Members []member `json:"members"`
}

type member struct {
	Name     string   `json:"name"`
	ReadName string   `json:"readName"`
	Kind     string   `json:"kind"`
	Trip     string   `json:"trip"`
	ShownBy  string   `json:"shownBy"`
	Members  []member `json:"members,omitempty"`
	Elem     *member  `json:"elem,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Min      int64    `json:"min"`
	Max      int64    `json:"max"`
	Pattern  string   `json:"pattern"`
	KeyMax   int64    `json:"keyMax"`
	Required bool     `json:"required"`
	ByKey    string   `json:"byKey"`
}

var (
	kinds = [...]string{baseline.Object: "structure", baseline.Map: "map", baseline.List: "list",
		baseline.String: "string", baseline.Integer: "integer", baseline.Boolean: "boolean"}
	trips = [...]string{baseline.Echo: "echo", baseline.ReadOnly: "read-only", baseline.Carried: "carried"}
)

func write(to io.Writer) error {
	var all []document
	for _, d := range baseline.Documents() {
		all = append(all, document{string(d.Name), d.ReadCall, d.WriteCall, d.Answer, membersOf(d.Members)})
	}
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(all)
}

func membersOf(members []baseline.Member) []member {
	var all []member
	for _, m := range members {
		all = append(all, memberOf(m))
	}
	return all
}

func memberOf(m baseline.Member) member {
	of := member{Name: m.Name, ReadName: m.ReadName, Kind: kinds[m.Kind], Trip: trips[m.Trip],
		ShownBy: m.ShownBy, Members: membersOf(m.Members),
		Enum: m.Enum, Min: m.Min, Max: m.Max, Pattern: m.Pattern, KeyMax: m.KeyMax, Required: m.Required,
		ByKey: m.ByKey}
	if m.Elem != nil {
		elem := memberOf(*m.Elem)
		of.Elem = &elem
	}
	return of
}

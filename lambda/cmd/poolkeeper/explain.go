package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) explain() *cobra.Command {
	command := &cobra.Command{
		Use:     "explain SETTING",
		Short:   "Describe a setting: what it may be, which call writes it, who checks it, what to beware of",
		Example: "  poolkeeper explain UserPoolAddOns.AdvancedSecurityMode",
		Args:    arguments("SETTING", 1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			m, ok := baseline.Lookup(args[0])
			if ofClient := baseline.Clients + "." + args[0]; !ok {
				if m, ok = baseline.Lookup(ofClient); ok {
					args[0] = ofClient
				}
			}
			if !ok {
				if near := baseline.Nearest(args[0], everySetting()); near != "" {
					return fmt.Errorf("there is no setting %s, did you mean %s?", args[0], near)
				}
				return fmt.Errorf("there is no setting %q: the names are those of the API, and Clients[].NAME for the "+
					"settings of an app client; completion and baseline/SETTINGS.md list them", args[0])
			}
			e := explain(args[0], m)
			return c.results().Write(stream.OfSummary("setting", e, e.text()))
		},
		ValidArgs: everySetting(),
	}
	return has(command, "text", "json")
}

// everySetting returns the names of all settings, those of clients under Clients[].
func everySetting() []string {
	return append(settingNames("", baseline.Settings()), settingNames(baseline.Clients+".", baseline.ClientSettings())...)
}

func settingNames(above string, members []baseline.Member) []string {
	var names []string
	for _, m := range members {
		names = append(names, above+m.Name)
		names = append(names, settingNames(above+m.Name+".", m.Members)...)
	}
	return names
}

// An explanation is what the tables have about a setting.
type explanation struct {
	Setting    string   `json:"setting"`
	About      string   `json:"about"`
	Values     string   `json:"values"`
	Enum       []string `json:"enum,omitempty"`
	Operators  []string `json:"operators"`
	Absent     string   `json:"absent,omitempty"`
	Calls      []string `json:"calls"`
	Twin       string   `json:"sameAs,omitempty"`
	Deprecated string   `json:"noLongerUsed,omitempty"`
	Checks     []string `json:"checks"`
	Hazards    []string `json:"hazards"`
	Costs      []string `json:"costs"`
}

func explain(path string, m baseline.Member) explanation {
	e := explanation{Setting: path, About: m.Doc, Values: values(m), Enum: m.Enum, Absent: absence(m),
		Deprecated: m.Deprecated, Checks: []string{}, Hazards: []string{}, Costs: []string{}}
	for _, op := range m.Kind.Operators() {
		if op != baseline.Absent || m.Keep == "" && !m.Required {
			e.Operators = append(e.Operators, string(op))
		}
	}
	for _, d := range baseline.WrittenWith(path) {
		e.Calls = append(e.Calls, d.WriteCall)
	}
	e.Twin, _ = baseline.TwinOf(path)
	for _, control := range baseline.ControlsOf(path) {
		about := ""
		if control.Setting != path {
			about = " (" + control.Setting + ")"
		}
		for _, check := range control.Checks() {
			e.Checks = append(e.Checks, check+about)
		}
		if control.Hazard != "" {
			e.Hazards = append(e.Hazards, control.Hazard+about)
		}
		if control.Cost != "" {
			e.Costs = append(e.Costs, control.Cost+about)
		}
	}
	return e
}

func (e explanation) text() string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(e.Setting+": "+e.About, ": "))
	row := func(name string, texts ...string) {
		for _, text := range texts {
			if text != "" {
				fmt.Fprintf(&b, "\n  %-10s %s", name, text)
			}
		}
	}
	row("values", e.Values)
	row("operators", strings.Join(e.Operators, ", "))
	row("absent", e.Absent)
	row("written by", strings.Join(e.Calls, ", "))
	row("same as", e.Twin)
	row("no longer used", e.Deprecated)
	row("checked by", e.Checks...)
	row("beware", e.Hazards...)
	row("cost", e.Costs...)
	return b.String()
}

func values(m baseline.Member) string {
	switch {
	case m.Kind == baseline.Object:
		below := func(name string) bool { return strings.Contains(name, ".") }
		direct := slices.DeleteFunc(settingNames("", m.Members), below)
		return "an object of " + strings.Join(direct, ", ")
	case m.Kind == baseline.Map:
		return "names and values" + bounds(m, " entries")
	case m.Kind == baseline.List:
		return "a list" + bounds(m, " elements") + ", each " + values(*m.Elem)
	case m.Kind == baseline.Boolean:
		return "true or false"
	case m.Kind == baseline.Integer:
		return "a whole number" + bounds(m, "")
	case len(m.Enum) > 0:
		return "one of " + strings.Join(m.Enum, ", ")
	default:
		return "a text" + bounds(m, " characters")
	}
}

func bounds(m baseline.Member, what string) string {
	switch {
	case m.Max > 0:
		return fmt.Sprintf(" of %d to %d%s", m.Min, m.Max, what)
	case m.Min > 0:
		return fmt.Sprintf(" of %d%s or more", m.Min, what)
	default:
		return ""
	}
}

func absence(m baseline.Member) string {
	if m.Keep != "" {
		return "cannot be required: " + m.Keep
	}
	return strings.TrimSuffix("is the same as "+m.Default, "is the same as ")
}

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
)

func (c cli) explain() *cobra.Command {
	return &cobra.Command{
		Use:     "explain SETTING",
		Short:   "Say what a setting is, what it may be, which call writes it, who checks it, and what to beware of",
		Example: "  poolkeeper explain UserPoolAddOns.AdvancedSecurityMode",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			m, ok := baseline.Lookup(args[0])
			if !ok {
				if near := baseline.Nearest(args[0], settingNames("", baseline.Settings())); near != "" {
					return fmt.Errorf("there is no setting %s, did you mean %s?", args[0], near)
				}
				return fmt.Errorf("there is no setting %s", args[0])
			}
			_, err := fmt.Fprint(c.out, explanation(args[0], m))
			return err
		},
		ValidArgs: settingNames("", baseline.Settings()),
	}
}

func settingNames(above string, members []baseline.Member) []string {
	var names []string
	for _, m := range members {
		names = append(names, above+m.Name)
		names = append(names, settingNames(above+m.Name+".", m.Members)...)
	}
	return names
}

func explanation(path string, m baseline.Member) string {
	var b strings.Builder
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", name, text)
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", path, m.Doc)
	row("values", values(m))
	row("operators", operators(m))
	row("absent", absence(m))
	var calls []string
	for _, d := range baseline.WrittenWith(path) {
		calls = append(calls, d.WriteCall)
	}
	row("written by", strings.Join(calls, ", "))
	if twin, ok := baseline.TwinOf(path); ok {
		row("same as", twin)
	}
	row("no longer used", m.Deprecated)
	for _, control := range baseline.ControlsOf(path) {
		about := ""
		if control.Setting != path {
			about = " (" + control.Setting + ")"
		}
		for _, check := range control.Checks() {
			row("checked by", check+about)
		}
		if control.Hazard != "" {
			row("beware", control.Hazard+about)
		}
		if control.Cost != "" {
			row("cost", control.Cost+about)
		}
	}
	return b.String()
}

func values(m baseline.Member) string {
	switch m.Kind {
	case baseline.Object:
		names := make([]string, len(m.Members))
		for i, below := range m.Members {
			names[i] = below.Name
		}
		return "an object of " + strings.Join(names, ", ")
	case baseline.Map:
		return "names and values" + bounds(m, "entries")
	case baseline.List:
		return "a list" + bounds(m, "elements") + ", each " + values(*m.Elem)
	case baseline.Boolean:
		return "true or false"
	case baseline.Integer:
		return "a whole number" + bounds(m, "")
	default:
		if len(m.Enum) > 0 {
			return "one of " + strings.Join(m.Enum, ", ")
		}
		return "a text" + bounds(m, "characters")
	}
}

func bounds(m baseline.Member, what string) string {
	if what != "" {
		what = " " + what
	}
	switch {
	case m.Max > 0:
		return fmt.Sprintf(" of %d to %d%s", m.Min, m.Max, what)
	case m.Min > 0:
		return fmt.Sprintf(" of %d%s or more", m.Min, what)
	default:
		return ""
	}
}

func operators(m baseline.Member) string {
	var names []string
	for _, op := range m.Kind.Operators() {
		names = append(names, string(op))
	}
	return strings.Join(names, ", ")
}

func absence(m baseline.Member) string {
	switch {
	case m.Keep != "":
		return "cannot be required: " + m.Keep
	case m.Default != "":
		return "is the same as " + m.Default
	default:
		return ""
	}
}

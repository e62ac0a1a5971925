package main

import (
	"fmt"
	"strings"

	"poolkeeper/baseline"
)

// Settings returns the table of all settings, in Markdown.
func Settings() ([]byte, error) {
	var b strings.Builder
	b.WriteString(
		"# Settings\n\nEvery setting that a baseline can require, by its path. Generated from the table that validates a " +
			"baseline by `go generate ./baseline`.\n\n")
	const head = "| setting | written by | value | operators | checked by | |\n|---|---|---|---|---|---|\n"
	b.WriteString(head)
	rows(&b, baseline.Settings(), "")
	b.WriteString(
		"\n## App clients\n\nIn a baseline, write these under a rule's `clients`, without `Clients[].`. In reports, " +
			"the client's id is between the brackets.\n\n" + head)
	rows(&b, baseline.ClientSettings(), baseline.Clients+".")
	return []byte(b.String()), nil
}

func rows(b *strings.Builder, members []baseline.Member, prefix string) {
	for _, m := range members {
		path := prefix + m.Name
		var operators []string
		for _, op := range m.Kind.Operators() {
			if op != baseline.Absent || m.Keep == "" && !m.Required {
				operators = append(operators, string(op))
			}
		}
		checks, cautions := controls(path)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s |\n", path, call(path), value(m), strings.Join(operators, ", "),
			strings.Join(checks, ", "),
			strings.Join(append(remarks(m), cautions...), "; "))
		rows(b, m.Members, path+".")
		if m.Kind == baseline.Map && m.Elem.Kind == baseline.Object {
			rows(b, m.Elem.Members, path+".KEY.")
		}
	}
}

func call(path string) string {
	name, _ := baseline.DocumentOf(path)
	d, _ := name.Table()
	return d.WriteCall
}

func value(m baseline.Member) string {
	switch m.Kind {
	case baseline.Object:
		return "members"
	case baseline.Map:
		return "free keys"
	case baseline.Boolean:
		return "true, false"
	case baseline.Integer:
		return fmt.Sprintf("%d to %d", m.Min, m.Max)
	case baseline.List:
		if len(m.Elem.Enum) > 0 {
			return "list of " + strings.Join(m.Elem.Enum, ", ")
		}
		return "list"
	default:
		if len(m.Enum) > 0 {
			return strings.Join(m.Enum, ", ")
		}
		return "text"
	}
}

func controls(path string) (checks, cautions []string) {
	for _, c := range baseline.Controls() {
		if c.Setting != path {
			continue
		}
		checks = append(checks, c.Checks()...)
		if c.Hazard != "" {
			cautions = append(cautions, "beware: "+c.Hazard)
		}
		if c.Cost != "" {
			cautions = append(cautions, "cost: "+c.Cost)
		}
	}
	return checks, cautions
}

func remarks(m baseline.Member) []string {
	notes := []string{}
	if m.Doc != "" {
		notes = append(notes, strings.TrimSuffix(m.Doc, "."))
	}
	if m.Deprecated != "" {
		notes = append(notes, "no longer used: "+m.Deprecated)
	}
	if m.Twin != "" {
		notes = append(notes, "the same setting as `"+m.Twin+"`")
	}
	if m.ShownBy != "" {
		notes = append(notes,
			fmt.Sprintf("true while `%s` is present: `%[1]s: {present: true}` requires the same", m.ShownBy))
	}
	if m.Sensitive {
		notes = append(notes, "hidden in reports")
	}
	if m.Newer {
		notes = append(notes, "newer than the SDK")
	}
	return notes
}

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
		name, _ := baseline.DocumentOf(path)
		document, _ := name.Table()
		checks, cautions := controls(path)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s |\n", path, document.WriteCall, m.Values(),
			strings.Join(baseline.TextsOf(m.Operators()), ", "), strings.Join(checks, ", "),
			strings.Join(append(remarks(m), cautions...), "; "))
		rows(b, m.Members, path+".")
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

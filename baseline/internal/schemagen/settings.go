package main

import (
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// columns are the facts that have a column of their own. The others are in the last one.
var columns = []string{"written by", "values", "operators", "checked by"}

// Settings returns the table of all settings, in Markdown.
func Settings() ([]byte, error) {
	var b strings.Builder
	b.WriteString(
		"# Settings\n\nEvery setting that a baseline can require, by its path. Generated from the table that validates a " +
			"baseline by `go generate ./baseline`.\n\n")
	head := "| setting | " + strings.Join(columns, " | ") + " | |\n|" + strings.Repeat("---|", len(columns)+2) + "\n"
	b.WriteString(head)
	for _, path := range baseline.Paths() {
		if path == baseline.Clients {
			b.WriteString("\n## App clients\n\nIn a baseline, write these under a rule's `clients`, without `Clients[].`. In " +
				"reports, the client's id is between the brackets.\n\n" + head)
			continue
		}
		m, _ := baseline.Lookup(path)
		cells, rest := map[string][]string{}, []string{strings.TrimSuffix(m.Doc, ".")}
		for _, f := range baseline.Explain(path) {
			switch {
			case f.Of != "":
			case slices.Contains(columns, f.Name):
				cells[f.Name] = append(cells[f.Name], f.Text)
			default:
				rest = append(rest, f.Name+": "+f.Text)
			}
		}
		fmt.Fprintf(&b, "| `%s` | ", path)
		for _, column := range columns {
			b.WriteString(strings.Join(cells[column], ", ") + " | ")
		}
		b.WriteString(strings.TrimPrefix(strings.Join(rest, "; "), "; ") + " |\n")
	}
	return []byte(b.String()), nil
}

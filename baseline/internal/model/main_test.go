package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"poolkeeper/baseline"
)

// TestWriteHoldsTheWholeTable: every member of every document is in the JSON, at every depth.
func TestWriteHoldsTheWholeTable(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	if err := write(&text); err != nil {
		t.Fatal(err)
	}
	var all []document
	if err := json.Unmarshal(text.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	documents := baseline.Documents()
	if len(all) != len(documents) {
		t.Fatalf("%d documents, want %d", len(all), len(documents))
	}
	for i, d := range documents {
		if got, want := all[i].Name, string(d.Name); got != want {
			t.Errorf("document %s, want %s", got, want)
		}
		if got, want := count(all[i].Members), countOf(d.Members); got != want {
			t.Errorf("%s has %d members, want %d", d.Name, got, want)
		}
	}
}

func count(members []member) int {
	n := len(members)
	for _, m := range members {
		n += count(m.Members)
		if m.Elem != nil {
			n += count([]member{*m.Elem})
		}
	}
	return n
}

func countOf(members []baseline.Member) int {
	n := len(members)
	for _, m := range members {
		n += countOf(m.Members)
		if m.Elem != nil {
			n += countOf([]baseline.Member{*m.Elem})
		}
	}
	return n
}

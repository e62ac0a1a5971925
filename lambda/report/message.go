package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// MaxMessage is the largest size of a message in bytes: SNS's limit minus room for the message attributes.
const MaxMessage = 256*1024 - 16*1024

// Message returns the message of one publish: a text for e-mail, a custom notification for chat channels (HTTPS), and
// the report as JSON for all other protocols.
func Message(r Report) string {
	chat := Chat(r)
	return r.fitting(MaxMessage, func(r Report) string {
		return encode(map[string]string{"default": encode(r), "email": Mail(r), "https": chat})
	})
}

// fitting renders a report with as many findings as fit, in the order of their groups, and as many calls, but at least
// ten.
func (r Report) fitting(size int, render func(Report) string) string {
	for kept := max(len(r.Drifts), len(r.Writes), len(r.WriteRequestIDs)); ; kept /= 2 {
		short, calls := r, max(kept, 10)
		short.Writes = r.Writes[:min(len(r.Writes), calls)]
		short.WriteRequestIDs = r.WriteRequestIDs[:min(len(r.WriteRequestIDs), calls)]
		if len(r.Drifts) > kept {
			short.Omitted += len(r.Drifts) - kept
			short.Drifts = r.of(groups...)[:kept]
		}
		if text := render(short); len(text) <= size || kept == 0 {
			return text
		}
	}
}

// Subject returns the subject of an e-mail: printable ASCII within SNS's limit.
func Subject(r Report) string {
	pool := cmp.Or(r.UserPool.Name, r.UserPool.ID, "(no user pool)")
	text := ascii(fmt.Sprintf("[%s] %s %s", r.Severity, pool, r.headline()))
	if len(text) > 99 {
		text = text[:96] + "..."
	}
	return text
}

func (r Report) headline() string {
	named := first(r.of(notRestored, notFixed, watched, fixed))
	text := string(r.Outcome) + ": "
	switch {
	case r.has(outcome.CodeDeleted):
		return "was deleted by " + r.actor()
	case r.has(outcome.CodeRestore):
		return text + "poolkeeper removed " + first(r.of(notRestored)) + " and cannot restore it"
	case r.has(outcome.CodeFlapping):
		return text + "another automation keeps changing " + named
	case r.has(outcome.CodeInterrupted):
		return text + "an earlier run was interrupted after a write"
	case r.Outcome == outcome.Drifted && named == "" && r.has(outcome.CodeLostUpdate):
		return text + "poolkeeper may have undone a call by " + r.actor()
	case r.Outcome == outcome.Unconverged && len(r.of(notFixed)) == 0:
		return text + "other settings changed while poolkeeper wrote"
	case r.Outcome == outcome.Deferred && len(r.Writes) > 0:
		return text + "poolkeeper wrote, but could not finish"
	case r.unread():
		return text + "the user pool could not be read"
	}
	text = string(r.Outcome) + prefixed(": ", named)
	if r.session() != "" && r.Outcome != outcome.Ignored {
		text += ", after a call by " + r.actor()
	}
	return text
}

// first returns the last part of the first setting and the number of other settings, or "" if there are none.
func first(drifts []Drift) string {
	if len(drifts) == 0 {
		return ""
	}
	text := drifts[0].Setting[strings.LastIndexByte(drifts[0].Setting, '.')+1:]
	if len(drifts) > 1 {
		text += fmt.Sprintf(" and %d more", len(drifts)-1)
	}
	return text
}

func ascii(text string) string {
	return strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, text)
}

// JSON returns the report as JSON, shortened to fit into a message.
func JSON(r Report) string { return r.fitting(MaxMessage, func(r Report) string { return encode(r) }) }

// Encode writes a value as a line of printable JSON.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(Printable(w))
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func encode(v any) string {
	var b strings.Builder
	if err := Encode(&b, v); err != nil {
		return fmt.Sprintf(`{"schema":%q,"reason":"the report cannot be written as JSON"}`, SchemaName)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Chat returns a custom notification for Amazon Q Developer in chat applications, version 1.0.
func Chat(r Report) string { return r.fitting(8000, chat) } // chat applications show no more

func chat(r Report) string {
	var b strings.Builder
	if r.called() {
		fmt.Fprintf(&b, "%s called `%s`%s%s.\n", escape(r.actor()), escape(orUnknown(r.Cause.EventName)), at(r.Cause.Time),
			escape(r.through()))
	} else {
		fmt.Fprintln(&b, escape(r.found()))
	}
	if r.Reason != "" {
		fmt.Fprintf(&b, "Reason: %s\n", escape(baseline.Cut(r.Reason, 500)))
	}
	for _, d := range r.of(groups[:len(groups)-1]...) { // exempted findings are only in the e-mail
		heading := strings.ToLower(string(d.group()))
		fmt.Fprintf(&b, "- *%s* `%s`: %s\n", heading, escape(baseline.Cut(d.Setting, 200)), escape(d.says()))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "- and %d more\n", r.Omitted)
	}
	if _, text := r.written(); text != "" {
		fmt.Fprintln(&b, escape(text))
	}
	related, next := []string{}, make([]string, len(r.Next))
	if r.UserPool.ARN != "" {
		related = append(related, r.UserPool.ARN)
	}
	for i, step := range r.Next {
		next[i] = escape(step)
	}
	return encode(map[string]any{
		"version": "1.0", "source": "custom",
		"content": map[string]any{
			"textType": "client-markdown", "title": escape(icons[r.Severity] + " " + Subject(r)),
			"description": b.String(), "nextSteps": next,
			"keywords": []string{"poolkeeper", string(r.Outcome), r.UserPool.ID},
		},
		"metadata": map[string]any{
			"threadId": r.UserPool.ID, "summary": Subject(r), "eventType": "poolkeeper." + string(r.Outcome),
			"relatedResources":  related,
			"additionalContext": map[string]string{"severity": string(r.Severity), "eventId": r.Cause.EventID},
		},
	})
}

// icons are shown before the title of a chat message, so that people can scan a channel quickly.
var icons = map[Severity]string{Critical: ":rotating_light:", High: ":warning:", Medium: ":eyes:",
	Low: ":white_check_mark:", Informational: ":information_source:"}

// escape escapes mentions, links and formatting for chat applications in an untrusted text.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "\u2217", "`", "\u02cb",
	"@", "@\u200b", "://", ":\u200b//", "](", "]\u200b(", "\n", " ", "\r", " ").Replace

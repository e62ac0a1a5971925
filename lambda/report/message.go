package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"poolkeeper/lambda/reconcile"
)

// most is the size of the largest message that SNS takes, less what its envelope and the escapes of JSON within JSON may add.
const most = 256*1024 - 8*1024

// fitting renders a report with as many of its drifts as there is room for.
func (r Report) fitting(size int, render func(Report) string) string {
	for drifts := len(r.Drifts); ; drifts /= 2 {
		short := r.short(drifts)
		if text := render(short); len(text) <= size || drifts == 0 {
			return text
		}
	}
}

// shown is a value in a message, where a list of a hundred URLs tells no more than its beginning.
func shown(v any) string { return cut(Value(v), 300) }

// maxSubject is SNS's limit.
const maxSubject = 100

// Subject is the subject of an e-mail: printable ASCII, and no longer than SNS takes.
func Subject(r Report) string {
	var settings []string
	for _, d := range slices.Concat(r.of(reconcile.NotFixable), r.of(reconcile.Reported), r.of(reconcile.Fixed)) {
		settings = append(settings, d.Setting[strings.LastIndexByte(d.Setting, '.')+1:])
	}
	what := ""
	if len(settings) > 0 {
		what = ": " + settings[0]
	}
	if len(settings) > 1 {
		what += fmt.Sprintf(" and %d more", len(settings)-1)
	}
	if r.Who.Session != "" {
		what += ", by " + r.actor()
	}
	name := r.UserPool.Name
	if name == "" {
		name = r.UserPool.ID
	}
	text := strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, fmt.Sprintf("[%s] %s %s%s", r.Severity, name, r.Outcome, what))
	if len(text) > maxSubject {
		text = text[:maxSubject-3] + "..."
	}
	return text
}

// Mail is the text of an e-mail: what happened, what is safe, what is not, what to do, and the evidence.
func Mail(r Report) string { return r.fitting(most/8, mail) }

func mail(r Report) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s: user pool %s, account %s, Region %s", r.Outcome, r.UserPool.title(), orUnknown(r.UserPool.Account), r.UserPool.Region)
	if r.Reason != "" {
		line("%s", r.Reason)
	}
	line("\nWHAT HAPPENED")
	line("  %s called %s%s", r.actor(), orUnknown(r.Why.EventName), at(r.When.Event))
	line("  from %s%s%s%s", orUnknown(r.Who.SourceIP), console(r.Who), factor(r.Who), service(r.Who))
	section := func(head string, drifts []Drift, describe func(Drift) string) {
		if len(drifts) == 0 {
			return
		}
		line("\n%s", head)
		for _, d := range drifts {
			line("  %s", describe(d))
			if d.Reason != "" {
				line("      %s", d.Reason)
			}
		}
	}
	section("PUT RIGHT", r.of(reconcile.Fixed), func(d Drift) string {
		return fmt.Sprintf("%s: was %s, required %s (%s)", d.Setting, shown(d.Have), shown(d.Want), rule(d))
	})
	section("NOT RIGHT", r.of(reconcile.NotFixable, reconcile.Reported), func(d Drift) string {
		return fmt.Sprintf("%s: is %s, required %s (%s)", d.Setting, shown(d.Have), shown(d.Want), rule(d))
	})
	section("EXEMPTED", r.of(reconcile.Exempted), func(d Drift) string {
		return fmt.Sprintf("%s: is %s, required %s (%s)", d.Setting, shown(d.Have), shown(d.Want), rule(d))
	})
	if r.Omitted > 0 {
		line("  and %d more, left out for want of room; the log has them all", r.Omitted)
	}
	if len(r.Writes) > 0 {
		line("\nVERIFIED")
		line("  %s; %d required settings hold, %d other settings are exactly what they were", strings.Join(r.Writes, ", "), r.Verified.Owned, r.Verified.UnmanagedUnchanged)
	}
	if len(r.Next) > 0 {
		line("\nWHAT TO DO")
		for i, step := range r.Next {
			line("  %d. %s", i+1, step)
		}
	}
	line("\nEVIDENCE")
	line("  event %s, request %s", orUnknown(r.Why.EventID), orUnknown(r.Why.RequestID))
	if len(r.Why.WriteRequestIDs) > 0 {
		line("  our writes %s", strings.Join(r.Why.WriteRequestIDs, ", "))
	}
	line("  principal %s", orUnknown(r.Who.Principal))
	if r.Who.UserAgent != "" {
		line("  user agent %s", r.Who.UserAgent)
	}
	if r.When.SecondsToRestore != nil {
		line("  seen after %.1f s, restored after %.1f s", *r.When.SecondsToDetect, *r.When.SecondsToRestore)
	} else if r.When.SecondsToDetect != nil {
		line("  seen after %.1f s", *r.When.SecondsToDetect)
	}
	line("  baseline %s, build %s", r.Baseline, r.Build)
	return b.String()
}

// rule names the rule of a drift, and its place in the baseline.
func rule(d Drift) string {
	if d.Source == "" {
		return "rule " + d.Rule
	}
	return "rule " + d.Rule + ", " + d.Source
}

func orUnknown(text string) string {
	if text == "" {
		return "(unknown)"
	}
	return text
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " at " + t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func console(w Who) string {
	if w.Console {
		return ", in the console"
	}
	return ""
}

func factor(w Who) string {
	switch w.MFA {
	case "true":
		return ", with a second factor"
	case "false":
		return ", without a second factor"
	default:
		return ""
	}
}

func service(w Who) string {
	if w.InvokedBy != "" {
		return ", through " + w.InvokedBy
	}
	return ""
}

// Chat is a custom notification of Amazon Q Developer in chat applications, version 1.0.
func Chat(r Report) string { return r.fitting(8000, chat) }

func chat(r Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s called `%s`%s.\n", escape(r.actor()), escape(orUnknown(r.Why.EventName)), at(r.When.Event))
	if r.Reason != "" {
		fmt.Fprintf(&b, "%s\n", escape(r.Reason))
	}
	for _, d := range r.of(reconcile.Fixed, reconcile.NotFixable, reconcile.Reported) {
		fmt.Fprintf(&b, "- *%s* `%s`: %s, required %s\n", d.State, escape(d.Setting), escape(shown(d.Have)), escape(shown(d.Want)))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "- and %d more\n", r.Omitted)
	}
	if len(r.Writes) > 0 {
		fmt.Fprintf(&b, "%d required settings hold, %d others are exactly what they were.\n", r.Verified.Owned, r.Verified.UnmanagedUnchanged)
	}
	related := []string{}
	if r.UserPool.ARN != "" {
		related = append(related, r.UserPool.ARN)
	}
	return encode(map[string]any{
		"version": "1.0", "source": "custom",
		"content": map[string]any{
			"textType": "client-markdown", "title": escape(icons[r.Severity] + " " + Subject(r)), "description": b.String(), "nextSteps": append([]string{}, escapeAll(r.Next)...),
			"keywords": []string{"poolkeeper", string(r.Outcome), r.UserPool.ID},
		},
		"metadata": map[string]any{
			"threadId": r.UserPool.ID, "summary": Subject(r), "eventType": "poolkeeper." + string(r.Outcome), "relatedResources": related,
			"additionalContext": map[string]string{"severity": string(r.Severity), "eventId": r.Why.EventID},
		},
	})
}

// icons stand before the title of a chat message, so that a channel can be read at a glance.
var icons = map[Severity]string{Critical: ":rotating_light:", High: ":warning:", Medium: ":eyes:", Low: ":white_check_mark:", Informational: ":information_source:"}

// escape takes from a stranger's text what chat applications would make of it: mentions, links, formats.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "\u2217", "`", "\u02cb", "@", "@\u200b", "://", ":\u200b//", "](", "]\u200b(", "\n", " ", "\r", " ").Replace

func escapeAll(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = escape(text)
	}
	return all
}

// JSON is the report itself, shortened to fit into a message.
func JSON(r Report) string { return r.fitting(most/8, func(r Report) string { return encode(r) }) }

func encode(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprintf(`{"schema":%q,"reason":"the report cannot be written as JSON"}`, SchemaName)
	}
	return escaped(strings.TrimSuffix(b.String(), "\n"))
}

// Markdown is the report for a ticket.
func Markdown(r Report) string {
	var b strings.Builder
	via := ""
	if r.Who.InvokedBy != "" {
		via = ", through " + code(r.Who.InvokedBy)
	}
	fmt.Fprintf(&b, "## %s: %s\n\n", r.Outcome, code(r.UserPool.title()))
	fmt.Fprintf(&b, "%s called %s%s from %s%s%s%s.\n\n", code(r.actor()), code(orUnknown(r.Why.EventName)), at(r.When.Event), code(orUnknown(r.Who.SourceIP)), console(r.Who), factor(r.Who), via)
	if r.Reason != "" {
		fmt.Fprintf(&b, "%s\n\n", code(r.Reason))
	}
	if len(r.Drifts) > 0 {
		b.WriteString("| | setting | was | required | rule |\n|---|---|---|---|---|\n")
		for _, d := range r.Drifts {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", d.State, code(d.Setting), code(shown(d.Have)), code(shown(d.Want)), code(d.Rule))
		}
		b.WriteString("\n")
	}
	for i, step := range r.Next {
		fmt.Fprintf(&b, "%d. %s\n", i+1, code(step))
	}
	return b.String()
}

// code returns a text as a code span, in which nothing of it can be taken for Markdown.
func code(text string) string {
	text = strings.Map(func(c rune) rune {
		if c == '`' {
			return '\u02cb'
		}
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, text)
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

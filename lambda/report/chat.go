package report

import (
	"fmt"
	"strings"
)

// Chat is a custom notification of Amazon Q Developer in chat applications, version 1.0.
func Chat(r Report) string { return r.fitting(maxChat, chat) }

// maxChat keeps a notification within what chat applications show.
const maxChat = 8000

func chat(r Report) string {
	var b strings.Builder
	if r.called() {
		fmt.Fprintf(&b, "%s called `%s`%s%s.\n", escape(r.actor()), escape(orUnknown(r.Why.EventName)), at(r.When.Event),
			escape(r.Who.through()))
	} else {
		fmt.Fprintf(&b, "%s\n", escape(r.found()))
	}
	if r.Reason != "" {
		fmt.Fprintf(&b, "Reason: %s\n", escape(cut(r.Reason, 500)))
	}
	for _, d := range r.of(groups[:len(groups)-1]...) { // what is exempted is in the mail
		heading := strings.ToLower(string(d.group()))
		fmt.Fprintf(&b, "- *%s* `%s`: %s\n", heading, escape(cut(d.Setting, 200)), escape(d.says()))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "- and %d more\n", r.Omitted)
	}
	if _, text := r.written(); text != "" {
		fmt.Fprintf(&b, "%s\n", escape(text))
	}
	related := []string{}
	if r.UserPool.ARN != "" {
		related = append(related, r.UserPool.ARN)
	}
	return encode(map[string]any{
		"version": "1.0", "source": "custom",
		"content": map[string]any{
			"textType": "client-markdown", "title": escape(icons[r.Severity] + " " + Subject(r)),
			"description": b.String(), "nextSteps": escapeAll(r.Next),
			"keywords": []string{"poolkeeper", string(r.Outcome), r.UserPool.ID},
		},
		"metadata": map[string]any{
			"threadId": r.UserPool.ID, "summary": Subject(r), "eventType": "poolkeeper." + string(r.Outcome),
			"relatedResources":  related,
			"additionalContext": map[string]string{"severity": string(r.Severity), "eventId": r.Why.EventID},
		},
	})
}

// icons stand before the title of a chat message, so that a channel can be read at a glance.
var icons = map[Severity]string{Critical: ":rotating_light:", High: ":warning:", Medium: ":eyes:",
	Low: ":white_check_mark:", Informational: ":information_source:"}

// escape takes from a stranger's text what chat applications would make of it: mentions, links, formats.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "\u2217", "`", "\u02cb",
	"@", "@\u200b", "://", ":\u200b//", "](", "]\u200b(", "\n", " ", "\r", " ").Replace

func escapeAll(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = escape(text)
	}
	return all
}

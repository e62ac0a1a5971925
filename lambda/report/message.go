package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"poolkeeper/lambda/reconcile"
)

// MaxMessage is how many bytes a message may have: what SNS takes, less room for the attributes beside it.
const MaxMessage = 256*1024 - 16*1024

// share is how much of a message each of its texts may have before they are put together.
const share = 31 * 1024

// Message is the message of one publish: a text for each protocol, readable to mail, a custom notification to chat channels (HTTPS), the report as JSON to everything else. Its texts are escaped
// once more within it, so only the whole tells whether it fits.
func Message(r Report) string {
	for size := share; ; size /= 2 {
		text := encode(map[string]string{"default": r.fitting(size, encoded), "email": r.fitting(size, mail), "https": r.fitting(min(size, maxChat), chat)})
		if len(text) <= MaxMessage || size < 1024 {
			return text
		}
	}
}

// fitting renders a report with as many of its drifts and calls as there is room for.
func (r Report) fitting(size int, render func(Report) string) string {
	for kept := max(len(r.Drifts), len(r.Writes), len(r.Why.WriteRequestIDs)); ; kept /= 2 {
		if text := render(r.short(kept)); len(text) <= size || kept == 0 {
			return text
		}
	}
}

// shown is a value in a message, where a list of a hundred URLs tells no more than its beginning.
func shown(v any) string { return cut(Value(v), 300) }

// maxSubject is SNS's limit: fewer than 100 characters.
const maxSubject = 99

// Subject is the subject of an e-mail: printable ASCII, and no longer than SNS takes.
func Subject(r Report) string {
	var settings []string
	for _, d := range newFirst(slices.Concat(r.of(reconcile.NotFixable), r.of(reconcile.Reported), r.of(reconcile.Fixed))) {
		settings = append(settings, d.Setting[strings.LastIndexByte(d.Setting, '.')+1:])
	}
	what := ""
	if len(settings) > 0 {
		what = ": " + settings[0]
	}
	if len(settings) > 1 {
		what += fmt.Sprintf(" and %d more", len(settings)-1)
	}
	if r.Who.Session != "" && r.Outcome != reconcile.Ignored && !r.known() && !r.unread() {
		what += ", by " + r.actor()
	}
	name := r.UserPool.Name
	if name == "" {
		name = cmp.Or(r.UserPool.ID, "(no user pool)")
	}
	return subject(fmt.Sprintf("[%s] %s %s%s", r.Severity, name, r.Outcome, what))
}

// subject is the text as SNS takes it for a subject.
func subject(text string) string {
	text = ascii(text)
	if len(text) > maxSubject {
		text = text[:maxSubject-3] + "..."
	}
	return text
}

// ascii puts a question mark for what is not printable ASCII.
func ascii(text string) string {
	return strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, text)
}

// JSON is the report itself, shortened to fit into a message.
func JSON(r Report) string { return r.fitting(share, encoded) }

func encoded(r Report) string { return encode(r) }

func encode(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprintf(`{"schema":%q,"reason":"the report cannot be written as JSON"}`, SchemaName)
	}
	return escaped(strings.TrimSuffix(b.String(), "\n"))
}

package userpool

import (
	"cmp"
	"maps"
	"regexp"
	"strings"
	"sync"

	"poolkeeper/baseline"
)

var quoted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)Value ('.*?') at '`) })

// The lengths of the shortest secret that is hidden. Shorter ones occur in ordinary text too often.
const (
	shortest     = 4
	shortestLine = 12 // of a text of several lines
)

// longest limits the length of an error text that is searched and shown.
const longest = 4000

// Redact hides the secrets and all values that a validation error quotes, even if they overlap. Then it shortens a long
// text and turns it into one printable line.
func Redact(text string, secrets []string) string {
	hidden := make([]bool, len(text))
	hide := func(from, to int) {
		for i := from; i < to; i++ {
			hidden[i] = true
		}
	}
	for _, value := range quoted().FindAllStringSubmatchIndex(text, -1) {
		hide(value[2], value[3])
	}
	for _, secret := range parts(secrets) {
		for _, rest, found := strings.Cut(text, secret); found; _, rest, found = strings.Cut(rest, secret) {
			hide(len(text)-len(rest)-len(secret), len(text)-len(rest))
		}
	}
	var shown strings.Builder
	for i := range len(text) {
		switch {
		case !hidden[i]:
			shown.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			shown.WriteString("(hidden)")
		}
	}
	text = shown.String()
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return baseline.Legible(text)
}

// parts returns the texts to look for: an error may repeat a secret without the spaces around it, one of its lines, or
// with escaped quotes.
func parts(secrets []string) []string {
	var all []string
	for _, secret := range secrets {
		least := shortest
		for _, part := range append([]string{secret}, strings.Split(secret, "\n")...) {
			if part = strings.TrimSpace(part); len(part) >= least {
				all = append(all, part, strings.ReplaceAll(part, `"`, `\"`))
			}
			least = shortestLine
		}
	}
	return all
}

// Secrets returns the sensitive texts of a document, and those of members that the table does not know.
func Secrets(name baseline.DocumentName, object map[string]any) []string {
	table, _ := name.Table()
	object = maps.Clone(object)
	delete(object, "UserPoolId")
	delete(object, "ClientId")
	return secretsIn(nil, &baseline.Member{Members: table.Members}, object)
}

var unknownMember = &baseline.Member{Sensitive: true}

func secretsIn(found []string, m *baseline.Member, v any) []string {
	if m.Trip == baseline.ReadOnly && !m.Sensitive {
		return found // such as SchemaAttributes, whose names are words of ordinary errors
	}
	switch v := v.(type) {
	case string:
		if m.Sensitive && v != "" {
			found = append(found, v)
		}
	case []any:
		for _, e := range v {
			found = secretsIn(found, cmp.Or(m.Elem, m), e)
		}
	case map[string]any:
		for name, e := range v {
			below := cmp.Or(m.Elem, unknownMember)
			for i := range m.Members { // by index: a member is large to copy
				if m.Members[i].Name == name || m.Members[i].ReadName == name {
					below = &m.Members[i]
				}
			}
			found = secretsIn(found, below, e)
		}
	}
	return found
}

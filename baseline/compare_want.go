package baseline

import (
	"strings"
)

// want returns the requirement in the form shown to users: the value of a literal, or a short text for an operator.
// Sensitive values are masked.
func want(m Member, r Requirement) any {
	switch r.Op {
	case Equal:
		return Mask(m, r.Value)
	case AtLeast:
		return ">= " + show(m, r.Value)
	case AtMost:
		return "<= " + show(m, r.Value)
	case OneOf:
		return "one of " + showAll(m, r.Value)
	case Contains:
		return "contains " + showAll(elementOf(m), r.Value)
	case Without:
		return "without " + showAll(elementOf(m), r.Value)
	case Exactly:
		return "exactly " + canonical(Mask(m, r.Value))
	case Matches:
		return "matches " + canonical(Mask(m, r.Value))
	}
	return string(r.Op)
}

func elementOf(m Member) Member {
	if m.Elem == nil {
		return m
	}
	e := *m.Elem
	e.Sensitive = e.Sensitive || m.Sensitive
	return e
}

func showAll(m Member, v any) string {
	var texts []string
	for _, e := range list(v) {
		texts = append(texts, show(m, e))
	}
	return strings.Join(texts, ", ")
}

func show(m Member, v any) string {
	shown := Mask(m, v)
	if s, ok := shown.(string); ok {
		return s
	}
	return canonical(shown)
}

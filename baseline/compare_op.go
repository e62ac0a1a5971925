package baseline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// holds reports whether a member's value meets the requirement. An aim compares those on whole objects instead.
func holds(m Member, r Requirement, have any) bool {
	switch r.Op {
	case Equal:
		return holdsLiteral(m, r.Value, have)
	case AtLeast, AtMost:
		return holdsBound(m, r, have)
	case OneOf:
		return slices.ContainsFunc(list(r.Value), func(v any) bool { return equal(m, v, have) })
	case Contains:
		return len(less(m, list(r.Value), list(effective(m, have)))) == 0
	case Without:
		live, isList := effective(m, have).([]any)
		return text(m, have) == "" && !isList || isList && len(less(m, live, list(r.Value))) == len(live)
	case Absent:
		return text(m, have) == "" || m.Clear != "" && equal(m, decode(m.Clear), have)
	case Present:
		// A member that is always set is present even if it has its default.
		return text(m, have) != "" || m.Keep != "" && !Empty(effective(m, have))
	case Matches:
		// An absent text without a default does not match any glob, not even "*".
		pattern, ok := r.Value.(string)
		live, isText := effective(m, have).(string)
		return ok && isText && live != "" && m.Trip == Echo && glob(pattern, live)
	}
	return false
}

// holdsLiteral accepts any present object if the required literal has no members: such a literal requires that the
// object is present, and nothing of its members.
func holdsLiteral(m Member, want, have any) bool {
	if m.Spelled && have == nil && len(list(want)) > 0 {
		return false
	}
	if object, ok := want.(map[string]any); ok && len(object) == 0 {
		_, is := have.(map[string]any)
		return is || !m.Presence && have == nil
	}
	return equal(m, want, have)
}

// holdsBound treats an absent number as 0, unless the API does not allow 0: then the service uses its own default.
func holdsBound(m Member, r Requirement, have any) bool {
	bound, ok := number(r.Value)
	have = effective(m, have)
	if have == nil {
		have = json.Number("0")
	}
	live, is := number(have)
	if !ok || !is || live.Sign() == 0 && m.Min > 0 {
		return false
	}
	order := live.Cmp(bound)
	return order == 0 || (order > 0) == (r.Op == AtLeast)
}

// remedy returns the action that would fix the drift of a member, and the value to write if the action is Write.
func remedy(m Member, r Requirement, have any) (Action, any) {
	if r.Set != nil && r.Op != Equal && r.Op != Absent {
		return Write, Clone(r.Set)
	}
	switch r.Op {
	case Equal, AtLeast, AtMost, Exactly:
		return Write, Clone(r.Value)
	case OneOf:
		if options := list(r.Value); len(options) > 0 {
			return Write, Clone(options[0])
		}
	case Contains, Without:
		if l := changed(m, r, have); l != nil && offLength(m, len(l)) == "" {
			return Write, Clone(l)
		}
	case Absent:
		return leaveOut(m)
	}
	return Report, nil
}

// leaveOut clears the member, if the API has a way to do so.
func leaveOut(m Member) (Action, any) {
	switch {
	case m.Clear != "":
		return Write, decode(m.Clear)
	case m.Keep != "":
		return Report, nil
	default:
		return LeaveOut, nil
	}
}

// changed returns the list that Contains or Without makes of another, or nil if there is none.
func changed(m Member, r Requirement, have any) []any {
	live, isList := effective(m, have).([]any)
	switch {
	case r.Op == Contains:
		return slices.Concat([]any{}, live, less(m, list(r.Value), live))
	case isList:
		return less(m, live, list(r.Value))
	}
	return nil
}

func offLength(m Member, n int) string {
	switch count := int64(n); {
	case count < m.Min:
		return fmt.Sprintf("the list would have %d elements, and the API needs at least %d", n, m.Min)
	case m.Max > 0 && count > m.Max:
		return fmt.Sprintf("the list would have %d elements, and the API accepts at most %d", n, m.Max)
	case n == 0 && len(m.DefaultList) > 0 && !m.Presence:
		return "this would leave an empty list, which means " + strings.Join(m.DefaultList, ", ")
	case n == 0 && m.Keep != "":
		return "the list cannot be empty: " + m.Keep
	}
	return ""
}

// less returns the elements of a list that are not among the unwanted ones.
func less(m Member, l, unwanted []any) []any {
	not := map[string]bool{}
	for _, e := range unwanted {
		not[present(*m.Elem, e)] = true
	}
	return slices.DeleteFunc(slices.Clone(l), func(e any) bool { return not[present(*m.Elem, e)] })
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func decode(text string) (v any) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&v) // the texts are those of the table
	return v
}

var signs = map[Op]string{AtLeast: ">=", AtMost: "<=", OneOf: "one of"}

// want returns the requirement in the form shown to users: the value of a literal, or a short text for an operator.
// Sensitive values are masked.
func want(m Member, r Requirement) any {
	sign := cmp.Or(signs[r.Op], string(r.Op))
	switch r.Op {
	case Equal:
		return Mask(m, r.Value)
	case AtLeast, AtMost, Exactly, Matches:
		return sign + " " + canonical(Mask(m, r.Value))
	case OneOf, Contains, Without:
		if m.Elem != nil {
			m = *m.Elem
		}
		var texts []string
		for _, v := range list(r.Value) {
			v = Mask(m, v)
			text, ok := v.(string)
			if !ok {
				text = canonical(v)
			}
			texts = append(texts, text)
		}
		return sign + " " + strings.Join(texts, ", ")
	}
	return sign
}

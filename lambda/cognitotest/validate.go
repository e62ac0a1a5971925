package cognitotest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"poolkeeper/baseline"
)

// validate holds a request against the table, as the service holds it against its model. Like the service, it repeats
// the value that is wrong: hiding that is the client's business.
func validate(members []baseline.Member, request map[string]any) error {
	for name, v := range request {
		i := slices.IndexFunc(members, func(m baseline.Member) bool { return m.Name == name })
		if i < 0 {
			if slices.ContainsFunc(members, func(m baseline.Member) bool { return m.ReadName == name }) {
				return invalid("Unexpected member %s", name)
			}
			continue // the id, or a member that is newer than the table
		}
		if members[i].Trip == baseline.ReadOnly {
			return invalid("Unexpected member %s", name)
		}
		if err := validateValue(members[i], v, lower(name)); err != nil {
			return err
		}
	}
	return nil
}

func validateValue(m baseline.Member, v any, path string) error {
	switch m.Kind {
	case baseline.Object:
		return validateObject(m, v, path)
	case baseline.Map:
		return validateMap(m, v, path)
	case baseline.List:
		return validateList(m, v, path)
	case baseline.Boolean:
		if _, ok := v.(bool); !ok {
			return wrongShape(path)
		}
		return nil
	case baseline.Integer:
		return validateInteger(m, v, path)
	default:
		return validateText(m, v, path)
	}
}

func validateMap(m baseline.Member, v any, path string) error {
	entries, ok := v.(map[string]any)
	if !ok {
		return wrongShape(path)
	}
	if m.Max > 0 && int64(len(entries)) > m.Max {
		return constraint(v, path, fmt.Sprintf("Member must have length less than or equal to %d", m.Max))
	}
	for key, e := range entries {
		switch length := int64(utf8.RuneCountInString(key)); {
		case m.KeyReserved != "" && strings.HasPrefix(key, m.KeyReserved):
			return &failure{Code: "UserPoolTaggingException", Message: "Tag keys that begin with " + m.KeyReserved +
				" are reserved"}
		case m.KeyPat != "" && !whole(m.KeyPat, key):
			return constraint(key, path, "Map keys must satisfy regular expression pattern: "+m.KeyPat)
		case length == 0:
			return constraint(key, path, "Map keys must have length greater than or equal to 1")
		case m.KeyMax > 0 && length > m.KeyMax:
			return constraint(key, path, fmt.Sprintf("Map keys must have length less than or equal to %d", m.KeyMax))
		}
		if err := validateValue(*m.Elem, e, path+"."+key); err != nil {
			return err
		}
	}
	return nil
}

func validateObject(m baseline.Member, v any, path string) error {
	members, ok := v.(map[string]any)
	if !ok {
		return wrongShape(path)
	}
	if m.NotEmpty && len(members) == 0 && m.Name != "DcrConfiguration" { // which {} turns on
		return constraint("{}", path, "Member must not be empty")
	}
	for _, below := range m.Members {
		e, given := members[below.Name]
		at := path + "." + lower(below.Name)
		// Without an EnableStatus, registration is turned on; every other required member is refused where it is missing.
		if below.Required && (!given || e == nil) && below.Name != "EnableStatus" {
			return &failure{Code: "InvalidParameterException",
				Message: fmt.Sprintf("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member "+
					"must not be null", at)}
		}
		if given {
			if err := validateValue(below, e, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func validateList(m baseline.Member, v any, path string) error {
	elements, ok := v.([]any)
	if !ok {
		return wrongShape(path)
	}
	if count := int64(len(elements)); count < m.Min {
		return constraint(v, path, fmt.Sprintf("Member must have length greater than or equal to %d", m.Min))
	} else if m.Max > 0 && count > m.Max {
		return constraint(v, path, fmt.Sprintf("Member must have length less than or equal to %d", m.Max))
	}
	for i, e := range elements {
		if err := validateValue(*m.Elem, e, fmt.Sprintf("%s.%d.member", path, i+1)); err != nil {
			return err
		}
	}
	return nil
}

// zeroIsAbsent are the members whose range the table narrows to exclude 0, which the service takes for absent.
var zeroIsAbsent = map[string]bool{"TemporaryPasswordValidityDays": true, "UnusedAccountValidityDays": true}

func validateInteger(m baseline.Member, v any, path string) error {
	number, ok := v.(json.Number)
	if !ok {
		return wrongShape(path)
	}
	i, err := number.Int64()
	if err != nil {
		return wrongShape(path)
	}
	if i < m.Min && (i != 0 || !zeroIsAbsent[m.Name]) {
		return constraint(v, path, fmt.Sprintf("Member must have value greater than or equal to %d", m.Min))
	}
	if m.Max > 0 && i > m.Max {
		return constraint(v, path, fmt.Sprintf("Member must have value less than or equal to %d", m.Max))
	}
	return nil
}

func validateText(m baseline.Member, v any, path string) error {
	text, ok := v.(string)
	length := int64(utf8.RuneCountInString(text))
	switch {
	case !ok:
		return wrongShape(path)
	case len(m.Enum) > 0 && !slices.Contains(m.Enum, text):
		return constraint(v, path, "Member must satisfy enum value set: ["+strings.Join(m.Enum, ", ")+"]")
	case text == "" && !m.Presence && len(m.Enum) == 0:
		return constraint(v, path, "Member must have length greater than or equal to 1")
	case length < m.Min:
		return constraint(v, path, fmt.Sprintf("Member must have length greater than or equal to %d", m.Min))
	case m.Max > 0 && length > m.Max:
		return constraint(v, path, fmt.Sprintf("Member must have length less than or equal to %d", m.Max))
	case m.Pattern != "" && !whole(m.Pattern, text):
		return constraint(v, path, "Member must satisfy regular expression pattern: "+m.Pattern)
	}
	return nil
}

// compiled holds the patterns of the table by their text.
var compiled sync.Map

// whole says whether the whole of a text matches. A pattern that is none matches nothing.
func whole(pattern, text string) bool {
	known, ok := compiled.Load(pattern)
	if !ok {
		expression, err := regexp.Compile(`(?s)^(?:` + pattern + `)$`)
		if err != nil {
			return false
		}
		known, _ = compiled.LoadOrStore(pattern, expression)
	}
	expression, ok := known.(*regexp.Regexp)
	return ok && expression.MatchString(text)
}

func constraint(v any, path, rule string) error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", v, path, rule)
}

func wrongShape(path string) error {
	return &failure{Code: "SerializationException", Message: "unexpected type at " + path}
}

// lower is the name as CloudTrail and validation errors spell it.
func lower(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[size:]
}

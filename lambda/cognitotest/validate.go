package cognitotest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"poolkeeper/baseline"
)

// validate holds a request against the table, as the service holds it against its model. Like the service, it repeats the value that
// is wrong: hiding that is the client's business.
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
		entries, ok := v.(map[string]any)
		if !ok {
			return wrongShape(path)
		}
		for key, e := range entries {
			if m.KeyReserved != "" && strings.HasPrefix(key, m.KeyReserved) {
				return &failure{Code: "UserPoolTaggingException", Message: "Tag keys that begin with aws: are reserved"}
			}
			if m.KeyPat != "" && !whole(m.KeyPat, key) {
				return constraint(key, path, "Map keys must satisfy regular expression pattern: "+m.KeyPat)
			}
			if err := validateValue(*m.Elem, e, path+"."+key); err != nil {
				return err
			}
		}
		return nil
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

func validateObject(m baseline.Member, v any, path string) error {
	members, ok := v.(map[string]any)
	if !ok {
		return wrongShape(path)
	}
	for _, below := range m.Members {
		e, given := members[below.Name]
		at := path + "." + lower(below.Name)
		if below.Required && (!given || e == nil) && m.Name != "DcrConfiguration" && m.Name != "AccountRecoverySetting" && m.Name != "SignInPolicy" {
			return &failure{Code: "InvalidParameterException",
				Message: fmt.Sprintf("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", at)}
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

func validateInteger(m baseline.Member, v any, path string) error {
	number, ok := v.(json.Number)
	if !ok {
		return wrongShape(path)
	}
	i, err := number.Int64()
	if err != nil {
		return wrongShape(path)
	}
	// The table narrows two members to exclude 0, which the service takes for absent.
	if i != 0 && i < m.Min || i == 0 && m.Min > 1 {
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

func whole(pattern, text string) bool {
	return regexp.MustCompile(`(?s)^(?:` + pattern + `)$`).MatchString(text)
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

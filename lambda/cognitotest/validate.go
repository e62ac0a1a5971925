package cognitotest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"poolkeeper/baseline"
)

// validate checks a request against the table, as the service does with its model. Like the service, it quotes the
// wrong value in the error; the client must hide it.
func (s *Server) validate(members []baseline.Member, request object) error {
	if !s.validators {
		return nil
	}
	for _, m := range members {
		for _, name := range []string{m.Name, m.ReadName} {
			if _, given := request[name]; given && (m.Trip == baseline.ReadOnly || name == m.ReadName) {
				return invalid("Unexpected member %s", name)
			}
		}
	}
	return validateObject(baseline.Member{Members: members}, request, "") // which ignores the ids and newer members
}

func validateValue(m baseline.Member, v any, path string) error {
	switch v := v.(type) {
	case object:
		switch m.Kind {
		case baseline.Map:
			return validateMap(m, v, path)
		case baseline.Object:
			return validateObject(m, v, path)
		}
	case []any:
		if m.Kind == baseline.List {
			err := within(v, path, "Member must have length", int64(len(v)), m.Min, m.Max)
			for i, e := range v {
				err = cmp.Or(err, validateValue(*m.Elem, e, fmt.Sprintf("%s.%d.member", path, i+1)))
			}
			return err
		}
	case bool:
		if m.Kind == baseline.Boolean {
			return nil
		}
	case json.Number:
		if i, err := v.Int64(); m.Kind == baseline.Integer && err == nil {
			if i == 0 && strings.HasSuffix(m.Name, "ValidityDays") {
				return nil // the service treats 0 as absent
			}
			return within(v, path, "Member must have value", i, m.Min, m.Max)
		}
	case string:
		if m.Kind == baseline.String {
			return validateText(m, v, path)
		}
	}
	return &failure{Code: "SerializationException", Message: "unexpected type at " + path}
}

func validateMap(m baseline.Member, entries object, path string) error {
	err := within(entries, path, "Member must have length", int64(len(entries)), 0, m.Max)
	for key, e := range entries {
		if m.KeyReserved != "" && strings.HasPrefix(key, m.KeyReserved) {
			return &failure{Code: "UserPoolTaggingException", Message: "Tag keys that begin with " + m.KeyReserved +
				" are reserved"}
		}
		length := int64(utf8.RuneCountInString(key))
		err = cmp.Or(err, within(key, path, "Map keys must have length", length, 1, m.KeyMax),
			validateValue(*m.Elem, e, path+"."+key))
	}
	return err
}

func validateObject(m baseline.Member, members object, path string) error {
	if m.NotEmpty && len(members) == 0 && m.Name != "DcrConfiguration" { // which {} enables
		return constraint("{}", path, "Member must not be empty")
	}
	for _, below := range m.Members {
		e, given := members[below.Name]
		at := strings.TrimPrefix(path+"."+lower(below.Name), ".")
		// Without EnableStatus, registration is enabled. Every other required member must be present.
		if below.Required && e == nil && below.Name != "EnableStatus" {
			return missing(at)
		}
		if given {
			if err := validateValue(below, e, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// within checks a number or a length against its limits. A maximum of 0 means no maximum.
func within(v any, path, what string, n, least, most int64) error {
	if n < least {
		return constraint(v, path, fmt.Sprintf("%s greater than or equal to %d", what, least))
	} else if most > 0 && n > most {
		return constraint(v, path, fmt.Sprintf("%s less than or equal to %d", what, most))
	}
	return nil
}

func validateText(m baseline.Member, text, path string) error {
	least := m.Min
	if !m.Presence && len(m.Enum) == 0 {
		least = max(least, 1)
	}
	if len(m.Enum) > 0 && !slices.Contains(m.Enum, text) {
		return constraint(text, path, "Member must satisfy enum value set: ["+strings.Join(m.Enum, ", ")+"]")
	}
	err := within(text, path, "Member must have length", int64(utf8.RuneCountInString(text)), least, m.Max)
	if err == nil && m.Pattern != "" && !baseline.Wholly(m.Pattern, text) {
		return constraint(text, path, "Member must satisfy regular expression pattern: "+m.Pattern)
	}
	return err
}

func constraint(v any, path, rule string) error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", v, path, rule)
}

// lower returns the name in the spelling of CloudTrail and validation errors.
func lower(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[size:]
}

package main

import "strings"

// Names and ARNs are looked at by hand: every start does so, and to compile a regular expression costs a start more than everything else that it does with its environment.

// inARN returns what follows the kind in an ARN of the service, and false if the text is none.
func inARN(text, service, kind string) (name string, ok bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !consists(parts[1], "-") || parts[2] != service || len(parts[4]) != 12 || strings.Trim(parts[4], "0123456789") != "" {
		return "", false
	}
	if region := parts[3]; service == "iam" && region != "" || service != "iam" && !consists(region, "-") {
		return "", false
	}
	return strings.CutPrefix(parts[5], kind)
}

// nameOf returns the name that the text is, or that stands in it if it is an ARN.
func nameOf(text, service, kind string) string {
	if name, ok := inARN(text, service, kind); ok {
		return name
	}
	return text
}

// consists says whether a text is not empty, and all letters of ASCII, digits, low lines and the marks given.
func consists(text, marks string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && !strings.ContainsRune(marks, r)
	})
}

func isRole(text string) bool {
	name, ok := inARN(text, "iam", "role/")
	return ok && consists(name, "+=,.@/-")
}

func isTopic(text string) bool {
	name, ok := inARN(text, "sns", "")
	return ok && consists(name, "-")
}

func isTable(text string) bool {
	name := nameOf(text, "dynamodb", "table/")
	return consists(name, ".-") && len(name) >= 3 && len(name) <= 255
}

func isBus(text string) bool { return consists(nameOf(text, "events", "event-bus/"), "./-") }

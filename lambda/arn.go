package main

import (
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// Names are checked without regular expressions. Every start checks them, and compiling one would take longer than
// everything else that a start does with the environment.

// inARN returns what follows the kind in an ARN of the service, and false if the text is no such ARN.
func inARN(text, service, kind string) (name string, ok bool) {
	a, err := arn.Parse(text)
	hasRegion := service != "iam" && consists(a.Region, "-") || service == "iam" && a.Region == ""
	if err != nil || !consists(a.Partition, "-") || a.Service != service || !hasRegion || len(a.AccountID) != 12 ||
		strings.Trim(a.AccountID, "0123456789") != "" {
		return "", false
	}
	return strings.CutPrefix(a.Resource, kind)
}

// nameOf returns the name that the text is, or the name in it if it is an ARN.
func nameOf(text, service, kind string) string {
	if name, ok := inARN(text, service, kind); ok {
		return name
	}
	return text
}

// consists reports whether a text is not empty and has only ASCII letters, digits, underscores and the given marks.
func consists(text, marks string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		isDigit, isLetter := r >= '0' && r <= '9', r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !isDigit && !isLetter && r != '_' && !strings.ContainsRune(marks, r)
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

// isQueueURL reports whether a text is the URL of a queue, whose path ends in its name: https, or http of an emulator
// on this machine.
func isQueueURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	name := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	return consists(name, "-.") && (u.Scheme == "https" || u.Scheme == "http" && local)
}

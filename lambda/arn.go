package main

import (
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// Names are checked without regular expressions: compiling one takes longer than all other work on the environment.

// nameIn returns the part of the service's ARN after the kind. Without such an ARN, it returns the text.
func nameIn(text, service, kind string) string {
	a, err := arn.Parse(text)
	hasRegion := consists(a.Region, "-")
	if err != nil || a.Service != service || !consists(a.Partition, "-") || hasRegion == (service == "iam") ||
		len(a.AccountID) != 12 || strings.Trim(a.AccountID, "0123456789") != "" || !strings.HasPrefix(a.Resource, kind) {
		return text
	}
	return a.Resource[len(kind):]
}

// consists reports whether a text is not empty and has only ASCII letters, digits, underscores and the given marks.
func consists(text, marks string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return text != "" && strings.Trim(text, letters+marks) == ""
}

func isRole(text string) bool {
	name := nameIn(text, "iam", "role/")
	return name != text && consists(name, "+=,.@/-")
}

func isTopic(text string) bool {
	name := nameIn(text, "sns", "")
	return name != text && consists(name, "-")
}

func isBus(text string) bool { return consists(nameIn(text, "events", "event-bus/"), "./-") }

func isTable(text string) bool {
	name := nameIn(text, "dynamodb", "table/")
	return consists(name, ".-") && len(name) >= 3 && len(name) <= 255
}

// isQueueURL reports whether a text is a URL whose path ends with a queue's name: https, or http for a local emulator.
func isQueueURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	return consists(u.Path[strings.LastIndexByte(u.Path, '/')+1:], "-.") &&
		(u.Scheme == "https" || u.Scheme == "http" && local)
}

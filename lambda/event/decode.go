package event

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"poolkeeper/baseline"
)

const (
	fromCognito   = "aws.cognito-idp"
	fromScheduler = "aws.events"
	apiCall       = "AWS API Call via CloudTrail"
)

// Decode decodes an event, or an SQS event with the event as its only message. If there are several reasons to ignore
// an event, it returns the first in the order of the checks.
func Decode(payload []byte, home Home) Request {
	envelope := parse(payload)
	if records, ok := recordsOf(envelope); ok && len(records) == 1 {
		envelope = parse(records[0].Body)
	}
	if envelope == nil {
		return ignored(Malformed, "the payload is not a JSON object")
	}
	source, kind, detail := envelope.text("source"), envelope.text("detail-type"), envelope.object("detail")
	cause := Cause{EventID: clean(envelope.text("id")), EventName: clean(kind), Time: instant(envelope.text("time"))}
	switch [2]string{source, kind} {
	case [2]string{fromCognito, apiCall}:
		request := decodeCall(envelope, detail, home)
		request.Cause = causeOf(detail)
		return request
	case [2]string{fromScheduler, "Scheduled Event"}:
		return Request{Kind: All, Cause: cause, Scan: Scan{Scheduled: true}}
	case [2]string{Source, ScanPools}, [2]string{Source, sweepPools}:
		return Request{Kind: All, Cause: cause, Scan: scanOf(detail)}
	case [2]string{Source, ReconcilePool}:
		return decodeMember(detail, cause, home)
	}
	if slices.Contains([]string{fromCognito, fromScheduler, Source}, source) {
		return ignored(UnknownDetailType, "detail-type %q of source %q is not supported", kind, source)
	}
	return ignored(UnknownSource, "source %q is not supported", source)
}

func decodeMember(detail object, cause Cause, home Home) Request {
	request := one(detail.value(poolParameter), home)
	started := instant(cmp.Or(detail.text("scan"), detail.text("sweep"))) // the second is the older name
	if request.Cause = cause; !started.IsZero() {
		request.Cause.EventName = ScanPools
	}
	if request.Kind == One {
		request.Clients = clientsOf(detail)
		if !started.IsZero() {
			request.Scan = Scan{Started: started, Scheduled: detail["scheduled"] == true}
		}
	}
	return request
}

func decodeCall(envelope, detail object, home Home) Request {
	name, source := detail.text("eventName"), detail.text("eventSource")
	code := detail["errorCode"]
	at := slices.IndexFunc(table, func(n Name) bool { return n.Name == name })
	switch {
	case len(detail) == 0:
		return ignored(Malformed, "the event has no detail")
	case source != "cognito-idp.amazonaws.com":
		return ignored(UnknownSource, "eventSource %q is not that of user pools", source)
	case detail["readOnly"] == true || detail["readOnly"] == "true":
		return ignored(ReadOnly, "%s changes nothing", name)
	case code != nil && code != "":
		return ignored(FailedCall, "the call failed with %s and changed nothing", code)
	case at < 0:
		return ignored(NotInTable, "%q changes nothing that a baseline requires or watches", name)
	}
	for _, from := range []Home{{Account: detail.text("recipientAccountId"), Region: detail.text("awsRegion")},
		{Account: envelope.text("account"), Region: envelope.text("region")}} {
		// Empty fields of home get the values of the event.
		home.Account, home.Region = cmp.Or(home.Account, from.Account), cmp.Or(home.Region, from.Region)
		if why := foreign("event is from", from, home); why.Kind != "" {
			return why
		}
	}
	request, parameters := locate(name, detail, home), detail.object("requestParameters")
	if request.Kind != One {
		return request
	}
	request.Call, request.Named = table[at], namesOf(parameters)
	if request.Call.Client {
		request.ClientID = clientOf(detail)
	}
	subject := request.Call.Subject
	if text, _ := parameters.value(subject).(string); subject != "" && !hidden(text) {
		request.Subject = clean(text)
	}
	return request
}

// foreign detects an event or a resource of another account or Region. What is not known is not compared.
func foreign(is string, at, home Home) Request {
	switch {
	case at.Account != "" && home.Account != "" && at.Account != home.Account:
		return ignored(OtherAccount, "the "+is+" account %s, but the function is in %s", at.Account, home.Account)
	case at.Region != "" && home.Region != "" && at.Region != home.Region:
		return ignored(OtherRegion, "the "+is+" Region %s, but the function is in %s", at.Region, home.Region)
	}
	return Request{}
}

func clientOf(detail object) string {
	created := detail.object("responseElements").object("userPoolClient").value(clientParameter)
	for _, v := range []any{created, detail.object("requestParameters").value(clientParameter)} {
		if id, ok := v.(string); ok && baseline.IsClientID(id) && !hidden(id) {
			return id
		}
	}
	return ""
}

// namesOf returns the sorted names of the parameters that have a value.
func namesOf(parameters object) []string {
	var names []string
	for name, v := range parameters {
		if v != nil {
			names = append(names, clean(name))
		}
	}
	slices.Sort(names)
	return names
}

// locate finds the pool in the event of a call. If the event names no pool or several, it requests a scan, because the
// call was made and CloudTrail leaves out large and sensitive requests.
func locate(call string, detail object, home Home) Request {
	parameters, find := detail.object("requestParameters"), one
	v := parameters.value(poolParameter)
	switch call {
	case "CreateUserPool":
		v = detail.object("responseElements").object("userPool").value("id")
	case "TagResource", "UntagResource":
		v, find = parameters.value("resourceArn"), ofARN
	}
	var unclear string
	switch {
	case v == nil || hidden(v):
		unclear = "CloudTrail left out which pool " + call + " changed"
	case v == ambiguous{}:
		unclear = "the event of " + call + " names several pools"
	default:
		return find(v, home)
	}
	return Request{Kind: All, Reason: RequestLeftOut, Detail: unclear + ", so every pool is scanned"}
}

// hidden reports whether a text is CloudTrail's placeholder for a hidden value.
func hidden(v any) bool {
	return v == "HIDDEN_DUE_TO_SECURITY_REASONS" || v == "HIDDEN_FOR_SECURITY_REASONS"
}

func one(v any, home Home) Request {
	if v == nil {
		return ignored(NoPoolID, "the event names no pool")
	}
	id, ok := v.(string)
	if !ok || !baseline.IsPoolID(id) {
		return ignored(BadPoolID, "%q is not a pool id", v)
	}
	if primary, _, _ := strings.Cut(id, "_"); home.Region != "" && primary != home.Region {
		request := ignored(Replica, "the pool's primary Region is %s, but the function is in %s: the pool is reconciled in "+
			"its primary Region", primary, home.Region)
		request.UserPoolID = id
		return request
	}
	return Request{Kind: One, UserPoolID: id}
}

// ofARN parses arn:PARTITION:cognito-idp:REGION:ACCOUNT:userpool/ID.
func ofARN(v any, home Home) Request {
	arn, _ := v.(string)
	parts := strings.Split(arn, ":")
	id, isPool := strings.CutPrefix(parts[len(parts)-1], "userpool/")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "cognito-idp" || !isPool {
		return ignored(OtherResource, "%q is not a user pool", v)
	}
	if why := foreign("resource is in", Home{Account: parts[4], Region: parts[3]}, home); why.Kind != "" {
		return why
	}
	return one(id, home)
}

func causeOf(detail object) Cause {
	identity := detail.object("userIdentity")
	session := identity.object("sessionContext")
	cause := Cause{
		EventID:   clean(detail.text("eventID")),
		EventName: clean(detail.text("eventName")),
		Actor:     clean(identity.text("arn")),
		Issuer:    clean(session.object("sessionIssuer").text("arn")),
		SourceIP:  clean(detail.text("sourceIPAddress")),
		UserAgent: clean(detail.text("userAgent")),
		InvokedBy: clean(identity.text("invokedBy")),
		RequestID: clean(detail.text("requestID")),
		Console:   fmt.Sprint(detail["sessionCredentialFromConsole"]) == "true",
		Time:      instant(detail.text("eventTime")),
	}
	if mfa := fmt.Sprint(session.object("attributes")["mfaAuthenticated"]); mfa == "true" || mfa == "false" {
		cause.MFA = mfa
	}
	return cause
}

// ignored returns the request for an ignored event, with the reason. The arguments may be untrusted.
func ignored(reason Reason, format string, args ...any) Request {
	for i, arg := range args {
		args[i] = clean(fmt.Sprint(arg))
	}
	return Request{Kind: Ignored, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// An object is an untrusted JSON object: any member may be missing or have any type.
type object map[string]any

// parse decodes a JSON object, and returns nil for any other payload. Numbers of any size become json.Number.
func parse(payload []byte) object {
	var o object
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if decoder.Decode(&o) != nil {
		return nil
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil
	}
	return o
}

// text returns the member if it is a string, or "".
func (o object) text(name string) string {
	text, _ := o[name].(string)
	return text
}

func (o object) object(name string) object {
	inner, _ := o[name].(map[string]any)
	return inner
}

// ambiguous represents a member with several different values.
type ambiguous struct{}

// value returns the member with the given name in any case, because the case of CloudTrail's parameters is not
// documented. It returns ambiguous{} if several such members differ.
func (o object) value(name string) any {
	var found any
	for key, v := range o {
		if !strings.EqualFold(key, name) || v == nil {
			continue
		}
		text, isText := v.(string)
		if found != nil && (!isText || found != text) {
			return ambiguous{}
		}
		found = v
	}
	return found
}

// maxText is the longest text that is copied from an event, in bytes.
const maxText = 1024

// clean makes an untrusted text safe for a log: of limited length, valid UTF-8 and without control characters.
func clean(text string) string {
	cleaned := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), maxText)], ""))
	if len(text) > maxText {
		cleaned += "…"
	}
	return cleaned
}

// instant parses a time, or returns the zero time. Go encodes only times with a four-digit year in UTC as JSON.
func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if t = t.UTC(); err != nil || t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

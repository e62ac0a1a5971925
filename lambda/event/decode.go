package event

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const (
	fromCognito   = "aws.cognito-idp"
	fromScheduler = "aws.events"
	fromUs        = "poolkeeper"
	apiCall       = "AWS API Call via CloudTrail"
)

// Decode reads an event, or an SQS event whose one message is the event. Where there are several reasons to ignore an
// event, it gives the first in the order of the checks.
func Decode(payload []byte, home Home) Request {
	envelope := parse(payload)
	if messages, ok := messagesOf(envelope); ok && len(messages) == 1 {
		envelope = parse([]byte(messages[0].text("body")))
	}
	if envelope == nil {
		return ignored(Malformed, "the payload is not a JSON object")
	}
	source, kind := envelope.text("source"), envelope.text("detail-type")
	cause := Cause{EventID: clean(envelope.text("id")), EventName: clean(kind), Time: instant(envelope.text("time"))}
	switch {
	case source == fromCognito && kind == apiCall:
		return decodeCall(envelope, home)
	case source == fromCognito && kind == "AWS Service Event via CloudTrail":
		return ignored(ServiceEvent, "a request to the hosted pages changes no setting")
	case source == "aws.cognito-identity":
		return ignored(IdentityPool, "identity pools are another service")
	case source == fromScheduler && kind == "Scheduled Event":
		return Request{Kind: All, Cause: cause, Scan: Scan{Scheduled: true}}
	case source == fromUs && (kind == ScanPools || kind == sweepPools):
		return Request{Kind: All, Cause: cause, Scan: scanOf(envelope.object("detail"))}
	case source == fromUs && kind == ReconcilePool:
		return decodeMember(envelope.object("detail"), cause, home)
	case source == fromCognito, source == fromScheduler, source == fromUs:
		return ignored(UnknownDetailType,
			fmt.Sprintf("detail-type %q of source %q is not supported", clean(kind), clean(source)))
	default:
		return ignored(UnknownSource, fmt.Sprintf("source %q is not supported", clean(source)))
	}
}

// decodeMember reads a message that asks for one pool, or for some of its app clients.
func decodeMember(detail object, cause Cause, home Home) Request {
	request := one(detail.value(poolParameter), home)
	started := instant(detail.text("scan"))
	if started.IsZero() {
		started = instant(detail.text("sweep")) // the older name
	}
	if !started.IsZero() {
		cause.EventName = ScanPools
	}
	request.Cause = cause
	if request.Kind != One {
		return request
	}
	if !started.IsZero() {
		request.Scan = Scan{Started: started, Scheduled: detail["scheduled"] == true}
	}
	request.Clients = clientsOf(detail)
	return request
}

// decodeCall reads an event that CloudTrail made of an API call.
func decodeCall(envelope object, home Home) Request {
	detail := envelope.object("detail")
	request := ofCall(envelope, detail, home)
	request.Cause = causeOf(detail)
	return request
}

func ofCall(envelope, detail object, home Home) Request {
	if request, found := noCall(detail); found {
		return request
	}
	name := detail.text("eventName")
	call, ok := named(name)
	if !ok {
		return ignored(NotInTable, fmt.Sprintf("%q changes nothing that a baseline requires or watches", clean(name)))
	}
	if request, found := foreign(envelope, detail, &home); found {
		return request
	}
	request := locate(call, detail, home)
	if request.Kind != One {
		return request
	}
	parameters := detail.object("requestParameters")
	request.Call, request.Named = call, namesOf(parameters)
	if call.Client {
		request.ClientID = clientOf(detail)
	}
	if subject, ok := parameters.value(call.Subject).(string); ok && call.Subject != "" && !hidden(subject) {
		request.Subject = clean(subject)
	}
	return request
}

// noCall finds an event that is not of a successful call to Cognito user pools that changes something.
func noCall(detail object) (Request, bool) {
	if len(detail) == 0 {
		return ignored(Malformed, "the event has no detail"), true
	}
	switch source := detail.text("eventSource"); source {
	case "cognito-idp.amazonaws.com":
	case "cognito-identity.amazonaws.com":
		return ignored(IdentityPool, "identity pools are another service"), true
	default:
		return ignored(UnknownSource, fmt.Sprintf("eventSource %q is not that of user pools", clean(source))), true
	}
	if kind := detail["eventType"]; kind != nil && kind != "AwsApiCall" {
		return ignored(ServiceEvent, fmt.Sprintf("eventType %q is not an API call", clean(fmt.Sprint(kind)))), true
	}
	if detail["readOnly"] == true || detail["readOnly"] == "true" {
		return ignored(ReadOnly, clean(detail.text("eventName"))+" changes nothing"), true
	}
	if code := detail["errorCode"]; code != nil && code != "" {
		return ignored(FailedCall,
			fmt.Sprintf("the call failed with %s and changed nothing", clean(fmt.Sprint(code)))), true
	}
	return Request{}, false
}

// clientOf returns the id of the app client that a call is about, or "".
func clientOf(detail object) string {
	created := detail.object("responseElements").object("userPoolClient").value(clientParameter)
	for _, v := range []any{created, detail.object("requestParameters").value(clientParameter)} {
		if id, ok := v.(string); ok && isClientID(id) && !hidden(id) {
			return id
		}
	}
	return ""
}

// maxNamed is more than any call has parameters.
const maxNamed = 64

// namesOf returns the names of the parameters that have a value, sorted: of too many, the first.
func namesOf(parameters object) []string {
	var names []string
	for name, v := range parameters {
		if v != nil {
			names = append(names, clean(name))
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxNamed)]
}

// maxClientID is Cognito's limit.
const maxClientID = 128

func isClientID(text string) bool {
	return text != "" && len(text) <= maxClientID && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && r != '+' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// foreign finds an event of another account or Region, and fills what home leaves open with the event's own.
func foreign(envelope, detail object, home *Home) (Request, bool) {
	for _, account := range []string{detail.text("recipientAccountId"), envelope.text("account")} {
		if home.Account == "" {
			home.Account = account
		}
		if account != "" && account != home.Account {
			return ignored(OtherAccount,
				fmt.Sprintf("the event is of account %s, this is %s", clean(account), clean(home.Account))), true
		}
	}
	for _, region := range []string{detail.text("awsRegion"), envelope.text("region")} {
		if home.Region == "" {
			home.Region = region
		}
		if region != "" && region != home.Region {
			return ignored(OtherRegion,
				fmt.Sprintf("the event is of Region %s, this is %s", clean(region), clean(home.Region))), true
		}
	}
	return Request{}, false
}

// locate finds the pool in the place where events of this call have it. Where the event has nothing there, or several
// values, it asks for a scan: the call was made, and CloudTrail leaves out large and sensitive requests.
func locate(call Name, detail object, home Home) Request {
	var v any
	switch call.Place {
	case RequestResourceARN:
		v = detail.object("requestParameters").value(arnParameter)
	case ResponseUserPoolID:
		v = detail.object("responseElements").object("userPool").value("id")
	default:
		v = detail.object("requestParameters").value(poolParameter)
	}
	switch {
	case v == nil || hidden(v):
		return Request{Kind: All, Reason: RequestLeftOut,
			Detail: "CloudTrail left out which pool " + call.Name + " changed, so every pool is scanned"}
	case v == ambiguous:
		return Request{Kind: All, Reason: RequestLeftOut,
			Detail: "the event of " + call.Name + " names several pools, so every pool is scanned"}
	case call.Place == RequestResourceARN:
		return ofARN(v, home)
	default:
		return one(v, home)
	}
}

// hidden knows the texts that CloudTrail has in place of a value of Cognito's that it does not show.
func hidden(v any) bool {
	return v == "HIDDEN_DUE_TO_SECURITY_REASONS" || v == "HIDDEN_FOR_SECURITY_REASONS"
}

var poolID = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_-]+_[0-9A-Za-z]+$`)
})

// maxPoolID is Cognito's limit.
const maxPoolID = 55

func one(v any, home Home) Request {
	if v == nil {
		return ignored(NoPoolID, "the event names no pool")
	}
	id, ok := v.(string)
	if !ok || len(id) > maxPoolID || !poolID().MatchString(id) {
		return ignored(BadPoolID, fmt.Sprintf("%q is not a pool id", clean(fmt.Sprint(v))))
	}
	primary, _, _ := strings.Cut(id, "_")
	if home.Region != "" && primary != home.Region {
		return Request{Kind: Ignored, UserPoolID: id, Reason: Replica, Detail: fmt.Sprintf(
			"the pool's primary Region is %s, this is %s: it is reconciled in its primary Region",
			primary, clean(home.Region))}
	}
	return Request{Kind: One, UserPoolID: id}
}

// ofARN reads arn:PARTITION:cognito-idp:REGION:ACCOUNT:userpool/ID.
func ofARN(v any, home Home) Request {
	arn, _ := v.(string)
	parts := strings.Split(arn, ":")
	id, isPool := strings.CutPrefix(parts[len(parts)-1], "userpool/")
	switch {
	case len(parts) != 6 || parts[0] != "arn" || parts[2] != "cognito-idp" || !isPool:
		return ignored(OtherResource, fmt.Sprintf("%q is not a user pool", clean(fmt.Sprint(v))))
	case home.Account != "" && parts[4] != home.Account:
		return ignored(OtherAccount,
			fmt.Sprintf("the resource is of account %s, this is %s", clean(parts[4]), clean(home.Account)))
	case home.Region != "" && parts[3] != home.Region:
		return ignored(OtherRegion,
			fmt.Sprintf("the resource is of Region %s, this is %s", clean(parts[3]), clean(home.Region)))
	}
	return one(id, home)
}

func causeOf(detail object) Cause {
	identity := detail.object("userIdentity")
	session := identity.object("sessionContext")
	console := detail["sessionCredentialFromConsole"]
	return Cause{
		EventID:   clean(detail.text("eventID")),
		EventName: clean(detail.text("eventName")),
		Actor:     clean(identity.text("arn")),
		Issuer:    clean(session.object("sessionIssuer").text("arn")),
		SourceIP:  clean(detail.text("sourceIPAddress")),
		UserAgent: clean(detail.text("userAgent")),
		InvokedBy: clean(identity.text("invokedBy")),
		RequestID: clean(detail.text("requestID")),
		Console:   console == "true" || console == true,
		MFA:       truth(session.object("attributes")["mfaAuthenticated"]),
		Time:      instant(detail.text("eventTime")),
	}
}

// truth returns "true" or "false", and "" for any other value.
func truth(v any) string {
	switch text := strings.ToLower(fmt.Sprint(v)); text {
	case "true", "false":
		return text
	default:
		return ""
	}
}

func ignored(reason Reason, detail string) Request {
	return Request{Kind: Ignored, Reason: reason, Detail: detail}
}

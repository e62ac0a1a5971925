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
)

// Decode reads the payload of an invocation. The checks stand in the order in which they are made; the first that fails names the
// reason.
func Decode(payload []byte, home Home) Request {
	envelope := parse(payload)
	if envelope == nil {
		return ignored(Malformed, "the payload is no JSON object")
	}
	source, kind := envelope.text("source"), envelope.text("detail-type")
	cause := Cause{EventID: clean(envelope.text("id")), EventName: clean(kind), Time: instant(envelope.text("time"))}
	switch {
	case source == fromCognito && kind == "AWS API Call via CloudTrail":
		return decodeCall(envelope, home)
	case source == fromCognito && kind == "AWS Service Event via CloudTrail":
		return ignored(ServiceEvent, "a request to the hosted pages changes no setting")
	case source == "aws.cognito-identity":
		return ignored(IdentityPool, "identity pools are another service")
	case source == fromScheduler && kind == "Scheduled Event":
		return Request{Kind: All, Cause: cause}
	case source == fromUs && kind == SweepPools:
		return Request{Kind: All, Cause: cause, Sweep: sweepOf(envelope.object("detail"))}
	case source == fromUs && kind == ReconcilePool:
		detail := envelope.object("detail")
		request := one(detail.value("userPoolId"), home)
		if request.Sweep.Started = instant(detail.text("sweep")); !request.Sweep.Started.IsZero() {
			cause.EventName, request.Sweep.Purpose = SweepPools, purposeOf(detail)
		}
		request.Cause = cause
		return request
	case source == fromCognito, source == fromScheduler, source == fromUs:
		return ignored(UnknownDetailType, fmt.Sprintf("detail-type %q of source %q is none that is handled", clean(kind), clean(source)))
	default:
		return ignored(UnknownSource, fmt.Sprintf("source %q is none that is handled", clean(source)))
	}
}

// decodeCall reads an event that CloudTrail made of an API call.
func decodeCall(envelope object, home Home) Request {
	detail := envelope.object("detail")
	request := judgeCall(envelope, detail, home)
	request.Cause = causeOf(detail)
	return request
}

func judgeCall(envelope, detail object, home Home) Request {
	if len(detail) == 0 {
		return ignored(Malformed, "the event has no detail")
	}
	name := detail.text("eventName")
	if source := detail.text("eventSource"); source == "cognito-identity.amazonaws.com" {
		return ignored(IdentityPool, "identity pools are another service")
	} else if source != "cognito-idp.amazonaws.com" {
		return ignored(UnknownSource, fmt.Sprintf("eventSource %q is not that of user pools", clean(source)))
	}
	if kind, given := detail["eventType"]; given && kind != nil && kind != "AwsApiCall" {
		return ignored(ServiceEvent, fmt.Sprintf("eventType %q is no API call", clean(fmt.Sprint(kind))))
	}
	if detail["readOnly"] == true || detail["readOnly"] == "true" {
		return ignored(ReadOnly, clean(name)+" changes nothing")
	}
	if code, given := detail["errorCode"]; given && code != nil && code != "" {
		return ignored(FailedCall, fmt.Sprintf("the call failed with %s and changed nothing", clean(fmt.Sprint(code))))
	}
	handled, ok := named(name)
	if !ok {
		return ignored(NotInTable, fmt.Sprintf("%q changes nothing that a baseline owns", clean(name)))
	}
	if elsewhere, found := foreign(envelope, detail, &home); found {
		return elsewhere
	}
	request := locate(handled, detail, home)
	if request.Kind != One {
		return request
	}
	request.Call = handled
	parameters := detail.object("requestParameters")
	for _, id := range []any{parameters.value(ClientParameter), detail.object("responseElements").object("userPoolClient").value(ClientParameter)} {
		if text, ok := id.(string); ok && isClientID(text) && !hidden(id) {
			request.ClientID = text
		}
	}
	request.Named = namesOf(parameters)
	if subject, ok := parameters.value(handled.Subject).(string); ok && handled.Subject != "" && !hidden(subject) {
		request.Subject = clean(subject)
	}
	return request
}

// maxNamed is more than any call has parameters.
const maxNamed = 64

// namesOf returns the names of the members that hold something, sorted: of too many, the first.
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
			return ignored(OtherAccount, fmt.Sprintf("the event is of account %s, this is %s", clean(account), clean(home.Account))), true
		}
	}
	for _, region := range []string{detail.text("awsRegion"), envelope.text("region")} {
		if home.Region == "" {
			home.Region = region
		}
		if region != "" && region != home.Region {
			return ignored(OtherRegion, fmt.Sprintf("the event is of Region %s, this is %s", clean(region), clean(home.Region))), true
		}
	}
	return Request{}, false
}

// locate finds the pool in the place where events of this name have it. Where the event holds nothing there, every pool is asked for: the
// call was made, so CloudTrail left it out, as it does with large or sensitive requests.
func locate(handled Name, detail object, home Home) Request {
	var v any
	switch handled.Place {
	case RequestResourceARN:
		v = detail.object("requestParameters").value(arnParameter)
	case ResponseUserPoolID:
		v = detail.object("responseElements").object("userPool").value("id")
	default:
		v = detail.object("requestParameters").value(poolParameter)
	}
	switch {
	case v == nil || hidden(v):
		return Request{Kind: All, Reason: RequestLeftOut, Detail: "CloudTrail left out which pool " + handled.Name + " changed, so every pool is looked at"}
	case handled.Place == RequestResourceARN:
		return ofARN(v, home)
	default:
		return one(v, home)
	}
}

// hidden knows the texts that stand where Cognito keeps a value out of CloudTrail.
func hidden(v any) bool {
	text, _ := v.(string)
	return text == "HIDDEN_DUE_TO_SECURITY_REASONS" || text == "HIDDEN_FOR_SECURITY_REASONS"
}

var poolID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]+_[0-9A-Za-z]+$`) })

const maxPoolID = 55

func one(v any, home Home) Request {
	if v == nil {
		return ignored(NoPoolID, "the event names no pool")
	}
	id, ok := v.(string)
	if !ok || len(id) > maxPoolID || !poolID().MatchString(id) {
		return ignored(BadPoolID, fmt.Sprintf("%q is no pool id", clean(fmt.Sprint(v))))
	}
	primary, _, _ := strings.Cut(id, "_")
	if home.Region != "" && primary != home.Region {
		return Request{Kind: Ignored, UserPoolID: id, Reason: Replica,
			Detail: fmt.Sprintf("the pool's primary Region is %s, this is %s: it is put right there", primary, clean(home.Region))}
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
		return ignored(OtherResource, fmt.Sprintf("%q is no user pool", clean(fmt.Sprint(v))))
	case home.Account != "" && parts[4] != home.Account:
		return ignored(OtherAccount, fmt.Sprintf("the resource is of account %s, this is %s", clean(parts[4]), clean(home.Account)))
	case home.Region != "" && parts[3] != home.Region:
		return ignored(OtherRegion, fmt.Sprintf("the resource is of Region %s, this is %s", clean(parts[3]), clean(home.Region)))
	}
	return one(id, home)
}

func causeOf(detail object) Cause {
	identity := detail.object("userIdentity")
	return Cause{
		EventID:   clean(detail.text("eventID")),
		EventName: clean(detail.text("eventName")),
		Actor:     clean(identity.text("arn")),
		Issuer:    clean(identity.object("sessionContext").object("sessionIssuer").text("arn")),
		SourceIP:  clean(detail.text("sourceIPAddress")),
		UserAgent: clean(detail.text("userAgent")),
		InvokedBy: clean(identity.text("invokedBy")),
		RequestID: clean(detail.text("requestID")),
		Console:   detail["sessionCredentialFromConsole"] == "true" || detail["sessionCredentialFromConsole"] == true,
		MFA:       truth(identity.object("sessionContext").object("attributes")["mfaAuthenticated"]),
		Time:      instant(detail.text("eventTime")),
	}
}

// truth returns "true" or "false" for what says so, and "" for anything else.
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

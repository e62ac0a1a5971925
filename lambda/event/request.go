// Package event turns the JSON of an event into a request: reconcile one pool, scan all pools, or ignore the event for
// a reason. The JSON comes from EventBridge, directly or in a message of an SQS queue.
//
// The only thing that is read strictly is which pool an event is about. Everything else may have any shape, be hidden
// or be missing: the settings of a pool are read from Cognito. Decoding never fails and never panics.
package event

import "time"

// Kind says what is to be done.
type Kind string

// The kinds of request.
const (
	One     Kind = "one"     // reconcile the pool UserPoolID
	All     Kind = "all"     // scan every pool
	Ignored Kind = "ignored" // nothing, for Reason
)

// Home is the account and Region that are ours. Where a field is empty, the event's own value counts.
type Home struct{ Account, Region string }

// A Request is what an event asks for. It carries identity only, none of the settings that the event contains.
type Request struct {
	Kind       Kind
	UserPoolID string // of One; of Ignored where the event named a pool
	Reason     Reason // of Ignored; of All where the event did not name its pool
	Detail     string // the reason in words, safe to log
	Cause      Cause

	// Scan is of All: how far the scan has come. Of One it says which scan sent the pool, by Started and Scheduled; it is
	// zero where no scan did.
	Scan Scan
	// Clients are of One: the ids of the app clients to reconcile without the pool itself. Nil is the whole pool.
	Clients []string

	// Of One that is about an API call: the call, the app client that it is about ("" is any) and the name of what was
	// added, changed or removed. The caller chose the texts, as those of the cause.
	Call     Name
	ClientID string
	Subject  string
	// Named are the names of the call's request parameters, as CloudTrail writes them, sorted. Their values are never
	// used: they may be left out, hidden or forged.
	Named []string
}

// Cause says who did what, for the reports. The caller chose its texts: they are cut to a length and contain no control
// characters.
type Cause struct {
	EventID   string    `json:"eventId,omitempty"`
	EventName string    `json:"eventName,omitempty"`
	Actor     string    `json:"actor,omitempty"`  // userIdentity.arn
	Issuer    string    `json:"issuer,omitempty"` // ARN of the role behind an assumed-role session
	SourceIP  string    `json:"sourceIp,omitempty"`
	UserAgent string    `json:"userAgent,omitempty"`
	InvokedBy string    `json:"invokedBy,omitempty"` // the AWS service that made the call for the actor
	RequestID string    `json:"requestId,omitempty"`
	Console   bool      `json:"console,omitempty"` // the call was made in the console
	MFA       string    `json:"mfa,omitempty"`     // "true" or "false": whether the session used MFA; "" is unknown
	Time      time.Time `json:"time,omitzero"`
}

// A Reason says in one word why an event is ignored, or why it starts a scan.
type Reason string

// The reasons.
const (
	Malformed         Reason = "malformed"           // not a JSON object
	UnknownSource     Reason = "unknown-source"      // not from Cognito, the scheduler or ourselves
	UnknownDetailType Reason = "unknown-detail-type" // from a known source, but of an unknown type
	IdentityPool      Reason = "identity-pool"       // of Cognito identity pools, which are another service
	ServiceEvent      Reason = "service-event"       // a request to the hosted pages, not an API call
	ReadOnly          Reason = "read-only"           // a call that changes nothing
	FailedCall        Reason = "failed-call"         // a call that was refused changed nothing
	NotInTable        Reason = "not-in-table"        // a call that changes nothing that a baseline can require or watch
	OtherAccount      Reason = "other-account"
	OtherRegion       Reason = "other-region"
	OtherResource     Reason = "other-resource"    // a tag on something other than a user pool
	BadPoolID         Reason = "bad-pool-id"       // the value in the place of the pool id is not one
	NoPoolID          Reason = "no-pool-id"        // our own message without one
	Replica           Reason = "replica-secondary" // the pool's primary Region is another
	RequestLeftOut    Reason = "request-left-out"  // of All: the event does not say, or not clearly, which pool it was
)

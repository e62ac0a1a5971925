// Package event decodes the JSON of an event into a request: reconcile one pool, scan all pools, or ignore the event
// for a reason. The JSON comes from EventBridge, directly or in an SQS message.
//
// Only the identity of the pool is decoded strictly. Everything else may have any type, be hidden or be missing,
// because the settings of a pool are read from Cognito. Decoding never fails and never panics.
package event

import "time"

// Kind is the kind of a request.
type Kind string

// The kinds of request.
const (
	One     Kind = "one"     // reconcile the pool UserPoolID
	All     Kind = "all"     // scan every pool
	Ignored Kind = "ignored" // nothing, for Reason
)

// Home is the account and Region of the function. For an empty field, the value of the event is used.
type Home struct{ Account, Region string }

// A Request is a decoded event. It has only the identity of the target, not the settings in the event.
type Request struct {
	Kind       Kind
	UserPoolID string // for One, and for Ignored if the event names a pool
	Reason     Reason // for Ignored, and for All if the event did not name its pool
	Detail     string // the reason as a sentence, safe to log
	Cause      Cause

	// Scan is the progress of the scan for All. For One, its Started and Scheduled identify the scan that sent the
	// pool; it is zero if there is none.
	Scan Scan
	// Clients are, for One, the ids of the app clients to reconcile without the pool itself. Nil means the whole pool.
	Clients []string

	// For One with an API call: the call, its app client ("" means any) and the name of the resource that was added,
	// changed or removed. The texts are untrusted, like those of Cause.
	Call     Name
	ClientID string
	Subject  string
	// Named are the sorted names of the call's request parameters, as CloudTrail writes them. Their values are never
	// used, because they may be missing, hidden or forged.
	Named []string
}

// Cause is the call and its caller, for reports. Its texts are untrusted: they are limited in length and have no
// control characters.
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

// A Reason is why an event is ignored or starts a scan, in one word.
type Reason string

// The reasons.
const (
	Malformed         Reason = "malformed"           // not a JSON object
	UnknownSource     Reason = "unknown-source"      // not from Cognito, the scheduler or poolkeeper
	UnknownDetailType Reason = "unknown-detail-type" // from a known source, but of an unknown type
	ReadOnly          Reason = "read-only"           // a call that changes nothing
	FailedCall        Reason = "failed-call"         // a failed call, which changed nothing
	NotInTable        Reason = "not-in-table"        // a call that changes nothing that a baseline can require or watch
	OtherAccount      Reason = "other-account"
	OtherRegion       Reason = "other-region"
	OtherResource     Reason = "other-resource"    // a tag on something other than a user pool
	BadPoolID         Reason = "bad-pool-id"       // the pool id is not valid
	NoPoolID          Reason = "no-pool-id"        // one of our own messages without a pool id
	Replica           Reason = "replica-secondary" // the pool has another primary Region
	RequestLeftOut    Reason = "request-left-out"  // for All: the event does not identify the pool clearly
)

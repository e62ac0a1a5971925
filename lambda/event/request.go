package event

import (
	"slices"
	"time"
)

// Kind says what is to be done.
type Kind string

// The kinds of request.
const (
	One     Kind = "one"     // reconcile the pool UserPoolID
	All     Kind = "all"     // reconcile every pool
	Ignored Kind = "ignored" // nothing, for Reason
)

// Home is the account and Region that are ours. Of an empty field the event's own value is taken.
type Home struct{ Account, Region string }

// A Request is what an event asks for. It carries identity only: no setting that the event speaks of.
type Request struct {
	Kind       Kind
	UserPoolID string // of One; of Ignored where one was found
	Reason     Reason // of Ignored; of All where the event named no pool
	Detail     string // the reason in words; safe to log
	Cause      Cause

	// Of All: how far the sweep has come. Of One: Started says which sweep sent the pool; it is zero where nobody's sweep did.
	Sweep Sweep

	// Of One that is about an API call: the call, the client that it is about ("" is any) and the thing that came, changed or went. The texts are a stranger's, as those of
	// the cause.
	Call     Name
	ClientID string
	Subject  string
	// Named are the names of the call's request parameters, as CloudTrail writes them, sorted. What was set there is not taken over: it may be left out, hidden or made up.
	Named []string
}

// Cause says who did what, for the reports. Its texts come from a stranger: they are cut to a length and hold no control characters.
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
	MFA       string    `json:"mfa,omitempty"`     // "true" or "false": whether the actor's session began with a second factor; "" is unknown
	Time      time.Time `json:"time,omitzero"`
}

// A Reason says in one word why an event is ignored, or why all pools are looked at.
type Reason string

// The reasons.
const (
	Malformed         Reason = "malformed"           // no JSON object
	UnknownSource     Reason = "unknown-source"      // not from CloudTrail's Cognito events, the scheduler or ourselves
	UnknownDetailType Reason = "unknown-detail-type" // from a known source, but of a kind that we do not take
	IdentityPool      Reason = "identity-pool"       // of Cognito identity pools, which are another service
	ServiceEvent      Reason = "service-event"       // a request to the hosted pages, not an API call
	ReadOnly          Reason = "read-only"           // a call that changes nothing
	FailedCall        Reason = "failed-call"         // a call that was refused changed nothing
	NotInTable        Reason = "not-in-table"        // a call that changes no document that a baseline can own
	OtherAccount      Reason = "other-account"
	OtherRegion       Reason = "other-region"
	OtherResource     Reason = "other-resource"    // a tag on something that is no user pool
	BadPoolID         Reason = "bad-pool-id"       // something stands where the pool id should, and is none
	NoPoolID          Reason = "no-pool-id"        // our own event without one
	Replica           Reason = "replica-secondary" // the pool's primary Region is another
	RequestLeftOut    Reason = "request-left-out"  // of All: CloudTrail left out which pool it was
)

// A Place says where in an event's detail the pool is named.
type Place int

// The places.
const (
	RequestUserPoolID  Place = iota // requestParameters.userPoolId
	RequestResourceARN              // requestParameters.resourceArn
	ResponseUserPoolID              // responseElements.userPool.id
)

// The documents of a pool that a call can have changed, by the names that the baseline has for them.
const (
	userPool          = "UserPool"
	mfaConfig         = "MfaConfig"
	riskConfiguration = "RiskConfiguration"
	logDelivery       = "LogDelivery"
	appClient         = "AppClient"
	clientRisk        = "ClientRisk"
)

// The parameters that say what a call is about, and the setting that calls set by another name than its own.
const (
	poolParameter   = "userPoolId"
	ClientParameter = "clientId" // of a call that may be about one client
	arnParameter    = "resourceArn"
	userPoolTags    = "UserPoolTags"
)

// A Name is one API call that can change what a baseline owns or watches.
type Name struct {
	Name  string
	Place Place
	// Changes are the documents that the call can have changed, of one client if it is about a client.
	Changes []string
	// New says that the call makes what it changes: whoever has read that has seen what the call set.
	New bool
	// Parameters are those of its request that do not set the member of their own name in the document that is written by the call.
	Parameters []Parameter
	// Selection says that the call can change the name or the tags of the pool, by which rules may select it.
	Selection bool
	// Watched is the kind of thing that came, changed or went, as a baseline's watch names it; Happened says which of these, and Subject is the request parameter that
	// names the thing.
	Watched, Happened, Subject string
}

// A Parameter is one of a call's request, by the name that CloudTrail has for it, and the setting that it sets; "" is none, as it only says what the call is about.
type Parameter struct{ Name, Sets string }

// Table returns the calls that are handled, sorted by name.
func Table() []Name { return slices.Clone(table) }

var table = []Name{
	{Name: "AddUserPoolClientSecret", Watched: "clients", Happened: "given another secret", Subject: ClientParameter},
	{Name: "CreateGroup", Watched: "groups", Happened: "added", Subject: "groupName"},
	{Name: "CreateIdentityProvider", Watched: "identityProviders", Happened: "added", Subject: "providerName"},
	{Name: "CreateResourceServer", Watched: "resourceServers", Happened: "added", Subject: "identifier"},
	{Name: "CreateUserPool", Place: ResponseUserPoolID, Changes: []string{userPool, mfaConfig, riskConfiguration, logDelivery, appClient, clientRisk}, New: true, Watched: "triggers"},
	{Name: "CreateUserPoolClient", Changes: []string{appClient, clientRisk}, New: true, Watched: "clients", Happened: "added", Subject: "clientName"},
	{Name: "CreateUserPoolDomain", Watched: "domains", Happened: "added", Subject: "domain"},
	{Name: "DeleteGroup", Watched: "groups", Happened: "removed", Subject: "groupName"},
	{Name: "DeleteIdentityProvider", Watched: "identityProviders", Happened: "removed", Subject: "providerName"},
	{Name: "DeleteResourceServer", Watched: "resourceServers", Happened: "removed", Subject: "identifier"},
	{Name: DeleteUserPool},
	{Name: "DeleteUserPoolClient", Watched: "clients", Happened: "removed", Subject: ClientParameter},
	{Name: "DeleteUserPoolDomain", Watched: "domains", Happened: "removed", Subject: "domain"},
	{Name: "SetLogDeliveryConfiguration", Changes: []string{logDelivery}, Parameters: []Parameter{{Name: poolParameter}}},
	{Name: "SetRiskConfiguration", Changes: []string{riskConfiguration, clientRisk}, Parameters: []Parameter{{Name: poolParameter}, {Name: ClientParameter}}},
	{Name: "SetUserPoolMfaConfig", Changes: []string{userPool, mfaConfig}, Parameters: []Parameter{{Name: poolParameter}}},
	{Name: "TagResource", Place: RequestResourceARN, Changes: []string{userPool}, Parameters: []Parameter{{Name: arnParameter}, {"tags", userPoolTags}}, Selection: true},
	{Name: "UntagResource", Place: RequestResourceARN, Changes: []string{userPool}, Parameters: []Parameter{{Name: arnParameter}, {"tagKeys", userPoolTags}}, Selection: true},
	{Name: "UpdateGroup", Watched: "groups", Happened: "changed", Subject: "groupName"},
	{Name: "UpdateIdentityProvider", Watched: "identityProviders", Happened: "changed", Subject: "providerName"},
	{Name: "UpdateResourceServer", Watched: "resourceServers", Happened: "changed", Subject: "identifier"},
	// Threat protection and the plan decide over the risk configurations and the logs.
	{Name: "UpdateUserPool", Changes: []string{userPool, mfaConfig, riskConfiguration, logDelivery, clientRisk}, Parameters: []Parameter{{Name: poolParameter}}, Selection: true, Watched: "triggers"},
	{Name: "UpdateUserPoolClient", Changes: []string{appClient}, Parameters: []Parameter{{Name: poolParameter}, {Name: ClientParameter}}},
	{Name: "UpdateUserPoolDomain", Watched: "domains", Happened: "changed", Subject: "domain"},
}

// DeleteUserPool is the call after which there is no pool to look at.
const DeleteUserPool = "DeleteUserPool"

// Names returns the names of the calls that are handled, sorted.
func Names() []string {
	var names []string
	for _, n := range Table() {
		names = append(names, n.Name)
	}
	return names
}

func named(name string) (Name, bool) {
	for _, n := range table {
		if n.Name == name {
			return n, true
		}
	}
	return Name{}, false
}

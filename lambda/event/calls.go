package event

import (
	"slices"

	"poolkeeper/baseline"
)

// The request parameters that identify the target of a call.
const (
	poolParameter   = "userPoolId"
	clientParameter = "clientId"
)

// A Name is an API call that can change what a baseline requires or watches.
type Name struct {
	Name string
	// Changes are the documents that the call can change. If the call is about one app client, they are its documents.
	Changes []baseline.DocumentName
	// New means that the call creates the resource. Any later read returns the values of the call.
	New bool
	// Client means that the call is about one app client, which its request or its response names.
	Client bool
	// Selection means that the call can change the name or the tags of the pool, which rules use to select pools.
	Selection bool
	// Watched is a kind of resource that the call changes. Happened is added, changed or removed, and Subject is the
	// request parameter with the name of the resource.
	Watched           baseline.Watched
	Happened, Subject string
}

// Change returns what the call can do to a pool.
func (n Name) Change() baseline.Change {
	return baseline.Change{Documents: n.Changes, Selection: n.Selection, Watched: n.Watched,
		Deletes: n.Name == DeleteUserPool}
}

// DeleteUserPool is the call that deletes a pool.
const DeleteUserPool = "DeleteUserPool"

type documents = []baseline.DocumentName

// Table returns the calls that are handled, sorted by name.
func Table() []Name { return slices.Clone(table) }

var table = []Name{
	{Name: "AddUserPoolClientSecret", Client: true,
		Watched: "clients", Happened: "given a new secret", Subject: clientParameter},
	{Name: "CreateGroup", Watched: "groups", Happened: "added", Subject: "groupName"},
	{Name: "CreateIdentityProvider", Watched: "identityProviders", Happened: "added", Subject: "providerName"},
	{Name: "CreateResourceServer", Watched: "resourceServers", Happened: "added", Subject: "identifier"},
	{Name: "CreateUserPool", New: true, Watched: "triggers", Changes: documents{baseline.UserPool, baseline.MfaConfig,
		baseline.RiskConfiguration, baseline.LogDelivery, baseline.AppClient, baseline.ClientRisk}},
	{Name: "CreateUserPoolClient", New: true, Client: true, Changes: documents{baseline.AppClient, baseline.ClientRisk},
		Watched: "clients", Happened: "added", Subject: "clientName"},
	{Name: "CreateUserPoolDomain", Watched: "domains", Happened: "added", Subject: "domain"},
	{Name: "DeleteGroup", Watched: "groups", Happened: "removed", Subject: "groupName"},
	{Name: "DeleteIdentityProvider", Watched: "identityProviders", Happened: "removed", Subject: "providerName"},
	{Name: "DeleteResourceServer", Watched: "resourceServers", Happened: "removed", Subject: "identifier"},
	{Name: DeleteUserPool},
	{Name: "DeleteUserPoolClient", Client: true, Watched: "clients", Happened: "removed", Subject: clientParameter},
	{Name: "DeleteUserPoolDomain", Watched: "domains", Happened: "removed", Subject: "domain"},
	{Name: "SetLogDeliveryConfiguration", Changes: documents{baseline.LogDelivery}},
	{Name: "SetRiskConfiguration", Client: true, Changes: documents{baseline.RiskConfiguration, baseline.ClientRisk}},
	{Name: "SetUserPoolMfaConfig", Changes: documents{baseline.UserPool, baseline.MfaConfig}},
	{Name: "TagResource", Changes: documents{baseline.UserPool}, Selection: true},
	{Name: "UntagResource", Changes: documents{baseline.UserPool}, Selection: true},
	{Name: "UpdateGroup", Watched: "groups", Happened: "changed", Subject: "groupName"},
	{Name: "UpdateIdentityProvider", Watched: "identityProviders", Happened: "changed", Subject: "providerName"},
	{Name: "UpdateResourceServer", Watched: "resourceServers", Happened: "changed", Subject: "identifier"},
	// Threat protection and the tier determine what risk configurations and logs can contain.
	{Name: "UpdateUserPool", Selection: true, Watched: "triggers", Changes: documents{baseline.UserPool,
		baseline.MfaConfig, baseline.RiskConfiguration, baseline.LogDelivery, baseline.ClientRisk}},
	{Name: "UpdateUserPoolClient", Client: true, Changes: documents{baseline.AppClient}},
	{Name: "UpdateUserPoolDomain", Watched: "domains", Happened: "changed", Subject: "domain"},
}

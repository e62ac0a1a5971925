package baseline

import (
	"slices"
	"strings"
)

// DocumentName is one of the names below. That of a client's document is followed by "/" and the client's id.
type DocumentName string

// The documents of a pool, and those of each of its clients.
const (
	UserPool          DocumentName = "UserPool"
	MfaConfig         DocumentName = "MfaConfig"
	RiskConfiguration DocumentName = "RiskConfiguration"
	LogDelivery       DocumentName = "LogDelivery"
	AppClient         DocumentName = "AppClient"
	ClientRisk        DocumentName = "ClientRisk"
)

// A Document is one JSON object of a pool, with one call that reads it and one call that writes it as a whole.
type Document struct {
	Name                DocumentName
	ReadCall, WriteCall string
	Answer              string       // the member of the response that contains the document; "" is the response itself
	Under               string       // the setting that contains the members, or "" if they are top-level settings
	Optional            bool         // a pool may not have the document: then the response lacks the Answer member
	PerClient           bool         // each client has one
	Followed            DocumentName // written after this one if this write resets settings of it, or ""
	Members             []Member
}

// Documents returns the table of all documents and members of the API, in report order. The caller must not change it.
func Documents() []Document { return documents }

var documents = []Document{
	{Name: UserPool, ReadCall: "DescribeUserPool", WriteCall: "UpdateUserPool", Answer: "UserPool",
		Members: userPoolMembers},
	{Name: MfaConfig, ReadCall: "GetUserPoolMfaConfig", WriteCall: "SetUserPoolMfaConfig", Followed: UserPool,
		Members: mfaConfigMembers},
	{Name: RiskConfiguration, ReadCall: "DescribeRiskConfiguration", WriteCall: "SetRiskConfiguration",
		Answer: "RiskConfiguration", Under: "RiskConfiguration", Members: riskMembers},
	{Name: LogDelivery, ReadCall: "GetLogDeliveryConfiguration", WriteCall: "SetLogDeliveryConfiguration",
		Answer: "LogDeliveryConfiguration", Optional: true, Members: logMembers},
	{Name: AppClient, ReadCall: "DescribeUserPoolClient", WriteCall: "UpdateUserPoolClient", Answer: "UserPoolClient",
		PerClient: true, Members: clientMembers},
	{Name: ClientRisk, ReadCall: "DescribeRiskConfiguration", WriteCall: "SetRiskConfiguration",
		Answer: "RiskConfiguration", Under: "RiskConfiguration", PerClient: true, Members: riskMembers},
}

// Of returns the name of the client's own document.
func (n DocumentName) Of(client string) DocumentName { return n + "/" + DocumentName(client) }

// Client returns the id of the document's client, or "".
func (n DocumentName) Client() string {
	_, client, _ := strings.Cut(string(n), "/")
	return client
}

// Kind returns the name without the client.
func (n DocumentName) Kind() DocumentName {
	kind, _, _ := strings.Cut(string(n), "/")
	return DocumentName(kind)
}

// Table returns the table entry of the document.
func (n DocumentName) Table() (Document, bool) {
	kind := n.Kind()
	if i := slices.IndexFunc(documents, func(d Document) bool { return d.Name == kind }); i >= 0 {
		return documents[i], true
	}
	return Document{}, false
}

// Prefix returns the prefix of the document's setting paths: "", "RiskConfiguration." or, for a client, "Clients[ID].".
func (n DocumentName) Prefix() string {
	d, _ := n.Table()
	prefix := ""
	if d.PerClient {
		prefix = ClientPath(n.Client()) + "."
	}
	if d.Under != "" {
		prefix += d.Under + "."
	}
	return prefix
}

// Paths of client settings begin with Clients[ID], or with Clients[] in a baseline, where any client may be meant.
const (
	Clients       = "Clients[]"
	clientsPrefix = "Clients["
)

// ClientPath returns the path that contains all settings of the client.
func ClientPath(id string) string { return clientsPrefix + id + "]" }

// ClientOf returns the client id in a path and the rest of the path. It returns false for settings of the pool itself.
func ClientOf(path string) (id, below string, ok bool) {
	rest, ok := strings.CutPrefix(path, clientsPrefix)
	if !ok {
		return "", "", false
	}
	id, below, _ = strings.Cut(rest, "]")
	return id, strings.TrimPrefix(below, "."), true
}

// AnyClient returns the path with the client id replaced: Clients[] instead of Clients[ID].
func AnyClient(path string) string {
	if _, below, ok := ClientOf(path); ok {
		return strings.TrimSuffix(Clients+"."+below, ".")
	}
	return path
}

// Settings returns the pool members that a rule may require, from all documents, in the order of the table. Each name
// belongs to one document only: MfaConfiguration to MfaConfig, for example, which writes it.
func Settings() []Member { return settings }

// ClientSettings returns the client members that a rule may require.
func ClientSettings() []Member { return clientSettings }

// DocumentOf returns the document that contains the setting at the dotted path.
func DocumentOf(path string) (DocumentName, bool) {
	client, below, isClient := ClientOf(path)
	if isClient {
		path = below
	}
	top, _, _ := strings.Cut(path, ".")
	name, ok := documentOf[isClient][top]
	if isClient {
		name = name.Of(client)
	}
	return name, ok
}

var (
	settings, clientSettings, documentOf = flatten()
	// root is the object whose members are all settings.
	root = Member{Kind: Object, Members: append(slices.Clip(settings),
		Member{Name: Clients, Kind: Object, Members: clientSettings})}
)

// flatten returns the members that the write calls accept, of the pool and of a client, and the document of each.
func flatten() (ofPool, ofClient []Member, of map[bool]map[string]DocumentName) {
	of = map[bool]map[string]DocumentName{false: {}, true: {"": AppClient}}
	all := map[bool][]Member{}
	for _, d := range documents {
		members := slices.DeleteFunc(slices.Clone(d.Members), func(m Member) bool { return m.Trip != Echo })
		if d.Under != "" {
			members = []Member{{Name: d.Under, Kind: Object, Doc: "How threat protection responds to risk.",
				Presence: d.PerClient, // a client's own that says nothing: the pool's does not apply
				Members:  members}}
		}
		for _, m := range members {
			of[d.PerClient][m.Name] = d.Name
		}
		all[d.PerClient] = append(all[d.PerClient], members...)
	}
	return all[false], all[true], of
}

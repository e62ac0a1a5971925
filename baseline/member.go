package baseline

import (
	"fmt"
	"strings"
)

// Kind is the JSON shape of a member, by the name that the API model has for it.
type Kind string

// The kinds of member that the Cognito API knows.
const (
	Object  Kind = "structure" // a fixed set of named members
	Map     Kind = "map"       // free keys, every value like Member.Elem
	List    Kind = "list"      // elements like Member.Elem
	String  Kind = "string"    // text; an enum where Member.Enum is given
	Integer Kind = "integer"   // a whole number
	Boolean Kind = "boolean"
)

// Trip is what a round trip (read, change, write back) does with a member.
type Trip string

const (
	// Echo sends the member back as it was read, or with the value that the baseline requires.
	Echo Trip = ""
	// ReadOnly members are never sent: the write call does not have them.
	ReadOnly Trip = "read-only"
	// Carried members are sent with the live value of the same member in another document: UpdateUserPool sends the
	// MfaConfiguration that GetUserPoolMfaConfig returns, and only SetUserPoolMfaConfig changes it.
	Carried Trip = "carried"
)

// A Member describes one member of the API: its name, type and limits, which the validation and the JSON Schema use,
// and how a round trip treats it, which the writes use.
//
// The limits are those of the API model. A comment explains each limit that is narrower.
type Member struct {
	Name     string // the name in the write call, and in a baseline
	ReadName string // the name in the read call if it differs ("Name" for PoolName), or ""
	Kind     Kind
	Doc      string // one line, for the schema and the command line

	Members []Member // of an Object
	Elem    *Member  // of a List or Map

	Enum        []string  // the allowed values of a String
	Min         int64     // smallest number, shortest text, fewest elements
	Max         int64     // largest number, longest text (in characters), most elements; 0 is no limit
	Pattern     string    // the Go regular expression that the whole String must match
	Format      string    // what the API demands of a String in addition to its pattern (format.go), or ""
	Unsent      []string  // the values of Enum that the service may return but that no call should send
	Lifetime    *Lifetime // of a number whose meaning and limits depend on its unit
	KeyMax      int64     // longest key of a Map, in characters
	KeyReserved string    // the prefix of Map keys that no caller can write

	Required  bool // mandatory in its object
	Sensitive bool // a message text or a secret: its value never reaches a log, a result or a notification
	// Presence marks a member for which present-but-empty differs from absent: `DeviceConfiguration: {}` turns device
	// tracking on, `EmailMfaConfiguration: {}` turns e-mail MFA on, and an empty list of grant types refuses every
	// registration while an absent one allows the default ones.
	Presence bool
	// Default is the value of a String or Integer that an absent member is equal to: the service returns or uses it if
	// nothing was set.
	Default     string
	DefaultList []string // the meaning of an absent List, and of an empty one unless Presence is set
	// Usual are the values of a text that has no Enum and is rarely another one: a value that is nearly one of them is
	// probably a mistake.
	Usual []string
	// Spelled marks a list that must be written out: an absent list has the same meaning but does not meet the
	// requirement, because the checks of other tools look for the list.
	Spelled bool
	Clear   string // the JSON to write if the member must be absent; if empty, the member is left out
	// Keep, if not empty, is the reason why the member cannot be absent. No baseline can require its absence, and a
	// requirement that names only other members leaves it as it is.
	Keep        string
	NotEmpty    bool // an object that the write call rejects when it is empty: it is left out, which means the same
	KeptOmitted bool // the API documents that the member stays unchanged when the write call leaves it out
	// ShownBy names the read-only member that is present exactly while this Boolean, which no read call returns, is true.
	// A write carries the Boolean only to change it.
	ShownBy    string
	Deprecated string // the API's note on a member that is "no longer used", or ""
	// Twin is the dotted path of a second setting with the same meaning, under another name or in another document:
	// SmsVerificationMessage and VerificationMessageTemplate.SmsMessage, for example. The members below it are twins
	// too. Each twin names the other.
	Twin       string
	Superseded bool // the service ignores the member once its twin is set: then it neither meets nor breaks a requirement
	// ActiveWith names a setting. While that setting has its Default, this block has no effect, and the service only
	// mirrors the twins of its members in it.
	ActiveWith string
	// GoneWith names a setting that the member depends on. While that setting has its Default, the write call rejects
	// the member, and a call that resets the setting to its Default removes the member.
	GoneWith string
	ByKey    string // of an object that is a list in the API: the member that becomes an element's name in the object
	Trip     Trip
	// Snapshot is the operator by which a snapshot requires the member, which matters for security; "" for all others. A
	// setting with an order may become stricter. Triggers must not be added or removed.
	Snapshot Op
	Newer    bool // the pinned SDK does not know the member yet
}

// Values describes the values that the API allows.
func (m Member) Values() string {
	bounds := func(what string) string {
		switch {
		case m.Max > 0:
			return fmt.Sprintf(" of %d to %d%s", m.Min, m.Max, what)
		case m.Min > 0:
			return fmt.Sprintf(" of %d%s or more", m.Min, what)
		}
		return ""
	}
	switch {
	case m.Kind == Object:
		return "an object of " + strings.Join(names(m.Members), ", ")
	case m.Kind == Map:
		return "names and values" + bounds(" entries")
	case m.Kind == List:
		return "a list" + bounds(" elements") + ", each " + m.Elem.Values()
	case m.Kind == Boolean:
		return "true or false"
	case m.Kind == Integer:
		return "a whole number" + bounds("")
	case len(m.Enum) > 0:
		return "one of " + strings.Join(m.Enum, ", ")
	default:
		return "a text" + bounds(" characters")
	}
}

// Lookup returns the member at a dotted path of the settings, such as "Policies.PasswordPolicy.MinimumLength". Below a
// Map, any key is accepted ("UserPoolTags.env"). A key may contain dots: it is the rest of the path. There are no paths
// to single elements of a list.
func Lookup(path string) (Member, bool) {
	m, known := root, true
	for more := true; more && known; {
		var key string
		key, path, more = cutKey(m, path)
		m, known = child(m, key)
	}
	return m, known
}

// Index returns the place of the member with this name, or -1.
func Index(members []Member, name string) int {
	if strings.HasPrefix(name, clientsPrefix) && strings.IndexByte(name, ']') == len(name)-1 {
		name = Clients
	}
	for i := range members { // by index, because a member is large to copy and this loop dominates a comparison
		if members[i].Name == name {
			return i
		}
	}
	return -1
}

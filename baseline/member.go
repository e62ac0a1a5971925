package baseline

import (
	"strings"
	"time"
)

// Kind is the JSON shape of a member.
type Kind int

// The kinds of member that the Cognito API knows.
const (
	Object  Kind = iota + 1 // a fixed set of named members
	Map                     // free keys, every value like Member.Elem
	List                    // elements like Member.Elem
	String                  // text; an enum where Member.Enum is given
	Integer                 // a whole number
	Boolean
)

// Trip says what a round trip (read, change, write back) does with a member.
type Trip int

const (
	// Echo sends the member back as it was read, or as the baseline wants it.
	Echo Trip = iota
	// ReadOnly is never sent: the write call has no such member.
	ReadOnly
	// Carried is sent with the live value of the member of the same name in another document: UpdateUserPool
	// carries the MfaConfiguration that GetUserPoolMfaConfig shows, and only SetUserPoolMfaConfig changes it.
	Carried
	// WriteOnly is never sent either: no read call shows it, so that it cannot be compared, and left out it stays as it
	// is.
	WriteOnly
)

// A Member is what is known of one member of the API: its name, shape and limits (which make the validation of a
// baseline and its JSON Schema) and what a round trip does with it (which makes the writes).
//
// The limits are those of the API's own model; where a limit is narrower than the model's, the comment beside it says
// why.
type Member struct {
	Name string // the name in the write call, and in a baseline
	// ReadName is the name in the read call where that differs ("Name" for PoolName), otherwise empty.
	ReadName string
	Kind     Kind
	Doc      string // one line, for the schema and the command line

	Members []Member // of an Object
	Elem    *Member  // of a List or Map

	Enum    []string // the allowed values of a String
	Min     int64    // smallest number, shortest text, fewest elements
	Max     int64    // largest number, longest text (in characters), most elements; 0 is no limit
	Pattern string   // what the whole of a String must match, as a Go regular expression
	// Format is the form of a String that the API documents beside its pattern (format.go), or "".
	Format string
	// Unsent are those of Enum that the service may show and that no call is to send.
	Unsent []string
	// Lifetime marks a number whose meaning and limits depend on its unit.
	Lifetime *Lifetime
	KeyMax   int64  // longest key of a Map, in characters
	KeyPat   string // what every key of a Map must match
	// KeyReserved is how the keys of a Map begin that no caller can write.
	KeyReserved string

	// Set marks a list whose order means nothing to the API.
	Set bool
	// Required marks a member that its object cannot be written without.
	Required bool
	// Sensitive marks message texts and secrets: their values never reach a log, a result or a notification.
	Sensitive bool
	// Presence marks a member for which present-but-empty differs from absent: `DeviceConfiguration: {}` turns device
	// tracking on, `EmailMfaConfiguration: {}` turns e-mail MFA on, and an empty list of grant types refuses every
	// registration while an absent one allows the default ones.
	Presence bool
	// Default is the value of a String that an absent member is equal to: the service shows it where nothing was set, or
	// goes by it.
	Default string
	// DefaultList is what an absent List stands for. An empty one stands for the same, unless Presence is set.
	DefaultList []string
	// Spelled says that a literal list is not met by an absent one, although both mean the same: checks of others look
	// for the list.
	Spelled bool
	// Clear is the JSON that is written where the member has to be absent; empty means that it is left out.
	Clear string
	// Keep, where not empty, says why the member cannot be absent, so that no baseline can ask for that; where only others
	// are named, it stays as it is.
	Keep string
	// NotEmpty marks an object that the write call refuses when it is empty: it is sent as absent then, which it equals.
	NotEmpty bool
	// KeptOmitted marks a member that stays as it was when the write call leaves it out, by the API's own word.
	KeptOmitted bool
	// Deprecated says, where not empty, what the API says of a member that is "no longer used".
	Deprecated string
	// Twin is the dotted path of the setting that is the same fact under another name or in another document.
	// It covers everything below it. Twins point at each other.
	Twin string
	// Superseded marks the one of two twins that the service stops reading once the other is set: from then on it can
	// neither keep nor break a requirement.
	Superseded bool
	// ActiveWith names the setting that has to be other than its Default for this document's block to count. Without it,
	// the service shows in the block merely what stands under its twins.
	ActiveWith string
	// GoneWith names the setting that the member cannot be without: while that has its Default the write call refuses
	// the member, and a call that gives it its Default takes the member away.
	GoneWith string
	// ByKey marks an object that is a list in the API, of which no two elements share the member named here: each is a
	// member of the object by that name, without it.
	ByKey string
	// Trip is what a round trip does with the member.
	Trip Trip
	// Newer marks a member that the service has and the pinned SDK does not know yet.
	Newer bool
}

// A Lifetime says what a number of units of time may come to.
type Lifetime struct {
	Unit        string // the setting that holds the unit, beside the number
	Least, Most time.Duration
	Words       string // "an access token is valid for 5 minutes to 1 day"
}

// Lookup returns the member at a dotted path of the settings, such as "Policies.PasswordPolicy.MinimumLength". A path
// below a Map takes any key ("UserPoolTags.env"); a key may hold dots, and then is the rest of the path. The path of
// a list is the list's own.
func Lookup(path string) (Member, bool) {
	members := root.Members
	var found Member
	for rest := path; ; {
		name, below, more := strings.Cut(rest, ".")
		i := index(members, name)
		if i < 0 {
			return Member{}, false
		}
		found = members[i]
		if !more {
			return found, true
		}
		if found.Kind == Map {
			if found.Elem.Kind != Object {
				return *found.Elem, true
			}
			_, below, more = strings.Cut(below, ".")
			found = *found.Elem
			if !more {
				return found, true
			}
		}
		members, rest = found.Members, below
	}
}

func index(members []Member, name string) int {
	if strings.HasPrefix(name, clientsPrefix) && strings.IndexByte(name, ']') == len(name)-1 {
		name = Clients
	}
	for i := range members { // by index: a member is large to copy, and this is most of what a comparison does
		if members[i].Name == name {
			return i
		}
	}
	return -1
}

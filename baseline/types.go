package baseline

import (
	"fmt"
	"time"
)

// Mode says whether drift is written back or only reported.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce"
	Audit   Mode = "audit"
)

// A Position is a place in a baseline file. Lines and columns count from 1.
type Position struct {
	File         string
	Line, Column int
}

// String returns file:line:column, or the file alone where there is no line to name.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Baseline is a file of required settings, parsed and found to be without error.
type Baseline struct {
	File       string
	Digest     string // "sha256:" and the hash of the file's bytes, in hex
	Rules      []Rule // in the order of the file
	Exemptions []Exemption
	// Unknown says what to do with live members that the member table lacks, by dotted path ("*" is every other one).
	Unknown map[string]Unknown
	Flap    FlapBudget
}

// A Rule requires settings of the pools that it selects.
type Rule struct {
	Name    string
	Pools   *Selector // nil selects every pool
	Mode    Mode      // the rule's own, or else the file's
	Require []Requirement
	Clients []ClientRule // of the pools' app clients; a later one wins setting by setting
	Watch   []Watched    // additions and deletions of these are reported
	Position
}

// A ClientRule requires settings of the app clients that it selects. Their paths begin with Clients[].
type ClientRule struct {
	Select  ClientSelector
	Require []Requirement
	Position
}

// A ClientSelector selects app clients by id or name, whichever are given; one that is empty selects every client. A
// client that Except selects is not selected.
type ClientSelector struct {
	IDs    []string
	Names  []string // globs
	Except *ClientSelector
}

// Watched names a kind of thing that belongs to a pool and of which a baseline reports, but never undoes, that one
// came, changed or went.
type Watched string

// The kinds of things that can be watched.
const (
	WatchClients           Watched = "clients"
	WatchIdentityProviders Watched = "identityProviders"
	WatchDomains           Watched = "domains"
	WatchResourceServers   Watched = "resourceServers"
	WatchGroups            Watched = "groups"
	WatchTriggers          Watched = "triggers"
)

// Watchable returns the kinds of things that can be watched.
func Watchable() []Watched {
	return []Watched{WatchClients, WatchIdentityProviders, WatchDomains, WatchResourceServers, WatchGroups, WatchTriggers}
}

// A Selector selects pools: each of its keys that is not empty must match, and any entry within a key will do, except
// that every key of Tags must match. A pool that Except selects is not selected.
type Selector struct {
	IDs    []string
	Names  []string            // globs
	Tags   map[string][]string // tag key to globs for its value
	Except *Selector
}

// An Op is a way to require something of a setting.
type Op string

// The operators. Equal has no key of its own in the file: it is a literal value.
const (
	Equal    Op = "equal"
	AtLeast  Op = "atLeast"
	AtMost   Op = "atMost"
	OneOf    Op = "oneOf"
	Contains Op = "contains"
	Without  Op = "without"
	Exactly  Op = "exactly"
	Absent   Op = "absent"
	Present  Op = "present"
	Matches  Op = "matches"
)

// A Requirement is what a rule requires of one setting. An object of the file that names members is as many
// requirements as it has leaves, so that rules merge setting by setting.
type Requirement struct {
	Setting string // dotted path
	Op      Op
	// Value is the operator's argument: the literal of Equal, the number of AtLeast and AtMost, the list of OneOf,
	// Contains and Without, the object of Exactly, the glob of Matches, true for Absent and Present.
	Value any
	// Set is the value to write where the operator does not imply one, or nil.
	Set any
	Position
}

// An Exemption is a dated, reasoned permission to differ.
type Exemption struct {
	Pools    *Selector
	Settings []string // dotted paths; each covers all below it
	Until    time.Time
	Reason   string
	Owner    string
	Position
}

// Unknown says what to do with a live member that the member table lacks.
type Unknown string

// What can be done with an unknown member.
const (
	EchoUnknown Unknown = "echo"
	OmitUnknown Unknown = "omit"
	StopUnknown Unknown = "stop" // leave its document alone
)

// Unknowns returns all that can be done with an unknown member.
func Unknowns() []Unknown { return []Unknown{EchoUnknown, OmitUnknown, StopUnknown} }

// An Identity is what selects a pool.
type Identity struct {
	ID      string
	Name    string
	Tags    map[string]string
	Clients []ClientIdentity // those that requirements may be about
}

// A ClientIdentity is what selects an app client.
type ClientIdentity struct{ ID, Name string }

// A Policy is what a baseline requires of one pool at one time: the matching rules merged, and the exemptions in force.
type Policy struct {
	Rules        []string // names of the rules that selected the pool, in order; none: the pool is not ours
	Requirements []Owned  // in the order of the member table
	Exemptions   []Exemption
	Watch        map[Watched]string // the name of the rule that watches, the first of them
}

// Owned is a requirement with the rule that won it.
type Owned struct {
	Requirement
	Rule string
	Mode Mode
}

// An Action is what would end a drift.
type Action string

// The actions.
const (
	Write    Action = "write"     // write Drift.Value at the setting
	LeaveOut Action = "leave out" // write the document without the setting
	Report   Action = "report"    // the requirement names no value: nothing can be written
)

// A Drift is one owned setting whose value breaks its requirement.
type Drift struct {
	Setting  string
	Rule     string
	Position // of the requirement in the baseline file
	Mode     Mode
	Want     any // the value of a literal, a short text for an operator (">= 12"); masked where sensitive
	Have     any // the live value, nil where absent; masked where sensitive
	Action   Action
	Value    any        // what to write where Action is Write; never aliases the compared settings
	Exempted *Exemption // in force, or nil
	// Reason says why nothing can be written although the requirement names a value: the API does not take the list that
	// would come of it. It is empty unless Action is Report.
	Reason string
}

// A Comparison is what Compare found.
type Comparison struct {
	Drifts []Drift // in the order of the member table
	// the settings that the policy's requirements name, which may be objects with nothing in them, in the order of the
	// member table
	Required []string
	// every leaf setting that the policy requires something of, drifted or not, in the order of the member table
	Owned []string
}

package baseline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mode is whether drift is fixed or only reported.
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

// String returns file:line:column, or only the file if there is no line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

func (p Position) compare(other Position) int {
	return cmp.Or(cmp.Compare(p.Line, other.Line), cmp.Compare(p.Column, other.Column))
}

// A Baseline is a parsed and valid file of required settings.
type Baseline struct {
	File       string
	Digest     string // "sha256:" and the hash of the file's bytes, in hex
	Rules      []Rule // in the order of the file
	Exemptions []Exemption
	// Unknown is what to do with live members that the member table lacks, by dotted path ("*" is every other one).
	Unknown map[string]Unknown
	Flap    FlapBudget
}

// A Rule requires settings of the pools that it selects.
type Rule struct {
	Name    string
	Pools   *Selector // nil selects every pool
	Mode    Mode      // the rule's mode, or the file's if the rule has none
	Require []Requirement
	Clients []ClientRule // for app clients of the pools; a later rule wins setting by setting
	Watch   []Watched    // changes of these resources are reported
	Position
}

// A ClientRule requires settings of the app clients that it selects. Their paths begin with Clients[].
type ClientRule struct {
	Select  *Selector // nil selects every client
	Require []Requirement
	Position
}

// Watched is a kind of resource of a pool, such as its groups, whose changes are reported but never undone.
type Watched string

// WatchTriggers watches the Lambda triggers that no rule requires.
const WatchTriggers Watched = "triggers"

// Watchable returns the kinds of resources that can be watched.
func Watchable() []Watched {
	return []Watched{"clients", "identityProviders", "domains", "resourceServers", "groups", WatchTriggers}
}

// A Selector selects pools or clients. Each of IDs, Names and Tags that is not empty must match; of a client, IDs or
// Names. One matching entry is enough; for Tags, every key must match. What Except selects is excluded.
type Selector struct {
	IDs    []string
	Names  []string            // globs
	Tags   map[string][]string // tag key to globs for its value
	Except *Selector
}

// An Op is an operator of a requirement.
type Op string

// The operators. Equal has no key in the file: a literal value means Equal.
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

// A Requirement is a rule's requirement on one setting. An object with members in the file becomes one requirement for
// each leaf, so that rules merge setting by setting.
type Requirement struct {
	Setting string // dotted path
	Op      Op
	// Value is the operator's argument: the literal of Equal, the number of AtLeast and AtMost, the list of OneOf,
	// Contains and Without, the object of Exactly, the glob of Matches, true for Absent and Present.
	Value any
	// Set is the value to write if the operator does not imply one, or nil.
	Set any
	Position
}

// An Exemption is a permission to differ from the baseline, with an end date and a reason.
type Exemption struct {
	Pools    *Selector
	Settings []string // dotted paths; each includes everything below it
	Until    time.Time
	Reason   string
	Owner    string
	Position
}

// Unknown is what to do with a live member that is not in the member table.
type Unknown string

// The ways to treat an unknown member.
const (
	EchoUnknown Unknown = "echo"
	OmitUnknown Unknown = "omit"
	StopUnknown Unknown = "stop" // do not write its document
)

// Unknowns returns all ways to treat an unknown member.
func Unknowns() []Unknown { return []Unknown{EchoUnknown, OmitUnknown, StopUnknown} }

// An Identity has the properties that selectors match for a pool.
type Identity struct {
	ID      string
	Name    string
	Tags    map[string]string
	Clients []ClientIdentity // those that requirements may cover
}

// A ClientIdentity has the properties that selectors match for an app client.
type ClientIdentity struct{ ID, Name string }

// A Policy is what a baseline requires of one pool at one time: the merged rules that match, and the active exemptions.
type Policy struct {
	Rules        []string // names of the rules that select the pool, in order; if empty, no rule covers it
	Requirements []Owned  // in the order of the member table
	Exemptions   []Exemption
	Watch        map[Watched]string // the name of the first rule that watches it
}

// Owned is a requirement with the rule that it comes from.
type Owned struct {
	Requirement
	Rule string
	Mode Mode
}

// An Action is the way to fix a drift.
type Action string

// The actions.
const (
	Write    Action = "write"     // set the setting to Drift.Value
	LeaveOut Action = "leave out" // write the document without the setting
	Report   Action = "report"    // the requirement has no value that can be written
)

// A Drift is one required setting whose value does not meet its requirement.
type Drift struct {
	Setting  string
	Rule     string
	Position // of the requirement in the baseline file
	Mode     Mode
	Want     any // the value of a literal, a short text for an operator (">= 12"); masked if sensitive
	Have     any // the live value, nil if absent; masked if sensitive
	Action   Action
	Value    any        // the value to write if Action is Write; shares no memory with the compared settings
	Exempted *Exemption // the active exemption, or nil
	// Reason is why the required value cannot be written, or "": the API does not accept the resulting list.
	Reason string
}

// A Comparison is the result of Compare.
type Comparison struct {
	Drifts []Drift // in the order of the member table
	// the settings that the requirements name, in the order of the member table; they may be empty objects
	Required []string
	// every leaf setting with a requirement, drifted or not, in the order of the member table
	Owned []string
}

// setKey is the key next to an operator of the value to write.
const setKey = "set"

// opNames are the keys of a requirement that is not a plain value.
var opNames = []string{string(AtLeast), string(AtMost), string(OneOf), string(Contains), string(Without),
	string(Exactly), string(Absent), string(Present), string(Matches), setKey}

var operatorsOf = map[Kind][]Op{
	Object:  {Exactly, Absent, Present},
	Map:     {Exactly, Absent, Present},
	List:    {Contains, Without, Absent, Present},
	String:  {OneOf, Absent, Present, Matches},
	Integer: {AtLeast, AtMost, OneOf, Absent, Present},
	Boolean: {Absent, Present},
}

// Operators returns the operators that a baseline can use with the member, in the order of the documentation.
func (m Member) Operators() []Op {
	return slices.DeleteFunc(slices.Clone(operatorsOf[m.Kind]), func(op Op) bool {
		return op == Absent && (m.Keep != "" || m.Required)
	})
}

// TakesSet reports whether the operator may be combined with a value to write.
func (o Op) TakesSet() bool {
	return slices.Contains([]Op{AtLeast, AtMost, OneOf, Present, Matches}, o)
}

// TextsOf returns names as texts.
func TextsOf[T ~string](names []T) []string {
	return collect(names, func(name T) string { return string(name) })
}

func collect[T, U any](all []T, of func(T) U) []U {
	each := make([]U, len(all))
	for i, one := range all {
		each[i] = of(one)
	}
	return each
}

var kindNames = map[Kind]string{Object: "an object", Map: "a map", List: "a list", String: "a text",
	Integer: "a number", Boolean: "true or false"}

// fitting names a kind, and what a requirement on a member of it can be.
func fitting(kind Kind) string {
	forms := append([]string{"a plain value"}, TextsOf(operatorsOf[kind])...)
	return kindNames[kind] + ": use " + strings.Join(forms, ", ")
}

package reconcile

import (
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// A Word says how a reconcile ended, in the past participle.
type Word string

// The outcomes, the gravest first: where several would fit, the first counts.
const (
	Deferred    Word = "deferred"    // the time was wrong; nothing is known to be. Returned as an error, so that Lambda tries again.
	Unconverged Word = "unconverged" // a write was accepted, but it did not hold or something else moved
	Partial     Word = "partial"     // some drifts were fixed, others could not be
	Unfixable   Word = "unfixable"   // no drift could be fixed
	Remediated  Word = "remediated"  // every drift of an enforcing rule was fixed and verified
	Drifted     Word = "drifted"     // drift was found and left
	Unchanged   Word = "unchanged"   // compliant, nothing written
	Ignored     Word = "ignored"     // not for us
	Swept       Word = "swept"       // of a sweep, over all pools
)

// A DriftState says what became of one drift.
type DriftState string

// The states of a drift.
const (
	Fixed      DriftState = "fixed"     // written and verified
	Planned    DriftState = "planned"   // would be written; of a Preview only
	Reported   DriftState = "reported"  // left, as the mode, the requirement, a watch or our own write's event demands, or not seen to hold
	Exempted   DriftState = "exempted"  // permitted for now
	NotFixable DriftState = "unfixable" // could not be written, or did not hold
)

// A Left says in a word why a drift was left.
type Left string

// The reasons on which something depends.
const (
	LeftAudited  Left = "audited"  // the rule only audits
	LeftNoValue  Left = "noValue"  // the requirement names no value to write
	LeftOwnWrite Left = "ownWrite" // the event is of our own write
	LeftFlapping Left = "flapping" // somebody else keeps writing the setting
	LeftTaken    Left = "taken"    // a write of ours took the setting from the pool, and it cannot be given back
	LeftUnheld   Left = "unheld"   // it was written, and does not hold
	LeftWatched  Left = "watched"  // a trigger that no rule requires
	LeftHalf     Left = "half"     // it stands in two documents, of which one was written and the other refused
)

// A Drift is one owned setting that broke its requirement, and what became of it. Want and Have are masked where the setting
// is a message text or a secret.
type Drift struct {
	Setting string     `json:"setting"`
	Rule    string     `json:"rule"`
	Want    any        `json:"want"`
	Have    any        `json:"have"`
	State   DriftState `json:"state"`
	// Reason says why the drift was not fixed, and until when it is exempted.
	Reason string `json:"reason,omitempty"`
	// Left is Reason in a word, where what is to be done depends on it.
	Left Left `json:"left,omitempty"`
	// Told is when people were told before that it is as it is, and nothing else was seen since; or zero.
	Told time.Time `json:"told,omitzero"`
	// Source is the place of the requirement in the baseline file.
	Source baseline.Position `json:"-"`
}

// Verified counts the leaf settings of the pool. Both are 0 unless the pool was read again after a write.
type Verified struct {
	Owned              int `json:"owned"`              // owned settings that hold
	UnmanagedUnchanged int `json:"unmanagedUnchanged"` // settings of nobody's that are exactly what they were
}

// An Outcome is what one reconcile of one pool did.
type Outcome struct {
	Outcome    Word        `json:"outcome"`
	UserPoolID string      `json:"userPoolId"`
	Baseline   string      `json:"baseline"` // digest of the baseline file
	Cause      event.Cause `json:"cause"`
	Drifts     []Drift     `json:"drifts"` // in the order of the API's members
	Verified   Verified    `json:"verified"`
	Writes     []string    `json:"writes"` // the write calls that were accepted, in order
	Reason     string      `json:"reason"`
	// Record is the id of the ledger's record of the writes, or "".
	Record string `json:"record,omitempty"`
	// Missed is drift that a sweep found and no event told of, or nil.
	Missed *Missed `json:"missed,omitempty"`
	// Overwritten are the settings of the event's call that a write of ours may have undone, as it was planned before the call and sent after it.
	Overwritten []string `json:"overwritten,omitempty"`
	// Repeated marks an outcome that people were told of not long ago, and that is the same again.
	Repeated bool `json:"repeated,omitempty"`
	// Earlier are the outcomes of runs that were killed before they could tell of what they wrote to the pool, or that could not see whether it held: as they noted it
	// at their end, or as this run found it at first. They are told before this one.
	Earlier []Outcome `json:"earlier,omitempty"`
	// Critical marks an outcome that is graver than its word: a pool that a rule names is gone.
	Critical bool `json:"critical,omitempty"`

	// Elsewhere are settings that this look did not show and that were not as required when they were last looked at. Narrow says that of what it did not show nothing is known.
	Elsewhere []string `json:"-"`
	Narrow    bool     `json:"-"`

	PoolName   string    `json:"-"` // as the pool was read, or ""
	PoolARN    string    `json:"-"`
	RequestIDs []string  `json:"-"` // of the writes
	Durations  Durations `json:"-"`
	Times      Times     `json:"-"`

	LedgerFaults []string `json:"-"` // what the ledger failed at; it changes no outcome
}

// each calls the function with the earlier outcomes and with this one.
func (o Outcome) each(do func(Outcome)) {
	for _, earlier := range o.Earlier {
		do(earlier)
	}
	do(o)
}

// Times says when a reconcile came to what. A time that it never came to is zero.
type Times struct {
	Seen     time.Time // the event was taken up
	Written  time.Time // the last write was accepted
	Verified time.Time // the pool was read again and judged
}

// Durations says where the time of a reconcile went.
type Durations struct{ Read, Write, Verify, Total time.Duration }

// A Failure is a pool that a sweep could not bring to an end.
type Failure struct {
	UserPoolID string `json:"userPoolId"`
	Outcome    Word   `json:"outcome"`
	Reason     string `json:"reason"`
}

// A Sweeping is what a sweep over all pools did.
type Sweeping struct {
	Outcome  Word         `json:"outcome"`
	Pools    int          `json:"pools"`    // pools that were looked at
	Outcomes map[Word]int `json:"outcomes"` // how many ended how
	Failed   []Failure    `json:"failed"`   // pools that were deferred
	Reason   string       `json:"reason,omitempty"`

	// Dispatched counts the pools that a sweep over a bus has put there since it began, and looked at none of them itself.
	Dispatched int `json:"dispatched,omitempty"`

	LedgerFaults []string `json:"-"` // what the ledger failed at; it changes no outcome
}

// A DeferredError says that an event is to be tried again later. Its name is what Lambda shows.
type DeferredError struct {
	UserPoolID string // "" for a sweep
	Reason     string
	Cause      error
}

// Error says what is deferred and why.
func (e *DeferredError) Error() string {
	if e.UserPoolID == "" {
		return "sweeping: " + e.Reason
	}
	return "reconciling user pool " + e.UserPoolID + ": " + e.Reason
}

// Unwrap returns the error that deferred the event, if there was one.
func (e *DeferredError) Unwrap() error { return e.Cause }

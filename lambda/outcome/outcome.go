package outcome

import (
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// An Ending says how a run ended, as a past participle.
type Ending string

// The endings by precedence: where several would fit, the first counts.
const (
	Deferred    Ending = "deferred"    // tried again later: throttled, changed concurrently, lease held
	Unconverged Ending = "unconverged" // a write was accepted, but did not hold or something else moved
	Partial     Ending = "partial"     // some drift fixed, some not
	Unfixable   Ending = "unfixable"   // no drift could be fixed
	Remediated  Ending = "remediated"  // every drift of an enforcing rule fixed and verified
	Drifted     Ending = "drifted"     // drift found and skipped, or a watched change
	Exempted    Ending = "exempted"    // all that differs is exempted
	Unchanged   Ending = "unchanged"   // compliant, nothing written
	Ignored     Ending = "ignored"     // not for us, with a reason
	Scanned     Ending = "scanned"     // of a scan of all pools
)

// A State says what became of one finding.
type State string

// The states of a finding.
const (
	StateFixed     State = "fixed"     // written and verified
	StatePlanned   State = "planned"   // would be written; in a Preview only
	StateReported  State = "reported"  // found and skipped
	StateExempted  State = "exempted"  // permitted until a date
	StateUnfixable State = "unfixable" // could not be written, or did not hold
)

// A Code is the reason of a finding in one word.
type Code string

// The codes on which something depends.
const (
	CodeAudited     Code = "audited"     // the rule only audits
	CodeNoValue     Code = "noValue"     // the requirement names no value to write
	CodeOwnWrite    Code = "ownWrite"    // the event is of our own write
	CodeFlapping    Code = "flapping"    // the flap budget is used up
	CodeRestore     Code = "restore"     // our write took it from the pool, and it could not be restored
	CodeUnheld      Code = "unheld"      // it was written and does not hold
	CodeUnverified  Code = "unverified"  // it was written, and the run was deferred before it was verified
	CodeWatched     Code = "watched"     // a trigger that no rule requires
	CodeHalf        Code = "half"        // it stands in two documents; one was written, the other refused
	CodeLostUpdate  Code = "lostUpdate"  // our write may have undone the event's call
	CodeInterrupted Code = "interrupted" // an earlier run wrote and was interrupted
	CodeDeleted     Code = "deleted"     // a pool that a rule names was deleted
)

// A Finding is a setting that does not meet its requirement, or a watched change, and what became of it.
// Want and Have are masked where the setting is a message text or a secret.
type Finding struct {
	Setting string `json:"setting"`
	Rule    string `json:"rule"`
	Want    any    `json:"want"`
	Have    any    `json:"have"`
	State   State  `json:"state"`
	Reason  string `json:"reason,omitempty"` // why it was not fixed, or until when it is exempted
	Code    Code   `json:"code,omitempty"`
	// Source is the place of the requirement in the baseline file.
	Source baseline.Position `json:"-"`
}

// Verified counts the leaf settings that were read again after a write; both are 0 where nothing was written.
type Verified struct {
	Owned              int `json:"owned"`              // required settings that hold
	UnmanagedUnchanged int `json:"unmanagedUnchanged"` // unmanaged settings that are exactly what they were
}

// An Outcome is what one run did to one pool.
type Outcome struct {
	Outcome    Ending      `json:"outcome"`
	UserPoolID string      `json:"userPoolId"`
	Baseline   string      `json:"baseline"` // digest of the baseline file
	Cause      event.Cause `json:"cause"`
	Drifts     []Finding   `json:"drifts"` // in the order of the member table
	Verified   Verified    `json:"verified"`
	Writes     []string    `json:"writes"` // the write calls that were accepted, in order
	Reason     string      `json:"reason"`
	Record     string      `json:"record,omitempty"`     // id of the write-ahead record, "" where nothing was written
	Undetected int         `json:"undetected,omitempty"` // drift that a scheduled scan found and no event reported
	Critical   bool        `json:"critical,omitempty"`   // a named pool is gone, or a write moved an unknown member
	Details    Details     `json:"-"`
}

// A Preview is what Reconcile would do to a pool in the state in which it was read.
type Preview struct {
	// Outcome has what would be fixed as StatePlanned, and as Writes the calls that would be made. It is Drifted where
	// anything would be written or is skipped, else Unfixable, Exempted, Unchanged or Ignored.
	Outcome
	Required []string // the settings that are required of the pool and its clients
	State    string   // digest of the whole state, for ReconcileFrom; "" of an ignored pool
	// Before is what was read, After what the writes would make of it.
	Before, After userpool.State
}

// MovedReason says that a pool is not as it was when it was planned.
const MovedReason = "the pool is no longer in the state that the plan was made for"

// GoneReason says that a pool does not exist, or not any more.
const GoneReason = "there is no such user pool here"

// Details are the parts of an outcome that the answer of the function does not show.
type Details struct {
	PoolName   string
	PoolARN    string
	RequestIDs []string // of the writes
	Duration   time.Duration
	Times      Times
	// Clients are app clients beyond what one run handles: each 100 of them are another request.
	Clients []string
	// Notified says until when the message about a finding is suppressed, by Fingerprint.
	Notified map[string]time.Time
	// LedgerError is what the ledger failed at first, or "". It changes no ending.
	LedgerError string
	Open        []Record // to be closed once people are notified
}

// Times has the time of each stage; it is zero for one that was not reached.
type Times struct {
	Seen     time.Time // the event was taken up
	Written  time.Time // the last write was accepted
	Verified time.Time // the pool was read again and compared
}

// A DeferredError says that a request is to be tried again later. Lambda shows its name.
type DeferredError struct {
	UserPoolID string // "" for a scan
	Reason     string
	Cause      error
}

// Error says what is deferred and why.
func (e *DeferredError) Error() string {
	if e.UserPoolID == "" {
		return "scanning: " + e.Reason
	}
	return "reconciling user pool " + e.UserPoolID + ": " + e.Reason
}

// Unwrap returns the error that deferred the request, if there was one.
func (e *DeferredError) Unwrap() error { return e.Cause }

// Package outcome describes the results of runs: the findings and the ending of a run, the write-ahead record of its
// writes, and the conclusions from earlier records for the next run. Its functions are pure.
package outcome

import (
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// An Ending is how a run ended, as a past participle.
type Ending string

// The endings in order of precedence. A new one also needs a case in reconcile.Conclude and a row in report.meanings.
const (
	Deferred    Ending = "deferred"    // will be retried: throttled, changed concurrently, or leased by another run
	Unconverged Ending = "unconverged" // a written value did not or does not last, or another setting changed
	Partial     Ending = "partial"     // some drift fixed, some not
	Unfixable   Ending = "unfixable"   // no drift could be fixed
	Remediated  Ending = "remediated"  // every drift of an enforcing rule fixed and verified
	Drifted     Ending = "drifted"     // drift was found but not fixed, or a watched change
	Exempted    Ending = "exempted"    // all drift is exempted
	Unchanged   Ending = "unchanged"   // compliant, nothing written
	Ignored     Ending = "ignored"     // the event is not relevant, with a reason
	Scanned     Ending = "scanned"     // the result of a scan of all pools
)

// A State is the result of one finding.
type State string

// The states of a finding.
const (
	StateFixed     State = "fixed"     // written and verified
	StatePlanned   State = "planned"   // would be written; in a Preview only
	StateReported  State = "reported"  // found, not written
	StateExempted  State = "exempted"  // exempted until a date
	StateUnfixable State = "unfixable" // could not be written, or did not last
)

// A Code is the reason of a finding in one word.
type Code string

// The codes that other code depends on.
const (
	CodeAudited     Code = "audited"     // the rule only audits
	CodeNoValue     Code = "noValue"     // the requirement has no value to write
	CodeOwnWrite    Code = "ownWrite"    // our own write caused the event
	CodeFlapping    Code = "flapping"    // the flap budget is used up
	CodeRestore     Code = "restore"     // our write removed it, and it could not be restored
	CodeUnheld      Code = "unheld"      // it was written but does not have the required value
	CodeUnverified  Code = "unverified"  // written or perhaps written, but the run was deferred before the verification
	CodeWatched     Code = "watched"     // a trigger that no rule requires
	CodeHalf        Code = "half"        // it is in two documents; the write of one was accepted, the other rejected
	CodeLostUpdate  Code = "lostUpdate"  // our write may have undone the event's call
	CodeInterrupted Code = "interrupted" // an earlier run was interrupted after a write
	CodeDeleted     Code = "deleted"     // a pool that a rule names was deleted
)

// A Finding is a setting that does not meet its requirement, or a watched change, with its result. Want and Have are
// masked if the setting is sensitive.
type Finding struct {
	Setting string `json:"setting"`
	Rule    string `json:"rule"`
	Want    any    `json:"want"`
	Have    any    `json:"have"`
	State   State  `json:"state"`
	Reason  string `json:"reason,omitempty"` // why it was not fixed, or until when it is exempted
	Code    Code   `json:"code,omitempty"`
	// Source is the position of the requirement in the baseline file.
	Source baseline.Position `json:"-"`
}

// Verified counts the leaf settings that were verified after a write. Both counts are 0 if nothing was written.
type Verified struct {
	Owned              int `json:"owned"`              // required settings that are compliant
	UnmanagedUnchanged int `json:"unmanagedUnchanged"` // unmanaged settings that did not change
}

// An Outcome is the result of one run on one pool.
type Outcome struct {
	Outcome    Ending      `json:"outcome"`
	UserPoolID string      `json:"userPoolId"`
	Baseline   string      `json:"baseline"` // digest of the baseline file
	Cause      event.Cause `json:"cause"`
	Drifts     []Finding   `json:"drifts"` // in the order of the member table
	Verified   Verified    `json:"verified"`
	Writes     []string    `json:"writes"` // the write calls that were accepted, in order
	Reason     string      `json:"reason"`
	Record     string      `json:"record,omitempty"`     // id of the write-ahead record, "" if nothing was written
	Undetected int         `json:"undetected,omitempty"` // drift that a scheduled scan found and no event reported
	Critical   bool        `json:"critical,omitempty"`   // a named pool is gone, or a write changed an unknown member
	Details    Details     `json:"-"`
}

// A Preview is what Reconcile would do to a pool in its current state.
type Preview struct {
	// Outcome has StatePlanned for findings that would be fixed, and in Writes the calls that would be made. It is
	// Drifted if anything would be written or skipped, otherwise Unfixable, Exempted, Unchanged or Ignored.
	Outcome
	Required []string // the settings that are required of the pool and its clients
	State    string   // digest of the whole state, for ReconcileFrom; "" for an ignored pool
	// Before is the state that was read, After the expected state after the writes.
	Before, After userpool.State
}

// MovedReason is the reason if a pool changed after it was planned.
const MovedReason = "the pool changed after the plan was made"

// GoneReason is the reason if a pool does not exist.
const GoneReason = "there is no such user pool in this account and Region"

// Details are the parts of an outcome that the function's response does not contain.
type Details struct {
	PoolName   string
	PoolARN    string
	RequestIDs []string // ids of the write requests
	Duration   time.Duration
	Times      Times
	// Clients are the app clients that are too many for one run. Each 100 of them become a request of their own.
	Clients []string
	// Notified maps the Fingerprint of a finding to the time until which its message is suppressed.
	Notified map[string]time.Time
	// LedgerError is the first error of the ledger, or "". It does not affect the ending.
	LedgerError string
	Open        []Record // to be closed after the notification
}

// Times has the time of each stage, which is zero if the stage was not reached.
type Times struct {
	Seen     time.Time `json:"seen,omitzero"`     // the processing of the event began
	Written  time.Time `json:"written,omitzero"`  // the last write was accepted
	Verified time.Time `json:"verified,omitzero"` // the pool was read again and compared
}

// A DeferredError means that the request will be retried later. Lambda shows the name of the type.
type DeferredError struct {
	UserPoolID string // "" for a scan
	Reason     string
	Cause      error
}

// Error returns what is deferred and why.
func (e *DeferredError) Error() string {
	if e.UserPoolID == "" {
		return "scanning: " + e.Reason
	}
	return "reconciling user pool " + e.UserPoolID + ": " + e.Reason
}

// Unwrap returns the error that caused the deferral, or nil.
func (e *DeferredError) Unwrap() error { return e.Cause }

// A ScanResult is the result of one scan or of one part of it.
type ScanResult struct {
	Outcome Ending `json:"outcome"` // Scanned, Deferred or Ignored
	Pools   int    `json:"pools"`   // listed pools that a rule may select
	Reason  string `json:"reason,omitempty"`
}

package reconcile

import (
	"context"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// A Ledger remembers from one invocation to the next: which events were handled, who is at work on a pool, and what was written and why. It is safe for concurrent use, by several processes
// too. None of its errors stops a remediation: without the ledger a reconcile does all that it would do with it, but for what only memory can tell.
type Ledger interface {
	// Take takes what the key names for the owner until the time given, unless another owner has it at the time now. Who has it already keeps it. Note is what was last kept of it, by whomever, empty
	// at first; it is returned where it is not taken too.
	Take(ctx context.Context, key Key, owner string, now, until time.Time) (note []byte, taken bool, err error)
	// Keep writes the note of what the owner has taken, and has it until the time given; at the zero time it is anybody's. It writes nothing and says false if another owner has taken it
	// meanwhile.
	Keep(ctx context.Context, key Key, owner string, note []byte, until time.Time) (kept bool, err error)
	// Reserve takes the next turn in a lane, of which each turn takes so long, and returns when it begins: at the time now or later. taken is false, and nothing is taken, if that would be later than
	// last. A lane whose next turn begins Implausible later than last was filled by a clock that is wrong, and counts as empty.
	Reserve(ctx context.Context, lane string, now time.Time, takes time.Duration, last time.Time) (turn time.Time, taken bool, err error)
	// Put writes a record, in place of an earlier one of the same id.
	Put(ctx context.Context, record Record) error
	// Record returns the record of the id. The error is ErrNoRecord where there is none, and ErrUnreadable where there is something else.
	Record(ctx context.Context, id string) (Record, error)
	// Records returns the records of a pool that were begun at the time given or later, the oldest first, without their Before and without the bodies of their writes. With the
	// error ErrUnreadable it returns all but those that cannot be read.
	Records(ctx context.Context, pool string, from time.Time) ([]Record, error)
}

// Implausible is how long after the last turn that anybody may take no turn begins, by any clock that is right.
const Implausible = time.Minute

// A Key names what can be taken: one event about one pool or all, one pool, or a turn to sweep.
type Key struct {
	Kind KeyKind
	ID   string
}

// A KeyKind says what a key names.
type KeyKind string

// The kinds of keys.
const (
	EventKey KeyKind = "event" // the id of the event, that of the pool, as a sweep's event is about many, and what it asks for
	PoolKey  KeyKind = "pool"
	PlaceKey KeyKind = "place" // the one place of those who wait long for something else
	SweepKey KeyKind = "sweep" // the turn to sweep for calls of which CloudTrail left out the pool
)

// A Record is what one reconcile wrote to one pool, and why: enough to explain it, and to take it back.
type Record struct {
	ID         string      `json:"id"` // NewRecordID
	UserPoolID string      `json:"userPoolId"`
	Cause      event.Cause `json:"cause"`
	Baseline   string      `json:"baseline"`
	Began      time.Time   `json:"began"` // before the first write
	// Outcome is empty until the writes are verified: then a process that made some of them came to no end.
	Outcome  Word      `json:"outcome,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Drifts   []Drift   `json:"drifts"` // what was to be fixed, and at the end what became of each
	Sent     []Sent    `json:"sent"`   // the writes that were accepted, or may have been, in order; each stands here before it is made
	Verified Verified  `json:"verified"`
	Ended    time.Time `json:"ended,omitzero"`
	// Owes are settings that the writes may take from the pool as a side effect, until a later one of them gives them back.
	Owes []string `json:"owes,omitempty"`
	// Before is the raw state before the first write. It holds message texts and external ids; it is nil in a list, and where it was too large to be kept.
	Before *userpool.Backup `json:"-"`
}

// Finished says whether it was seen what became of the writes.
func (r Record) Finished() bool { return r.Outcome != "" && r.Outcome != Deferred }

// Light returns the record without what only a single one is read for, which is nearly all of its size.
func (r Record) Light() Record {
	r.Before, r.Sent = nil, slices.Clone(r.Sent)
	for i := range r.Sent {
		r.Sent[i].Body = nil
	}
	return r
}

// Changed returns the settings that the writes put right, or may have: of some it was not seen, as no rule required them any more.
func (r Record) Changed() (settings []string) {
	for _, d := range r.Drifts {
		sent := slices.DeleteFunc(slices.Clone(r.Sent), func(s Sent) bool { return !slices.Contains(s.Fixes, d.Setting) })
		if d.State == Fixed || d.State == Planned || d.State == Reported && len(sent) > 0 {
			settings = append(settings, d.Setting)
		}
		for _, s := range sent {
			if d.Left == LeftHalf {
				settings = append(settings, s.Document.Holds(d.Setting)...)
			}
		}
	}
	return settings
}

// Sent is one write call.
type Sent struct {
	Call      string                `json:"call"`
	Document  baseline.DocumentName `json:"document"`
	RequestID string                `json:"requestId,omitempty"`
	Read      time.Time             `json:"read"`            // when the state was read that the write was planned for
	At        time.Time             `json:"at,omitzero"`     // when it was answered; zero where the process ended before that
	Fixes     []string              `json:"fixes,omitempty"` // the settings that it takes part in putting right
	// Unclear says that the write may have been made or not: there was no answer yet, or none that says so.
	Unclear bool   `json:"unclear,omitempty"`
	Body    []byte `json:"-"` // nil in a list, and where it was too large to be kept
}

// until is when a write of the record was made at the latest. Those to clients are recorded long before their turn comes, others at once before they are made.
func (r Record) until(s Sent) time.Time {
	switch {
	case !s.At.IsZero():
		return s.At
	case s.Document.Client() == "":
		return s.Read.Add(holdTime)
	case r.Ended.IsZero():
		return s.Read.Add(longest)
	default:
		return r.Ended
	}
}

// recordTime is how the time stands in the id of a record: fixed in length, so that ids sort by time.
const recordTime = "20060102T150405.000000Z"

// NewRecordID returns the id of the record of a pool that is begun at the time given.
func NewRecordID(pool string, began time.Time) string {
	return pool + "." + began.UTC().Format(recordTime)
}

// SplitRecordID returns the pool and the time of a record's id, and false if it is none.
func SplitRecordID(id string) (pool string, began time.Time, ok bool) {
	at := len(id) - len(recordTime) - 1
	if at <= 0 || id[at] != '.' {
		return "", time.Time{}, false
	}
	began, err := time.Parse(recordTime, id[at+1:])
	return id[:at], began, err == nil
}

package outcome

import (
	"errors"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// ErrNoRecord says that a ledger has no record of an id.
var ErrNoRecord = errors.New("there is no such record")

// ErrUnreadable says that a ledger has a record of an id that cannot be read.
var ErrUnreadable = errors.New("the record cannot be read")

// A History is what a ledger keeps of one pool.
type History struct {
	Records []Record             // light ones, the oldest first
	Notes   map[string]time.Time // by name, until when it is kept
}

// A Record is the write-ahead record of one run: what it wrote to one pool and why, enough to explain it, to undo it
// and to finish it where the run was interrupted.
type Record struct {
	ID         string      `json:"id"` // NewRecordID
	UserPoolID string      `json:"userPoolId"`
	Cause      event.Cause `json:"cause"`
	Baseline   string      `json:"baseline"`
	Actor      string      `json:"actor,omitempty"` // who ran the command, "" for the function
	Began      time.Time   `json:"began"`
	Until      time.Time   `json:"until,omitzero"` // a record that is still open after this time was interrupted
	Ended      time.Time   `json:"ended,omitzero"` // zero: open
	Outcome    Ending      `json:"outcome,omitempty"`
	Reason     string      `json:"reason,omitempty"`
	Drifts     []Finding   `json:"drifts"` // what is to be fixed, and at the end what became of it
	Sent       []Sent      `json:"sent"`   // the writes in order; each stands here before it is sent
	Verified   Verified    `json:"verified"`
	// Before is the raw state before the first write. It holds message texts and external ids. It is nil in a light
	// record, and where it was too large to be kept.
	Before *userpool.Backup `json:"-"`
}

// A WriteStatus says what is known of a write.
type WriteStatus string

// The statuses of a write.
const (
	Intended WriteStatus = "intended" // no answer yet: whoever finds it so cannot know whether it was made
	Accepted WriteStatus = "accepted"
	Refused  WriteStatus = "refused" // it changed nothing
	Unclear  WriteStatus = "unclear" // the answer was lost
)

// Sent is one write call of a record.
type Sent struct {
	Call      string                `json:"call"`
	Document  baseline.DocumentName `json:"document"`
	Status    WriteStatus           `json:"status"`
	RequestID string                `json:"requestId,omitempty"`
	Read      time.Time             `json:"read"`               // when the state was read that it replaces
	At        time.Time             `json:"at,omitzero"`        // when it was answered
	Fixes     []string              `json:"fixes,omitempty"`    // the settings that it takes part in fixing
	Restores  []string              `json:"restores,omitempty"` // settings that it may take, and a later write restores
	Moved     []string              `json:"moved,omitempty"`    // unknown members that it moved
	Body      []byte                `json:"-"`                  // nil in a light record, and where it was too large
}

// Made reports whether the write was made, or may have been.
func (s Sent) Made() bool { return s.Status != Refused }

// Open reports whether the run of the record has not ended yet.
func (r Record) Open() bool { return r.Ended.IsZero() }

// Interrupted reports whether the run of the record ended without closing it.
func (r Record) Interrupted(now time.Time) bool {
	return r.Open() && !now.Before(r.Until) && slices.ContainsFunc(r.Sent, Sent.Made)
}

// Restores returns the settings that writes of the record may have taken from the pool and no later one restored.
func (r Record) Restores() []string {
	var open []string
	for _, s := range r.Sent {
		if !s.Made() {
			continue
		}
		open = slices.DeleteFunc(open, func(setting string) bool {
			of, _ := baseline.DocumentOf(setting)
			return s.Status == Accepted && of == s.Document
		})
		open = append(open, s.Restores...)
	}
	return open
}

// Light returns the record without its state and bodies, which are nearly all of its size.
func (r Record) Light() Record {
	r.Before, r.Sent = nil, slices.Clone(r.Sent)
	for i := range r.Sent {
		r.Sent[i].Body = nil
	}
	return r
}

// Shift describes what moved that no write was to change, and notes the unknown members at the writes that moved them.
func (r *Record) Shift(changes []userpool.Change) (texts []string) {
	for _, change := range changes {
		text, member := change.String(), userpool.UnknownOf(change.Setting)
		if member != "" {
			text += ", which this build does not know"
		}
		for i := range r.Sent {
			s := &r.Sent[i]
			if member != "" && s.Made() && s.Document == userpool.DocumentOf(member) && !slices.Contains(s.Moved, member) {
				s.Moved = append(s.Moved, member)
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// Shifted reports whether a write of the record moved an unknown member.
func (r Record) Shifted() bool {
	return slices.ContainsFunc(r.Sent, func(s Sent) bool { return len(s.Moved) > 0 })
}

// Changed returns the settings that the writes of the record changed, or may have.
func (r Record) Changed() []string {
	var settings []string
	for _, d := range r.Drifts {
		for _, s := range r.Sent {
			if !s.Made() || !slices.Contains(s.Fixes, d.Setting) {
				continue
			}
			paths := []string{d.Setting}
			if d.Code == CodeHalf {
				paths = s.Document.Holds(d.Setting)
			}
			for _, path := range paths {
				if !slices.Contains(settings, path) {
					settings = append(settings, path)
				}
			}
		}
	}
	return settings
}

// recordTime is the time in the id of a record: fixed in length, so that ids sort by time.
const recordTime = "20060102T150405.000000Z"

// NewRecordID returns the id of the record of a run, which has a name of its own, that began at a time. Without a name
// it is the least id of that time.
func NewRecordID(pool string, began time.Time, run string) string {
	id := pool + "." + began.UTC().Format(recordTime)
	if run != "" {
		id += "-" + run
	}
	return id
}

// SplitRecordID returns the pool and the time in the id of a record, and false where it is none.
func SplitRecordID(id string) (pool string, began time.Time, ok bool) {
	pool, rest, _ := strings.Cut(id, ".")
	at, run, named := strings.Cut(rest, "-")
	began, err := time.Parse(recordTime, at)
	odd := strings.ContainsFunc(run, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
	return pool, began, pool != "" && err == nil && !odd && named == (run != "")
}

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

// ErrNoRecord means that the ledger has no record with the id.
var ErrNoRecord = errors.New("there is no such record")

// ErrUnreadable means that the ledger has a record with the id that cannot be decoded.
var ErrUnreadable = errors.New("the record cannot be read")

// A Record is the write-ahead record of one run. It has everything that is needed to explain the run's writes to a
// pool, to undo them, and to finish them if the run was interrupted.
type Record struct {
	ID         string      `json:"id"` // NewRecordID
	UserPoolID string      `json:"userPoolId"`
	Cause      event.Cause `json:"cause"`
	Baseline   string      `json:"baseline"`
	Actor      string      `json:"actor,omitempty"` // who ran the command; "" for the function
	Began      time.Time   `json:"began"`
	Until      time.Time   `json:"until,omitzero"` // if it is still open then, the next run of the pool finishes it
	Ended      time.Time   `json:"ended,omitzero"` // zero: open
	Outcome    Ending      `json:"outcome,omitempty"`
	Reason     string      `json:"reason,omitempty"`
	Drifts     []Finding   `json:"drifts"` // the findings to fix, and at the end their results
	Sent       []Sent      `json:"sent"`   // the writes in order; each is recorded before it is sent
	Verified   Verified    `json:"verified"`
	// Before is the raw state before the first write. It contains message texts and external ids. It is nil in a light
	// record, or if it was too large to store.
	Before *userpool.Backup `json:"-"`
}

// A WriteStatus is what is known about the result of a write.
type WriteStatus string

// The statuses of a write.
const (
	Intended WriteStatus = "intended" // sent or about to be sent: it is not known whether the write was made
	Accepted WriteStatus = "accepted"
	Refused  WriteStatus = "refused" // rejected, so it changed nothing
	Unclear  WriteStatus = "unclear" // the response was lost
)

// Sent is one write call of a record.
type Sent struct {
	Call      string                `json:"call"`
	Document  baseline.DocumentName `json:"document"`
	Status    WriteStatus           `json:"status"`
	RequestID string                `json:"requestId,omitempty"`
	Read      time.Time             `json:"read"`               // when the replaced state was read
	At        time.Time             `json:"at,omitzero"`        // when the response arrived
	Fixes     []string              `json:"fixes,omitempty"`    // the settings that it helps to fix
	Removes   []string              `json:"restores,omitempty"` // settings that it may remove
	Trial     bool                  `json:"trial,omitempty"`    // it changes nothing
	Changed   []string              `json:"moved,omitempty"`    // unknown members that it changed
	Body      []byte                `json:"-"`                  // nil in a light record, or if it was too large
}

// Made reports whether the write was made or may have been made.
func (s Sent) Made() bool { return s.Status != Refused }

// Open reports whether the record has not been closed.
func (r Record) Open() bool { return r.Ended.IsZero() }

// Interrupted reports whether the run of the record ended without closing it.
func (r Record) Interrupted(now time.Time) bool {
	return r.Open() && !now.Before(r.Until) && slices.ContainsFunc(r.Sent, Sent.Made)
}

// Restores returns the settings that writes of the record may have removed and that no later write restored.
func (r Record) Restores() []string {
	var open []string
	for _, s := range r.Sent {
		open = slices.DeleteFunc(open, func(setting string) bool {
			of, _ := baseline.DocumentOf(setting)
			return s.Status == Accepted && of == s.Document
		})
		if s.Made() {
			open = append(open, s.Removes...)
		}
	}
	return open
}

// Light returns the record without its state and bodies, which are most of its size.
func (r Record) Light() Record {
	r.Before, r.Sent = nil, slices.Clone(r.Sent)
	for i := range r.Sent {
		r.Sent[i].Body = nil
	}
	return r
}

// Shift describes the unexpected changes, and records the changed unknown members with the writes that changed them.
func (r *Record) Shift(changes []userpool.Change) (texts []string) {
	for _, change := range changes {
		text, member := change.String(), userpool.UnknownOf(change.Setting)
		document, _ := userpool.DocumentOf(member)
		if member != "" {
			text += ", which poolkeeper does not know"
		}
		for i := range r.Sent {
			s := &r.Sent[i]
			if member != "" && s.Made() && s.Document == document && !slices.Contains(s.Changed, member) {
				s.Changed = append(s.Changed, member)
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// fixes returns the settings that some of the writes should have fixed, sorted.
func (r Record) fixes(counts func(Sent) bool) []string {
	var all []string
	for _, s := range r.Sent {
		if counts(s) {
			all = append(all, s.Fixes...)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// Changed returns the settings that the writes of the record changed or may have changed.
func (r Record) Changed() []string {
	var settings []string
	for _, d := range r.Drifts {
		for _, s := range r.Sent {
			switch {
			case !s.Made() || !slices.Contains(s.Fixes, d.Setting):
			case d.Code == CodeHalf:
				settings = append(settings, s.Document.Holds(d.Setting)...)
			default:
				settings = append(settings, d.Setting)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(settings)))
}

// recordTime is the time format in the id of a record. It has a fixed length, so that ids sort by time.
const recordTime = "20060102T150405.000000Z"

// NewRecordID returns the record id of the run with the given name and start time. Without a name it returns the lowest
// id for that time.
func NewRecordID(pool string, began time.Time, run string) string {
	return strings.TrimSuffix(pool+"."+began.UTC().Format(recordTime)+"-"+run, "-")
}

// SplitRecordID returns the pool and the time in a record id, and false if the id is not valid.
func SplitRecordID(id string) (pool string, began time.Time, ok bool) {
	pool, rest, _ := strings.Cut(id, ".")
	at, run, named := strings.Cut(rest, "-")
	began, err := time.Parse(recordTime, at)
	odd := strings.ContainsFunc(run, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
	return pool, began, pool != "" && err == nil && !odd && named == (run != "")
}

package ledger

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"poolkeeper/lambda/reconcile"
)

// Memory is a ledger that lasts as long as the process. It is safe for concurrent use.
type Memory struct {
	mutex   sync.Mutex
	held    map[reconcile.Key]held
	records map[string]reconcile.Record
	lanes   map[string]time.Time // when the next turn begins
}

// held is what the ledger has under a key.
type held struct {
	owner string
	until time.Time
	note  []byte
}

// NewMemory returns an empty ledger.
func NewMemory() *Memory {
	return &Memory{held: map[reconcile.Key]held{}, records: map[string]reconcile.Record{}, lanes: map[string]time.Time{}}
}

// Take implements reconcile.Ledger.
func (m *Memory) Take(_ context.Context, key reconcile.Key, owner string, now, until time.Time) (note []byte, taken bool, err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	h := m.held[key]
	if h.owner != owner && !h.until.IsZero() && !h.until.Before(now) {
		return h.note, false, nil
	}
	m.held[key] = held{owner, until, h.note}
	return h.note, true, nil
}

// Keep implements reconcile.Ledger.
func (m *Memory) Keep(_ context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (kept bool, err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.held[key].owner != owner {
		return false, nil
	}
	m.held[key] = held{owner, until, slices.Clone(note)}
	return true, nil
}

// Reserve implements reconcile.Ledger.
func (m *Memory) Reserve(_ context.Context, lane string, now time.Time, takes time.Duration, last time.Time) (turn time.Time, taken bool, err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	turn = m.lanes[lane]
	if turn.Before(now) || turn.After(last.Add(reconcile.Implausible)) {
		turn = now
	}
	if turn.After(last) {
		return time.Time{}, false, nil
	}
	m.lanes[lane] = turn.Add(takes)
	return turn, true, nil
}

// Put implements reconcile.Ledger.
func (m *Memory) Put(_ context.Context, r reconcile.Record) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	r.Drifts, r.Sent = slices.Clone(r.Drifts), slices.Clone(r.Sent)
	m.records[r.ID] = r
	return nil
}

// Record implements reconcile.Ledger.
func (m *Memory) Record(_ context.Context, id string) (reconcile.Record, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	r, ok := m.records[id]
	if !ok {
		return r, reconcile.ErrNoRecord
	}
	return r, nil
}

// Records implements reconcile.Ledger.
func (m *Memory) Records(_ context.Context, pool string, from time.Time) ([]reconcile.Record, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var found []reconcile.Record
	for _, r := range m.records {
		if r.UserPoolID == pool && !r.Began.Before(from) {
			found = append(found, r.Light())
		}
	}
	slices.SortFunc(found, func(a, b reconcile.Record) int { return strings.Compare(a.ID, b.ID) })
	return found, nil
}

package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"poolkeeper/lambda/outcome"
)

// Memory is a ledger in the memory of the process. It is safe for concurrent use.
type Memory struct {
	mutex   sync.Mutex
	leases  map[string]lease
	records map[string]outcome.Record
	notes   map[string]map[string]time.Time
}

type lease struct {
	owner string
	until time.Time // zero after a release
}

// NewMemory returns an empty ledger.
func NewMemory() *Memory {
	return &Memory{leases: map[string]lease{}, records: map[string]outcome.Record{},
		notes: map[string]map[string]time.Time{}}
}

// Acquire implements reconcile.Ledger.
func (m *Memory) Acquire(_ context.Context, pool, owner string, now, until time.Time) (bool, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	l := m.leases[pool]
	ours := l.until.IsZero() || l.owner == owner
	if !ours && (until.IsZero() || now.Before(l.until)) {
		return false, nil
	}
	m.leases[pool] = lease{owner, until}
	return true, nil
}

// History implements reconcile.Ledger.
func (m *Memory) History(_ context.Context, pool string, since time.Time, _ bool) (outcome.History, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	h := outcome.History{Notes: map[string]time.Time{}}
	maps.Copy(h.Notes, m.notes[pool])
	first := outcome.NewRecordID(pool, since, "")
	for id, r := range m.records {
		if of, _, _ := outcome.SplitRecordID(id); of == pool && id >= first {
			h.Records = append(h.Records, r.Light())
		}
	}
	slices.SortFunc(h.Records, func(a, b outcome.Record) int { return strings.Compare(a.ID, b.ID) })
	return h, nil
}

// Record implements reconcile.Ledger.
func (m *Memory) Record(_ context.Context, id string) (outcome.Record, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if r, ok := m.records[id]; ok {
		return clone(r), nil
	}
	return outcome.Record{}, fmt.Errorf("%s: %w", id, outcome.ErrNoRecord)
}

// Put implements reconcile.Ledger.
func (m *Memory) Put(_ context.Context, r outcome.Record) error {
	if _, err := recordKey(r.ID); err != nil {
		return err
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.records[r.ID] = clone(r)
	return nil
}

func clone(r outcome.Record) outcome.Record {
	r.Drifts, r.Sent = slices.Clone(r.Drifts), slices.Clone(r.Sent)
	return r
}

// Note implements reconcile.Ledger.
func (m *Memory) Note(_ context.Context, pool string, notes map[string]time.Time) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.notes[pool] == nil {
		m.notes[pool] = map[string]time.Time{}
	}
	for name, until := range notes {
		if until.After(m.notes[pool][name]) {
			m.notes[pool][name] = until.UTC().Truncate(time.Millisecond)
		}
	}
	return nil
}

package reconcile_test

import (
	"context"
	"time"

	"poolkeeper/lambda/reconcile"
)

// shaky is a ledger whose calls go wrong as the cell says.
type shaky struct {
	reconcile.Ledger
	arena *arena
	armed bool
	asked []string // the calls, in order
	met   int      // calls of the operation that is struck
}

// ask makes a call, or lets it go wrong.
func (s *shaky) ask(operation string, do func() error) error {
	s.asked = append(s.asked, operation)
	c := s.arena.cell
	if !s.armed || c.place != atLedger || c.operation != operation {
		return do()
	}
	s.met++
	if s.met <= c.skip || c.times > 0 && s.met > c.skip+c.times {
		return do()
	}
	return s.arena.answer(wrongs[c.wrong], do)
}

func (s *shaky) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) (note []byte, taken bool, err error) {
	fault := s.ask("Take "+string(key.Kind), func() error { note, taken, err = s.Ledger.Take(ctx, key, owner, now, until); return err })
	if fault != nil {
		return nil, false, fault
	}
	return note, taken, nil
}

func (s *shaky) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (kept bool, err error) {
	fault := s.ask("Keep "+string(key.Kind), func() error { kept, err = s.Ledger.Keep(ctx, key, owner, note, until); return err })
	return kept && fault == nil, fault
}

func (s *shaky) Reserve(ctx context.Context, lane string, now time.Time, takes time.Duration, last time.Time) (turn time.Time, taken bool, err error) {
	fault := s.ask("Reserve", func() error { turn, taken, err = s.Ledger.Reserve(ctx, lane, now, takes, last); return err })
	if fault != nil {
		return time.Time{}, false, fault
	}
	return turn, taken, nil
}

func (s *shaky) Put(ctx context.Context, r reconcile.Record) error {
	return s.ask("Put", func() error { return s.Ledger.Put(ctx, r) })
}

func (s *shaky) Record(ctx context.Context, id string) (r reconcile.Record, err error) {
	fault := s.ask("Record", func() error { r, err = s.Ledger.Record(ctx, id); return err })
	if fault != nil {
		return reconcile.Record{}, fault
	}
	return r, nil
}

func (s *shaky) Records(ctx context.Context, pool string, from time.Time) (rs []reconcile.Record, err error) {
	fault := s.ask("Records", func() error { rs, err = s.Ledger.Records(ctx, pool, from); return err })
	if fault != nil {
		return nil, fault
	}
	return rs, nil
}

package ledger_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func table(t *testing.T, url string) ledger.Table {
	t.Helper()
	return ledger.Table{Client: mototest.Table(t, url, "ledger"), Name: "ledger", Patience: time.Minute}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// TestLedger checks that all ledgers keep the same contract.
func TestLedger(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) reconcile.Ledger{
		"memory":    func(*testing.T) reconcile.Ledger { return ledger.NewMemory() },
		"moto":      func(t *testing.T) reconcile.Ledger { return table(t, mototest.OneAtATime(t, mototest.Start(t))) },
		"ministack": func(t *testing.T) reconcile.Ledger { return table(t, mototest.Ministack(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			testLeases(t, l)
			testRecords(t, l)
			testNotes(t, l)
			testRaces(t, l)
		})
	}
}

func testLeases(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	const pool = "eu-west-1_Leases"
	second := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	for i, c := range []struct {
		owner      string
		now, until time.Time
		want       bool
	}{
		{"a", second(0), time.Time{}, true}, // nobody has it: there is nothing to release
		{"a", second(0), second(60), true},
		{"b", second(59), second(120), false},
		{"a", second(59), second(120), true}, // renewed
		{"b", second(60), second(150), false},
		{"b", second(60), time.Time{}, false}, // not b's to release
		{"b", second(119), second(180), false},
		{"b", second(120), second(180), true},  // expired
		{"a", second(130), time.Time{}, false}, // too late
		{"a", second(130), second(190), false},
		{"b", second(130), time.Time{}, true},
		{"b", second(130), time.Time{}, true}, // released twice
		{"c", second(0), second(60), true},
		{"b", second(70), time.Time{}, false}, // the lease has expired, but it was c's
		{"c", second(70), second(130), true},
	} {
		got, err := l.Acquire(t.Context(), pool, c.owner, c.now, c.until)
		if err != nil || got != c.want {
			t.Errorf("step %d: %s at %s until %s: %v, %v; want %v", i, c.owner, c.now, c.until, got, err, c.want)
		}
	}
	if got, err := l.Acquire(t.Context(), "eu-west-1_Other", "d", noon, second(60)); err != nil || !got {
		t.Errorf("the lease of another pool: %v, %v", got, err)
	}
}

func record(pool string, began time.Time) outcome.Record {
	return outcome.Record{
		ID: outcome.NewRecordID(pool, began, ""), UserPoolID: pool, Baseline: "sha256:ab",
		Actor: "arn:aws:iam::111122223333:user/x", Began: began,
		Until: began.Add(time.Minute), Ended: began.Add(2 * time.Second), Outcome: outcome.Remediated,
		Cause: event.Cause{EventID: "0c0f", EventName: "UpdateUserPool", Time: began.Add(-time.Minute)},
		Drifts: []outcome.Finding{{Setting: "Policies.PasswordPolicy.MinimumLength", Rule: "all", Want: ">= 12",
			Have: json.Number("6"), State: outcome.StateFixed}},
		Sent: []outcome.Sent{{Call: "UpdateUserPool", Document: baseline.UserPool, Status: outcome.Accepted,
			RequestID: "r1", Read: began, At: began.Add(time.Second), Removes: []string{"SmsConfiguration"},
			Body: []byte(`{"PoolName":"x "}`)}},
		Before: &userpool.Backup{UserPoolID: pool, Taken: began,
			Documents: map[baseline.DocumentName]map[string]any{baseline.UserPool: {"Id": pool,
				"Large": json.Number("12345678901234567890"), "Empty": []any{}, "Text": "trailing <space> "}}},
	}
}

func testRecords(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	const pool = "eu-west-1_Records"
	var want []outcome.Record
	for i := range 5 {
		r := record(pool, noon.Add(time.Duration(i)*time.Hour))
		open := r
		open.Outcome, open.Ended, open.Sent = "", time.Time{}, []outcome.Sent{}
		for _, version := range []outcome.Record{open, r} {
			must(t, l.Put(t.Context(), version))
		}
		want = append(want, r)
	}
	must(t, l.Put(t.Context(), record("eu-west-1_Other", noon.Add(3*time.Hour))))
	got, err := l.Record(t.Context(), want[2].ID)
	if diff := cmp.Diff(want[2], got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = l.Record(t.Context(), outcome.NewRecordID(pool, noon.Add(time.Minute), ""))
	if !errors.Is(err, outcome.ErrNoRecord) {
		t.Errorf("a record that is not there: %v", err)
	}
	for _, consistent := range []bool{true, false} {
		h, err := l.History(t.Context(), pool, noon.Add(2*time.Hour), consistent)
		since := outcome.History{Notes: map[string]time.Time{}}
		for _, r := range want[2:] {
			since.Records = append(since.Records, r.Light())
		}
		if diff := cmp.Diff(since, h); err != nil || diff != "" {
			t.Errorf("consistent %v: %v (-want +got):\n%s", consistent, err, diff)
		}
	}
	bad := record(pool, noon)
	bad.ID = "yesterday"
	if err := l.Put(t.Context(), bad); err == nil {
		t.Error("a record without a proper id was kept")
	}
}

func testNotes(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	const pool = "eu-west-1_Notes"
	now := time.Now().UTC().Truncate(time.Millisecond)
	in := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	must(t, l.Put(t.Context(), record(pool, noon)))
	must(t, l.Note(t.Context(), pool, nil))
	must(t, l.Note(t.Context(), pool, map[string]time.Time{"a": in(60), "b": in(20)}))
	must(t, l.Note(t.Context(), pool, map[string]time.Time{"a": in(30), "b": in(120), "c.c #:c": in(90)}))
	must(t, l.Note(t.Context(), "eu-west-1_Other", map[string]time.Time{"d": in(60)}))
	want := map[string]time.Time{"a": in(60), "b": in(120), "c.c #:c": in(90)}
	for since, records := range map[time.Time]int{noon: 1, noon.Add(time.Minute): 0} {
		h, err := l.History(t.Context(), pool, since, true)
		if diff := cmp.Diff(want, h.Notes); err != nil || len(h.Records) != records || diff != "" {
			t.Errorf("%v, %d records, (-want +got):\n%s", err, len(h.Records), diff)
		}
	}
}

// race runs do for 50 owners at once.
func race(do func(i int, owner string)) {
	var working sync.WaitGroup
	begin := make(chan struct{})
	for i := range racers {
		working.Go(func() {
			<-begin
			do(i, fmt.Sprint("owner", i))
		})
	}
	close(begin)
	working.Wait()
}

const racers = 50

func testRaces(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	// One gets a lease that is free or has expired, and nobody else can renew or release it.
	_, err := l.Acquire(t.Context(), "eu-west-1_RaceExpired", "before", noon.Add(-time.Minute), noon)
	must(t, err)
	for _, pool := range []string{"eu-west-1_RaceFree", "eu-west-1_RaceExpired"} {
		acquire := func(until time.Time, except string) (got []string) {
			var mutex sync.Mutex
			race(func(_ int, owner string) {
				if owner == except {
					return
				}
				ok, err := l.Acquire(t.Context(), pool, owner, noon, until)
				if mutex.Lock(); err != nil {
					t.Error(err)
				} else if ok {
					got = append(got, owner)
				}
				mutex.Unlock()
			})
			return got
		}
		first, renewed := acquire(noon.Add(time.Minute), ""), acquire(noon.Add(2*time.Minute), "")
		released := acquire(time.Time{}, strings.Join(first, " "))
		if len(first) != 1 || !slices.Equal(first, renewed) || len(released) > 0 {
			t.Errorf("%s: acquired by %v, renewed by %v, released by %v", pool, first, renewed, released)
		}
	}
	// No note of a pool that had none is lost, and each record is kept as it was written.
	until := time.Now().Add(time.Hour)
	race(func(i int, owner string) {
		want := record("eu-west-1_Race", noon.Add(time.Duration(i)*time.Second))
		want.Sent[0].Body = bytes.Repeat([]byte(owner), 1000)
		err := errors.Join(l.Put(t.Context(), want),
			l.Note(t.Context(), "eu-west-1_Race", map[string]time.Time{owner: until, "all": until}))
		got, reading := l.Record(t.Context(), want.ID)
		if diff := cmp.Diff(want, got); err != nil || reading != nil || diff != "" {
			t.Errorf("%v, %v (-want +got):\n%s", err, reading, diff)
		}
	})
	h, err := l.History(t.Context(), "eu-west-1_Race", noon, true)
	if err != nil || len(h.Notes) != racers+1 || len(h.Records) != racers {
		t.Errorf("%d notes, %d records, %v", len(h.Notes), len(h.Records), err)
	}
}

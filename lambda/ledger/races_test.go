package ledger_test

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/reconcile"
)

// racers is how many processes want the same at once.
const racers = 50

// race runs do for every racer at once, each of which is an owner of its own.
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

func testRaces(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	raceForOne(t, l, "eu-west-1_RaceFree")
	got, err := l.Acquire(t.Context(), "eu-west-1_RaceExpired", "before", noon.Add(-time.Minute), noon)
	if err != nil || !got {
		t.Fatalf("%v, %v", got, err)
	}
	raceForOne(t, l, "eu-west-1_RaceExpired")
	raceNotes(t, l)
	raceRecords(t, l)
}

// raceForOne lets all acquire a lease that is free or has expired: one gets it, and nobody else can release it.
func raceForOne(t *testing.T, l reconcile.Ledger, pool string) {
	t.Helper()
	acquire := func(until time.Time) (got [racers]bool) {
		race(func(i int, owner string) {
			var err error
			if got[i], err = l.Acquire(t.Context(), pool, owner, noon, until); err != nil {
				t.Error(err)
			}
		})
		return got
	}
	has := acquire(noon.Add(time.Minute))
	winner := slices.Index(has[:], true)
	if winner < 0 || slices.Contains(has[winner+1:], true) {
		t.Fatalf("%s: acquired by %v", pool, has)
	}
	if renewed := acquire(noon.Add(2 * time.Minute)); renewed != has {
		t.Errorf("%s: acquired by %v, renewed by %v", pool, has, renewed)
	}
	// The winner keeps it while all the others try to release it.
	race(func(i int, owner string) {
		if i == winner {
			return
		}
		if got, err := l.Acquire(t.Context(), pool, owner, noon, time.Time{}); err != nil || got {
			t.Errorf("%s: %s releases the lease of another: %v, %v", pool, owner, got, err)
		}
	})
	got, err := l.Acquire(t.Context(), pool, "later", noon.Add(time.Minute), noon.Add(2*time.Minute))
	if err != nil || got {
		t.Errorf("%s: acquired from its holder: %v, %v", pool, got, err)
	}
}

// raceNotes lets all keep notes of a pool that has none: no write loses what another one keeps.
func raceNotes(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	const pool = "eu-west-1_RaceNotes"
	until := time.Now().Add(time.Hour)
	race(func(_ int, owner string) {
		if err := l.Note(t.Context(), pool, map[string]time.Time{owner: until, "all": until}); err != nil {
			t.Error(err)
		}
	})
	h, err := l.History(t.Context(), pool, noon, true)
	if err != nil || len(h.Notes) != racers+1 {
		t.Errorf("%d notes, %v; want %d", len(h.Notes), err, racers+1)
	}
}

// raceRecords lets each write a record of its own: each is kept as it was written.
func raceRecords(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	race(func(i int, owner string) {
		want := record("eu-west-1_RaceRecords", noon.Add(time.Duration(i)*time.Second))
		want.Sent[0].Body = bytes.Repeat([]byte(owner), 1000)
		if err := l.Put(t.Context(), want); err != nil {
			t.Error(err)
		}
		got, err := l.Record(t.Context(), want.ID)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

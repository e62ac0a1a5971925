package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/reconcile"
)

// oneAtATime lets one request at a time through to moto's server, which checks a condition and then writes, without a lock. To DynamoDB both are one step.
func oneAtATime(t *testing.T, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	var mutex sync.Mutex
	through := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// racers is how many processes want the same at once.
const racers = 50

// atOnce runs do for every racer, each of which is an owner of its own.
func atOnce(do func(i int, owner string)) {
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

// races lets many processes take, keep and reserve the same at once.
func races(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	raceOnce(t, l)
	raceOn(t, l)
	raceExpired(t, l)
	raceTurns(t, l)
	raceClocks(t, l)
}

// raceOnce lets all take what nobody gives back: one has it, and only that one's note is kept.
func raceOnce(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	key := reconcile.Key{Kind: reconcile.EventKey, ID: "once"}
	var has, keeps [racers]bool
	atOnce(func(i int, owner string) {
		var err error
		if _, has[i], err = l.Take(t.Context(), key, owner, noon, noon.Add(time.Minute)); err != nil {
			t.Error(err)
		}
		if keeps[i], err = l.Keep(t.Context(), key, owner, []byte(owner), noon.Add(time.Minute)); err != nil {
			t.Error(err)
		}
	})
	winner := slices.Index(has[:], true)
	if winner < 0 || slices.Contains(has[winner+1:], true) {
		t.Errorf("taken: %v", has)
	}
	// Who has not taken it yet keeps nothing, even if nobody else has either.
	if has != keeps {
		t.Errorf("taken: %v, kept: %v", has, keeps)
	}
	if note, taken, err := l.Take(t.Context(), key, "later", noon, noon); err != nil || taken || string(note) != fmt.Sprint("owner", winner) {
		t.Errorf("the note is %q, taken %v, %v; want that of owner%d", note, taken, err, winner)
	}
}

// raceOn lets all take the same until each had it once, and count in its note: none overwrites what another one has counted.
func raceOn(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	key := reconcile.Key{Kind: reconcile.PoolKey, ID: "eu-west-1_RaceOn"}
	const tries = 3 // of those that have not had it yet, after each that has: else all would ask all the time
	again := make(chan struct{}, racers*tries)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	atOnce(func(_ int, owner string) {
		note, taken, err := l.Take(ctx, key, owner, noon, noon.Add(time.Minute))
		for err == nil && !taken {
			select {
			case <-again:
				note, taken, err = l.Take(ctx, key, owner, noon, noon.Add(time.Minute))
			case <-ctx.Done(): // nobody gives it back, or not so that it can be had
				return
			}
		}
		n, _ := strconv.Atoi(string(note))
		kept := false
		if err == nil {
			kept, err = l.Keep(ctx, key, owner, []byte(strconv.Itoa(n+1)), time.Time{})
		}
		if err != nil || !kept {
			t.Errorf("%s keeps what it has: %v, %v", owner, kept, err)
			stop()
		}
		for range tries {
			again <- struct{}{}
		}
	})
	if note, _, err := l.Take(t.Context(), key, "later", noon, noon.Add(time.Minute)); err != nil || string(note) != strconv.Itoa(racers) {
		t.Errorf("%d have counted to %s, %v", racers, note, err)
	}
}

// raceExpired lets all take the same, each at a time at which those before it have it no longer: they lose it one to another, and who has lost it overwrites no note of who has it.
func raceExpired(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	key := reconcile.Key{Kind: reconcile.PoolKey, ID: "eu-west-1_RaceExpired"}
	keep := func(i int, owner string) bool {
		kept, err := l.Keep(t.Context(), key, owner, []byte(strconv.Itoa(i)), noon.Add(time.Duration(i)*time.Minute))
		if err != nil {
			t.Error(err)
		}
		return kept
	}
	atOnce(func(i int, owner string) {
		now := noon.Add(time.Duration(i) * time.Minute)
		note, taken, err := l.Take(t.Context(), key, owner, now.Add(-time.Second), now)
		if err != nil {
			t.Error(err)
		}
		if before, err := strconv.Atoi(string(note)); err == nil && taken && before >= i {
			t.Errorf("%s has taken it from owner%d", owner, before)
		}
		if kept := keep(i, owner); kept && !taken {
			t.Errorf("%s keeps what it has not taken", owner)
		}
	})
	atOnce(func(i int, owner string) {
		if kept := keep(i, owner); kept != (i == racers-1) {
			t.Errorf("%s keeps it at last: %v", owner, kept)
		}
	})
	if note, _, err := l.Take(t.Context(), key, "later", noon, noon); err != nil || string(note) != strconv.Itoa(racers-1) {
		t.Errorf("the note is %q, %v; want that of the last", note, err)
	}
}

// raceTurns lets all reserve a turn in a lane that has room for some of them: so many have one, each another, and none between two is left out.
func raceTurns(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	const room, takes = 30, 100 * time.Millisecond
	var mutex sync.Mutex
	var turns, want []time.Duration
	atOnce(func(int, string) {
		turn, taken, err := l.Reserve(t.Context(), "race", noon, takes, noon.Add((room-1)*takes))
		if err != nil {
			t.Error(err)
		}
		mutex.Lock()
		defer mutex.Unlock()
		if taken {
			turns = append(turns, turn.Sub(noon))
		}
	})
	for i := range room {
		want = append(want, time.Duration(i)*takes)
	}
	if slices.Sort(turns); !slices.Equal(turns, want) {
		t.Errorf("turns at %v, want %v", turns, want)
	}
}

// raceClocks lets all reserve turns by clocks that differ: none has a turn before its time, nor one before that of another is over.
func raceClocks(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	const takes, apart, clocks = 10 * time.Millisecond, 25 * time.Millisecond, 7
	var mutex sync.Mutex
	var turns []time.Time
	atOnce(func(i int, owner string) {
		now := noon.Add(time.Duration(i%clocks) * apart)
		turn, taken, err := l.Reserve(t.Context(), "clocks", now, takes, now.Add(clocks*apart+racers*takes))
		if err != nil || !taken || turn.Before(now) {
			t.Errorf("%s has a turn at %s, %v, %v", owner, turn.Sub(now), taken, err)
		}
		mutex.Lock()
		defer mutex.Unlock()
		turns = append(turns, turn)
	})
	slices.SortFunc(turns, time.Time.Compare)
	for i := range len(turns) - 1 {
		if turns[i+1].Sub(turns[i]) < takes {
			t.Errorf("turns at %s and %s", turns[i], turns[i+1])
		}
	}
}

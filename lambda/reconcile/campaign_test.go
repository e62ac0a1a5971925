package reconcile_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// fewest is how many cells have to be struck for the campaign to say anything.
const fewest = 2000

// sample is which of the cells are tried without POOLKEEPER_CAMPAIGN=full: every so manyth.
const sample = 40

// TestCampaign strikes each call of a remediation with each fault: those to Cognito on the wire, those to the ledger,
// and the one that notifies people. It kills the process before and after each of its calls, and has it start again
// with a clock that is wrong. Whatever the event comes to: once the fault is over and the event is delivered again,
// the pool holds the baseline, everything else is exactly what it was, and people are notified of what was put right.
//
// The environment variable POOLKEEPER_CAMPAIGN=full has it try every cell, which takes minutes; else it tries a sample
// of seconds. `make campaign` sets it.
func TestCampaign(t *testing.T) {
	t.Parallel()
	full := os.Getenv("POOLKEEPER_CAMPAIGN") == "full"
	all := cells(t)
	if len(all) < fewest {
		t.Errorf("there are only %d cells", len(all))
	}
	if !full {
		all = every(sample, all)
	}
	queue, found := make(chan cell), tally{rows: map[string]*row{}}
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			arenas := map[cognitotest.Mode]*arena{}
			for _, mode := range modes {
				a, stop := newArena(t, mode)
				defer stop()
				arenas[mode] = a
			}
			for c := range queue {
				found.note(t, c, arenas[incidents[c.incident].mode].try(t, c))
			}
		})
	}
	for _, c := range all {
		queue <- c
	}
	close(queue)
	working.Wait()
	struck, unstruck, met := 0, 0, 0
	for name, row := range found.rows {
		if strings.HasPrefix(name, "at: ") {
			struck, unstruck, met = struck+row.struck, unstruck+row.unstruck, met+1
		}
	}
	t.Logf("%d cells, of which %d were struck\n%s", len(all), struck, found.table())
	if unstruck > len(all)/10 || full && struck < fewest {
		t.Errorf("%d cells were struck, and %d were not", struck, unstruck)
	}
	if full && met < len(places) {
		t.Errorf("only %d places were struck", met)
	}
}

func every(n int, all []cell) []cell {
	var some []cell
	for i := 0; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

// A row counts the cells of one fault or of one place.
type row struct{ struck, lost, unstruck int }

// A tally counts the verdicts.
type tally struct {
	mutex sync.Mutex
	rows  map[string]*row
}

func (f *tally) note(t *testing.T, c cell, v verdict) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, name := range []string{c.name(), "at: " + c.place} {
		if f.rows[name] == nil {
			f.rows[name] = &row{}
		}
		switch row := f.rows[name]; {
		case v.lost != "":
			row.struck, row.lost = row.struck+1, row.lost+1
		case v.struck:
			row.struck++
		default:
			row.unstruck++
		}
	}
	if v.lost != "" && f.rows[c.name()].lost <= 3 {
		t.Errorf("%s: %s", c, v.lost)
	}
}

// table prints the rows. A cell whose fault did not strike is neither survived nor lost.
func (f *tally) table() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%-42s %9s %9s %5s %11s\n", "fault, or place", "injected", "survived", "lost", "not struck")
	for _, name := range slices.Sorted(maps.Keys(f.rows)) {
		r := f.rows[name]
		fmt.Fprintf(&text, "%-42s %9d %9d %5d %11d\n", name, r.struck, r.struck-r.lost, r.lost, r.unstruck)
	}
	return text.String()
}

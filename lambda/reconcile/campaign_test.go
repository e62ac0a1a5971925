package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// fewest is how many cells have to be struck for the campaign to say anything.
const fewest = 2000

// TestCampaign strikes each call of a remediation with each fault: those to Cognito, by document and by their place in the remediation, those to the ledger, and the one that tells people. Whichever
// service a struck call is to, the SDK makes it over HTTP. The campaign kills the process around each write and each call to the ledger, and lets it start again with a clock that is wrong. Whatever the
// event comes to: once the fault is over and the event is delivered again, to a process that knows nothing but the ledger, the pool holds the baseline and everything else is exactly what it was. Faults
// of the ledger that came to the same are counted once. With -short, every twentieth cell is tried.
func TestCampaign(t *testing.T) {
	t.Parallel()
	all := cells(t)
	if testing.Short() {
		all = every(20, all)
	}
	queue, found := make(chan cell), tally{}
	var working sync.WaitGroup
	for range 8 {
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
	struck, missed := 0, 0
	for _, row := range found.faults {
		struck, missed = struck+row.struck, missed+row.missed
	}
	t.Logf("%d cells, of which %d differ\n%s\n%s\n%s", len(all), struck, table("fault", found.faults), table("place", found.places), elsewhere)
	if missed > len(all)/10 || struck < fewest && !testing.Short() {
		t.Errorf("%d cells were struck, and %d were not", struck, missed)
	}
	if short := slices.Collect(maps.Keys(found.places)); len(short) < len(places) {
		t.Errorf("only %v were struck", short)
	}
}

// elsewhere names the faults that have a test of their own, as they strike a whole process.
const elsewhere = "a full folder for backups: TestScripts/fulldisk of lambda/cmd/poolkeeper; too little memory: TestMemoryLimit of lambda"

func every(n int, all []cell) []cell {
	var some []cell
	for i := 0; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

// A verdict is what became of a cell.
type verdict struct {
	struck bool   // the fault struck where it was meant to
	lost   string // what was lost, or ""
	did    string // what the fault did, where that can be what another one did
}

// A row counts the cells of one fault or of one place.
type row struct{ struck, lost, missed, alike int }

// A tally counts the verdicts.
type tally struct {
	mutex          sync.Mutex
	faults, places map[string]*row
	did            map[string]bool
}

func (f *tally) note(t *testing.T, c cell, v verdict) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.faults == nil {
		f.faults, f.places, f.did = map[string]*row{}, map[string]*row{}, map[string]bool{}
	}
	alike := v.did != "" && f.did[v.did]
	f.did[v.did] = true
	fault := c.fault()
	if f.faults[fault] == nil {
		f.faults[fault] = &row{}
	}
	if f.places[c.place] == nil {
		f.places[c.place] = &row{}
	}
	for _, row := range []*row{f.faults[fault], f.places[c.place]} {
		switch {
		case v.lost != "":
			row.struck, row.lost = row.struck+1, row.lost+1
		case v.struck && alike:
			row.alike++
		case v.struck:
			row.struck++
		default:
			row.missed++
		}
	}
	if lost := f.faults[fault].lost; v.lost != "" && lost <= 3 {
		t.Errorf("%s: %s", c, v.lost)
	}
}

// table prints the rows. A cell whose fault did not strike is neither survived nor lost, nor is one whose fault came to no more than that of another cell.
func table(of string, rows map[string]*row) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%-42s %9s %9s %5s %11s %6s\n", of, "injected", "survived", "lost", "not struck", "alike")
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		r := rows[name]
		fmt.Fprintf(&text, "%-42s %9d %9d %5d %11d %6d\n", name, r.struck, r.struck-r.lost, r.lost, r.missed, r.alike)
	}
	return text.String()
}

package reconcile_test

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
)

// A scenario is a pool, what somebody did to it, what the baseline requires, what goes wrong meanwhile, and what has to
// come of it. Each leaf that is neither of a fixed setting nor among moves must be exactly what it was.
type scenario struct {
	pool     func(pool, mfa map[string]any) // edits the rich pool
	live     []any                          // settings of any document of the pool, and their values
	incident func(b bench)                  // what happened to that pool; all of it has to be undone
	rule     string                         // the settings of a rule for every pool; or a whole baseline
	change   func(r *reconcile.Reconciler)
	event    string // the fixture of an event; "" asks for the whole pool
	cause    event.Cause
	faults   []cognitotest.Fault
	refused  bool // the service itself refuses writes

	fixed, left []string // settings: fixed, and those that cannot be fixed, or are fixed once the faults are over
	others      map[string]outcome.State
	later       []string       // leaves that are only what they were once the faults are over
	outcome     outcome.Ending // where it does not follow from the states
	says, lacks string         // what the outcome's text holds, parts of it separated by ..., and what it does not
	moves       []string       // paths below which leaves may move, or path=JSON for a leaf to be so; quotes may lack
	writes      []string       // where they do not follow from what is fixed
	most        int            // how many writes are tried at most, if not 0
}

// runAll runs scenarios in both worlds: the outcome must not depend on what the service does with what is left out.
func runAll(t *testing.T, all map[string]scenario) {
	t.Helper()
	for name, c := range all {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				c.check(t, serve(t, world))
			})
		}
	}
}

// wants returns the outcome and what becomes of each drift.
func (c scenario) wants() (outcome.Ending, map[string]outcome.State) {
	of := map[string]outcome.State{}
	ending := outcome.Unchanged
	for setting, state := range c.others {
		of[setting] = state
		if state == outcome.StateReported {
			ending = outcome.Drifted
		} else if ending == outcome.Unchanged {
			ending = outcome.Exempted
		}
	}
	for _, setting := range c.left {
		ending, of[setting] = outcome.Unfixable, left
	}
	for _, setting := range c.fixed {
		of[setting] = fixed
	}
	switch {
	case c.outcome != "":
		ending = c.outcome
	case len(c.fixed) > 0 && len(c.left) > 0:
		ending = outcome.Partial
	case len(c.fixed) > 0:
		ending = outcome.Remediated
	}
	return ending, of
}

// calls returns the writes that the scenario wants: of each document of a fixed setting, in the order of the units.
func (c scenario) calls() []string {
	if c.writes != nil {
		return c.writes
	}
	var calls []string
	for _, d := range baseline.Documents() {
		writes := func(setting string) bool {
			name, _ := baseline.DocumentOf(setting)
			return name.Kind() == d.Name
		}
		if slices.ContainsFunc(c.fixed, writes) {
			calls = append(calls, d.WriteCall)
		}
	}
	return calls
}

func (c scenario) plant(t *testing.T, b *bench) (required *baseline.Baseline, before map[string]string) {
	t.Helper()
	b.whole(c.pool)
	for i := 0; i < len(c.live); i += 2 {
		b.set(c.live[i].(string), c.live[i+1])
	}
	before = b.snapshot(t)
	if c.incident != nil {
		c.incident(*b)
	}
	if strings.HasPrefix(c.rule, "version") {
		return parse(t, c.rule), before
	}
	return require(t, c.rule), before
}

func (c scenario) run(t *testing.T, r *reconcile.Reconciler) outcome.Outcome {
	t.Helper()
	if c.event != "" {
		return onEvent(t, r, c.event)
	}
	out, err := r.Reconcile(t.Context(), onPool(c.cause))
	if closed := r.Close(t.Context(), out); out.Details.LedgerError == "" {
		err = cmp.Or(err, closed)
	}
	var deferred *outcome.DeferredError
	if errors.As(err, &deferred) != (out.Outcome == outcome.Deferred) || deferred == nil && err != nil {
		t.Fatalf("%s: %v", out.Outcome, err)
	}
	return out
}

func (c scenario) check(t *testing.T, b bench) {
	required, before := c.plant(t, &b)
	smooth := c.faults == nil && !c.refused
	whole := smooth && c.event == "" && c.change == nil && c.cause == event.Cause{}
	var preview outcome.Preview
	if whole {
		var err error
		if preview, err = b.reconciler(required).Plan(t.Context(), poolID); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range c.faults {
		b.fake.Inject(f)
	}
	r := b.reconciler(required)
	if c.change != nil {
		c.change(r)
	}
	out := c.run(t, r)
	ending, of := c.wants()
	texts := string(marshal(t, []any{out, out.Details.LedgerError}))
	silent := func(part string) bool { return !strings.Contains(texts, part) }
	if !silent("CANARY") || c.lacks != "" && !silent(c.lacks) {
		t.Errorf("it tells what it must not: %s", texts)
	}
	if out.Outcome != ending || slices.ContainsFunc(strings.Split(c.says, "..."), silent) ||
		c.most > 0 && len(b.writes()) > c.most {
		t.Errorf("outcome %s after %v, want %s with %q: %s", out.Outcome, b.writes(), ending, c.says, texts)
	}
	if diff := gocmp.Diff(of, states(out), cmpopts.EquateEmpty()); diff != "" && ending != outcome.Deferred {
		t.Errorf("drifts (-want +got):\n%s", diff)
	}
	if whole {
		c.planned(t, preview, out, of)
	}
	for _, d := range out.Drifts {
		if d.State == outcome.StateReported && d.Code == "" && c.event == "" || d.State == fixed && d.Code != "" {
			t.Errorf("%s is %s, with the code %q", d.Setting, d.State, d.Code)
		}
		if ending == outcome.Deferred && c.moves == nil && c.later == nil && strings.HasPrefix(d.Reason, "written") {
			t.Errorf("nothing was written, but it says: %s", d.Reason)
		}
	}
	if smooth || c.writes != nil {
		wrote := b.writes()
		if !smooth {
			wrote = out.Writes
		}
		if diff := gocmp.Diff(c.calls(), wrote, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	}
	c.compare(t, before, b.snapshot(t), append(c.later, c.moves...))
	b.fake.ClearFaults()
	b.fake.ResetCalls()
	again := c.run(t, r)
	writes, right := len(b.writes()) > 0, again.Outcome == outcome.Unchanged || c.others != nil || c.refused
	if smooth && writes || ending == outcome.Remediated && (writes || !right) ||
		c.faults != nil && !right && again.Outcome != outcome.Remediated {
		t.Errorf("a second reconcile wrote %v (%s: %s)", b.writes(), again.Outcome, again.Reason)
	}
	if ending == outcome.Deferred {
		c.fixed = append(c.fixed, c.left...)
		c.compare(t, before, b.snapshot(t), c.moves)
	}
}

// planned demands that what was planned is what was done.
func (c scenario) planned(t *testing.T, preview outcome.Preview, out outcome.Outcome, of map[string]outcome.State) {
	t.Helper()
	for setting, state := range states(preview.Outcome) {
		if (state == outcome.StatePlanned) != (of[setting] == fixed) {
			t.Errorf("%s is %s in the plan", setting, state)
		}
	}
	if diff := gocmp.Diff(preview.Writes, out.Writes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("planned, and written (-planned +written):\n%s", diff)
	}
}

// compare demands that nothing moved but what is fixed or among moves, and of an incident nothing but moves.
func (c scenario) compare(t *testing.T, before, after map[string]string, may []string) {
	t.Helper()
	for _, path := range difference(before, after) {
		ofFixed := func(setting string) bool { return strings.HasPrefix(plainPath(path)+".", setting+".") }
		moves := func(move string) bool {
			leaf, _, _ := strings.Cut(move, "=")
			return strings.HasPrefix(path, leaf)
		}
		if !slices.ContainsFunc(may, moves) && (c.incident != nil || !slices.ContainsFunc(c.fixed, ofFixed)) {
			t.Errorf("%s moved from %q to %q", path, before[path], after[path])
		}
	}
	for _, move := range may {
		path, want, exact := strings.Cut(move, "=")
		if got := after[path]; exact && got != want && got != `"`+want+`"` {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

package reconcile_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestLawsOfEvents makes of a pool that is as required any other one, by the calls of somebody else, and delivers their events: then nothing is left that a look at the whole pool would write, whatever
// order they come in, with a ledger and without.
func TestLawsOfEvents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		drawn, required, other := drawPool(t), drawBaseline(t), drawPool(t)
		mode := rapid.SampledFrom([]cognitotest.Mode{cognitotest.Contract, cognitotest.Measured}).Draw(t, "mode")
		b, stop := start(t.Fatalf, mode)
		defer stop()
		drawn.plant(&b)
		now := clock
		keeper := b.reconciler(required)
		keeper.Now = func() time.Time { return now }
		keeper.Sleep = func(ctx context.Context, d time.Duration) error { now = now.Add(max(d, 0)); return ctx.Err() }
		if rapid.Bool().Draw(t, "ledger") {
			keeper.Ledger = ledger.NewMemory()
		}
		if _, err := keeper.Reconcile(t.Context(), poolID, event.Cause{}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
		events := strange(t, b, other, &now)
		if rapid.Bool().Draw(t, "the last first") {
			slices.Reverse(events)
		}
		for _, payload := range events {
			now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * time.Second)
			if _, err := keeper.Handle(t.Context(), payload, event.Home{}, func(reconcile.Outcome) {}); err != nil {
				t.Fatal(err)
			}
		}
		out, err := b.reconciler(required).Reconcile(t.Context(), poolID, event.Cause{})
		if err != nil || slices.ContainsFunc(out.Drifts, func(d reconcile.Drift) bool { return d.State == reconcile.Fixed }) {
			t.Errorf("%v: after %d events %s was still to be written: %v", err, len(events), out.Writes, out.Drifts)
		}
	})
}

// strange lets somebody make the pool another one, as far as Cognito takes it, and returns the events of the calls that it took, a second after each other.
func strange(t *rapid.T, b bench, other drawnPool, now *time.Time) (events [][]byte) {
	elsewhere, stop := start(t.Fatalf, cognitotest.Contract)
	defer stop()
	other.plant(&elsewhere)
	state, err := elsewhere.client.Read(t.Context(), poolID, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	stranger := b.reconciler(baseline.OfSettings("other", "sha256:o", poolID, state.Own(), state.Offered()))
	b.fake.ResetCalls()
	if _, err := stranger.Reconcile(t.Context(), poolID, event.Cause{}); err != nil {
		t.Fatal(err)
	}
	for _, call := range b.fake.Calls() {
		if strings.HasPrefix(call.Operation, "Set") || strings.HasPrefix(call.Operation, "Update") {
			*now = now.Add(time.Second)
			events = append(events, b.fake.Event(call, administrator, *now))
		}
	}
	return events
}

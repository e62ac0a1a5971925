package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

var administrator = cognitotest.Actor{Kind: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/Admin/someone",
	IssuerARN: "arn:aws:iam::111122223333:role/Admin"}

// TestLawsOfEvents turns a pool that is as required into another one, by the calls of somebody else, and delivers
// their events to one process, in any order: then nothing is left that a scan would write.
func TestLawsOfEvents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		drawn, required, other := drawPool(t), drawBaseline(t), drawPool(t)
		mode := rapid.SampledFrom([]cognitotest.Mode{cognitotest.Contract, cognitotest.Measured}).Draw(t, "mode")
		b, stop := start(t.Fatalf, mode)
		defer stop()
		drawn.plant(&b)
		r := b.reconciler(required)
		if _, err := deliver(t.Context(), r, onPool(event.Cause{})); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Minute)
		events := strange(t, b, other)
		if rapid.Bool().Draw(t, "the last first") {
			slices.Reverse(events)
		}
		for _, payload := range events {
			b.pass(time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * time.Second)
			if _, err := handle(t.Context(), r, payload, event.Home{}); err != nil {
				t.Fatal(err)
			}
		}
		b.ledger = ledger.NewMemory()
		out, err := b.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{}))
		written := slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool { return d.State == outcome.StateFixed })
		if err != nil || written {
			t.Errorf("%v: after %d events %s was still to be written: %v", err, len(events), out.Writes, out.Drifts)
		}
	})
}

// strange has somebody turn the pool into another one, as far as Cognito takes it, and returns the events of the calls
// that it took, a second after each other.
func strange(t *rapid.T, b bench, other drawnPool) (events [][]byte) {
	elsewhere, stop := start(t.Fatalf, cognitotest.Contract)
	defer stop()
	other.plant(&elsewhere)
	state, err := elsewhere.client.Read(t.Context(), poolID, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	required, _ := baseline.OfSettings("other", "sha256:o", poolID, state.Own(), state.Offered())
	b.fake.ResetCalls()
	stranger := b
	stranger.ledger = ledger.NewMemory()
	if _, err := stranger.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{})); err != nil {
		t.Fatal(err)
	}
	for _, call := range b.fake.Calls() {
		if strings.HasPrefix(call.Operation, "Set") || strings.HasPrefix(call.Operation, "Update") {
			b.pass(time.Second)
			events = append(events, b.fake.Event(call, administrator, b.time()))
		}
	}
	return events
}

package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/reconcile"
)

// TestBothLedgersAreOne: whatever is asked of them one after the other, by clocks that differ, the ledger in memory and the one in DynamoDB answer the same.
func TestBothLedgersAreOne(t *testing.T) {
	t.Parallel()
	lasting := tableAt(t, mototest.Start(t))
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++ // each has keys of its own, for the table is made once
		memory := ledger.NewMemory()
		pool := fmt.Sprintf("eu-west-1_Same%d", runs)
		at := func(what string) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, what)) * 250 * time.Millisecond)
		}
		for range rapid.IntRange(1, 12).Draw(t, "calls") {
			key := reconcile.Key{Kind: rapid.SampledFrom([]reconcile.KeyKind{reconcile.EventKey, reconcile.PoolKey}).Draw(t, "kind"), ID: pool}
			owner := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "owner")
			until := at("until")
			if rapid.IntRange(0, 4).Draw(t, "free") == 0 {
				until = time.Time{}
			}
			var ask func(l reconcile.Ledger) string
			switch rapid.IntRange(0, 5).Draw(t, "call") {
			case 0, 1:
				now := at("now")
				ask = func(l reconcile.Ledger) string {
					note, taken, err := l.Take(t.Context(), key, owner, now, until)
					return fmt.Sprintf("take %s at %s until %s: %q %v %v", owner, now, until, note, taken, err)
				}
			case 2:
				note := rapid.SampledFrom([]string{"", "{}", `{"a":"é <&>"}`}).Draw(t, "note")
				ask = func(l reconcile.Ledger) string {
					kept, err := l.Keep(t.Context(), key, owner, []byte(note), until)
					return fmt.Sprintf("keep %s until %s: %v %v", owner, until, kept, err)
				}
			case 3:
				now, last, takes := at("now"), at("last").Add(rapid.SampledFrom([]time.Duration{0, -2 * reconcile.Implausible}).Draw(t, "earlier")), time.Duration(rapid.IntRange(1, 4).Draw(t, "takes"))*time.Second
				ask = func(l reconcile.Ledger) string {
					turn, taken, err := l.Reserve(t.Context(), pool, now, takes, last)
					return fmt.Sprintf("reserve at %s until %s: %s %v %v", now, last, turn, taken, err)
				}
			case 4:
				r := record(pool, at("began"))
				r.Reason = rapid.SampledFrom([]string{"", "why <&> é"}).Draw(t, "reason")
				ask = func(l reconcile.Ledger) string { return fmt.Sprint(l.Put(t.Context(), r)) }
			default:
				from, id := at("from"), reconcile.NewRecordID(pool, at("id"))
				lists, errs, ones := [2][]reconcile.Record{}, [2]error{}, [2]reconcile.Record{}
				for i, l := range []reconcile.Ledger{memory, lasting} {
					lists[i], errs[i] = l.Records(t.Context(), pool, from)
					ones[i], _ = l.Record(t.Context(), id)
				}
				if diff := cmp.Diff(lists[0], lists[1], cmpopts.EquateEmpty()) + cmp.Diff(ones[0], ones[1]); diff != "" || errs != [2]error{} {
					t.Fatalf("records since %s: %v (-memory +table):\n%s", from, errs, diff)
				}
				continue
			}
			if in, of := ask(memory), ask(lasting); in != of {
				t.Fatalf("in memory %s\nin DynamoDB %s", in, of)
			}
		}
	})
}

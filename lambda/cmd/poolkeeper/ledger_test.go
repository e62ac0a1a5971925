package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

// TestPassingLedger: a lost update is told with the write that it was lost to, and what a run could not tell of in time is told by the next, but not by the id of a record that nobody can look up, and
// of a record that is finished only what a later event may ask for is kept; a ledger that lasts names and keeps all.
func TestPassingLedger(t *testing.T) {
	t.Parallel()
	for name, passing := range map[string]bool{"one that ends with the process": true, "one that lasts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := newDemo()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.fake.Close() })
			var waited time.Duration
			memory := ledger.NewMemory()
			d.reconciler.Ledger, d.reconciler.Passing = memory, passing
			// whole says whether all is kept of the latest record.
			whole := func() bool {
				t.Helper()
				records, err := memory.Records(t.Context(), demoPool, time.Time{})
				if err != nil || len(records) == 0 {
					t.Fatalf("%d records, %v", len(records), err)
				}
				latest, err := memory.Record(t.Context(), records[len(records)-1].ID)
				if err != nil || len(latest.Sent) == 0 || (latest.Before == nil) != (latest.Sent[0].Body == nil) {
					t.Fatalf("%+v, %v", latest, err)
				}
				return latest.Before != nil
			}
			d.reconciler.Now = func() time.Time { return time.Now().Add(waited) }
			d.reconciler.Sleep = func(_ context.Context, wait time.Duration) error { waited += max(wait, 0); return nil }
			incident, err := d.tamper(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			// Somebody's call gets in between our read and our write.
			call, between := d.fake.Calls()[0], time.Time{}
			for _, made := range d.fake.Calls() {
				if made.Operation == "UpdateUserPool" {
					call = made
				}
			}
			call.RequestID = "11111111-2222-3333-4444-555555555555"
			d.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(*cognitotest.Server) { between = d.reconciler.Now() }})
			remediated, err := d.handle(t.Context(), incident)
			if err != nil || remediated.Outcome != reconcile.Remediated {
				t.Fatalf("%s %v", remediated.Outcome, err)
			}
			if whole() == passing {
				t.Errorf("of a finished record, all is kept: %t", !passing)
			}
			lost, err := d.handle(t.Context(), d.fake.Event(call, intruder, between))
			if err != nil || len(lost.Overwritten) == 0 {
				t.Fatalf("%s: %s, %v", lost.Outcome, lost.Reason, err)
			}
			// A run that could not see whether its write held: the next one tells of it.
			if incident, err = d.tamper(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Error: "InternalErrorException"})
			if _, err := d.handle(t.Context(), incident); err == nil {
				t.Fatal("the pool was read back")
			}
			if !whole() {
				t.Error("of a record that is not finished, what the next run needs is not kept")
			}
			d.fake.ClearFaults()
			later, err := d.handle(t.Context(), incident)
			if err != nil || len(later.Earlier) != 1 || later.Earlier[0].Verified.UnmanagedUnchanged == 0 {
				t.Fatalf("%s with %+v, %v", later.Outcome, later.Earlier, err)
			}
			for _, format := range all {
				var told bytes.Buffer
				cl := &cli{out: &told, err: &told, notes: &told, output: format, getenv: os.Getenv}
				to := cl.results()
				for _, out := range []reconcile.Outcome{remediated, lost, later.Earlier[0]} {
					if err := to.Write(cl.entry(out, false)); err != nil {
						t.Fatal(err)
					}
				}
				if err := to.Close(true); err != nil {
					t.Fatal(err)
				}
				wants := []string{"it may be lost"}
				if format != "sarif" && format != "junit" { // they say nothing of what is right now
					wants = append(wants, "another has looked since")
				}
				for _, want := range wants {
					if !strings.Contains(told.String(), want) {
						t.Errorf("%s does not tell that %s:\n%s", format, want, told.String())
					}
				}
				record := recordID.FindString(strings.ReplaceAll(told.String(), `\`, "")) // Markdown escapes
				if (record == "") != passing {
					t.Errorf("%s names the record %q:\n%s", format, record, told.String())
				}
			}
		})
	}
}

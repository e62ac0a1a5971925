package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

// TestMemory: of a write that is not finished all is kept that is needed to finish it, of one that is only what a later event may ask for.
func TestMemory(t *testing.T) {
	t.Parallel()
	const pool = "eu-west-1_AbCdEf123"
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	m := memory{ledger.NewMemory()}
	record := reconcile.Record{ID: reconcile.NewRecordID(pool, began), UserPoolID: pool, Began: began, Before: &userpool.Backup{UserPoolID: pool},
		Sent: []reconcile.Sent{{Call: "UpdateUserPool", Document: baseline.UserPool, Body: []byte("{}")}}}
	check := func(put, want reconcile.Record) {
		t.Helper()
		if err := m.Put(t.Context(), put); err != nil {
			t.Fatal(err)
		}
		got, err := m.Record(t.Context(), put.ID)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	check(record, record)
	finished := record
	finished.Outcome = reconcile.Remediated
	kept := finished
	kept.Before, kept.Sent = nil, []reconcile.Sent{{Call: "UpdateUserPool", Document: baseline.UserPool}}
	check(finished, kept)
	deferred := record
	deferred.Outcome = reconcile.Deferred
	check(deferred, deferred) // the next run tells of it
	if string(record.Sent[0].Body) != "{}" {
		t.Error("the caller's record was changed")
	}
}

// TestMemoryNamesNoRecord: a lost update is told with the write that it was lost to, and what a run could not tell of in time is told by the next, but not by the id of a record that nobody can look
// up; with a table, it is.
func TestMemoryNamesNoRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ledger reconcile.Ledger
		names  bool
	}{"memory": {memory{ledger.NewMemory()}, false}, "a ledger that lasts": {ledger.NewMemory(), true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := newDemo()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.fake.Close() })
			var waited time.Duration
			d.reconciler.Ledger = c.ledger
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
					if err := to.Write(stream.OfOutcome(cl.told(c.ledger, out), false)); err != nil {
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
				if (record != "") != c.names {
					t.Errorf("%s names the record %q:\n%s", format, record, told.String())
				}
			}
		})
	}
}

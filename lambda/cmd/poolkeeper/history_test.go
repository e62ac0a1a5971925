package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
)

// TestDescribe: a record tells what was written; where nobody has seen whether it holds, what may have been written, and what to do.
func TestDescribe(t *testing.T) {
	t.Parallel()
	const pool, id = "eu-west-1_AbCdEf123", "eu-west-1_AbCdEf123.20261101T030000.000000Z"
	began := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	caused := event.Cause{EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory"}
	drift := func(state reconcile.DriftState) []reconcile.Drift {
		return []reconcile.Drift{{Setting: "DeletionProtection", Want: "ACTIVE", Have: "INACTIVE", State: state}}
	}
	answered := reconcile.Sent{Call: "UpdateUserPool", Document: baseline.UserPool, RequestID: "6f1c", At: began.Add(time.Second)}
	unanswered := reconcile.Sent{Call: "SetUserPoolMfaConfig", Document: baseline.MfaConfig, At: began.Add(9 * time.Second), Unclear: true}
	failed := reconcile.Sent{Call: "SetUserPoolMfaConfig", Document: baseline.MfaConfig, RequestID: "7a2d", At: began.Add(10 * time.Second), Unclear: true}
	sending := reconcile.Sent{Call: "SetUserPoolMfaConfig", Document: baseline.MfaConfig}
	next := []string{
		"  next      see what holds now, and write nothing: poolkeeper plan --pool eu-west-1_AbCdEf123 --region eu-west-1",
		"            the next event about the pool, or the next sweep, looks at it too",
	}
	for name, c := range map[string]struct {
		record reconcile.Record
		want   []string
	}{
		"verified": {reconcile.Record{Outcome: reconcile.Remediated, Cause: caused, Drifts: drift(reconcile.Fixed), Sent: []reconcile.Sent{answered}, Verified: reconcile.Verified{Owned: 9, UnmanagedUnchanged: 61}}, []string{
			id + "  remediated",
			"  at        2026-11-01T03:00:00Z, for UpdateUserPool by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory",
			"  fixed     DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      UpdateUserPool at 2026-11-01T03:00:01Z, request 6f1c",
			"  verified  9 owned settings hold, 61 unmanaged settings unchanged",
		}},
		"killed before the answer": {reconcile.Record{Cause: caused, Drifts: drift(reconcile.Planned), Sent: []reconcile.Sent{answered, sending}}, append([]string{
			id + "  not finished",
			"  at        2026-11-01T03:00:00Z, for UpdateUserPool by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory",
			"  planned   DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      UpdateUserPool at 2026-11-01T03:00:01Z, request 6f1c",
			"            SetUserPoolMfaConfig, which may have been made: the process ended before the answer came",
			"  verified  nothing yet: what was sent may hold or not",
			"  because   its process ended before it could look at what it wrote, or is still at work",
		}, next...)},
		"no answer": {reconcile.Record{Outcome: reconcile.Deferred, Cause: event.Cause{EventName: "Sweep"}, Drifts: drift(reconcile.Planned), Sent: []reconcile.Sent{unanswered, failed}, Reason: "the connection was reset"}, append([]string{
			id + "  deferred",
			"  at        2026-11-01T03:00:00Z, for Sweep",
			"  planned   DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      SetUserPoolMfaConfig at 2026-11-01T03:00:09Z, which may have been made: no answer said so",
			"            SetUserPoolMfaConfig at 2026-11-01T03:00:10Z, request 7a2d, which may have been made: no answer said so",
			"  verified  nothing yet: what was sent may hold or not",
			"  because   the connection was reset",
		}, next...)},
		"no write known": {reconcile.Record{Cause: event.Cause{EventName: "apply"}, Drifts: drift(reconcile.Planned)}, append([]string{
			id + "  not finished",
			"  at        2026-11-01T03:00:00Z, for apply",
			"  planned   DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      nothing that is known of",
			"  because   its process ended before it could look at what it wrote, or is still at work",
		}, next...)},
		"refused": {reconcile.Record{Outcome: reconcile.Unfixable, Cause: caused, Drifts: drift(reconcile.NotFixable), Reason: "needs PLUS"}, []string{
			id + "  unfixable",
			"  at        2026-11-01T03:00:00Z, for UpdateUserPool by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory",
			"  unfixable DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      nothing",
			"  because   needs PLUS",
		}},
	} {
		c.record.ID, c.record.UserPoolID, c.record.Began = id, pool, began
		if diff := cmp.Diff(strings.Join(c.want, "\n"), describe(c.record)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestDescribeForged: who may write to the table can put what they like into a record. It stays on its line, and out of the command.
func TestDescribeForged(t *testing.T) {
	t.Parallel()
	const nasty = "eu-west-1_x; reboot\n\x1b[2J\u202e"
	r := reconcile.Record{ID: nasty, UserPoolID: nasty, Cause: event.Cause{EventName: nasty, Actor: nasty}, Reason: nasty, Drifts: []reconcile.Drift{{Setting: nasty, Have: nasty, Want: nasty, State: nasty}},
		Sent: []reconcile.Sent{{Call: nasty}, {Call: nasty, At: time.Unix(0, 0)}, {Call: nasty, At: time.Unix(0, 0), RequestID: nasty}}}
	got := describe(r)
	if strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) || strings.Count(got, "\n") != 9 {
		t.Errorf("it broke out:\n%q", got)
	}
	if _, command, _ := strings.Cut(got, "poolkeeper plan "); !strings.HasPrefix(command, "--all\n") {
		t.Errorf("it is in the command: %s", command)
	}
}

// TestHistoryIsOfTheSchema has a record with all that it may hold, one with nothing, and the summary written as JSON.
func TestHistoryIsOfTheSchema(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	full := reconcile.Record{ID: reconcile.NewRecordID("eu-west-1_AbCdEf123", at), UserPoolID: "eu-west-1_AbCdEf123", Cause: event.Cause{EventID: "0c0f7a3e", EventName: "UpdateUserPool", Time: at}, Baseline: "sha256:ab",
		Began: at, Outcome: reconcile.Partial, Reason: "the rule only audits", Verified: reconcile.Verified{Owned: 1, UnmanagedUnchanged: 2}, Ended: at, Owes: []string{"SmsConfiguration"},
		Drifts: []reconcile.Drift{{Setting: "DeletionProtection", Rule: "all", Want: "ACTIVE", State: reconcile.Fixed},
			{Setting: "UserPoolTier", Rule: "audited", Want: "PLUS", Have: "LITE", State: reconcile.Reported, Reason: "the rule only audits", Left: reconcile.LeftAudited, Told: at}},
		Sent: []reconcile.Sent{{Call: "UpdateUserPool", Document: "UserPool", RequestID: "5d4c2a6e", Read: at, At: at, Fixes: []string{"DeletionProtection"}, Unclear: true}}}
	var lines bytes.Buffer
	to := stream.New(stream.JSON, &lines, false)
	for _, r := range []reconcile.Record{full, {}} {
		if err := to.Write(stream.OfSummary("record", r, describe(r))); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Write(stream.OfSummary("summary", map[string]int{"records": 2}, counted(2, "record"))); err != nil {
		t.Fatal(err)
	}
	if err := wellFormed("json", lines.Bytes()); err != nil {
		t.Errorf("%v\n%s", err, lines.Bytes())
	}
}

// TestHistoryOfTheUnreadable: a record that cannot be read is said, and hides none of the others.
func TestHistoryOfTheUnreadable(t *testing.T) {
	t.Parallel()
	const pool = "eu-west-1_AbCdEf123"
	client := mototest.Table(t, mototest.Start(t), "ledger")
	from, began := ledger.Table{Client: client, Name: "ledger"}, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		at := began.Add(time.Duration(i) * time.Minute)
		r := reconcile.Record{ID: reconcile.NewRecordID(pool, at), UserPoolID: pool, Began: at}
		if err := from.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if i != 1 {
			continue
		}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "pool#" + pool}, "sk": &types.AttributeValueMemberS{Value: "record#" + strings.TrimPrefix(r.ID, pool+".")},
			"record": &types.AttributeValueMemberS{Value: "{"}}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, pools := range map[string][]string{"of a pool": {pool}, "of all": nil} {
		records, unreadable, err := recordsOf(t.Context(), from, pools, began)
		if err != nil || len(records) != 2 || !records[0].Began.After(records[1].Began) {
			t.Errorf("%s: %d records, %v", name, len(records), err)
		}
		if !errors.Is(unreadable, reconcile.ErrUnreadable) || strings.Count(unreadable.Error(), "\n") != 0 {
			t.Errorf("%s: %v", name, unreadable)
		}
	}
}

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
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report/stream"
)

const historyPool, historyID = "eu-west-1_AbCdEf123", "eu-west-1_AbCdEf123.20261101T030000.000000Z"

var (
	began   = time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	mallory = event.Cause{EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory"}
)

func protection(state outcome.State) []outcome.Finding {
	return []outcome.Finding{{Setting: "DeletionProtection", Want: "ACTIVE", Have: "INACTIVE", State: state}}
}

// records are one of each kind, with the lines that describe them.
func records() map[string]struct {
	record outcome.Record
	want   []string
} {
	second := began.Add(time.Second)
	update := outcome.Sent{Call: "UpdateUserPool", Document: baseline.UserPool, Status: outcome.Accepted,
		RequestID: "6f1c", At: second}
	mfa := func(status outcome.WriteStatus) outcome.Sent {
		s := outcome.Sent{Call: "SetUserPoolMfaConfig", Document: baseline.MfaConfig, Status: status}
		if status != outcome.Intended {
			s.RequestID, s.At = "7a2d", second
		}
		return s
	}
	at := "  at        2026-11-01T03:00:00Z, for UpdateUserPool by " + mallory.Actor
	next := []string{
		"  next      see what holds now, without writing: poolkeeper plan --pool eu-west-1_AbCdEf123 --region eu-west-1",
		"            the next event of the pool, or the next scan, checks the pool again",
	}
	return map[string]struct {
		record outcome.Record
		want   []string
	}{
		"verified": {outcome.Record{Outcome: outcome.Remediated, Ended: second, Cause: mallory,
			Drifts: protection(outcome.StateFixed), Sent: []outcome.Sent{update},
			Verified: outcome.Verified{Owned: 9, UnmanagedUnchanged: 61}}, []string{
			historyID + "  remediated", at,
			"  fixed     DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      UpdateUserPool at 2026-11-01T03:00:01Z, request 6f1c",
			"  verified  9 required settings hold, 61 unmanaged settings are unchanged",
		}},
		"interrupted": {outcome.Record{Cause: mallory, Until: second, Drifts: protection(outcome.StatePlanned),
			Sent: []outcome.Sent{update, mfa(outcome.Intended)}}, append([]string{
			historyID + "  interrupted", at,
			"  planned   DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      UpdateUserPool at 2026-11-01T03:00:01Z, request 6f1c",
			"            SetUserPoolMfaConfig: it may have been made, no answer is known",
			"  verified  nothing: what was sent may hold or not",
			"  because   its process ended before it verified what it wrote",
		}, next...)},
		"running": {outcome.Record{Cause: mallory, Until: began.Add(2 * time.Hour),
			Drifts: protection(outcome.StatePlanned), Sent: []outcome.Sent{update}}, append([]string{
			historyID + "  running", at,
			"  planned   DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      UpdateUserPool at 2026-11-01T03:00:01Z, request 6f1c",
			"  verified  nothing: what was sent may hold or not",
		}, next...)},
		"no answer": {outcome.Record{Outcome: outcome.Deferred, Ended: second, Cause: event.Cause{EventName: "apply"},
			Actor: "ops", Drifts: protection(outcome.StatePlanned), Sent: []outcome.Sent{mfa(outcome.Unclear)},
			Reason: "the connection was reset"}, append([]string{
			historyID + "  deferred",
			"  at        2026-11-01T03:00:00Z, for apply",
			"  run by    ops",
			"  planned   DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      SetUserPoolMfaConfig at 2026-11-01T03:00:01Z, request 7a2d: it may have been made, the answer was lost",
			"  verified  nothing: what was sent may hold or not",
			"  because   the connection was reset",
		}, next...)},
		"refused": {outcome.Record{Outcome: outcome.Unfixable, Ended: second, Cause: mallory, Reason: "needs PLUS",
			Drifts: protection(outcome.StateUnfixable), Sent: []outcome.Sent{mfa(outcome.Refused)}}, []string{
			historyID + "  unfixable", at,
			"  unfixable DeletionProtection: INACTIVE -> ACTIVE",
			"  sent      SetUserPoolMfaConfig at 2026-11-01T03:00:01Z, request 7a2d: refused, so it changed nothing",
			"  because   needs PLUS",
		}},
	}
}

// TestDescribe: a record shows what was written; where nobody saw whether it holds, what may have been written, and
// what to do.
func TestDescribe(t *testing.T) {
	t.Parallel()
	for name, c := range records() {
		c.record.ID, c.record.UserPoolID, c.record.Began = historyID, historyPool, began
		got := describe(c.record, began.Add(time.Hour))
		if diff := cmp.Diff(strings.Join(c.want, "\n"), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestDescribeForged: who may write to the table can put anything into a record. It stays on its line, and out of the
// command.
func TestDescribeForged(t *testing.T) {
	t.Parallel()
	const nasty = "eu-west-1_x; reboot\n\x1b[2J\u202e"
	r := outcome.Record{ID: nasty, UserPoolID: nasty, Cause: event.Cause{EventName: nasty, Actor: nasty}, Actor: nasty,
		Reason: nasty, Drifts: []outcome.Finding{{Setting: nasty, Have: nasty, Want: nasty, State: nasty}},
		Sent: []outcome.Sent{{Call: nasty, Status: nasty}, {Call: nasty, At: time.Unix(0, 0), RequestID: nasty}}}
	got := describe(r, began)
	odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	if strings.ContainsFunc(got, odd) || strings.Count(got, "\n") != 9 {
		t.Errorf("it broke out:\n%q", got)
	}
	if _, command, _ := strings.Cut(got, "poolkeeper plan "); !strings.HasPrefix(command, "--all\n") {
		t.Errorf("it is in the command: %s", command)
	}
}

// TestHistoryIsOfTheSchema checks records with all that they may hold, one with nothing, and the summary.
func TestHistoryIsOfTheSchema(t *testing.T) {
	t.Parallel()
	full := outcome.Record{ID: historyID, UserPoolID: historyPool, Cause: mallory, Baseline: "sha256:ab", Began: began,
		Actor: "ops", Until: began, Ended: began, Outcome: outcome.Partial, Reason: "the rule only audits",
		Verified: outcome.Verified{Owned: 1, UnmanagedUnchanged: 2},
		Drifts: []outcome.Finding{{Setting: "DeletionProtection", Rule: "all", Want: "ACTIVE", State: outcome.StateFixed},
			{Setting: "UserPoolTier", Rule: "audited", Want: "PLUS", Have: "LITE", State: outcome.StateReported,
				Reason: "the rule only audits", Code: outcome.CodeAudited}},
		Sent: []outcome.Sent{{Call: "UpdateUserPool", Document: "UserPool", RequestID: "5d4c2a6e", Read: began,
			At: began, Status: outcome.Unclear, Fixes: []string{"DeletionProtection"},
			Restores: []string{"SmsConfiguration"}}}}
	all := []outcome.Record{full, {}}
	for _, c := range records() {
		all = append(all, c.record)
	}
	var lines bytes.Buffer
	to := stream.New(stream.JSON, &lines, false)
	for _, r := range all {
		if err := to.Write(stream.OfSummary("record", r, describe(r, began))); err != nil {
			t.Fatal(err)
		}
	}
	count := map[string]int{"records": len(all)}
	if err := to.Write(stream.OfSummary("summary", count, counted(len(all), "record"))); err != nil {
		t.Fatal(err)
	}
	if err := wellFormed("json", lines.Bytes()); err != nil {
		t.Errorf("%v\n%s", err, lines.Bytes())
	}
}

// TestHistoryOfTheUnreadable: a record that cannot be read is named, and hides none of the others.
func TestHistoryOfTheUnreadable(t *testing.T) {
	t.Parallel()
	client := mototest.Table(t, mototest.Start(t), "ledger")
	from := ledger.Table{Client: client, Name: "ledger"}
	for i := range 3 {
		at := began.Add(time.Duration(i) * time.Minute)
		r := outcome.Record{ID: outcome.NewRecordID(historyPool, at, ""), UserPoolID: historyPool, Began: at}
		if err := from.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if i != 1 {
			continue
		}
		text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
		item := map[string]types.AttributeValue{"pk": text("pool#" + historyPool), "record": text("{"),
			"sk": text("record#" + strings.TrimPrefix(r.ID, historyPool+"."))}
		in := &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: item}
		if _, err := client.PutItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	for name, pools := range map[string][]string{"of a pool": {historyPool}, "of all": nil} {
		records, unreadable, err := recordsOf(t.Context(), from, pools, began)
		if err != nil || len(records) != 2 || !records[0].Began.After(records[1].Began) {
			t.Errorf("%s: %d records, %v", name, len(records), err)
		}
		if !errors.Is(unreadable, outcome.ErrUnreadable) || strings.Count(unreadable.Error(), "\n") != 0 {
			t.Errorf("%s: %v", name, unreadable)
		}
	}
}

package main

import (
	"os"
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
)

var (
	began   = time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	mallory = event.Cause{EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory"}
)

func protection(state outcome.State) []outcome.Finding {
	return []outcome.Finding{{Setting: "DeletionProtection", Want: "ACTIVE", Have: "INACTIVE", State: state}}
}

// TestDescribe: a record shows what was written; where nobody saw whether it holds, what may have been written, and
// what to do.
func TestDescribe(t *testing.T) {
	t.Parallel()
	second := began.Add(time.Second)
	updated := outcome.Sent{Call: "UpdateUserPool", Document: baseline.UserPool, Status: outcome.Accepted,
		RequestID: "6f1c", At: second}
	mfa := outcome.Sent{Call: "SetUserPoolMfaConfig", Document: baseline.MfaConfig, RequestID: "7a2d", At: second}
	intended, unclear, refused := mfa, mfa, mfa
	intended.RequestID, intended.At, intended.Status = "", time.Time{}, outcome.Intended
	unclear.Status, refused.Status = outcome.Unclear, outcome.Refused
	var all strings.Builder
	for _, r := range []outcome.Record{
		{Outcome: outcome.Remediated, Ended: second, Cause: mallory, Drifts: protection(outcome.StateFixed),
			Sent: []outcome.Sent{updated}, Verified: outcome.Verified{Owned: 9, UnmanagedUnchanged: 61}},
		{Cause: mallory, Until: second, Drifts: protection(outcome.StatePlanned), Sent: []outcome.Sent{updated, intended}},
		{Cause: mallory, Until: began.Add(2 * time.Hour), Drifts: protection(outcome.StatePlanned),
			Sent: []outcome.Sent{updated}},
		{Outcome: outcome.Deferred, Ended: second, Cause: event.Cause{EventName: "apply"}, Actor: "ops",
			Drifts: protection(outcome.StatePlanned), Sent: []outcome.Sent{unclear}, Reason: "the connection was reset"},
		{Outcome: outcome.Unfixable, Ended: second, Cause: mallory, Reason: "needs PLUS",
			Drifts: protection(outcome.StateUnfixable), Sent: []outcome.Sent{refused}},
	} {
		r.ID, r.UserPoolID, r.Began = outcome.NewRecordID(servedPool, began, ""), servedPool, began
		all.WriteString(describe(r, began.Add(time.Hour), "") + "\n")
	}
	const golden = "testdata/history.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if diff := cmp.Diff(string(want), all.String()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
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
	got := describe(r, began, "")
	odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	if strings.ContainsFunc(got, odd) || strings.Count(got, "\n") != 11 {
		t.Errorf("it broke out:\n%q", got)
	}
	if _, command, _ := strings.Cut(got, "poolkeeper plan "); !strings.HasPrefix(command, "--all\n") {
		t.Errorf("it is in the command: %s", command)
	}
}

// TestHistoryOfTheUnreadable: a record that cannot be read is named, and hides none of the others.
func TestHistoryOfTheUnreadable(t *testing.T) {
	connected(t)
	url := mototest.Start(t)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
	client := mototest.Table(t, url, "ledger")
	from := ledger.Table{Client: client, Name: "ledger"}
	var ids []string
	for i := range 3 {
		at := began.Add(time.Duration(i) * time.Minute)
		r := outcome.Record{ID: outcome.NewRecordID(servedPool, at, ""), UserPoolID: servedPool, Began: at}
		if err := from.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	item := map[string]types.AttributeValue{"pk": text("pool#" + servedPool), "record": text("{"),
		"sk": text("record#" + strings.TrimPrefix(ids[1], servedPool+"."))}
	in := &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: item}
	if _, err := client.PutItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"", " --pool " + servedPool} {
		got := expect(t, "history --ledger ledger --since 1000000h"+args, exitError, ids[0], ids[2], "\n2 records\n")
		if !strings.Contains(got.stderr, ids[1]+": the record cannot be read") || strings.Count(got.stderr, "\n") != 1 {
			t.Error(got.stderr)
		}
	}
}

package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

func table(t *testing.T) ledger.Table {
	t.Helper()
	return tableAt(t, mototest.Start(t))
}

func tableAt(t *testing.T, url string) ledger.Table {
	t.Helper()
	return ledger.Table{Client: mototest.Table(t, url, "ledger"), Name: "ledger", Patience: time.Minute}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// TestLedger holds both ledgers to the same contract.
func TestLedger(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T) reconcile.Ledger{
		"memory":   func(*testing.T) reconcile.Ledger { return ledger.NewMemory() },
		"DynamoDB": func(t *testing.T) reconcile.Ledger { return tableAt(t, oneAtATime(t, mototest.Start(t))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := make(t)
			holds(t, l)
			records(t, l)
			lanes(t, l)
			remembers(t, l)
			races(t, l)
		})
	}
}

func holds(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	key := reconcile.Key{Kind: reconcile.PoolKey, ID: "eu-west-1_Holds"}
	take := func(owner string, now, until time.Time, want bool, note string) {
		t.Helper()
		got, taken, err := l.Take(t.Context(), key, owner, now, until)
		if err != nil || taken != want || string(got) != note {
			t.Errorf("%s takes: %v, %q, %v; want %v, %q", owner, taken, got, err, want, note)
		}
	}
	keep := func(owner, note string, until time.Time, want bool) {
		t.Helper()
		if kept, err := l.Keep(t.Context(), key, owner, []byte(note), until); err != nil || kept != want {
			t.Errorf("%s keeps: %v, %v; want %v", owner, kept, err, want)
		}
	}
	keep("a", "nothing", noon, false) // nobody has taken it
	take("a", noon, noon.Add(time.Minute), true, "")
	take("b", noon.Add(59*time.Second), noon.Add(2*time.Minute), false, "")
	take("a", noon.Add(59*time.Second), noon.Add(2*time.Minute), true, "")
	take("b", noon.Add(119*time.Second), noon.Add(3*time.Minute), false, "")
	keep("b", "not mine", noon, false)
	keep("a", `{"said":"by a"}`, noon.Add(3*time.Minute), true)
	take("b", noon.Add(179*time.Second), noon.Add(4*time.Minute), false, `{"said":"by a"}`)
	take("b", noon.Add(181*time.Second), noon.Add(4*time.Minute), true, `{"said":"by a"}`)
	keep("a", "too late", time.Time{}, false)
	keep("b", "given back", time.Time{}, true)
	take("c", noon, noon.Add(time.Minute), true, "given back")
	// Another key is another thing.
	if _, taken, err := l.Take(t.Context(), reconcile.Key{Kind: reconcile.EventKey, ID: key.ID}, "d", noon, noon.Add(time.Minute)); !taken || err != nil {
		t.Errorf("another kind: %v, %v", taken, err)
	}
}

func record(pool string, began time.Time) reconcile.Record {
	return reconcile.Record{
		ID: reconcile.NewRecordID(pool, began), UserPoolID: pool, Began: began, Baseline: "sha256:ab", Outcome: reconcile.Remediated, Owes: []string{"SmsConfiguration"},
		Cause:  event.Cause{EventID: "0c0f", EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/Admin/x", Time: began.Add(-time.Minute)},
		Drifts: []reconcile.Drift{{Setting: "Policies.PasswordPolicy.MinimumLength", Rule: "all", Want: ">= 12", Have: json.Number("6"), State: reconcile.Fixed}},
		Sent:   []reconcile.Sent{{Call: "UpdateUserPool", Document: baseline.UserPool, RequestID: "r1", Read: began, At: began.Add(time.Second), Body: []byte(`{"PoolName":"x "}`)}},
		Before: &userpool.Backup{UserPoolID: pool, Taken: began, Documents: map[baseline.DocumentName]map[string]any{
			baseline.UserPool: {"Id": pool, "Large": json.Number("12345678901234567890"), "Empty": []any{}, "Text": "trailing <space> "}}},
	}
}

// remembers shows that a keeper gets along with the ledger from the first event on: the pool is looked at once, and nothing failed.
func remembers(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fake.Close() }()
	const id = "eu-west-1_Remembers"
	pool, mfa := cognitotest.Rich()
	fake.Put(id, pool, mfa)
	required, err := baseline.Parse("test.yaml", []byte("version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]"))
	if err != nil {
		t.Fatal(err)
	}
	client := cognito.New(cognito.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
	})})
	var words []reconcile.Word
	for range 2 {
		keeper := reconcile.New(userpool.New(client), required, "")
		keeper.Ledger = l
		out, err := keeper.Reconcile(t.Context(), id, event.Cause{EventID: "first", EventName: "UpdateUserPool", Time: time.Now().Add(-time.Minute)})
		if err != nil || len(out.LedgerFaults) > 0 {
			t.Errorf("%v, faults %q", err, out.LedgerFaults)
		}
		words = append(words, out.Outcome)
	}
	if want := []reconcile.Word{reconcile.Unchanged, reconcile.Ignored}; !slices.Equal(words, want) {
		t.Errorf("%v, want %v", words, want)
	}
}

func records(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	const pool = "eu-west-1_Records"
	var want []reconcile.Record
	for i := range 5 {
		r := record(pool, noon.Add(time.Duration(i)*time.Hour))
		begun := r
		begun.Outcome, begun.Sent = "", []reconcile.Sent{}
		for _, version := range []reconcile.Record{begun, r} {
			if err := l.Put(t.Context(), version); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, r)
	}
	if err := l.Put(t.Context(), record("eu-west-1_Other", noon.Add(3*time.Hour))); err != nil {
		t.Fatal(err)
	}
	got, err := l.Record(t.Context(), want[2].ID)
	if diff := cmp.Diff(want[2], got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := l.Record(t.Context(), reconcile.NewRecordID(pool, noon.Add(time.Minute))); !errors.Is(err, reconcile.ErrNoRecord) {
		t.Errorf("a record that is not there: %v", err)
	}
	list, err := l.Records(t.Context(), pool, noon.Add(2*time.Hour))
	if err != nil || len(list) != 3 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	light := want[2]
	light.Before, light.Sent = nil, slices.Clone(light.Sent)
	light.Sent[0].Body = nil
	if diff := cmp.Diff(light, list[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if list[1].ID != want[3].ID || list[2].ID != want[4].ID {
		t.Errorf("%s, %s", list[1].ID, list[2].ID)
	}
}

// lanes takes turns one after the other: at once in an empty lane, behind the last in one that is not, and not at all where that would be too late.
func lanes(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	for i, c := range []struct {
		now, last time.Duration
		want      time.Duration // -1: no turn
	}{
		{0, time.Second, 0}, {0, time.Second, 400 * time.Millisecond}, {100 * time.Millisecond, time.Second, 800 * time.Millisecond}, {100 * time.Millisecond, time.Second, -1},
		{300 * time.Millisecond, 1300 * time.Millisecond, 1200 * time.Millisecond}, {time.Minute, time.Minute, time.Minute},
		{5 * time.Minute, 5 * time.Minute, 5 * time.Minute}, {time.Minute, 2 * time.Minute, time.Minute}, // by a clock that is ahead, and by one that is right
	} {
		turn, taken, err := l.Reserve(t.Context(), "read", noon.Add(c.now), 400*time.Millisecond, noon.Add(c.last))
		if err != nil || taken != (c.want >= 0) || taken && !turn.Equal(noon.Add(c.want)) {
			t.Errorf("turn %d: %s, %v, %v; want %v", i, turn, taken, err, c.want)
		}
	}
}

// TestUnclearAnswers lets a call that takes something be answered with a success that does not say what was taken: it counts as not taken, and not as taken with an empty
// note, which would be kept in place of the true one.
func TestUnclearAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an empty object": `{}`, "nothing": `null`, "no attributes": `{"Attributes":{}}`, "other members": `{"Item":{"holder":{"S":"a"},"next":{"N":"1"}}}`,
		"another owner": `{"Attributes":{"holder":{"S":"b"},"note":{"S":"theirs"},"next":{"S":"soon"}}}`, "another type": `{"Attributes":{"holder":{"L":[{"S":"a"}]},"next":{"L":[]}}}`,
		"a page": `<html></html>`, "half of it": `{"Attributes":{"holder":{"S":"a"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ledger.Table{Client: dynamodb.New(dynamodb.Options{Region: "eu-west-1", HTTPClient: saying(body), Credentials: aws.AnonymousCredentials{}}), Name: "ledger", Patience: time.Minute}
			note, taken, err := l.Take(t.Context(), reconcile.Key{Kind: reconcile.PoolKey, ID: "p"}, "a", noon, noon.Add(time.Minute))
			if err == nil || taken || len(note) > 0 || !strings.Contains(err.Error(), "taking pool p in table ledger: ") {
				t.Errorf("taken: %v, note %q, %v", taken, note, err)
			}
			turn, taken, err := l.Reserve(t.Context(), "read", noon, time.Second, noon.Add(time.Minute))
			if err == nil || taken {
				t.Errorf("a turn at %s: %v, %v", turn, taken, err)
			}
		})
	}
}

// saying is the answer to every request.
type saying string

func (s saying) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

// TestUnreadableItems plants items that are no records: each is said to be unreadable, and hides none of the others.
func TestUnreadableItems(t *testing.T) {
	t.Parallel()
	l := table(t)
	client := l.Client.(*dynamodb.Client)
	const pool = "eu-west-1_Broken"
	whole := record(pool, noon)
	if err := l.Put(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	for i, values := range []map[string]types.AttributeValue{
		{},
		{"record": &types.AttributeValueMemberS{Value: `{"id": "eu-west-1_Bro`}},
		{"record": &types.AttributeValueMemberS{Value: `{"drifts": 5}`}},
		{"record": &types.AttributeValueMemberN{Value: "7"}},
		{"record": &types.AttributeValueMemberB{Value: []byte("no gzip")}},
	} {
		id := reconcile.NewRecordID(pool, noon.Add(time.Duration(i+1)*time.Minute))
		values["pk"] = &types.AttributeValueMemberS{Value: "pool#" + pool}
		values["sk"] = &types.AttributeValueMemberS{Value: "record#" + strings.TrimPrefix(id, pool+".")}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(l.Name), Item: values}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Record(t.Context(), id); !errors.Is(err, reconcile.ErrUnreadable) || !strings.Contains(err.Error(), id) {
			t.Errorf("item %d: %v", i, err)
		}
	}
	list, err := l.Records(t.Context(), pool, noon)
	if !errors.Is(err, reconcile.ErrUnreadable) || len(list) != 1 || list[0].ID != whole.ID {
		t.Errorf("%v, %d records", err, len(list))
	}
}

// TestTable holds the table to what only a table has: items that end, records that are too large, all records, and errors that name the table.
func TestTable(t *testing.T) {
	t.Parallel()
	l := table(t)
	client := l.Client.(*dynamodb.Client)
	if _, _, err := l.Take(t.Context(), reconcile.Key{Kind: reconcile.EventKey, ID: "e/p"}, "a", noon, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	r := record("eu-west-1_Large", noon)
	noise := make([]byte, 500<<10)
	for i := range noise {
		noise[i] = byte(' ' + rand.N(90))
	}
	r.Sent[0].Body = noise
	if err := l.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, err := l.Record(t.Context(), r.ID)
	if err != nil || got.Before == nil || got.Sent[0].Body != nil {
		t.Errorf("bodies that are too large: %v, before %v", err, got.Before != nil)
	}
	huge := record("eu-west-1_Huge", noon)
	huge.Before.Documents[baseline.UserPool]["Text"] = string(noise)
	if err := l.Put(t.Context(), huge); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Record(t.Context(), huge.ID); err != nil || got.Before != nil || got.Sent[0].Body == nil {
		t.Errorf("a state that is too large: %v, before %v", err, got.Before != nil)
	}
	many := record("eu-west-1_Many", noon)
	for i := range 2000 {
		many.Drifts = append(many.Drifts, reconcile.Drift{Setting: fmt.Sprintf("Clients[1example23456789client%04d].EnableTokenRevocation", i), Rule: "every-client", Want: true, State: reconcile.Fixed,
			Reason: "it says why at some length, as reasons do that name what somebody else set, and when"})
		many.Sent = append(many.Sent, reconcile.Sent{Call: "UpdateUserPoolClient", RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Read: noon, At: noon.Add(time.Duration(i) * time.Second)})
	}
	if err := l.Put(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if list, err := l.Records(t.Context(), many.UserPoolID, noon); err != nil || len(list) != 1 || len(list[0].Drifts) != len(many.Drifts) || len(list[0].Sent) != len(many.Sent) {
		t.Errorf("many drifts and writes: %v, %d records", err, len(list))
	}
	var ids []string
	for rec, err := range l.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, rec.ID)
	}
	slices.Sort(ids)
	if want := []string{huge.ID, r.ID, many.ID}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(l.Name)})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range out.Items {
		if n, ok := item["expires"].(*types.AttributeValueMemberN); !ok || n.Value < fmt.Sprint(noon.Unix()) {
			t.Errorf("%v ends at %v", item["pk"], item["expires"])
		}
	}
	gone := ledger.Table{Client: client, Name: "no-such-table", Patience: time.Minute}
	if _, _, err := gone.Take(t.Context(), reconcile.Key{Kind: reconcile.PoolKey, ID: "p"}, "a", noon, noon); err == nil || !strings.Contains(err.Error(), "taking pool p in table no-such-table") {
		t.Errorf("%v", err)
	}
	for _, err := range gone.All(t.Context()) {
		if err == nil || !strings.Contains(err.Error(), "reading table no-such-table") {
			t.Errorf("%v", err)
		}
	}
	if _, err := l.Record(t.Context(), "yesterday"); err == nil || !strings.Contains(err.Error(), "is no id of a record") {
		t.Errorf("%v", err)
	}
}

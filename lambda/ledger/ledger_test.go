package ledger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// startMoto starts moto's server on a free port: an emulator that nobody of this project wrote. Without it on PATH the test is skipped, unless REQUIRE_MOTO demands it.
func startMoto(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		if os.Getenv("REQUIRE_MOTO") != "" {
			t.Fatal("moto_server is not on PATH: pip install 'moto[server]'")
		}
		t.Skip("moto_server is not on PATH")
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	command := exec.CommandContext(context.Background(), path, "-p", fmt.Sprint(port))
	output, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
		}
	}()
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	for range 300 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/moto-api/data.json", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			return url
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("moto_server does not answer")
	return ""
}

// table makes a table as the deployment does, on moto's server.
func table(t *testing.T) ledger.Table {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(startMoto(t)), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
	})})
	key := func(name string, kind types.KeyType) (types.KeySchemaElement, types.AttributeDefinition) {
		return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	pk, pkType := key("pk", types.KeyTypeHash)
	sk, skType := key("sk", types.KeyTypeRange)
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("ledger"), BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{pk, sk}, AttributeDefinitions: []types.AttributeDefinition{pkType, skType}}); err != nil {
		t.Fatal(err)
	}
	return ledger.Table{Client: client, Name: "ledger"}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// TestLedger holds both ledgers to the same contract.
func TestLedger(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T) reconcile.Ledger{
		"memory":   func(*testing.T) reconcile.Ledger { return ledger.NewMemory() },
		"DynamoDB": func(t *testing.T) reconcile.Ledger { return table(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := make(t)
			holds(t, l)
			records(t, l)
			lanes(t, l)
			if name == "memory" { // moto's server checks conditions without a lock; DynamoDB's are atomic
				races(t, l)
			}
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
	take("b", noon.Add(179*time.Second), noon.Add(4*time.Minute), false, "")
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

// races lets many take the same thing at once: one has it.
func races(t *testing.T, l reconcile.Ledger) {
	t.Helper()
	var working sync.WaitGroup
	var mutex sync.Mutex
	var winners []string
	for i := range 20 {
		working.Go(func() {
			owner := fmt.Sprint("owner", i)
			_, taken, err := l.Take(t.Context(), reconcile.Key{Kind: reconcile.PoolKey, ID: "eu-west-1_Races"}, owner, noon, noon.Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			if taken {
				winners = append(winners, owner)
			}
		})
	}
	working.Wait()
	if len(winners) != 1 {
		t.Errorf("taken by %v", winners)
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
	var ids []string
	for rec, err := range l.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, rec.ID)
	}
	slices.Sort(ids)
	if want := []string{huge.ID, r.ID}; !slices.Equal(ids, want) {
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
	gone := ledger.Table{Client: client, Name: "no-such-table"}
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

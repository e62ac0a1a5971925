package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
)

// A network is what makes of requests what comes of them.
type network func(*http.Request) (*http.Response, error)

func (n network) Do(r *http.Request) (*http.Response, error) { return n(r) }

// over returns a ledger whose requests go over a network.
func over(n network) ledger.Table {
	client := dynamodb.New(dynamodb.Options{Region: "eu-west-1", HTTPClient: n, Credentials: aws.AnonymousCredentials{}})
	return ledger.Table{Client: client, Name: "ledger", Patience: time.Minute}
}

func saying(body string) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))},
		nil
}

// TestUnclearAnswers lets every call be answered with a success that does not show its result. That is an error: the
// lease was neither acquired nor released, and the history is not empty.
func TestUnclearAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an empty object": `{}`,
		"null":            `null`,
		"no attributes":   `{"Attributes":{}}`,
		"other members":   `{"Item":{"sk":{"S":"lease"},"owner":{"S":"a"}}}`,
		"another owner":   `{"Attributes":{"sk":{"S":"lease"},"owner":{"S":"b"}}}`,
		"another item":    `{"Attributes":{"sk":{"S":"other"},"owner":{"S":"a"}}}`,
		"another type":    `{"Attributes":{"sk":{"L":[]},"owner":{"L":[{"S":"a"}]}}}`,
		"a page":          `<html></html>`,
		"half of it":      `{"Attributes":{"owner":{"S":"a"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := over(func(*http.Request) (*http.Response, error) { return saying(body) })
			acquired, acquiring := l.Acquire(t.Context(), "p", "a", noon, noon.Add(time.Minute))
			released, releasing := l.Acquire(t.Context(), "p", "a", noon, time.Time{})
			h, reading := l.History(t.Context(), "p", noon, true)
			if acquired || released || reading == nil ||
				!strings.Contains(fmt.Sprint(acquiring), "acquiring the lease of p in table ledger: ") ||
				!strings.Contains(fmt.Sprint(releasing), "releasing the lease of p in table ledger: ") {
				t.Errorf("acquired %v: %v; released %v: %v; %v", acquired, acquiring, released, releasing, h)
			}
			if all, err := l.All(t.Context(), noon); err == nil {
				t.Errorf("all: %v", all)
			}
		})
	}
}

// TestLostAnswers: a call whose answer is lost is made once more, and that one finds the lease to be ours or released.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	l := table(t, mototest.Ministack(t))
	options := l.Client.Options()
	through, requests := options.HTTPClient, 0
	options.HTTPClient = network(func(r *http.Request) (*http.Response, error) { // loses every other answer
		out, err := through.Do(r)
		if requests++; err == nil && requests%2 == 1 {
			_ = out.Body.Close()
			return nil, io.ErrUnexpectedEOF
		}
		return out, err
	})
	l.Client = dynamodb.New(options)
	for _, until := range []time.Time{noon.Add(time.Minute), {}, noon.Add(time.Minute)} {
		if got, err := l.Acquire(t.Context(), "eu-west-1_Lost", "a", noon, until); err != nil || !got {
			t.Errorf("until %s: %v, %v", until, got, err)
		}
	}
}

// TestUnreadableItems plants items that are no records or notes: each record is named as unreadable, and nothing hides
// the others.
func TestUnreadableItems(t *testing.T) {
	t.Parallel()
	l := table(t, mototest.Ministack(t))
	const pool = "eu-west-1_Broken"
	put := func(sk string, item map[string]types.AttributeValue) {
		item["pk"] = &types.AttributeValueMemberS{Value: "pool#" + pool}
		item["sk"] = &types.AttributeValueMemberS{Value: sk}
		_, err := l.Client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(l.Name), Item: item})
		must(t, err)
	}
	whole := record(pool, noon)
	must(t, l.Put(t.Context(), whole))
	must(t, l.Note(t.Context(), pool, map[string]time.Time{"a": time.Now().Add(time.Hour)}))
	put("~note#0", map[string]types.AttributeValue{"notes": &types.AttributeValueMemberM{
		Value: map[string]types.AttributeValue{"b": &types.AttributeValueMemberS{Value: "soon"}}}})
	put("~note#1", map[string]types.AttributeValue{"notes": &types.AttributeValueMemberN{Value: "1"}})
	var ids []string
	for i, light := range []types.AttributeValue{
		nil,
		&types.AttributeValueMemberS{Value: `{"id": "eu-west-1_Bro`},
		&types.AttributeValueMemberS{Value: `{"drifts": 5}`},
		&types.AttributeValueMemberS{Value: `{}`},
		&types.AttributeValueMemberN{Value: "7"},
		&types.AttributeValueMemberB{Value: []byte("no gzip")},
	} {
		id := outcome.NewRecordID(pool, noon.Add(time.Duration(i+1)*time.Minute), "")
		ids = append(ids, id)
		item := map[string]types.AttributeValue{}
		if light != nil {
			item["record"] = light
		}
		put("record#"+strings.TrimPrefix(id, pool+"."), item)
		if _, err := l.Record(t.Context(), id); !errors.Is(err, outcome.ErrUnreadable) || !strings.Contains(err.Error(), id) {
			t.Errorf("item %d: %v", i, err)
		}
	}
	h, err := l.History(t.Context(), pool, noon, true)
	if !errors.Is(err, outcome.ErrUnreadable) || len(h.Records) != 1 || h.Records[0].ID != whole.ID ||
		len(h.Notes) != 1 {
		t.Errorf("%v, %v", err, h)
	}
	all, unreadable := l.All(t.Context(), noon)
	for _, id := range ids {
		named := errors.Is(unreadable, outcome.ErrUnreadable) && strings.Contains(unreadable.Error(), id)
		if len(all.Records) != 1 || !named {
			t.Errorf("%d records, and %s in %v", len(all.Records), id, unreadable)
		}
	}
}

// noise is text that cannot be compressed much.
func noise(size int) []byte {
	text := make([]byte, size)
	for i := range text {
		text[i] = byte(' ' + rand.N(90))
	}
	return text
}

// TestSizes: what is too large for an item is left out, the bodies before the state, and never the light record. An
// answer of DynamoDB ends at 1 MB, and what follows is read too, the notes after the records among it.
func TestSizes(t *testing.T) {
	t.Parallel()
	l := table(t, mototest.Ministack(t))
	const pool = "eu-west-1_Sizes"
	large := func(minute, bytes int) outcome.Record {
		r := record(pool, noon.Add(time.Duration(minute)*time.Minute))
		r.Sent[0].Body = noise(bytes)
		return r
	}
	many, state := large(1, 10), large(2, 10)
	state.Before.Documents[baseline.UserPool]["Text"] = string(noise(500 << 10))
	for i := range 2000 {
		many.Drifts = append(many.Drifts, outcome.Finding{Rule: "every-client", State: outcome.StateFixed, Want: true,
			Setting: fmt.Sprintf("Clients[1example23456789client%04d].EnableTokenRevocation", i),
			Reason:  "a sentence of some length, as reasons are that name what somebody else set, and when"})
		many.Sent = append(many.Sent, outcome.Sent{Call: "UpdateUserPoolClient", Status: outcome.Accepted, Read: noon,
			RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), At: noon.Add(time.Duration(i) * time.Second)})
	}
	var light []outcome.Record
	for _, c := range []struct {
		record         outcome.Record
		before, bodies bool
	}{{many, true, true}, {state, false, true}, {large(3, 500<<10), true, false}, {large(4, 300<<10), true, true},
		{large(5, 300<<10), true, true}, {large(6, 300<<10), true, true}, {large(7, 300<<10), true, true}} {
		must(t, l.Put(t.Context(), c.record))
		light = append(light, c.record.Light())
		got, err := l.Record(t.Context(), c.record.ID)
		if err != nil || (got.Before != nil) != c.before || (got.Sent[0].Body != nil) != c.bodies {
			t.Errorf("%s: before %v, bodies %v, %v", c.record.ID, got.Before != nil, got.Sent[0].Body != nil, err)
		}
	}
	must(t, l.Note(t.Context(), pool, map[string]time.Time{"a": time.Now().Add(time.Hour)}))
	h, err := l.History(t.Context(), pool, noon, true)
	if diff := cmp.Diff(light, h.Records); err != nil || diff != "" || len(h.Notes) != 1 {
		t.Errorf("notes %v, %v (-want +got):\n%s", h.Notes, err, diff)
	}
	for since, want := range map[time.Duration]int{0: len(light), 5 * time.Minute: 3} {
		if all, err := l.All(t.Context(), noon.Add(since)); err != nil || len(all.Records) != want {
			t.Errorf("%d records in all since %s, want %d: %v", len(all.Records), since, want, err)
		}
	}
}

// TestExpiry: every item ends by itself, no note is kept past its time, and nothing ends while it is of use.
func TestExpiry(t *testing.T) {
	t.Parallel()
	l := table(t, mototest.Ministack(t))
	const pool = "eu-west-1_Ends"
	now := time.Now()
	in := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	for _, until := range []time.Time{in(1), {}, in(1)} {
		_, err := l.Acquire(t.Context(), pool, "a", now, until)
		must(t, err)
	}
	_, err := l.Acquire(t.Context(), "eu-west-1_Free", "a", now, time.Time{})
	must(t, err)
	must(t, l.Put(t.Context(), record(pool, now)))
	must(t, l.Note(t.Context(), pool, map[string]time.Time{"over": in(-1), "later": in(3)}))
	must(t, l.Note(t.Context(), pool, map[string]time.Time{"soon": in(2)}))
	h, err := l.History(t.Context(), pool, noon, true)
	if _, kept := h.Notes["over"]; err != nil || kept || len(h.Notes) != 2 {
		t.Errorf("%v, %v", h.Notes, err)
	}
	out, err := l.Client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(l.Name)})
	if err != nil || len(out.Items) != 5 {
		t.Fatalf("%d items, %v", len(out.Items), err)
	}
	for _, item := range out.Items {
		n, ok := item["expires"].(*types.AttributeValueMemberN)
		if !ok || n.Value < fmt.Sprint(in(1).Unix()) || n.Value > fmt.Sprint(now.AddDate(2, 0, 0).Unix()) {
			t.Errorf("%v %v ends at %v", item["pk"], item["sk"], item["expires"])
		}
	}
}

// TestConsistency: a history is read consistently where that is asked for, and a record always. No emulator shows it.
func TestConsistency(t *testing.T) {
	t.Parallel()
	var asked [][]byte
	l := over(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		asked = append(asked, body)
		return saying(`{"Items":[]}`)
	})
	for _, consistent := range []bool{true, false} {
		if _, err := l.History(t.Context(), "p", noon, consistent); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = l.Record(t.Context(), outcome.NewRecordID("p", noon, ""))
	for i, want := range []bool{true, false, true} {
		var body struct{ ConsistentRead bool }
		if err := json.Unmarshal(asked[i], &body); err != nil || body.ConsistentRead != want {
			t.Errorf("request %d: %s, %v", i, asked[i], err)
		}
	}
}

// TestErrors: an error names the table and what was tried.
func TestErrors(t *testing.T) {
	t.Parallel()
	l := table(t, mototest.Ministack(t))
	l.Name = "no-such-table"
	r := record("eu-west-1_None", noon)
	_, acquiring := l.Acquire(t.Context(), "eu-west-1_None", "a", noon, noon)
	_, history := l.History(t.Context(), "eu-west-1_None", noon, false)
	_, reading := l.Record(t.Context(), r.ID)
	_, noID := l.Record(t.Context(), "yesterday")
	_, listing := l.All(t.Context(), noon)
	for err, want := range map[error]string{
		acquiring:             "acquiring the lease of eu-west-1_None in table no-such-table: ",
		history:               "reading the records of eu-west-1_None in table no-such-table: ",
		reading:               "reading record " + r.ID + " from table no-such-table: ",
		noID:                  "is not the id of a record",
		listing:               "reading table no-such-table: ",
		l.Put(t.Context(), r): "writing record " + r.ID + " to table no-such-table: ",
		l.Note(t.Context(), "p", map[string]time.Time{"a": noon}): "storing notes of p in table no-such-table: ",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

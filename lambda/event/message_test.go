package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func sqsEvent(bodies ...string) []byte {
	var records []any
	for _, body := range bodies {
		records = append(records, map[string]any{"messageId": "m", "receiptHandle": "h", "body": body,
			"attributes":  map[string]any{"ApproximateReceiveCount": "3"},
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:Changes"})
	}
	return encode(map[string]any{"Records": records})
}

// TestRecords: an SQS event has its messages, and one with one message is the event in it.
func TestRecords(t *testing.T) {
	t.Parallel()
	got, ok := Records(sqsEvent("a", "b"))
	want := []Record{
		{"m", "h", 3, "arn:aws:sqs:eu-west-1:111122223333:Changes", []byte("a")},
		{"m", "h", 3, "arn:aws:sqs:eu-west-1:111122223333:Changes", []byte("b")},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, payload := range []string{``, `[]`, `{}`, `{"Records": []}`, `{"Records": [{"eventSource": "aws:sns"}]}`,
		`{"Records": [7]}`} {
		if got, ok := Records([]byte(payload)); ok {
			t.Errorf("%s: %v", payload, got)
		}
	}
	raw := fixture(t, "update-user-pool")
	if diff := cmp.Diff(Decode(raw, ours), Decode(sqsEvent(string(raw)), ours)); diff != "" {
		t.Errorf("-bare +wrapped:\n%s", diff)
	}
	if got := Decode(sqsEvent("no JSON"), ours); got.Kind != Ignored || got.Reason != Malformed {
		t.Errorf("%+v", got)
	}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	raw := fixture(t, "update-user-pool")
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(raw, &envelope); err != nil {
		t.Fatal(err)
	}
	record := string(envelope["detail"])
	want := Decode(raw, Home{})
	for name, payload := range map[string]string{
		"an event":                   string(raw),
		"a record of CloudTrail":     record,
		"a file of CloudTrail":       `{"Records": [` + record + `]}`,
		"an SQS event":               string(sqsEvent(string(raw))),
		"a record in an SQS event":   string(sqsEvent(record)),
		"a byte order mark":          "\ufeff" + string(raw),
		"an answer of lookup-events": `{"Events": [{"EventId": "e", "CloudTrailEvent": ` + string(encode(record)) + `}]}`,
	} {
		events, err := Unpack([]byte(payload))
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %d events, %v", name, len(events), err)
			continue
		}
		if diff := cmp.Diff(want, Decode(events[0], Home{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, payload := range []string{`what happened?`, `[]`, `{}`, `{"Records": [{}]}`, `{"Events": []}`, `{"source": 7}`,
		string(sqsEvent("no JSON")), string(sqsEvent(string(raw), `{"Message": "x"}`)),
		`{"source": "aws.cognito-idp", "detail-type": "AWS API Call via CloudTrail", "detail": "{}"}`} {
		if _, err := Unpack([]byte(payload)); err == nil || !strings.Contains(err.Error(), "lookup-events") {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

// TestMessages: what a message says of a scan and of a pool is what is decoded.
func TestMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		started := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "started"), 0).UTC()
		scheduled := rapid.Bool().Draw(t, "scheduled")
		want := Scan{Started: started, Token: rapid.StringMatching(`[!-~]{1,200}`).Draw(t, "token"),
			Pages: rapid.IntRange(0, 1e6).Draw(t, "pages"), Scheduled: scheduled}
		got := Decode([]byte(Message(ScanPools, want)), ours)
		if diff := cmp.Diff(Request{Kind: All, Cause: Cause{EventName: "Scan"}, Scan: want}, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		clients := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9]{1,30}`), 1, 100).Draw(t, "clients")
		member := Request{Kind: One, UserPoolID: thePool, Cause: Cause{EventName: "Scan"}, Clients: clients,
			Scan: Scan{Started: started, Scheduled: scheduled}}
		message := Message(ReconcilePool, Member{UserPoolID: thePool, Scan: started, Clients: clients, Scheduled: scheduled})
		if diff := cmp.Diff(member, Decode([]byte(message), ours)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestForgedScan: a detail that none of our scans sent begins a scan, and a list of clients that we cannot have sent
// stands for the whole pool. The golden has more of them.
func TestForgedScan(t *testing.T) {
	t.Parallel()
	endless := Message(ScanPools, Scan{Token: strings.Repeat("a", maxToken+1), Started: time.Unix(0, 0)})
	if got := Decode([]byte(endless), ours); got.Kind != All || got.Scan != (Scan{}) {
		t.Errorf("%+v", got)
	}
	many := strings.Split(strings.Repeat("client ", MaxClients)+"client", " ")
	if got := Decode([]byte(Message(ReconcilePool, Member{UserPoolID: thePool, Clients: many})), ours); got.Kind != One ||
		got.Clients != nil {
		t.Errorf("%+v", got)
	}
}

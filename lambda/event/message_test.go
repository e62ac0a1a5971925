package event

import (
	"encoding/json"
	"fmt"
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
}

// TestDecodeUnwraps: an SQS event with one message is the event in it.
func TestDecodeUnwraps(t *testing.T) {
	t.Parallel()
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

// TestParametersOfACall: a parameter counts only for a call that has it. A call that names two pools, in different
// cases, asks for a scan; our own message never does.
func TestParametersOfACall(t *testing.T) {
	t.Parallel()
	const (
		pool  = `"userPoolId": "eu-west-1_AbCdEf123"`
		twice = pool + `, "UserPoolId": "eu-west-1_Other0001"`
		arn   = `esourceArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_`
		tags  = `"r` + arn + `AbCdEf123"`
	)
	several := Request{Kind: All, Reason: RequestLeftOut}
	for _, c := range []struct {
		call, parameters string
		want             Request
	}{
		{"UpdateUserPool", pool + `, "clientId": "web"`, Request{Kind: One, UserPoolID: thePool}},
		{"UpdateUserPoolClient", pool + `, "clientId": "web"`, Request{Kind: One, UserPoolID: thePool, ClientID: "web"}},
		{"UpdateUserPool", pool + `, "resourceArn": "x"`, Request{Kind: One, UserPoolID: thePool}},
		{"TagResource", tags + `, "userPoolId": "eu-west-1_Other0001"`, Request{Kind: One, UserPoolID: thePool}},
		{"UpdateUserPool", twice, several},
		{"TagResource", tags + `, "R` + arn + `Other0001"`, several},
		{"", twice, Request{Kind: Ignored, Reason: BadPoolID}},
	} {
		payload := `{"source": "aws.cognito-idp", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventSource": ` +
			`"cognito-idp.amazonaws.com", "eventName": "` + c.call + `", "requestParameters": {` + c.parameters + `}}}`
		if c.call == "" {
			payload = `{"source": "poolkeeper", "detail-type": "Reconcile User Pool", "detail": {` + c.parameters + `}}`
		}
		got := Decode([]byte(payload), ours)
		is := Request{Kind: got.Kind, UserPoolID: got.UserPoolID, ClientID: got.ClientID, Reason: got.Reason}
		if diff := cmp.Diff(c.want, is); diff != "" || strings.Contains(got.Detail, "several pools") != (c.want.Kind == All) {
			t.Errorf("%s {%s} (-want +got):\n%s%s", c.call, c.parameters, diff, got.Detail)
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

// TestForgedScan: a detail that none of our scans sent begins a scan, under the older name too. A pool that no scan
// sent is of none.
func TestForgedScan(t *testing.T) {
	t.Parallel()
	const at = `"started": "2026-10-01T12:00:00Z"`
	for name, detail := range map[string]string{
		"nothing":                 `null`,
		"a text":                  `"token"`,
		"of the schedule":         `{"reason": "schedule"}`,
		"no token":                `{` + at + `, "pages": 3}`,
		"no start":                `{"token": "abc"}`,
		"a start that is no time": `{"token": "abc", "started": "yesterday"}`,
		"a token of two lines":    `{"token": "a\nb", ` + at + `}`,
		"a token not in ASCII":    `{"token": "ä", ` + at + `}`,
		"an endless token":        `{"token": "` + strings.Repeat("a", maxToken+1) + `", ` + at + `}`,
		"a token in a list":       `{"token": ["abc"], ` + at + `}`,
	} {
		for _, kind := range []string{"Scan", "Sweep"} {
			got := Decode([]byte(fmt.Sprintf(`{"source": "poolkeeper", "detail-type": %q, "detail": %s}`, kind, detail)), ours)
			want := Request{Kind: All, Cause: Cause{EventName: kind}, Scan: Scan{Scheduled: name == "of the schedule"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	for _, pages := range []string{"-5", "1e400", `"7"`, "1.5", "-12345678901234567890"} {
		got := Decode([]byte(`{"source": "poolkeeper", "detail-type": "Scan",
			"detail": {"token": "abc", `+at+`, "pages": `+pages+`}}`), ours)
		if got.Scan.Token != "abc" || got.Scan.Pages != 0 {
			t.Errorf("%s pages: %+v", pages, got.Scan)
		}
	}
	for _, detail := range []string{`"sweep": "x"`, `"sweep": true`, `"other": 1`} {
		got := Decode([]byte(`{"source": "poolkeeper", "detail-type": "Reconcile User Pool",
			"detail": {"userPoolId": "eu-west-1_AbCdEf123", `+detail+`}}`), ours)
		if got.Kind != One || got.Scan != (Scan{}) || got.Cause.EventName != "Reconcile User Pool" {
			t.Errorf("%s: %+v", detail, got)
		}
	}
}

// TestClients: a message names the app clients to reconcile. A list that we cannot have sent stands for the whole pool.
func TestClients(t *testing.T) {
	t.Parallel()
	many := strings.Split(strings.Repeat("client ", MaxClients)+"client", " ")
	for name, c := range map[string]struct {
		detail any
		want   []string
	}{
		"some":           {[]string{"a", "b"}, []string{"a", "b"}},
		"as many as can": {many[:MaxClients], many[:MaxClients]},
		"too many":       {many, nil},
		"none":           {[]string{}, nil},
		"no id":          {[]any{"a", "../b"}, nil},
		"no text":        {[]any{"a", 7}, nil},
		"no list":        {"a", nil},
	} {
		got := Decode([]byte(Message(ReconcilePool, map[string]any{"userPoolId": thePool, "clients": c.detail})), ours)
		if diff := cmp.Diff(Request{Kind: One, UserPoolID: thePool, Clients: c.want, Cause: got.Cause}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

package event

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sqsEvent(t *testing.T, bodies ...string) []byte {
	t.Helper()
	var records []any
	for _, body := range bodies {
		records = append(records, map[string]any{"messageId": "m", "receiptHandle": "h", "body": body,
			"attributes":  map[string]any{"ApproximateReceiveCount": "3"},
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:Changes"})
	}
	raw, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRecords(t *testing.T) {
	t.Parallel()
	got, ok := Records(sqsEvent(t, "a", "b"))
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
	raw, err := os.ReadFile("testdata/update-user-pool.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Decode(raw, ours), Decode(sqsEvent(t, string(raw)), ours)); diff != "" {
		t.Errorf("-bare +wrapped:\n%s", diff)
	}
	if got := Decode(sqsEvent(t, "no JSON"), ours); got.Kind != Ignored || got.Reason != Malformed {
		t.Errorf("%+v", got)
	}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/update-user-pool.json")
	if err != nil {
		t.Fatal(err)
	}
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(raw, &envelope); err != nil {
		t.Fatal(err)
	}
	record := string(envelope["detail"])
	quoted, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	want := Decode(raw, Home{})
	for name, payload := range map[string]string{
		"an event":                   string(raw),
		"a record of CloudTrail":     record,
		"a file of CloudTrail":       `{"Records": [` + record + `]}`,
		"an SQS event":               string(sqsEvent(t, string(raw))),
		"an answer of lookup-events": `{"Events": [{"EventId": "e", "CloudTrailEvent": ` + string(quoted) + `}]}`,
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
	for _, payload := range []string{`what happened?`, `[]`, `{}`, `{"Records": [{}]}`, `{"Events": []}`} {
		if _, err := Unpack([]byte(payload)); err == nil || !strings.Contains(err.Error(), "lookup-events") {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

// TestParametersOfTheCall: a parameter counts only for a call that has it.
func TestParametersOfTheCall(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]string{"UpdateUserPool": "", "UpdateUserPoolClient": "web"} {
		got := Decode([]byte(`{"source": "aws.cognito-idp", "detail-type": "AWS API Call via CloudTrail", "detail": {`+
			`"eventSource": "cognito-idp.amazonaws.com", "eventName": "`+call+`", "requestParameters": {`+
			`"userPoolId": "eu-west-1_AbCdEf123", "clientId": "web"}}}`), Home{})
		if got.Kind != One || got.ClientID != want {
			t.Errorf("%s is about client %q, want %q: %+v", call, got.ClientID, want, got)
		}
	}
}

// TestAmbiguousPool: a call that names two pools, in different cases, asks for a scan. Our own message never does.
func TestAmbiguousPool(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_"
	for call, parameters := range map[string]string{
		"UpdateUserPool": `"userPoolId": "eu-west-1_AbCdEf123", "UserPoolId": "eu-west-1_Other0001"`,
		"TagResource":    `"resourceArn": "` + arn + `AbCdEf123", "ResourceArn": "` + arn + `Other0001"`,
	} {
		got := Decode([]byte(`{"source": "aws.cognito-idp", "detail-type": "AWS API Call via CloudTrail", "detail": {`+
			`"eventSource": "cognito-idp.amazonaws.com", "eventName": "`+call+`", `+
			`"requestParameters": {`+parameters+`}}}`), ours)
		if got.Kind != All || got.Reason != RequestLeftOut || !strings.Contains(got.Detail, "names several pools") {
			t.Errorf("%s: %+v", call, got)
		}
	}
	got := Decode([]byte(`{"source": "poolkeeper", "detail-type": "Reconcile User Pool", "detail": {`+
		`"userPoolId": "eu-west-1_AbCdEf123", "UserPoolId": "eu-west-1_Other0001"}}`), ours)
	if got.Kind != Ignored || got.Reason != BadPoolID {
		t.Errorf("our own: %+v", got)
	}
}

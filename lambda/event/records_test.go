package event

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	for _, payload := range []string{`what happened?`, `[]`, `{}`, `{"Records": [{}]}`, `{"Events": []}`} {
		if _, err := Unpack([]byte(payload)); err == nil || !strings.Contains(err.Error(), "lookup-events") {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

// TestParametersThatCount: a parameter counts only for a call that has it. A call that names two pools, in different
// cases, asks for a scan; our own message never does.
func TestParametersThatCount(t *testing.T) {
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

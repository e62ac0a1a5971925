package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"poolkeeper/baseline"
)

// A Record is a message of an SQS queue.
type Record struct {
	MessageID     string
	ReceiptHandle string
	Receives      int    // how often it was received, including this time; at least 1
	Queue         string // ARN
	Body          []byte
}

// Records returns the messages of an SQS event, and false for any other payload.
func Records(payload []byte) ([]Record, bool) { return recordsOf(parse(payload)) }

func recordsOf(envelope object) ([]Record, bool) {
	list, _ := envelope["Records"].([]any)
	records := make([]Record, len(list))
	for i, e := range list {
		inner, _ := e.(map[string]any)
		m := object(inner)
		if m["eventSource"] != "aws:sqs" {
			return nil, false
		}
		receives, _ := strconv.Atoi(m.object("attributes").text("ApproximateReceiveCount"))
		records[i] = Record{MessageID: m.text("messageId"), ReceiptHandle: m.text("receiptHandle"),
			Receives: max(1, receives), Queue: m.text("eventSourceARN"), Body: []byte(m.text("body"))}
	}
	return records, len(records) > 0
}

const forms = `poolkeeper reads an event of EventBridge, an SQS event, a CloudTrail record, a CloudTrail log file ` +
	`({"Records": [...]}, not compressed) and the output of aws cloudtrail lookup-events`

// Unpack returns the events in a file of any format that the constant forms lists. The error lists them too.
func Unpack(payload []byte) ([][]byte, error) {
	payload = bytes.TrimPrefix(payload, []byte("\ufeff"))
	o := parse(payload)
	if o == nil {
		return nil, errors.New("this is not a JSON object; " + forms)
	}
	if o.text("detail-type") != "" && o.text("source") != "" {
		if request := Decode(payload, Home{}); request.Reason == Malformed {
			return nil, errors.New(request.Detail + "; " + forms)
		}
		return [][]byte{payload}, nil
	}
	var events [][]byte
	if records, ok := recordsOf(o); ok {
		for i, r := range records {
			some, err := Unpack(r.Body)
			if err != nil {
				return nil, fmt.Errorf("message %d: %w", i+1, err)
			}
			events = append(events, some...)
		}
		return events, nil
	}
	list, _ := o["Records"].([]any)
	if answered, ok := o["Events"].([]any); ok {
		list = answered
	}
	if o["eventName"] != nil {
		list = []any{map[string]any(o)}
	}
	if len(list) == 0 {
		return nil, errors.New("this is not an event; " + forms)
	}
	for i, e := range list {
		inner, _ := e.(map[string]any)
		record := object(inner)
		if text := record.text("CloudTrailEvent"); text != "" { // from lookup-events
			record = parse([]byte(text))
		}
		if record.text("eventName") == "" {
			return nil, fmt.Errorf("entry %d is not a CloudTrail record; %s", i+1, forms)
		}
		events = append(events, encode(map[string]any{"source": fromCognito, "detail-type": apiCall,
			"account": record["recipientAccountId"], "region": record["awsRegion"], "detail": record}))
	}
	return events, nil
}

// The messages in our own queues.
const (
	Source        = "poolkeeper"
	ReconcilePool = "Reconcile User Pool" // requests one pool; its detail is a Member
	ScanPools     = "Scan"                // requests all pools; its detail is empty, or a Scan to continue
	sweepPools    = "Sweep"               // the older name of ScanPools, which is still accepted
)

// A Scan reconciles every pool. The zero value starts a new scan.
type Scan struct {
	Started   time.Time `json:"started"`
	Token     string    `json:"token,omitempty"`     // token of the next page; "" is the first page
	Pages     int       `json:"pages,omitempty"`     // pages listed so far
	Scheduled bool      `json:"scheduled,omitempty"` // whether the schedule started it
}

// A Member is one pool of a scan, or some app clients of one pool.
type Member struct {
	UserPoolID string    `json:"userPoolId"`
	Clients    []string  `json:"clients,omitempty"`   // at most MaxClients ids; nil means the whole pool
	Scan       time.Time `json:"scan,omitzero"`       // when the scan that sent it started
	Scheduled  bool      `json:"scheduled,omitempty"` // whether the schedule started that scan
}

// MaxClients is the largest number of app clients in one message.
const MaxClients = 100

// Message returns the message that requests the run of a pool, or a scan. It is an event in EventBridge's envelope.
func Message(detailType string, detail any) string {
	return string(encode(map[string]any{"source": Source, "detail-type": detailType, "detail": detail}))
}

func encode(v any) []byte {
	raw, _ := json.Marshal(v) // parsed JSON and our own texts, numbers and times can always be encoded
	return raw
}

// scanOf decodes the progress of a scan. An invalid detail starts a new scan, which is always safe.
func scanOf(detail object) Scan {
	scan := Scan{Scheduled: detail["scheduled"] == true || detail["reason"] == "schedule"}
	token, started := detail.text("token"), instant(detail.text("started"))
	if token == "" || started.IsZero() {
		return scan
	}
	scan.Token, scan.Started = token, started
	number, _ := detail["pages"].(json.Number)
	pages, _ := number.Int64()
	scan.Pages = int(max(0, min(pages, 1e6)))
	return scan
}

// clientsOf decodes the app clients of a message. An invalid list means the whole pool.
func clientsOf(detail object) []string {
	list, _ := detail["clients"].([]any)
	if len(list) > MaxClients {
		return nil
	}
	var clients []string
	for _, e := range list {
		id, _ := e.(string)
		if !baseline.IsClientID(id) {
			return nil
		}
		clients = append(clients, id)
	}
	return clients
}

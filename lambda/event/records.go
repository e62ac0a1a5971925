package event

import (
	"errors"
	"fmt"
	"strconv"
)

// A Record is a message of an SQS queue.
type Record struct {
	MessageID     string
	ReceiptHandle string
	Receives      int    // how often it was received, this time included; at least 1
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
	`({"Records": [...]}) and the output of aws cloudtrail lookup-events`

// Unpack returns the events in a file: an event of EventBridge, an SQS event, a record of CloudTrail, a log file of
// CloudTrail ({"Records": [...]}), or the output of aws cloudtrail lookup-events. The error names these forms.
func Unpack(payload []byte) ([][]byte, error) {
	o := parse(payload)
	if o == nil {
		return nil, errors.New("this is not a JSON object; " + forms)
	}
	if o["detail-type"] != nil || o["source"] != nil {
		return [][]byte{payload}, nil
	}
	var events [][]byte
	if records, ok := recordsOf(o); ok {
		for _, r := range records {
			events = append(events, r.Body)
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
		if text := record.text("CloudTrailEvent"); text != "" { // of lookup-events
			record = parse([]byte(text))
		}
		if record["eventName"] == nil {
			return nil, fmt.Errorf("entry %d is not a CloudTrail record; %s", i+1, forms)
		}
		events = append(events, encode(map[string]any{"source": fromCognito, "detail-type": apiCall,
			"account": record["recipientAccountId"], "region": record["awsRegion"], "detail": record}))
	}
	return events, nil
}

package event

import (
	"encoding/json"
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
func Records(payload []byte) ([]Record, bool) {
	messages, ok := messagesOf(parse(payload))
	if !ok {
		return nil, false
	}
	records := make([]Record, len(messages))
	for i, m := range messages {
		receives, err := strconv.Atoi(m.object("attributes").text("ApproximateReceiveCount"))
		if err != nil || receives < 1 {
			receives = 1
		}
		records[i] = Record{MessageID: m.text("messageId"), ReceiptHandle: m.text("receiptHandle"),
			Receives: receives, Queue: m.text("eventSourceARN"), Body: []byte(m.text("body"))}
	}
	return records, true
}

// messagesOf returns the messages of an SQS event, and false for any other object.
func messagesOf(envelope object) ([]object, bool) {
	list, _ := envelope["Records"].([]any)
	messages := make([]object, len(list))
	for i, e := range list {
		m, ok := e.(map[string]any)
		if !ok || m["eventSource"] != "aws:sqs" {
			return nil, false
		}
		messages[i] = m
	}
	return messages, len(messages) > 0
}

// Unpack returns the events in a file: an event of EventBridge, an SQS event, a record of CloudTrail, a log file of
// CloudTrail ({"Records": [...]}), or the output of aws cloudtrail lookup-events. The error names these forms.
func Unpack(payload []byte) ([][]byte, error) {
	o := parse(payload)
	if o == nil {
		return nil, errors.New("this is not a JSON object; " + forms)
	}
	if records, ok := Records(payload); ok {
		events := make([][]byte, len(records))
		for i, r := range records {
			events[i] = r.Body
		}
		return events, nil
	}
	if o["detail-type"] != nil || o["source"] != nil {
		return [][]byte{payload}, nil
	}
	if o["eventName"] != nil {
		return [][]byte{enveloped(o)}, nil
	}
	for _, name := range []string{"Records", "Events"} {
		if list, ok := o[name].([]any); ok && len(list) > 0 {
			return unpackAll(list)
		}
	}
	return nil, errors.New("this is not an event; " + forms)
}

const forms = `poolkeeper reads an event of EventBridge, an SQS event, a CloudTrail record, a CloudTrail log file ` +
	`({"Records": [...]}) and the output of aws cloudtrail lookup-events`

func unpackAll(list []any) ([][]byte, error) {
	events := make([][]byte, len(list))
	for i, e := range list {
		inner, _ := e.(map[string]any)
		record := object(inner)
		if text := record.text("CloudTrailEvent"); text != "" { // of lookup-events
			record = parse([]byte(text))
		}
		if record["eventName"] == nil {
			return nil, fmt.Errorf("entry %d is not a CloudTrail record; %s", i+1, forms)
		}
		events[i] = enveloped(record)
	}
	return events, nil
}

// enveloped puts a CloudTrail record into the envelope that EventBridge gives it.
func enveloped(record object) []byte {
	raw, err := json.Marshal(map[string]any{"source": fromCognito, "detail-type": apiCall,
		"account": record["recipientAccountId"], "region": record["awsRegion"], "detail": record})
	if err != nil {
		panic(err) // what was parsed always encodes
	}
	return raw
}

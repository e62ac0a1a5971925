package ledger

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"poolkeeper/lambda/outcome"
)

// The attributes of a record.
const (
	light  = "record" // the light record as JSON, compressed if it is long
	before = "before" // the state before the first write, as compressed JSON
	bodies = "sent"   // the bodies of the writes, as a compressed JSON list
)

const (
	// mostItem is below DynamoDB's limit of 400 kB, because attribute names count too.
	mostItem = 390 << 10
	// mostText is the longest JSON that is stored uncompressed. A light record with many clients can exceed an item.
	mostText = 64 << 10
	// mostState limits the decompressed size.
	mostState = 64 << 20
)

// Put implements reconcile.Ledger with one write. If the item would be too large for DynamoDB, Put leaves out the
// bodies of the writes, and then the state before, but never the light record.
func (t Table) Put(ctx context.Context, r outcome.Record) error {
	ctx, stop := t.within(ctx)
	defer stop()
	item, err := encodeRecord(r)
	if err == nil {
		_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(t.Name), Item: item})
	}
	if err != nil {
		return fmt.Errorf("writing record %s to table %s: %w", r.ID, t.Name, err)
	}
	return nil
}

// Record implements reconcile.Ledger.
func (t Table) Record(ctx context.Context, id string) (outcome.Record, error) {
	ctx, stop := t.within(ctx)
	defer stop()
	at, err := recordKey(id)
	if err != nil {
		return outcome.Record{}, err
	}
	out, err := t.Client.GetItem(ctx,
		&dynamodb.GetItemInput{TableName: aws.String(t.Name), Key: at, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return outcome.Record{}, fmt.Errorf("reading record %s from table %s: %w", id, t.Name, err)
	}
	if len(out.Item) == 0 {
		return outcome.Record{}, fmt.Errorf("%s: %w in table %s", id, outcome.ErrNoRecord, t.Name)
	}
	return decodeRecord(out.Item)
}

func recordKey(id string) (attributes, error) {
	pool, _, ok := outcome.SplitRecordID(id)
	if !ok {
		return nil, fmt.Errorf("%q is not the id of a record (eu-west-1_AbCdEf123.20261001T091540.000000Z-0123abcd)", id)
	}
	return key(pool, recordItems+strings.TrimPrefix(id, pool+".")), nil
}

func encodeRecord(r outcome.Record) (attributes, error) {
	item, err := recordKey(r.ID)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(r)
	item[expires], item[light] = number(r.Began.Add(recordLife).Unix()), text(string(raw))
	if err == nil && len(raw) > mostText {
		raw, err = pack(json.RawMessage(raw))
		item[light] = &types.AttributeValueMemberB{Value: raw}
	}
	if err != nil {
		return nil, err
	}
	sent := make([][]byte, len(r.Sent))
	for i, s := range r.Sent {
		sent[i] = s.Body
	}
	room := mostItem - len(raw)
	for _, part := range []struct {
		name  string
		value any
	}{{before, r.Before}, {bodies, sent}} {
		packed, err := pack(part.value)
		if err != nil {
			return nil, err
		}
		if len(packed) <= room {
			room -= len(packed)
			item[part.name] = &types.AttributeValueMemberB{Value: packed}
		}
	}
	return item, nil
}

// decodeRecord decodes an item. The error names the record and is outcome.ErrUnreadable.
func decodeRecord(item attributes) (outcome.Record, error) {
	var r outcome.Record
	var sent [][]byte
	err := errors.Join(decode(item[light], &r), decode(item[before], &r.Before), decode(item[bodies], &sent))
	if err == nil && r.ID == "" {
		err = errors.New("it has no id")
	}
	if err != nil {
		id := strings.TrimPrefix(textOf(item[partition]), textOf(partitionOf(""))) + "." +
			strings.TrimPrefix(textOf(item[sorting]), recordItems)
		return outcome.Record{}, fmt.Errorf("record %s: %w: %w", id, outcome.ErrUnreadable, err)
	}
	for i := range min(len(sent), len(r.Sent)) {
		r.Sent[i].Body = sent[i]
	}
	return r, nil
}

// writers are reused, because a new one takes far more memory than the data that it compresses.
var writers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return w
}}

// pack returns the value as compressed JSON.
func pack(v any) ([]byte, error) {
	var packed bytes.Buffer
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(&packed)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	err := errors.Join(encoder.Encode(v), w.Close())
	return packed.Bytes(), err
}

// decode decodes the JSON of an attribute, compressed or as text, if there is one. Numbers become json.Number.
func decode(v types.AttributeValue, into any) error {
	if v == nil {
		return nil
	}
	var raw io.Reader = strings.NewReader(textOf(v))
	if packed, ok := v.(*types.AttributeValueMemberB); ok {
		reader, err := gzip.NewReader(bytes.NewReader(packed.Value))
		if err != nil {
			return err
		}
		raw = io.LimitReader(reader, mostState)
	}
	decoder := json.NewDecoder(raw)
	decoder.UseNumber()
	return decoder.Decode(into)
}

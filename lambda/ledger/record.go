package ledger

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// The attributes of a record's item.
const (
	described = "record" // JSON, without what only a single record is read for; compressed where it is long
	before    = "before" // the state before the first write, as compressed JSON
	bodies    = "sent"   // the bodies of the writes, as a compressed list
)

const (
	// mostItem is what an item may hold of the limit of 400 kB: the names of the attributes count too.
	mostItem = 390 << 10
	// mostText is how long the JSON of a record may be before it is compressed: that of a pool with many clients can be longer than an item may be.
	mostText = 64 << 10
	// mostState bounds what is decompressed.
	mostState = 64 << 20
)

// Put implements reconcile.Ledger. What would make the item too large for DynamoDB is left out: the bodies of the writes first, then the state before.
func (t Table) Put(ctx context.Context, r reconcile.Record) error {
	ctx, stop := t.within(ctx)
	defer stop()
	values, err := valuesOf(r)
	if err == nil {
		_, err = t.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(t.Name), Item: values})
	}
	if err != nil {
		return fmt.Errorf("putting record %s into table %s: %w", r.ID, t.Name, err)
	}
	return nil
}

func valuesOf(r reconcile.Record) (map[string]types.AttributeValue, error) {
	pk, sk, err := placeOf(r.ID)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	values := item(pk, sk)
	values[described], values[expires] = text(string(raw)), seconds(r.Began.Add(recordLife))
	if len(raw) > mostText {
		if raw, err = pack(r); err != nil {
			return nil, err
		}
		values[described] = &types.AttributeValueMemberB{Value: raw}
	}
	room := mostItem - len(raw)
	for _, part := range []struct {
		name  string
		value any
		has   bool
	}{{before, r.Before, r.Before != nil}, {bodies, bodiesOf(r), len(r.Sent) > 0}} {
		if !part.has {
			continue
		}
		packed, err := pack(part.value)
		if err != nil {
			return nil, err
		}
		if len(packed) <= room {
			room -= len(packed)
			values[part.name] = &types.AttributeValueMemberB{Value: packed}
		}
	}
	return values, nil
}

func bodiesOf(r reconcile.Record) [][]byte {
	all := make([][]byte, len(r.Sent))
	for i, s := range r.Sent {
		all[i] = s.Body
	}
	return all
}

func placeOf(id string) (pk, sk string, err error) {
	pool, _, ok := reconcile.SplitRecordID(id)
	if !ok {
		return "", "", fmt.Errorf("%q is no id of a record (eu-west-1_AbCdEf123.20261001T091540.000000Z)", id)
	}
	return string(reconcile.PoolKey) + "#" + pool, recordItems + strings.TrimPrefix(id, pool+"."), nil
}

// Record implements reconcile.Ledger.
func (t Table) Record(ctx context.Context, id string) (reconcile.Record, error) {
	ctx, stop := t.within(ctx)
	defer stop()
	pk, sk, err := placeOf(id)
	if err != nil {
		return reconcile.Record{}, err
	}
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(t.Name), Key: item(pk, sk), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return reconcile.Record{}, fmt.Errorf("getting record %s from table %s: %w", id, t.Name, err)
	}
	if len(out.Item) == 0 {
		return reconcile.Record{}, fmt.Errorf("%s: %w in table %s", id, reconcile.ErrNoRecord, t.Name)
	}
	r, err := recordOf(out.Item)
	if err != nil {
		return r, fmt.Errorf("reading record %s: %w", id, err)
	}
	return r, nil
}

// recordOf reads an item. The error is reconcile.ErrUnreadable.
func recordOf(values map[string]types.AttributeValue) (reconcile.Record, error) {
	r, err := readRecord(values)
	if err != nil {
		err = fmt.Errorf("%w: %w", reconcile.ErrUnreadable, err)
	}
	return r, err
}

func readRecord(values map[string]types.AttributeValue) (reconcile.Record, error) {
	var r reconcile.Record
	read := func() error { return decode([]byte(textOf(values[described])), &r) }
	if packed, ok := values[described].(*types.AttributeValueMemberB); ok {
		read = func() error { return unpack(packed.Value, &r) }
	}
	if err := read(); err != nil {
		return r, err
	}
	if packed, ok := values[before].(*types.AttributeValueMemberB); ok {
		r.Before = &userpool.Backup{}
		if err := unpack(packed.Value, r.Before); err != nil {
			return r, err
		}
	}
	if packed, ok := values[bodies].(*types.AttributeValueMemberB); ok {
		var all [][]byte
		if err := unpack(packed.Value, &all); err != nil {
			return r, err
		}
		for i := range min(len(all), len(r.Sent)) {
			r.Sent[i].Body = all[i]
		}
	}
	return r, nil
}

// Records implements reconcile.Ledger.
func (t Table) Records(ctx context.Context, pool string, from time.Time) ([]reconcile.Record, error) {
	ctx, stop := t.within(ctx)
	defer stop()
	first := strings.TrimPrefix(reconcile.NewRecordID("", from), ".")
	in := &dynamodb.QueryInput{
		TableName: aws.String(t.Name), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :pk AND #sk BETWEEN :first AND :last"),
		ProjectionExpression:      aws.String("#record"),
		ExpressionAttributeNames:  map[string]string{"#pk": partition, "#sk": sorting, "#record": described},
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text(string(reconcile.PoolKey) + "#" + pool), ":first": text(recordItems + first), ":last": text(afterThem)},
	}
	var records []reconcile.Record
	var unreadable error
	for {
		out, err := t.Client.Query(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("asking table %s for the records of %s: %w", t.Name, pool, err)
		}
		for _, values := range out.Items {
			r, err := recordOf(values)
			if err != nil {
				unreadable = fmt.Errorf("reading a record of %s: %w", pool, err)
				continue
			}
			records = append(records, r)
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return records, unreadable
		}
	}
}

// All yields every record of the table, in no order, as Records does. An error ends it, unless it is ErrUnreadable of one record.
func (t Table) All(ctx context.Context) iter.Seq2[reconcile.Record, error] {
	return func(yield func(reconcile.Record, error) bool) {
		in := &dynamodb.ScanInput{
			TableName: aws.String(t.Name), FilterExpression: aws.String("begins_with(#sk, :records)"), ProjectionExpression: aws.String("#record"),
			ExpressionAttributeNames:  map[string]string{"#sk": sorting, "#record": described},
			ExpressionAttributeValues: map[string]types.AttributeValue{":records": text(recordItems)},
		}
		for {
			out, err := t.Client.Scan(ctx, in)
			if err != nil {
				yield(reconcile.Record{}, fmt.Errorf("reading table %s: %w", t.Name, err))
				return
			}
			for _, values := range out.Items {
				r, err := recordOf(values)
				if err != nil {
					err = fmt.Errorf("reading a record of table %s: %w", t.Name, err)
				}
				if !yield(r, err) {
					return
				}
			}
			if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
				return
			}
		}
	}
}

// pack returns the value as compressed JSON.
func pack(v any) ([]byte, error) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	err := errors.Join(encoder.Encode(v), writer.Close())
	return packed.Bytes(), err
}

func unpack(packed []byte, into any) error {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(reader, mostState))
	if err != nil {
		return err
	}
	return decode(raw, into)
}

// decode reads JSON and leaves numbers the text that they are.
func decode(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return decoder.Decode(into)
}

package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"poolkeeper/lambda/outcome"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// History implements reconcile.Ledger with one query. Records that cannot be decoded are left out and named in the
// error, which is outcome.ErrUnreadable. With any other error, the history is empty.
func (t Table) History(ctx context.Context, pool string, since time.Time, consistent bool) (outcome.History, error) {
	ctx, stop := t.within(ctx)
	defer stop()
	first := recordItems + strings.TrimPrefix(outcome.NewRecordID("", since, ""), ".")
	in := &dynamodb.QueryInput{
		TableName: aws.String(t.Name), ConsistentRead: aws.Bool(consistent),
		KeyConditionExpression: aws.String("#pk = :pk AND #sk >= :first"),
		ProjectionExpression:   aws.String("#pk, #sk, #record, #notes"),
		ExpressionAttributeNames: map[string]string{
			"#pk": partition, "#sk": sorting, "#record": light, "#notes": notesMap,
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": partitionOf(pool), ":first": text(first)},
	}
	h := outcome.History{Notes: map[string]time.Time{}}
	var unreadable []error
	for {
		out, err := t.Client.Query(ctx, in)
		if err == nil && out.Items == nil {
			err = errUnclear
		}
		if err != nil {
			return outcome.History{}, fmt.Errorf("reading the records of %s in table %s: %w", pool, t.Name, err)
		}
		for _, item := range out.Items {
			if !strings.HasPrefix(textOf(item[sorting]), recordItems) {
				addNotes(h.Notes, item)
			} else if r, err := decodeRecord(item); err != nil {
				unreadable = append(unreadable, err)
			} else {
				h.Records = append(h.Records, r)
			}
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return h, errors.Join(unreadable...)
		}
	}
}

// All yields the light records of all pools, unordered. For a record that cannot be decoded it yields
// outcome.ErrUnreadable. Any other error ends the sequence.
func (t Table) All(ctx context.Context) iter.Seq2[outcome.Record, error] {
	return func(yield func(outcome.Record, error) bool) {
		in := &dynamodb.ScanInput{
			TableName: aws.String(t.Name), FilterExpression: aws.String("begins_with(#sk, :records)"),
			ProjectionExpression:      aws.String("#pk, #sk, #record"),
			ExpressionAttributeNames:  map[string]string{"#pk": partition, "#sk": sorting, "#record": light},
			ExpressionAttributeValues: map[string]types.AttributeValue{":records": text(recordItems)},
		}
		for {
			out, err := t.scan(ctx, in)
			if err != nil {
				yield(outcome.Record{}, fmt.Errorf("reading table %s: %w", t.Name, err))
				return
			}
			for _, item := range out.Items {
				if !yield(decodeRecord(item)) {
					return
				}
			}
			if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
				return
			}
		}
	}
}

func (t Table) scan(ctx context.Context, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	ctx, stop := t.within(ctx)
	defer stop()
	out, err := t.Client.Scan(ctx, in)
	if err == nil && out.Items == nil {
		err = errUnclear
	}
	return out, err
}

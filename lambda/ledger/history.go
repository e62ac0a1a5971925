package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
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
	for pages := dynamodb.NewQueryPaginator(t.Client, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
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
	}
	return h, errors.Join(unreadable...)
}

// All yields the light records of all pools, unordered. For a record that cannot be decoded it yields
// outcome.ErrUnreadable. Any other error ends the sequence.
func (t Table) All(ctx context.Context) iter.Seq2[outcome.Record, error] {
	return func(yield func(outcome.Record, error) bool) {
		pages := dynamodb.NewScanPaginator(t.Client, &dynamodb.ScanInput{
			TableName: aws.String(t.Name), FilterExpression: aws.String("begins_with(#sk, :records)"),
			ProjectionExpression:      aws.String("#pk, #sk, #record"),
			ExpressionAttributeNames:  map[string]string{"#pk": partition, "#sk": sorting, "#record": light},
			ExpressionAttributeValues: map[string]types.AttributeValue{":records": text(recordItems)},
		})
		for pages.HasMorePages() {
			within, stop := t.within(ctx)
			out, err := pages.NextPage(within)
			stop()
			if err == nil && out.Items == nil {
				err = errUnclear
			}
			if err != nil {
				yield(outcome.Record{}, fmt.Errorf("reading table %s: %w", t.Name, err))
				return
			}
			for _, item := range out.Items {
				if !yield(decodeRecord(item)) {
					return
				}
			}
		}
	}
}

// notesMap is the attribute for the notes: a map from names to expiry times in milliseconds since 1970.
const notesMap = "notes"

// Note implements reconcile.Ledger with one item. DynamoDB deletes it after its last name expires.
func (t Table) Note(ctx context.Context, pool string, notes map[string]time.Time) error {
	if len(notes) == 0 {
		return nil
	}
	ctx, stop := t.within(ctx)
	defer stop()
	last, values := time.Time{}, map[string]types.AttributeValue{}
	for name, until := range notes {
		values[name] = millis(until)
		if until.After(last) {
			last = until
		}
	}
	item := key(pool, notesItems+fmt.Sprintf("%016x", rand.Uint64()))
	item[notesMap], item[expires] = &types.AttributeValueMemberM{Value: values}, seconds(last)
	if _, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(t.Name), Item: item}); err != nil {
		return fmt.Errorf("storing notes of %s in table %s: %w", pool, t.Name, err)
	}
	return nil
}

// addNotes adds the notes of an item that have not expired. It ignores invalid times.
func addNotes(notes map[string]time.Time, item map[string]types.AttributeValue) {
	m, _ := item[notesMap].(*types.AttributeValueMemberM)
	if m == nil {
		return
	}
	now := time.Now()
	for name, value := range m.Value {
		n, _ := value.(*types.AttributeValueMemberN)
		if n == nil {
			continue
		}
		ms, err := strconv.ParseInt(n.Value, 10, 64)
		if until := time.UnixMilli(ms).UTC(); err == nil && until.After(now) && until.After(notes[name]) {
			notes[name] = until
		}
	}
}

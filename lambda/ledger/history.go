package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"poolkeeper/lambda/outcome"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type attributes = map[string]types.AttributeValue

// History implements reconcile.Ledger with one query. Records that cannot be decoded are left out and named in the
// error, which is outcome.ErrUnreadable. With any other error, the history is empty.
func (t Table) History(ctx context.Context, pool string, since time.Time, consistent bool) (outcome.History, error) {
	pages := dynamodb.NewQueryPaginator(t.Client, &dynamodb.QueryInput{
		TableName: aws.String(t.Name), ConsistentRead: aws.Bool(consistent),
		KeyConditionExpression:    aws.String("#pk = :pk AND #sk >= :first"),
		ProjectionExpression:      aws.String("#pk, #sk, #record, #notes"),
		ExpressionAttributeNames:  map[string]string{"#pk": partition, "#sk": sorting, "#record": light, "#notes": notesMap},
		ExpressionAttributeValues: attributes{":pk": partitionOf(pool), ":first": firstSince(since)},
	})
	items := func(page *dynamodb.QueryOutput) []attributes { return page.Items }
	return read(ctx, t, "the records of "+pool+" in ", pages, items)
}

// All returns the light records of all pools that began at since or later, unordered. Its errors are like History's.
func (t Table) All(ctx context.Context, since time.Time) (outcome.History, error) {
	pages := dynamodb.NewScanPaginator(t.Client, &dynamodb.ScanInput{
		TableName: aws.String(t.Name), FilterExpression: aws.String("#sk BETWEEN :first AND :last"),
		ProjectionExpression:      aws.String("#pk, #sk, #record"),
		ExpressionAttributeNames:  map[string]string{"#pk": partition, "#sk": sorting, "#record": light},
		ExpressionAttributeValues: attributes{":first": firstSince(since), ":last": text(recordItems + "~")},
	})
	return read(ctx, t, "", pages, func(page *dynamodb.ScanOutput) []attributes { return page.Items })
}

// firstSince is the smallest sort key of a record that began at the time or later.
func firstSince(t time.Time) types.AttributeValue {
	return text(recordItems + strings.TrimPrefix(outcome.NewRecordID("", t, ""), "."))
}

// A paginator is that of the SDK for a query or a scan.
type paginator[Page any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...func(*dynamodb.Options)) (Page, error)
}

func read[Page any](ctx context.Context, t Table, what string, pages paginator[Page],
	itemsOf func(Page) []attributes) (outcome.History, error) {
	h, unreadable := outcome.History{Notes: map[string]time.Time{}}, error(nil)
	for pages.HasMorePages() {
		within, stop := t.within(ctx)
		page, err := pages.NextPage(within)
		stop()
		if err == nil && itemsOf(page) == nil {
			err = errUnclear
		}
		if err != nil {
			return outcome.History{}, fmt.Errorf("reading %stable %s: %w", what, t.Name, err)
		}
		for _, item := range itemsOf(page) {
			if !strings.HasPrefix(textOf(item[sorting]), recordItems) {
				addNotes(h.Notes, item)
			} else if r, err := decodeRecord(item); err != nil {
				unreadable = errors.Join(unreadable, err)
			} else {
				h.Records = append(h.Records, r)
			}
		}
	}
	return h, unreadable
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
	last, values := int64(0), attributes{}
	for name, until := range notes {
		values[name], last = number(until.UnixMilli()), max(last, until.Unix())
	}
	item := key(pool, notesItems+fmt.Sprintf("%016x", rand.Uint64()))
	item[notesMap], item[expires] = &types.AttributeValueMemberM{Value: values}, number(last)
	if _, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(t.Name), Item: item}); err != nil {
		return fmt.Errorf("storing notes of %s in table %s: %w", pool, t.Name, err)
	}
	return nil
}

// addNotes adds the notes of an item that have not expired. It ignores invalid times.
func addNotes(notes map[string]time.Time, item attributes) {
	m, ok := item[notesMap].(*types.AttributeValueMemberM)
	if !ok {
		return
	}
	now := time.Now()
	for name, value := range m.Value {
		if n, ok := value.(*types.AttributeValueMemberN); ok {
			ms, err := strconv.ParseInt(n.Value, 10, 64)
			if until := time.UnixMilli(ms).UTC(); err == nil && until.After(now) && until.After(notes[name]) {
				notes[name] = until
			}
		}
	}
}

package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"poolkeeper/lambda/reconcile"
)

// The SDK's package of DynamoDB is held at v1.68.0, the newest before one that makes its schemas at the start of every program that links it.

// API is what a Table needs of the SDK's client.
type API interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// A Table is a ledger in a DynamoDB table with the keys pk and sk, both texts, in which items end at the time in their attribute "expires". It is safe for concurrent use, by several processes too.
type Table struct {
	Client API
	Name   string
	// Patience bounds a call, its retries included. Where it is 0 it is 3 s: whoever waits for the ledger does not put a pool right.
	Patience time.Duration
}

const patience = 3 * time.Second

func (t Table) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(t.Patience, patience))
}

// The attributes of an item.
const (
	partition = "pk"
	sorting   = "sk"
	expires   = "expires" // seconds since 1970
	holder    = "holder"
	heldUntil = "until" // milliseconds since 1970
	noted     = "note"
)

const (
	holdItem    = "hold"
	recordItems = "record#"
	afterThem   = "record$" // the next text after all that begin with recordItems
)

const (
	// eventLife is longer than any event is delivered again, poolLife longer than any pool is not heard of, for the sweep comes by. recordLife is that of the evidence.
	eventLife  = 3 * 24 * time.Hour
	poolLife   = 90 * 24 * time.Hour
	recordLife = 400 * 24 * time.Hour
)

// Take implements reconcile.Ledger with one conditional write.
func (t Table) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) (note []byte, taken bool, err error) {
	ctx, stop := t.within(ctx)
	defer stop()
	out, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: keyOf(key), ReturnValues: types.ReturnValueAllNew, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		UpdateExpression:          aws.String("SET #holder = :owner, #until = :until, #expires = :expires"),
		ConditionExpression:       aws.String("attribute_not_exists(#holder) OR #holder = :owner OR #until < :now"),
		ExpressionAttributeNames:  map[string]string{"#holder": holder, "#until": heldUntil, "#expires": expires},
		ExpressionAttributeValues: map[string]types.AttributeValue{":owner": text(owner), ":until": millis(until), ":now": millis(now), ":expires": lifeOf(key, until)},
	})
	var held *types.ConditionalCheckFailedException
	if errors.As(err, &held) {
		return []byte(textOf(held.Item[noted])), false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("taking %s %s in table %s: %w", key.Kind, key.ID, t.Name, err)
	}
	if textOf(out.Attributes[holder]) != owner { // nor is there a note then, in place of which an empty one would be kept
		return nil, false, fmt.Errorf("taking %s %s in table %s: the answer does not say who has it", key.Kind, key.ID, t.Name)
	}
	return []byte(textOf(out.Attributes[noted])), true, nil
}

// Keep implements reconcile.Ledger with one conditional write.
func (t Table) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (kept bool, err error) {
	ctx, stop := t.within(ctx)
	defer stop()
	_, err = t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: keyOf(key),
		UpdateExpression:          aws.String("SET #note = :note, #until = :until"),
		ConditionExpression:       aws.String("#holder = :owner"),
		ExpressionAttributeNames:  map[string]string{"#holder": holder, "#until": heldUntil, "#note": noted},
		ExpressionAttributeValues: map[string]types.AttributeValue{":owner": text(owner), ":until": millis(until), ":note": text(string(note))},
	})
	if refused(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("keeping %s %s in table %s: %w", key.Kind, key.ID, t.Name, err)
	}
	return true, nil
}

// refused says whether a condition did not hold.
func refused(err error) bool {
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed)
}

func keyOf(key reconcile.Key) map[string]types.AttributeValue {
	return item(string(key.Kind)+"#"+key.ID, holdItem)
}

func item(pk, sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{partition: text(pk), sorting: text(sk)}
}

func lifeOf(key reconcile.Key, from time.Time) types.AttributeValue {
	life := poolLife
	if key.Kind == reconcile.EventKey {
		life = eventLife
	}
	return seconds(from.Add(life))
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func seconds(t time.Time) types.AttributeValue { return number(t.Unix()) }

// millis returns the time in milliseconds; the zero time is 0, before every other.
func millis(t time.Time) types.AttributeValue {
	if t.IsZero() {
		return number(0)
	}
	return number(t.UnixMilli())
}

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

// API is the part of the SDK's client that a Table needs.
type API interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// A Table is a ledger in a DynamoDB table with the string keys pk and sk and the TTL attribute "expires". It is safe
// for concurrent use, also by several processes. Its times have a resolution of a millisecond.
type Table struct {
	Client API
	Name   string
	// Patience is the timeout of a ledger call including its retries. 0 means 3 s: a slow ledger must not stop a
	// remediation.
	Patience time.Duration
}

var _ reconcile.Ledger = Table{}

const patience = 3 * time.Second

func (t Table) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(t.Patience, patience))
}

// The attributes of all items and of a lease.
const (
	partition  = "pk"
	sorting    = "sk"
	expires    = "expires" // seconds since 1970
	leaseOwner = "owner"
	leaseUntil = "until" // milliseconds since 1970
)

// The sort keys of a pool's items. Their order matters: one query that starts at a record returns the later records and
// the notes, but not the lease.
const (
	leaseItem   = "lease"
	recordItems = "record#" // followed by the time in the id of the record
	notesItems  = "~note#"  // followed by a random number
)

// How long items are stored after their last use.
const (
	leaseLife  = 24 * time.Hour
	recordLife = 400 * 24 * time.Hour // records are evidence
)

// Acquire implements reconcile.Ledger with one conditional write.
func (t Table) Acquire(ctx context.Context, pool, owner string, now, until time.Time) (bool, error) {
	ctx, stop := t.within(ctx)
	defer stop()
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: key(pool, leaseItem), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:         aws.String("SET #owner = :owner, #until = :until, #expires = :expires"),
		ConditionExpression:      aws.String("attribute_not_exists(#owner) OR #owner = :owner OR #until <= :now"),
		ExpressionAttributeNames: map[string]string{"#owner": leaseOwner, "#until": leaseUntil, "#expires": expires},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":owner": text(owner), ":until": millis(until), ":now": millis(now), ":expires": seconds(until.Add(leaseLife)),
		},
	}
	doing, has := "acquiring", owner
	if until.IsZero() {
		doing, has = "releasing", ""
		in.UpdateExpression = aws.String("SET #expires = :expires REMOVE #owner, #until")
		in.ConditionExpression = aws.String("attribute_not_exists(#owner) OR #owner = :owner")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{
			":owner": text(owner), ":expires": seconds(now.Add(leaseLife)),
		}
	}
	out, err := t.Client.UpdateItem(ctx, in)
	if refused(err) {
		return false, nil
	}
	if err == nil && (textOf(out.Attributes[sorting]) != leaseItem || textOf(out.Attributes[leaseOwner]) != has) {
		err = errUnclear
	}
	if err != nil {
		return false, fmt.Errorf("%s the lease of %s in table %s: %w", doing, pool, t.Name, err)
	}
	return true, nil
}

// errUnclear means that a response without an error does not have the result of the call.
var errUnclear = errors.New("the response of DynamoDB lacks the result of the call")

// refused reports whether the condition of a write was not met.
func refused(err error) bool {
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed)
}

func partitionOf(pool string) types.AttributeValue { return text("pool#" + pool) }

func key(pool, sk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{partition: partitionOf(pool), sorting: text(sk)}
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

func millis(t time.Time) types.AttributeValue { return number(t.UnixMilli()) }

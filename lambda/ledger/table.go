// Package ledger stores leases, write-ahead records and notes of user pools: in a DynamoDB table, or in memory for the
// demo, tests and the command line. Package reconcile defines their meaning.
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

// A Table is a ledger in a DynamoDB table with the string keys pk and sk and the TTL attribute "expires". It is safe
// for concurrent use, also by several processes. Its times have a resolution of a millisecond.
type Table struct {
	Client *dynamodb.Client
	Name   string
	// Patience is the timeout of a call with its retries. 0 means 3 s: a slow ledger must not stop a remediation.
	Patience time.Duration
}

var _ reconcile.Ledger = Table{}

func (t Table) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(t.Patience, 3*time.Second))
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
		ExpressionAttributeValues: attributes{":owner": text(owner), ":until": number(until.UnixMilli()),
			":now": number(now.UnixMilli()), ":expires": number(until.Add(leaseLife).Unix())},
	}
	doing, has := "acquiring", owner
	if until.IsZero() {
		doing, has = "releasing", ""
		in.UpdateExpression = aws.String("SET #expires = :expires REMOVE #owner, #until")
		in.ConditionExpression = aws.String("attribute_not_exists(#owner) OR #owner = :owner")
		in.ExpressionAttributeValues = attributes{":owner": text(owner), ":expires": number(now.Add(leaseLife).Unix())}
	}
	out, err := t.Client.UpdateItem(ctx, in)
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
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

func partitionOf(pool string) types.AttributeValue { return text("pool#" + pool) }

func key(pool, sk string) attributes {
	return attributes{partition: partitionOf(pool), sorting: text(sk)}
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

package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"poolkeeper/lambda/reconcile"
)

// next is the attribute of a lane's item: when the next turn begins, in microseconds since 1970.
const next = "next"

// Reserve implements reconcile.Ledger: one conditional write where nobody waits, two where others do.
func (t Table) Reserve(ctx context.Context, lane string, now time.Time, takes time.Duration, last time.Time) (turn time.Time, taken bool, err error) {
	if now.After(last) {
		return time.Time{}, false, nil
	}
	ctx, stop := t.within(ctx)
	defer stop()
	for {
		// At once, if the lane is empty, as it mostly is; or else behind the others, unless the last of them is too far away.
		turn, taken, err = t.reserve(ctx, lane, ":now + :takes", "attribute_not_exists(#next) OR #next < :now OR #next > :never", now, takes, last)
		if err == nil && !taken {
			turn, taken, err = t.reserve(ctx, lane, "#next + :takes", "#next BETWEEN :now AND :last", now, takes, last)
		}
		if err != nil || taken {
			return turn, taken, err
		}
		// Neither: the lane is full, or somebody came first in between.
		full, err := t.full(ctx, lane, last)
		if err != nil || full {
			return time.Time{}, false, err
		}
	}
}

func (t Table) reserve(ctx context.Context, lane, to, condition string, now time.Time, takes time.Duration, last time.Time) (turn time.Time, taken bool, err error) {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: item("lane#"+lane, holdItem), ReturnValues: types.ReturnValueUpdatedNew,
		UpdateExpression:          aws.String("SET #next = " + to + ", #expires = :expires"),
		ConditionExpression:       aws.String(condition),
		ExpressionAttributeNames:  map[string]string{"#next": next, "#expires": expires},
		ExpressionAttributeValues: map[string]types.AttributeValue{":now": number(now.UnixMicro()), ":takes": number(takes.Microseconds()), ":expires": seconds(now.Add(poolLife))},
	}
	if to == "#next + :takes" {
		in.ExpressionAttributeValues[":last"] = number(last.UnixMicro())
	} else {
		in.ExpressionAttributeValues[":never"] = number(last.Add(reconcile.Implausible).UnixMicro())
	}
	out, err := t.Client.UpdateItem(ctx, in)
	switch {
	case refused(err):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, fmt.Errorf("taking a turn in lane %s of table %s: %w", lane, t.Name, err)
	}
	after, err := nextOf(out.Attributes)
	return after.Add(-takes), err == nil, err
}

// full says whether the next turn in a lane begins later than last.
func (t Table) full(ctx context.Context, lane string, last time.Time) (bool, error) {
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(t.Name), Key: item("lane#"+lane, holdItem), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return false, fmt.Errorf("looking at lane %s of table %s: %w", lane, t.Name, err)
	}
	begins, err := nextOf(out.Item)
	return begins.After(last), err
}

func nextOf(values map[string]types.AttributeValue) (time.Time, error) {
	n, ok := values[next].(*types.AttributeValueMemberN)
	if !ok {
		return time.Time{}, fmt.Errorf("an item of a lane has no %s", next)
	}
	micros, err := strconv.ParseInt(n.Value, 10, 64)
	return time.UnixMicro(micros).UTC(), err
}

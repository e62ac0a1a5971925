package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

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
		if until := timeOf(value); until.After(now) && until.After(notes[name]) {
			notes[name] = until
		}
	}
}

// timeOf converts milliseconds since 1970. It returns the zero time for an invalid value.
func timeOf(v types.AttributeValue) time.Time {
	n, _ := v.(*types.AttributeValueMemberN)
	if n == nil {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// notesMap is the attribute of the notes: names, each with its milliseconds since 1970.
const notesMap = "notes"

const (
	mostNotes = 300 // that are kept of a pool
	mostNamed = 50  // in one expression, which may have 4 kB and 300 operators
)

// Note implements reconcile.Ledger. Where it writes, it drops the names whose time is over, and the earliest of more
// than 300.
func (t Table) Note(ctx context.Context, pool string, notes map[string]time.Time) error {
	ctx, stop := t.within(ctx)
	defer stop()
	for names := range slices.Chunk(slices.Sorted(maps.Keys(notes)), mostNamed) {
		kept, err := t.addNotes(ctx, pool, some(notes, names))
		if err == nil {
			names = surplus(kept, time.Now())
			err = t.dropNotes(ctx, pool, some(kept, names[:min(len(names), mostNamed)]))
		}
		if err != nil {
			return fmt.Errorf("keeping notes of %s in table %s: %w", pool, t.Name, err)
		}
	}
	return nil
}

// addNotes returns all notes that are kept then. A name can be set only in a map that exists, so an item without one is
// written as a whole. Somebody else may do that at the same time.
func (t Table) addNotes(ctx context.Context, pool string, notes map[string]time.Time) (map[string]time.Time, error) {
	last := slices.MaxFunc(slices.Collect(maps.Values(notes)), time.Time.Compare)
	merge := t.updateNotes(pool, notes)
	_, equal := terms(notes)
	merge.UpdateExpression = aws.String("SET #expires = :expires, " + strings.Join(equal, ", "))
	merge.ConditionExpression = aws.String("attribute_exists(#notes)")
	create := t.updateNotes(pool, nil)
	create.UpdateExpression = aws.String("SET #expires = :expires, #notes = :notes")
	create.ConditionExpression = aws.String("attribute_not_exists(#notes)")
	values := make(map[string]types.AttributeValue, len(notes))
	for name, until := range notes {
		values[name] = millis(until)
	}
	create.ExpressionAttributeValues[":notes"] = &types.AttributeValueMemberM{Value: values}
	for _, in := range []*dynamodb.UpdateItemInput{merge, create, merge} {
		in.ReturnValues = types.ReturnValueAllNew
		in.ExpressionAttributeNames["#expires"] = expires
		in.ExpressionAttributeValues[":expires"] = seconds(last.Add(notesLife))
		out, err := t.Client.UpdateItem(ctx, in)
		switch {
		case refused(err):
			continue
		case err != nil:
			return nil, err
		}
		kept, ok := readNotes(out.Attributes)
		if !ok {
			return nil, errUnclear
		}
		return kept, nil
	}
	return nil, errors.New("others create and delete them all the time")
}

// dropNotes removes names, unless somebody has renewed one of them meanwhile. Then it is left to the next write.
func (t Table) dropNotes(ctx context.Context, pool string, notes map[string]time.Time) error {
	if len(notes) == 0 {
		return nil
	}
	paths, equal := terms(notes)
	in := t.updateNotes(pool, notes)
	in.UpdateExpression = aws.String("REMOVE " + strings.Join(paths, ", "))
	in.ConditionExpression = aws.String(strings.Join(equal, " AND "))
	if _, err := t.Client.UpdateItem(ctx, in); !refused(err) {
		return err
	}
	return nil
}

// updateNotes returns an update of the notes of a pool, with the names and values that the terms of notes refer to.
func (t Table) updateNotes(pool string, notes map[string]time.Time) *dynamodb.UpdateItemInput {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(t.Name), Key: key(pool, notesItem),
		ExpressionAttributeNames:  map[string]string{"#notes": notesMap},
		ExpressionAttributeValues: map[string]types.AttributeValue{},
	}
	for i, name := range slices.Sorted(maps.Keys(notes)) {
		in.ExpressionAttributeNames[fmt.Sprintf("#n%d", i)] = name
		in.ExpressionAttributeValues[fmt.Sprintf(":n%d", i)] = millis(notes[name])
	}
	return in
}

// terms returns the path of each note for an expression, and a term that compares it with its time or sets it.
func terms(notes map[string]time.Time) (paths, equal []string) {
	for i := range len(notes) {
		path := fmt.Sprintf("#notes.#n%d", i)
		paths, equal = append(paths, path), append(equal, fmt.Sprintf("%s = :n%d", path, i))
	}
	return paths, equal
}

// readNotes reads the notes of an item. A value that is no time is left out: it suppresses nothing.
func readNotes(item map[string]types.AttributeValue) (map[string]time.Time, bool) {
	m, ok := item[notesMap].(*types.AttributeValueMemberM)
	if !ok {
		return nil, false
	}
	notes := make(map[string]time.Time, len(m.Value))
	for name, value := range m.Value {
		if until, ok := timeOf(value); ok {
			notes[name] = until
		}
	}
	return notes, true
}

// surplus returns the names that are not to be kept at a time, the earliest first: those whose time is over, and what
// is too many.
func surplus(notes map[string]time.Time, now time.Time) []string {
	names := slices.SortedFunc(maps.Keys(notes), func(a, b string) int {
		return cmp.Or(notes[a].Compare(notes[b]), cmp.Compare(a, b))
	})
	n := max(0, len(names)-mostNotes)
	for n < len(names) && !now.Before(notes[names[n]]) {
		n++
	}
	return names[:n]
}

func some(notes map[string]time.Time, names []string) map[string]time.Time {
	picked := make(map[string]time.Time, len(names))
	for _, name := range names {
		picked[name] = notes[name]
	}
	return picked
}

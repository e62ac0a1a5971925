package eventbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

// The limits of one call of PutEvents.
const (
	mostEntries = 10
	mostBytes   = 256<<10 - 1
)

// A Bus is an EventBridge bus. It implements reconcile.Bus.
type Bus struct {
	Client *eventbridge.Client
	Name   string // or ARN
}

// Put puts the entries onto the bus in as few calls as its limits allow. A call that fails stops no other.
func (b Bus) Put(ctx context.Context, entries []reconcile.Entry) ([]reconcile.Entry, error) {
	var left []reconcile.Entry
	var failed error
	for len(entries) > 0 {
		n := fitting(entries)
		if n == 0 {
			left, failed = append(left, entries[0]), fmt.Errorf("the event has %d bytes, and EventBridge takes %d", size(entries[0]), mostBytes)
			entries = entries[1:]
			continue
		}
		refused, err := b.call(ctx, entries[:n])
		if err != nil {
			left, failed = append(left, refused...), err
		}
		entries = entries[n:]
	}
	if failed != nil {
		return left, fmt.Errorf("putting %d events onto the bus %s: %w", len(left), b.Name, failed)
	}
	return nil, nil
}

// fitting returns how many of the entries, from the first on, one call takes.
func fitting(entries []reconcile.Entry) int {
	bytes := 0
	for n, e := range entries {
		if bytes += size(e); n == mostEntries || bytes > mostBytes {
			return n
		}
	}
	return len(entries)
}

// size is that of an entry as EventBridge counts it.
func size(e reconcile.Entry) int { return len(event.Source) + len(e.DetailType) + len(e.Detail) }

// call makes one call, and returns the entries that were not taken.
func (b Bus) call(ctx context.Context, entries []reconcile.Entry) ([]reconcile.Entry, error) {
	in := &eventbridge.PutEventsInput{}
	for _, e := range entries {
		in.Entries = append(in.Entries, types.PutEventsRequestEntry{EventBusName: aws.String(b.Name), Source: aws.String(event.Source), DetailType: aws.String(e.DetailType), Detail: aws.String(e.Detail)})
	}
	out, err := b.Client.PutEvents(ctx, in)
	if err != nil {
		return entries, err
	}
	// Answers stand in the order of the entries. One that is missing, or says neither an id nor an error, is no taking.
	var left []reconcile.Entry
	for i, e := range entries {
		switch {
		case i >= len(out.Entries):
			left, err = append(left, e), errors.New("the bus did not answer for each of the events")
		case aws.ToString(out.Entries[i].EventId) == "":
			left, err = append(left, e), fmt.Errorf("%s: %s", aws.ToString(out.Entries[i].ErrorCode), aws.ToString(out.Entries[i].ErrorMessage))
		}
	}
	return left, err
}

package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

// shaky is a ledger in memory of which the calls that the cell says are made by a Table over the wire, and go wrong there.
type shaky struct {
	reconcile.Ledger
	arena *arena
	armed bool
	asked []string // the calls, in order
	met   int      // calls of the operation that is struck
	trace []string // what the faults did on the wire, in order
}

// ask returns the ledger to make a call of: the one in memory, or a Table whose requests truth answers.
func (s *shaky) ask(operation string, truth func(r *http.Request) reply) reconcile.Ledger {
	s.asked = append(s.asked, operation)
	c := s.arena.cell
	if !s.armed || c.place != atLedger || c.operation != operation {
		return s.Ledger
	}
	s.met++
	if s.met <= c.skip || c.times > 0 && s.met > c.skip+c.times {
		return s.Ledger
	}
	return (&wire{shaky: s, call: fmt.Sprint(operation, " ", s.met), truth: truth}).table()
}

// did names what the faults of the cell did at the ledger. Two cells in which they did the same are one.
func (s *shaky) did(c cell) string {
	return fmt.Sprintf("%s, %s, restart %+v: %s", c.incident, c.operation, c.restart, strings.Join(s.trace, "; "))
}

func (s *shaky) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	return s.ask("Take "+string(key.Kind), func(*http.Request) reply {
		note, taken, err := s.Ledger.Take(ctx, key, owner, now, until)
		item := map[string]any{"pk": inText(key.ID), "sk": inText("hold"), "holder": inText(owner), "until": inNumber(until.UnixMilli()), "expires": inNumber(until.Unix())}
		if len(note) > 0 {
			item["note"] = inText(string(note))
		}
		if !taken {
			item["holder"] = inText("somebody else")
			return known(err, refusal(conditionFailed, 0, item))
		}
		return known(err, encoded(map[string]any{"Attributes": item}))
	}).Take(ctx, key, owner, now, until)
}

func (s *shaky) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (bool, error) {
	return s.ask("Keep "+string(key.Kind), func(*http.Request) reply {
		kept, err := s.Ledger.Keep(ctx, key, owner, note, until)
		if !kept {
			return known(err, refusal(conditionFailed, 0, nil))
		}
		return known(err, encoded(map[string]any{}))
	}).Keep(ctx, key, owner, note, until)
}

// Reserve tells the requests of a Table apart: it asks for a turn at once, for one behind the others, and for how far away the next one is.
func (s *shaky) Reserve(ctx context.Context, lane string, now time.Time, takes time.Duration, last time.Time) (time.Time, bool, error) {
	return s.ask("Reserve", func(r *http.Request) reply {
		var sent struct{ UpdateExpression string }
		decode(r, &sent)
		latest := last
		switch {
		case operationOf(r) == "GetItem": // who asks has been refused twice
			return encoded(map[string]any{"Item": map[string]any{"next": inNumber(last.Add(takes).UnixMicro())}})
		case strings.Contains(sent.UpdateExpression, ":now"):
			latest = now
		}
		turn, taken, err := s.Ledger.Reserve(ctx, lane, now, takes, latest)
		if !taken {
			return known(err, refusal(conditionFailed, 0, nil))
		}
		return known(err, encoded(map[string]any{"Attributes": map[string]any{"next": inNumber(turn.Add(takes).UnixMicro()), "expires": inNumber(now.Unix())}}))
	}).Reserve(ctx, lane, now, takes, last)
}

func (s *shaky) Put(ctx context.Context, r reconcile.Record) error {
	return s.ask("Put", func(*http.Request) reply { return known(s.Ledger.Put(ctx, r), encoded(map[string]any{})) }).Put(ctx, r)
}

func (s *shaky) Records(ctx context.Context, pool string, from time.Time) ([]reconcile.Record, error) {
	return s.ask("Records", func(*http.Request) reply {
		records, err := s.Ledger.Records(ctx, pool, from)
		items := []any{}
		for _, r := range records {
			items = append(items, itemOf(r))
		}
		return known(err, encoded(map[string]any{"Items": items, "Count": len(items), "ScannedCount": len(items)}))
	}).Records(ctx, pool, from)
}

func (s *shaky) Record(ctx context.Context, id string) (reconcile.Record, error) {
	return s.ask("Record", func(*http.Request) reply {
		r, err := s.Ledger.Record(ctx, id)
		if errors.Is(err, reconcile.ErrNoRecord) {
			return encoded(map[string]any{})
		}
		return known(err, encoded(map[string]any{"Item": itemOf(r)}))
	}).Record(ctx, id)
}

// itemOf is the item of a record, as a Table puts it on the wire.
func itemOf(r reconcile.Record) map[string]any {
	var caught sieve
	if err := (ledger.Table{Client: tableClient(&caught)}).Put(context.Background(), r); err != nil {
		panic(err)
	}
	return caught.item
}

const conditionFailed = "ConditionalCheckFailedException"

// inText and inNumber are values of DynamoDB.
func inText(s string) map[string]any { return map[string]any{"S": s} }

func inNumber(n int64) map[string]any { return map[string]any{"N": strconv.FormatInt(n, 10)} }

// known is the reply of a ledger in memory, which does not fail.
func known(err error, said reply) reply {
	if err != nil {
		panic(err)
	}
	return said
}

func decode(r *http.Request, into any) {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		panic(err)
	}
}

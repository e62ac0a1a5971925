package userpool

import (
	"context"
	"maps"
	"slices"
	"time"
)

// The API takes so many of each of these calls for one pool in such a time.
const (
	turnCalls = 5
	turnTime  = 1050 * time.Millisecond
	// mostTurns is how many pools are remembered before those that are done are forgotten.
	mostTurns = 256
)

// inTurn are the calls of which a pool with many clients needs many.
var inTurn = []string{"ListUserPoolClients", "DescribeUserPoolClient", "UpdateUserPoolClient", "DescribeRiskConfiguration", "SetRiskConfiguration"}

// turn returns how long a call about a pool has to wait for those before it, and takes its place after them.
func (c *Client) turn(id, call string) time.Duration {
	if !slices.Contains(inTurn, call) {
		return 0
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	key := id + " " + call
	turns, now := c.turns[key], time.Now()
	if len(c.turns) >= mostTurns {
		maps.DeleteFunc(c.turns, func(_ string, turns []time.Time) bool { return now.Sub(turns[len(turns)-1]) > turnTime })
	}
	at := now
	if len(turns) == turnCalls {
		if free := turns[0].Add(turnTime); free.After(at) {
			at = free
		}
		turns = turns[1:]
	}
	c.turns[key] = append(slices.Clone(turns), at)
	return at.Sub(now)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

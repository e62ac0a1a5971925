package main

import (
	"context"

	"golang.org/x/time/rate"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// paced keeps the calls within the rates that the API's documentation gives for each category of calls, just below them: a throttled call would come again and
// take from what everybody else in the account has.
type paced struct {
	reconcile.Pools
	reads, writes map[string]*rate.Limiter
}

const (
	poolRate         = 14.5 // of 15 a second: DescribeUserPool and ListUserPools together, UpdateUserPool, SetUserPoolMfaConfig
	resourceReadRate = 19.5 // of 20 a second: GetUserPoolMfaConfig
)

// pace wraps pools. speed is 1, or more for a server whose clock runs so much faster.
func pace(pools reconcile.Pools, speed float64) *paced {
	limiter := func(perSecond float64) *rate.Limiter { return rate.NewLimiter(rate.Limit(perSecond*speed), 1) }
	p := &paced{Pools: pools, reads: map[string]*rate.Limiter{}, writes: map[string]*rate.Limiter{}}
	p.reads["DescribeUserPool"] = limiter(poolRate)
	p.reads["GetUserPoolMfaConfig"] = limiter(resourceReadRate)
	for _, d := range baseline.Documents() {
		p.writes[d.WriteCall] = limiter(poolRate)
	}
	return p
}

// Read waits for its turn and reads.
func (p *paced) Read(ctx context.Context, id string) (userpool.State, error) {
	for _, d := range baseline.Documents() {
		if err := p.reads[d.ReadCall].Wait(ctx); err != nil {
			return userpool.State{}, err
		}
	}
	return p.Pools.Read(ctx, id)
}

// Write waits for its turn and writes.
func (p *paced) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	if err := p.writes[request.Call].Wait(ctx); err != nil {
		return "", err
	}
	return p.Pools.Write(ctx, id, request)
}

// List waits for its turn, which it shares with DescribeUserPool, and lists.
func (p *paced) List(ctx context.Context, token string) ([]string, string, error) {
	if err := p.reads["DescribeUserPool"].Wait(ctx); err != nil {
		return nil, "", err
	}
	return p.Pools.List(ctx, token)
}

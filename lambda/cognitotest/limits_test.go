package cognitotest_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

func TestRateLimits(t *testing.T) {
	t.Parallel()
	id := func(i int) string { return fmt.Sprintf("eu-west-1_Pool%d", i) }
	one := func(int) map[string]any { return map[string]any{"UserPoolId": id(0)} }
	many := func(i int) map[string]any { return map[string]any{"UserPoolId": id(i)} }
	for name, c := range map[string]struct {
		operation string
		request   func(int) map[string]any
		second    int
	}{
		"describe":          {"DescribeUserPool", one, 15},
		"list":              {"ListUserPools", func(int) map[string]any { return map[string]any{"MaxResults": 1} }, 15},
		"update":            {update, one, 15},
		"MFA of many pools": {"GetUserPoolMfaConfig", many, 20},
		"MFA of one pool":   {"GetUserPoolMfaConfig", one, 5},
		"MFA writes":        {set, many, 15},
		"MFA writes of one": {set, one, 5},
		"risk of one pool":  {"DescribeRiskConfiguration", one, 5},
		"clients":           {"ListUserPoolClients", many, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seconds atomic.Int64
			now := func() time.Time { return time.Unix(seconds.Load(), 0) }
			f := serve(t, cognitotest.Contract, cognitotest.WithRateLimits(), cognitotest.WithClock(now),
				cognitotest.WithoutValidators())
			for i := range 30 {
				f.Put(id(i), nil, nil)
			}
			for range 2 {
				passed := 0
				for i := range 30 {
					a := f.send(t, c.operation, c.request(i))
					if a.code() != "TooManyRequestsException" {
						passed++
					} else if a.says() != "TooManyRequestsException: Rate exceeded" {
						t.Fatal(a.says())
					}
				}
				if passed != c.second {
					t.Errorf("%d passed in a second, want %d", passed, c.second)
				}
				seconds.Add(1)
			}
		})
	}
}

package cognitotest_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

// A stopped clock moves only when it is told to.
type stopped struct {
	mutex sync.Mutex
	at    time.Time
}

func (c *stopped) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.at
}

func (c *stopped) advance(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = c.at.Add(d)
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	id := func(i int) string { return fmt.Sprintf("eu-west-1_Pool%d", i) }
	one := func(int) map[string]any { return map[string]any{"UserPoolId": id(0)} }
	many := func(i int) map[string]any { return map[string]any{"UserPoolId": id(i)} }
	tagged := func(int) map[string]any {
		return map[string]any{"ResourceArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/" + id(0)}
	}
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
		"tags of one pool":  {"ListTagsForResource", tagged, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &stopped{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
			f := serve(t, cognitotest.Contract, cognitotest.WithRateLimits(), cognitotest.WithClock(clock.now),
				cognitotest.WithoutValidators())
			for i := range 30 {
				f.Put(id(i), nil, nil)
			}
			for range 2 {
				passed := 0
				for i := range 30 {
					a := f.send(t, c.operation, c.request(i))
					if a.status == 200 {
						passed++
					} else if a.code() != "TooManyRequestsException" || a.text() != "Rate exceeded" {
						t.Fatalf("%s: %s", a.code(), a.text())
					}
				}
				if passed != c.second {
					t.Errorf("%d passed in a second, want %d", passed, c.second)
				}
				clock.advance(time.Second)
			}
		})
	}
}

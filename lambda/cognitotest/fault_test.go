package cognitotest_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

func protection(f fake) any {
	pool, _, _ := f.Pool(poolID)
	return pool["DeletionProtection"]
}

func TestFaultCounts(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Contract, "")
	f.Inject(cognitotest.Fault{Operation: "DescribeUserPool", PoolID: poolID, Skip: 1, Times: 2,
		Error: "TooManyRequestsException", Message: "Rate exceeded"})
	for i, want := range []int{200, 400, 400, 200} {
		if a := f.send(t, "DescribeUserPool", describe); a.status != want {
			t.Errorf("call %d answered %d, want %d", i, a.status, want)
		}
	}
	f.Inject(cognitotest.Fault{Error: "InternalErrorException"})
	for range 3 {
		if a := f.send(t, "GetUserPoolMfaConfig", describe); a.status != http.StatusInternalServerError ||
			a.code() != "InternalErrorException" {
			t.Errorf("answered %d %s", a.status, a.code())
		}
	}
	f.ClearFaults()
	f.ok(t, "GetUserPoolMfaConfig", describe)
	f.Inject(cognitotest.Fault{PoolID: "eu-west-1_Other", Error: "X"})
	f.Inject(cognitotest.Fault{Operation: set, Error: "X"})
	f.ok(t, "GetUserPoolMfaConfig", describe)
}

// TestFaultApplies tells whether the change was made when the answer was an error, or none.
func TestFaultApplies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   cognitotest.Fault
		applied bool
		answer  string // "" is none
	}{
		"error": {cognitotest.Fault{Error: "ConcurrentModificationException"}, false,
			"ConcurrentModificationException"},
		"error, made":   {cognitotest.Fault{Error: "InternalErrorException", Apply: true}, true, "InternalErrorException"},
		"own status":    {cognitotest.Fault{Error: "ServiceUnavailable", Status: 503}, false, "ServiceUnavailable"},
		"dropped":       {cognitotest.Fault{Drop: true}, false, ""},
		"dropped, made": {cognitotest.Fault{Drop: true, Apply: true}, true, ""},
		"body":          {cognitotest.Fault{Body: []byte(`{"__type":"none"}`)}, false, "none"},
		"body, made":    {cognitotest.Fault{Body: []byte(`{"__type":"none"}`), Apply: true}, true, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := rich(t, cognitotest.Contract, "")
			request := f.echo(t, update)
			request["DeletionProtection"] = "INACTIVE"
			c.fault.Operation, c.fault.Times = update, 1
			f.Inject(c.fault)
			a, err := f.try(update, request)
			if (err != nil) != (c.answer == "") || a.code() != c.answer {
				t.Errorf("answered %q, %v", a.code(), err)
			}
			if c.fault.Status != 0 && a.status != c.fault.Status {
				t.Errorf("status %d", a.status)
			}
			if applied := protection(f) == "INACTIVE"; applied != c.applied {
				t.Errorf("applied: %v, want %v", applied, c.applied)
			}
		})
	}
}

// TestFaultWriters are somebody else who writes before the call, and the service that changes more than it was asked
// for, but not after a refusal.
func TestFaultWriters(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Contract, "")
	becomes := func(v string) func(pool, mfa map[string]any) {
		return func(pool, _ map[string]any) { pool["DeletionProtection"] = v }
	}
	f.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Times: 1, Then: func(s *cognitotest.Server) {
		s.Edit(poolID, becomes("INACTIVE"))
	}})
	if got := walk(f.ok(t, "DescribeUserPool", describe), "UserPool.DeletionProtection"); got != "INACTIVE" {
		t.Errorf("the writer came too late: %v", got)
	}
	request := f.echo(t, update)
	f.Inject(cognitotest.Fault{Operation: update, Times: 1, Change: becomes("ACTIVE")})
	f.ok(t, update, request)
	if got := protection(f); got != "ACTIVE" {
		t.Errorf("the change was lost: %v", got)
	}
	request["UserPoolTier"] = "BEST"
	f.Inject(cognitotest.Fault{Operation: update, Change: becomes("INACTIVE")})
	if a := f.send(t, update, request); a.status != http.StatusBadRequest || protection(f) != "ACTIVE" {
		t.Error("a refused call was followed by a change")
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	id := func(i int) string { return fmt.Sprintf("eu-west-1_Pool%d", i) }
	for name, c := range map[string]struct {
		operation string
		pools     int
		second    int
	}{
		"describe": {"DescribeUserPool", 1, 15}, "list": {"ListUserPools", 1, 15}, "update": {update, 1, 15},
		"MFA of many pools": {get, 30, 20}, "MFA of one pool": {get, 1, 5}, "MFA writes": {set, 30, 15},
		"MFA writes of one": {set, 1, 5}, "risk of one pool": {"DescribeRiskConfiguration", 1, 5},
		"clients": {"ListUserPoolClients", 30, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seconds atomic.Int64
			now := func() time.Time { return time.Unix(seconds.Load(), 0) }
			f := serve(t, cognitotest.Contract, cognitotest.WithRateLimits(now),
				cognitotest.WithoutValidators())
			for i := range 30 {
				f.Put(id(i), nil, nil)
			}
			for range 2 {
				passed := 0
				for i := range 30 {
					request := map[string]any{"UserPoolId": id(i % c.pools)}
					if c.operation == "ListUserPools" {
						request = map[string]any{"MaxResults": 1}
					}
					a := f.send(t, c.operation, request)
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

package cognitotest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
)

// TestSDK speaks to the fake as the product does.
func TestSDK(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Contract, "")
	c, ctx := client(f), t.Context()
	shown, err := c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: aws.String(poolID)})
	if err != nil {
		t.Fatal(err)
	}
	if p := shown.UserPool; *p.Name != "customers" || len(p.SchemaAttributes) != 20 || p.CreationDate == nil ||
		*p.Policies.PasswordPolicy.MinimumLength != 14 {
		t.Errorf("the pool is %+v", p)
	}
	mfa, err := c.SetUserPoolMfaConfig(ctx, &cognito.SetUserPoolMfaConfigInput{UserPoolId: aws.String(poolID),
		MfaConfiguration:              types.UserPoolMfaTypeOptional,
		SoftwareTokenMfaConfiguration: &types.SoftwareTokenMfaConfigType{Enabled: true}})
	var refused *types.InvalidParameterException
	if !errors.As(err, &refused) {
		t.Errorf("a pool lost the sender that it verifies phone numbers with: %v, %v", mfa, err)
	}
	var gone *types.ResourceNotFoundException
	_, err = c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: aws.String("eu-west-1_None")})
	if !errors.As(err, &gone) || gone.ErrorMessage() != "User pool eu-west-1_None does not exist." {
		t.Errorf("a pool that is not there answered %v", err)
	}
}

func TestListUserPools(t *testing.T) {
	t.Parallel()
	f := serve(t, cognitotest.Contract)
	var want, got []string
	for i := range 25 {
		id := fmt.Sprintf("eu-west-1_Pool%02d", i)
		f.Put(id, nil, nil)
		want = append(want, id)
	}
	pages := cognito.NewListUserPoolsPaginator(client(f), &cognito.ListUserPoolsInput{MaxResults: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.UserPools {
			got = append(got, *p.Id)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
	for _, size := range []any{nil, 0, 61} {
		if a := f.send(t, "ListUserPools", map[string]any{"MaxResults": size}); a.code() != parameter {
			t.Errorf("MaxResults %v answered %d", size, a.status)
		}
	}
}

// TestProtocol looks at the wire itself.
func TestProtocol(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Contract, "")
	ids := map[string]bool{}
	for _, c := range []struct {
		operation string
		request   any
		code      string
	}{
		{"DescribeUserPool", describe, ""},
		{"DescribeUserPool", map[string]any{"UserPoolId": "eu-west-1_None"}, "ResourceNotFoundException"},
		{"DescribeUserPool", map[string]any{"UserPoolId": "no id"}, parameter},
		{"DescribeUserPool", map[string]any{}, parameter},
		{"AdminCreateUser", describe, "UnknownOperationException"},
		{"DescribeUserPool", "[]", "SerializationException"},
		{"DescribeUserPool", "", "SerializationException"},
		{"DescribeUserPool", "null", "SerializationException"},
		{"ListUserPoolClients", map[string]any{"UserPoolId": poolID, "MaxResults": 61}, parameter},
	} {
		a := f.send(t, c.operation, c.request)
		failed := a.status == http.StatusBadRequest
		if failed != (c.code != "") || a.code() != c.code ||
			strings.TrimSuffix(a.header.Get("X-Amzn-Errortype"), ":") != c.code {
			t.Errorf("%s %v answered %d %s", c.operation, c.request, a.status, a.code())
		}
		if n, err := strconv.Atoi(a.header.Get("Content-Length")); err != nil || n < 2 {
			t.Errorf("Content-Length %q", a.header.Get("Content-Length"))
		}
		if id := a.header.Get("X-Amzn-Requestid"); id == "" || ids[id] {
			t.Errorf("request id %q", id)
		}
		ids[a.header.Get("X-Amzn-Requestid")] = true
		if got := f.last(); got.Operation != c.operation || got.RequestID != a.header.Get("X-Amzn-Requestid") {
			t.Errorf("the call is noted as %+v", got)
		}
	}
	f.ResetCalls()
	if len(f.Calls()) != 0 {
		t.Error("calls remain")
	}
}

// TestCopies shows that nobody's objects are the server's own.
func TestCopies(t *testing.T) {
	t.Parallel()
	f := serve(t, cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	f.Put(poolID, pool, mfa)
	policy := func(pool map[string]any) map[string]any {
		return walk(pool, "Policies.PasswordPolicy").(map[string]any)
	}
	var leaked map[string]any
	f.Edit(poolID, func(p, _ map[string]any) {
		leaked = policy(p)
		leaked["MinimumLength"] = 20
	})
	shown, _, _ := f.Pool(poolID)
	for _, mine := range []map[string]any{leaked, policy(pool), policy(shown)} {
		mine["MinimumLength"] = 6
	}
	shown, _, _ = f.Pool(poolID)
	if got := policy(shown)["MinimumLength"]; got != json.Number("20") {
		t.Errorf("minimum length %v, want 20", got)
	}
	if _, _, ok := f.Pool("eu-west-1_None"); ok {
		t.Error("a pool that is not there")
	}
}

var mallory = cognitotest.Actor{ARN: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory",
	IssuerARN: "arn:aws:iam::111122223333:role/AppAdmin", SourceIP: "198.51.100.23", UserAgent: "aws-cli/2.31.0"}

func (f fake) last() cognitotest.Call {
	calls := f.Calls()
	return calls[len(calls)-1]
}

// TestEvent looks at the details of the events of several calls.
func TestEvent(t *testing.T) {
	t.Parallel()
	const hidden, parameters = "HIDDEN_DUE_TO_SECURITY_REASONS", "detail.requestParameters."
	bob := cognitotest.Actor{ARN: "arn:aws:iam::111122223333:user/bob"}
	f := rich(t, cognitotest.Contract, "")
	whole, err := os.ReadFile("testdata/event.json")
	if err != nil || parse(whole) == nil {
		t.Fatalf("event.json is no object, %v", err)
	}
	for _, c := range []struct {
		call    string
		request any
		actor   cognitotest.Actor
		want    map[string]any
	}{
		{update, f.echo(t, update), mallory, parse(whole)},
		{update, map[string]any{"UserPoolId": poolID, "UserPoolTier": "BEST"}, bob,
			map[string]any{"detail.errorCode": parameter}},
		{"DescribeUserPool", describe, bob,
			map[string]any{"detail.readOnly": true, "detail.userIdentity.userName": "bob"}},
		{setRisk, f.echo(t, setRisk), bob, map[string]any{
			parameters + "accountTakeoverRiskConfiguration.notifyConfiguration.blockEmail.textBody": hidden}},
		{update, "no object", bob, map[string]any{"detail.requestParameters": nil}},
	} {
		f.send(t, c.call, c.request)
		raw := f.Event(f.last(), c.actor, time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC))
		if strings.Contains(string(raw), "CANARY") {
			t.Errorf("a text or secret is in the event of %s", c.call)
		}
		for path, want := range c.want {
			if got := walk(parse(raw), path); got != want {
				t.Errorf("%s: %s is %v, want %v", c.call, path, got, want)
			}
		}
	}
}

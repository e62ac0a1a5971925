package cognitotest_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
)

// TestSDK speaks to the fake as the product does.
func TestSDK(t *testing.T) {
	t.Parallel()
	f := serve(t, cognitotest.Contract)
	c, ctx := client(t, f), t.Context()
	f.PutRich(poolID)
	id := aws.String(poolID)
	shown, err := c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: id})
	if err != nil {
		t.Fatal(err)
	}
	if p := shown.UserPool; *p.Name != "customers" || len(p.SchemaAttributes) != 20 || p.CreationDate == nil ||
		*p.Policies.PasswordPolicy.MinimumLength != 14 {
		t.Errorf("the pool is %+v", p)
	}
	totp := &types.SoftwareTokenMfaConfigType{Enabled: true}
	mfa, err := c.SetUserPoolMfaConfig(ctx, &cognito.SetUserPoolMfaConfigInput{UserPoolId: id,
		MfaConfiguration: types.UserPoolMfaTypeOptional, SoftwareTokenMfaConfiguration: totp})
	var refused *types.InvalidParameterException
	if !errors.As(err, &refused) {
		t.Errorf("a pool lost the sender that it verifies phone numbers with: %v, %v", mfa, err)
	}
	if _, err := c.UpdateUserPool(ctx, &cognito.UpdateUserPoolInput{UserPoolId: id}); err != nil {
		t.Error(err)
	}
	mfa, err = c.SetUserPoolMfaConfig(ctx, &cognito.SetUserPoolMfaConfigInput{UserPoolId: id,
		MfaConfiguration: types.UserPoolMfaTypeOn, SoftwareTokenMfaConfiguration: totp})
	if err != nil || mfa.MfaConfiguration != types.UserPoolMfaTypeOn {
		t.Errorf("MFA %v, %v", mfa, err)
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
	pages := cognito.NewListUserPoolsPaginator(client(t, f), &cognito.ListUserPoolsInput{MaxResults: aws.Int32(10)})
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
	leaked["MinimumLength"] = 6
	policy(pool)["MinimumLength"] = 7
	shown, _, _ := f.Pool(poolID)
	policy(shown)["MinimumLength"] = 9
	shown, _, _ = f.Pool(poolID)
	if got := fmt.Sprint(policy(shown)["MinimumLength"]); got != "20" {
		t.Errorf("minimum length %s, want 20", got)
	}
	if _, _, ok := f.Pool("eu-west-1_None"); ok {
		t.Error("a pool that is not there")
	}
	f = serve(t, cognitotest.Contract, cognitotest.WithRegion("us-east-1"))
	f.Put("us-east-1_A", nil, nil)
	pool, _, _ = f.Pool("us-east-1_A")
	if want := "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_A"; pool["Arn"] != want {
		t.Errorf("ARN %v, want %s", pool["Arn"], want)
	}
}

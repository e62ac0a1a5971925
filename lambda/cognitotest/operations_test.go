package cognitotest_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
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
	made, err := c.CreateUserPool(ctx, &cognito.CreateUserPoolInput{PoolName: aws.String("new"),
		DeletionProtection: types.DeletionProtectionTypeActive,
		UserPoolTags:       map[string]string{"env": "dev"}})
	if err != nil {
		t.Fatal(err)
	}
	id, arn := made.UserPool.Id, made.UserPool.Arn
	shown, err := c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: id})
	if err != nil {
		t.Fatal(err)
	}
	if p := shown.UserPool; aws.ToString(p.Name) != "new" || p.UserPoolTier != types.UserPoolTierTypeEssentials ||
		len(p.SchemaAttributes) != 20 ||
		aws.ToInt32(p.Policies.PasswordPolicy.MinimumLength) != 8 || p.CreationDate == nil {
		t.Errorf("the new pool is %+v", p)
	}
	_, err = c.DeleteUserPool(ctx, &cognito.DeleteUserPoolInput{UserPoolId: id})
	var refused *types.InvalidParameterException
	if !errors.As(err, &refused) {
		t.Errorf("a protected pool was deleted: %v", err)
	}
	if _, err = c.TagResource(ctx, &cognito.TagResourceInput{ResourceArn: arn,
		Tags: map[string]string{"team": "identity"}}); err != nil {
		t.Error(err)
	}
	if _, err = c.UntagResource(ctx, &cognito.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"env"}}); err != nil {
		t.Error(err)
	}
	tags, err := c.ListTagsForResource(ctx, &cognito.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || !cmp.Equal(tags.Tags, map[string]string{"team": "identity"}) {
		t.Errorf("tags %v, %v", tags, err)
	}
	if _, err = c.TagResource(ctx, &cognito.TagResourceInput{ResourceArn: arn,
		Tags: map[string]string{"aws:x": "y"}}); !errors.As(err, &refused) {
		t.Errorf("a reserved tag was taken: %v", err)
	}
	if _, err = c.UpdateUserPool(ctx, &cognito.UpdateUserPoolInput{UserPoolId: id}); err != nil {
		t.Error(err)
	}
	mfa, err := c.SetUserPoolMfaConfig(ctx, &cognito.SetUserPoolMfaConfigInput{UserPoolId: id,
		MfaConfiguration:              types.UserPoolMfaTypeOn,
		SoftwareTokenMfaConfiguration: &types.SoftwareTokenMfaConfigType{Enabled: true}})
	if err != nil || mfa.MfaConfiguration != types.UserPoolMfaTypeOn {
		t.Errorf("MFA %v, %v", mfa, err)
	}
	if _, err = c.DeleteUserPool(ctx, &cognito.DeleteUserPoolInput{UserPoolId: id}); err != nil {
		t.Error(err)
	}
	var gone *types.ResourceNotFoundException
	if _, err = c.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: id}); !errors.As(err, &gone) {
		t.Errorf("a deleted pool answered %v", err)
	} else if want := "User pool " + *id + " does not exist."; gone.ErrorMessage() != want {
		t.Errorf("it said %q, want %q", gone.ErrorMessage(), want)
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
	f := rich(t, cognitotest.Contract, nil)
	ids := map[string]bool{}
	for _, c := range []struct {
		operation string
		request   any
		status    int
		code      string
	}{
		{"DescribeUserPool", describe, http.StatusOK, ""},
		{"DescribeUserPool", map[string]any{"UserPoolId": "eu-west-1_None"}, http.StatusBadRequest,
			"ResourceNotFoundException"},
		{"DescribeUserPool", map[string]any{"UserPoolId": "no id"}, http.StatusBadRequest, parameter},
		{"DescribeUserPool", map[string]any{}, http.StatusBadRequest, parameter},
		{"AdminCreateUser", describe, http.StatusBadRequest, "UnknownOperationException"},
		{"DescribeUserPool", "[]", http.StatusBadRequest, "SerializationException"},
		{"DescribeUserPool", "", http.StatusBadRequest, "SerializationException"},
		{"DescribeUserPool", "null", http.StatusBadRequest, "SerializationException"},
		{"TagResource", map[string]any{"ResourceArn": "arn:none"}, http.StatusBadRequest, parameter},
	} {
		a := f.send(t, c.operation, c.request)
		if a.status != c.status || a.code() != c.code || strings.TrimSuffix(a.header.Get("X-Amzn-Errortype"), ":") != c.code {
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
		t.Error("calls are left")
	}
}

// TestCopies shows that nobody's objects are the server's own.
func TestCopies(t *testing.T) {
	t.Parallel()
	f := serve(t, cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	f.Put(poolID, pool, mfa)
	var leaked map[string]any
	f.Edit(poolID, func(p, _ map[string]any) {
		leaked = in(p, "Policies",
			"PasswordPolicy")
		leaked["MinimumLength"] = 20
	})
	leaked["MinimumLength"] = 6
	in(pool, "Policies", "PasswordPolicy")["MinimumLength"] = 7
	shown, _, _ := f.Pool(poolID)
	in(shown, "Policies", "PasswordPolicy")["MinimumLength"] = 9
	shown, _, _ = f.Pool(poolID)
	if got := fmt.Sprint(in(shown, "Policies", "PasswordPolicy")["MinimumLength"]); got != "20" {
		t.Errorf("minimum length %s, want 20", got)
	}
	if _, _, ok := f.Pool("eu-west-1_None"); ok {
		t.Error("a pool that is not there")
	}
}

func TestRegionAndAccount(t *testing.T) {
	t.Parallel()
	f := serve(t, cognitotest.Contract, cognitotest.WithRegion("us-east-1"), cognitotest.WithAccount("444455556666"))
	f.Put("us-east-1_A", nil, nil)
	pool, _, _ := f.Pool("us-east-1_A")
	if want := "arn:aws:cognito-idp:us-east-1:444455556666:userpool/us-east-1_A"; pool["Arn"] != want {
		t.Errorf("ARN %v, want %s", pool["Arn"], want)
	}
}

// TestConcurrency is for the race detector.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Measured, nil, cognitotest.WithRateLimits())
	request, _ := f.echo(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				_, _ = f.try(update, request)
				_, _ = f.try("DescribeUserPool", describe)
				f.Edit(poolID, func(pool, _ map[string]any) { pool["DeletionProtection"] = "ACTIVE" })
				f.Inject(cognitotest.Fault{Times: 1, Error: "X"})
				f.Calls()
			}
		})
	}
	all.Wait()
}

package cognitotest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
}

var (
	mallory = cognitotest.Actor{Kind: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory",
		IssuerARN: "arn:aws:iam::111122223333:role/AppAdmin", SourceIP: "198.51.100.23", UserAgent: "aws-cli/2.31.0"}
	when = time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
)

func (f fake) last() cognitotest.Call {
	calls := f.Calls()
	return calls[len(calls)-1]
}

func TestEvent(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Contract, "")
	f.ok(t, update, f.echo(t, update))
	raw := f.Event(f.last(), mallory, when)
	if strings.Contains(string(raw), "CANARY") {
		t.Error("a text or secret is in the event")
	}
	event := parse(raw)
	for path, want := range map[string]any{
		"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.cognito-idp",
		"account": "111122223333", "region": "eu-west-1", "time": "2026-10-01T09:15:42Z",
		"detail.eventSource": "cognito-idp.amazonaws.com", "detail.eventName": update, "detail.awsRegion": "eu-west-1",
		"detail.eventTime":       "2026-10-01T09:15:40Z",
		"detail.sourceIPAddress": "198.51.100.23", "detail.userAgent": "aws-cli/2.31.0", "detail.readOnly": false,
		"detail.eventType":       "AwsApiCall",
		"detail.managementEvent": true, "detail.recipientAccountId": "111122223333", "detail.responseElements": nil,
		"detail.requestID": f.last().RequestID, "detail.errorCode": nil,
		"detail.userIdentity.type": "AssumedRole", "detail.userIdentity.arn": mallory.ARN,
		"detail.userIdentity.principalId":                                                 "AROAEXAMPLEID000000001:mallory",
		"detail.userIdentity.sessionContext.sessionIssuer.arn":                            mallory.IssuerARN,
		"detail.userIdentity.sessionContext.sessionIssuer.userName":                       "AppAdmin",
		"detail.requestParameters.userPoolId":                                             poolID,
		"detail.requestParameters.policies.passwordPolicy.minimumLength":                  json.Number("14"),
		"detail.requestParameters.lambdaConfig.customSMSSender.lambdaVersion":             "V1_0",
		"detail.requestParameters.adminCreateUserConfig.inviteMessageTemplate.sMSMessage": "HIDDEN_DUE_TO_SECURITY_REASONS",
		"detail.requestParameters.smsConfiguration.externalId":                            "HIDDEN_DUE_TO_SECURITY_REASONS",
		"detail.requestParameters.acrConfiguration.Level1.acrValue":                       "urn:example:password",
		"detail.requestParameters.userPoolTags.team":                                      "identity",
	} {
		if got := walk(event, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	recovery := walk(event, "detail.requestParameters.accountRecoverySetting.recoveryMechanisms").([]any)
	if got := walk(recovery[1], "name"); got != "verified_phone_number" {
		t.Errorf("the second mechanism is %v", got)
	}
}

func TestEventsOfOtherCalls(t *testing.T) {
	t.Parallel()
	bob := cognitotest.Actor{Kind: "IAMUser", ARN: "arn:aws:iam::111122223333:user/bob"}
	f := rich(t, cognitotest.Contract, "")
	for _, c := range []struct {
		call    string
		request any
		path    string
		want    any
	}{
		{update, map[string]any{"UserPoolId": poolID, "UserPoolTier": "BEST"}, "errorCode", parameter},
		{"DescribeUserPool", describe, "readOnly", true},
		{"DescribeUserPool", describe, "userIdentity.userName", "bob"},
		{setRisk, f.echo(t, setRisk),
			"requestParameters.accountTakeoverRiskConfiguration.notifyConfiguration.blockEmail.textBody",
			"HIDDEN_DUE_TO_SECURITY_REASONS"},
		{update, "no object", "requestParameters", nil},
	} {
		f.send(t, c.call, c.request)
		if got := walk(parse(f.Event(f.last(), bob, when)), "detail."+c.path); got != c.want {
			t.Errorf("%s: %s is %v, want %v", c.call, c.path, got, c.want)
		}
	}
}

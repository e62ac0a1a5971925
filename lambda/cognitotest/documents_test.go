package cognitotest_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

func whole(t *testing.T, mode cognitotest.Mode) fake {
	t.Helper()
	f := rich(t, mode, nil)
	f.PutRich(poolID)
	return f
}

// TestRichDocumentsAreComplete holds the other documents of the pool against the table, as TestRichIsComplete does
// with the first two.
func TestRichDocumentsAreComplete(t *testing.T) {
	t.Parallel()
	f := whole(t, cognitotest.Contract)
	table := func(name baseline.DocumentName) []baseline.Member { d, _ := name.Table(); return d.Members }
	risk := f.ok(t, "DescribeRiskConfiguration", map[string]any{"UserPoolId": poolID, "ClientId": cognitotest.RichClient})
	checkSet(t, "", table(baseline.RiskConfiguration), in(risk, "RiskConfiguration"))
	client := f.ok(t, "DescribeUserPoolClient", map[string]any{"UserPoolId": poolID, "ClientId": cognitotest.RichClient})
	checkSet(t, "", table(baseline.AppClient), in(client, "UserPoolClient"))
	if n := len(f.Logs(poolID)); n != 2 {
		t.Errorf("%d log configurations", n)
	}
}

// TestDocumentsEcho writes each document back as it was read, which changes nothing, and then without a member, which
// resets that.
func TestDocumentsEcho(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call string
		of   map[string]any
		read func(fake) map[string]any
		drop string
		is   any
	}{
		"risk": {"SetRiskConfiguration", map[string]any{}, func(f fake) map[string]any { return f.Risk(poolID, "") },
			"RiskExceptionConfiguration", nil},
		"client's risk": {"SetRiskConfiguration", map[string]any{"ClientId": cognitotest.RichClient},
			func(f fake) map[string]any { return f.Risk(poolID, cognitotest.RichClient) }, "AccountTakeoverRiskConfiguration",
			nil},
		"client": {"UpdateUserPoolClient", map[string]any{"ClientId": cognitotest.RichClient},
			func(f fake) map[string]any { return f.Client(poolID, cognitotest.RichClient) }, "PreventUserExistenceErrors",
			"LEGACY"},
	} {
		for world, mode := range modes {
			t.Run(name+"/"+world, func(t *testing.T) {
				t.Parallel()
				f := whole(t, mode)
				before := c.read(f)
				request := c.read(f)
				if name == "client" {
					request = f.echoClient()
				}
				delete(request, "LastModifiedDate")
				request["UserPoolId"] = poolID
				for k, v := range c.of {
					request[k] = v
				}
				f.ok(t, c.call, request)
				after := c.read(f)
				before["LastModifiedDate"], after["LastModifiedDate"] = nil, nil
				delete(after, "UserPoolId")
				delete(before, "UserPoolId")
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("-before +after:\n%s", diff)
				}
				delete(request, c.drop)
				f.ok(t, c.call, request)
				if got := c.read(f)[c.drop]; got != c.is {
					t.Errorf("%s is %v", c.drop, got)
				}
			})
		}
	}
}

// TestDocumentRules has the refusals of the calls.
func TestDocumentRules(t *testing.T) {
	t.Parallel()
	logs := func(entries ...any) map[string]any {
		return map[string]any{"UserPoolId": poolID, "LogConfigurations": entries}
	}
	entry := func(source string) map[string]any { return map[string]any{"EventSource": source, "LogLevel": "INFO"} }
	for name, c := range map[string]struct {
		call    string
		request map[string]any
		pool    func(pool map[string]any)
		code    string
	}{
		"risk read without threat protection": {"DescribeRiskConfiguration", map[string]any{"UserPoolId": poolID},
			func(p map[string]any) { delete(p, "UserPoolAddOns") }, "UserPoolAddOnNotEnabledException"},
		"risk written without threat protection": {"SetRiskConfiguration", map[string]any{"UserPoolId": poolID},
			func(p map[string]any) { delete(p, "UserPoolAddOns") }, "UserPoolAddOnNotEnabledException"},
		"risk of no client": {"DescribeRiskConfiguration",
			map[string]any{"UserPoolId": poolID, "ClientId": "gone"}, nil, "ResourceNotFoundException"},
		"half a risk": {"SetRiskConfiguration",
			map[string]any{"UserPoolId": poolID, "CompromisedCredentialsRiskConfiguration": map[string]any{}}, nil,
			"InvalidParameterException"},
		"an action that does not say whether the user is told": {"SetRiskConfiguration",
			map[string]any{"UserPoolId": poolID, "AccountTakeoverRiskConfiguration": map[string]any{
				"Actions": map[string]any{"LowAction": map[string]any{"EventAction": "BLOCK"}}}}, nil, "InvalidParameterException"},
		"an e-mail without a subject": {"SetRiskConfiguration",
			map[string]any{"UserPoolId": poolID, "AccountTakeoverRiskConfiguration": map[string]any{"Actions": map[string]any{},
				"NotifyConfiguration": map[string]any{"SourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
					"BlockEmail": map[string]any{"TextBody": "Blocked"}}}}, nil, "InvalidParameterException"},
		"more ranges than 200": {"SetRiskConfiguration",
			map[string]any{"UserPoolId": poolID,
				"RiskExceptionConfiguration": map[string]any{"BlockedIPRangeList": slices.Repeat([]any{"192.0.2.0/24"}, 201)}},
			nil, "InvalidParameterException"},
		"notifications to a bucket": {"SetLogDeliveryConfiguration",
			logs(map[string]any{"EventSource": "userNotification", "LogLevel": "ERROR",
				"S3Configuration": map[string]any{"BucketArn": "arn:aws:s3:::logs"}}),
			nil, "InvalidParameterException"},
		"user events of another level": {"SetLogDeliveryConfiguration",
			logs(map[string]any{"EventSource": "userAuthEvents", "LogLevel": "ERROR"}), nil, "InvalidParameterException"},
		"no logs": {"SetLogDeliveryConfiguration", map[string]any{"UserPoolId": poolID}, nil,
			"InvalidParameterException"},
		"one source twice": {"SetLogDeliveryConfiguration",
			logs(entry("userAuthEvents"), entry("userAuthEvents")), nil, "InvalidParameterException"},
		"a source that is none": {"SetLogDeliveryConfiguration", logs(entry("others")), nil,
			"InvalidParameterException"},
		"user events without the plan": {"SetLogDeliveryConfiguration", logs(entry("userAuthEvents")),
			func(p map[string]any) { p["UserPoolTier"] = "LITE" }, "FeatureUnavailableInTierException"},
		"a client that is gone": {"UpdateUserPoolClient", map[string]any{"UserPoolId": poolID, "ClientId": "gone"},
			nil, "ResourceNotFoundException"},
	} {
		for world, mode := range modes {
			t.Run(name+"/"+world, func(t *testing.T) {
				t.Parallel()
				f := whole(t, mode)
				if c.pool != nil {
					f.Edit(poolID, func(pool, _ map[string]any) { c.pool(pool) })
				}
				if got := f.send(t, c.call, c.request).code(); got != c.code {
					t.Errorf("%s, want %s", got, c.code)
				}
			})
		}
	}
}

// TestShownUnasked: what the service shows although nobody set it.
func TestShownUnasked(t *testing.T) {
	t.Parallel()
	for world, mode := range modes {
		t.Run(world, func(t *testing.T) {
			t.Parallel()
			f := serve(t, mode)
			f.Put(poolID, map[string]any{"SmsAuthenticationMessage": "a {####}",
				"SmsConfiguration": map[string]any{"SnsCallerArn": "arn:aws:iam::111122223333:role/sms"}}, nil)
			f.PutClient(poolID, "web", map[string]any{"ClientName": "web"})
			want := map[string]any{"SmsAuthenticationMessage": "a {####}",
				"SmsConfiguration": map[string]any{"SnsCallerArn": "arn:aws:iam::111122223333:role/sms"}}
			shown := f.ok(t, "GetUserPoolMfaConfig", describe)["SmsMfaConfiguration"]
			if diff := cmp.Diff(want, shown); diff != "" {
				t.Errorf("the SMS block with MFA off (-want +got):\n%s", diff)
			}
			f.ok(t, set, map[string]any{"UserPoolId": poolID, "MfaConfiguration": "OPTIONAL",
				"SoftwareTokenMfaConfiguration": map[string]any{"Enabled": true}})
			if shown := f.ok(t, "GetUserPoolMfaConfig", describe)["SmsMfaConfiguration"]; shown != nil {
				t.Errorf("the SMS block with MFA on is %v", shown)
			}
			pool, _, _ := f.Pool(poolID)
			if pool["UserPoolTier"] != nil {
				t.Errorf("before the first write the plan is %v", pool["UserPoolTier"])
			}
			f.ok(t, update, map[string]any{"UserPoolId": poolID, "DeletionProtection": "ACTIVE"})
			f.ok(t, setClient, map[string]any{"UserPoolId": poolID, "ClientId": "web"})
			pool, _, _ = f.Pool(poolID)
			pool["Client"] = f.Client(poolID, "web")
			for path, want := range map[string]any{
				"UserPoolTier": "ESSENTIALS", "EmailConfiguration.EmailSendingAccount": "COGNITO_DEFAULT",
				"VerificationMessageTemplate.DefaultEmailOption": "CONFIRM_WITH_CODE",
				"Policies.SignInPolicy.AllowedFirstAuthFactors":  list("PASSWORD"),
				"Client.RefreshTokenRotation": map[string]any{"Feature": "DISABLED",
					"RetryGracePeriodSeconds": json.Number("0")},
			} {
				if diff := cmp.Diff(want, walk(pool, path)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
		})
	}
}

func TestClientsComeAndGo(t *testing.T) {
	t.Parallel()
	f := whole(t, cognitotest.Contract)
	made := in(f.ok(t, "CreateUserPoolClient", map[string]any{"UserPoolId": poolID, "ClientName": "rogue",
		"GenerateSecret": true}), "UserPoolClient")
	id, _ := made["ClientId"].(string)
	if made["ClientSecret"] == nil || made["PreventUserExistenceErrors"] != "LEGACY" {
		t.Errorf("%v", len(made))
	}
	list := f.ok(t, "ListUserPoolClients", map[string]any{"UserPoolId": poolID, "MaxResults": 2})
	rest := f.ok(t, "ListUserPoolClients", map[string]any{"UserPoolId": poolID, "MaxResults": 2,
		"NextToken": list["NextToken"]})
	if len(list["UserPoolClients"].([]any)) != 2 || len(rest["UserPoolClients"].([]any)) != 1 || rest["NextToken"] != nil {
		t.Errorf("%v %v", list, rest)
	}
	f.ok(t, "DeleteUserPoolClient", map[string]any{"UserPoolId": poolID, "ClientId": id})
	if got := f.send(t, "DescribeUserPoolClient", map[string]any{"UserPoolId": poolID,
		"ClientId": id}).code(); got != "ResourceNotFoundException" {
		t.Error(got)
	}
}

package cognitotest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

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

package userpool

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
)

const (
	pool       = "eu-west-1_AbCdEf123"
	factors    = "Policies.SignInPolicy.AllowedFirstAuthFactors"
	verify     = "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate"
	recovery   = "AccountRecoverySetting.RecoveryMechanisms"
	account    = "EmailConfiguration.EmailSendingAccount"
	autoVerify = "AutoVerifiedAttributes"
)

func tree(t *testing.T, text string) map[string]any {
	t.Helper()
	object, err := DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return object
}

func stateOf(t *testing.T, userPool, mfaConfig string) State {
	t.Helper()
	return State{ID: pool, Documents: map[baseline.DocumentName]map[string]any{baseline.UserPool: tree(t, userPool),
		baseline.MfaConfig:         tree(t, mfaConfig),
		baseline.RiskConfiguration: {}, baseline.LogDelivery: {},
		baseline.AppClient.Of("web"): {"ClientId": "web", "CallbackURLs": []any{"https://a.example"},
			"ExplicitAuthFlows": []any{"ALLOW_USER_SRP_AUTH"}}, baseline.ClientRisk.Of("web"): nil}}
}

func write(setting string, v any) baseline.Drift {
	return baseline.Drift{Setting: setting, Action: baseline.Write, Value: v}
}

// TestEveryConditionIsNamed: whoever sees one condition at a time has to try again and again.
func TestEveryConditionIsNamed(t *testing.T) {
	t.Parallel()
	state := stateOf(t, `{"AccountRecoverySetting":{"RecoveryMechanisms":[{"Name":"verified_email","Priority":1}]}}`,
		`{"MfaConfiguration":"ON","SoftwareTokenMfaConfiguration":{"Enabled":true}}`)
	plan, err := NewPlan(state, []baseline.Drift{write("EmailMfaConfiguration.Subject", "s"),
		write("DeletionProtection", "ACTIVE")}, Options{})
	if err != nil || len(plan.Skipped) != 1 || len(plan.Fixes) != 1 {
		t.Fatalf("%+v (%v)", plan.Skipped, err)
	}
	for _, condition := range []string{account + " DEVELOPER", "account recovery only by e-mail"} {
		if !strings.Contains(plan.Skipped[0].Reason, condition) {
			t.Errorf("%s is not named: %s", condition, plan.Skipped[0].Reason)
		}
	}
}

// TestConflicts has a row for each rule that the service is known to have: a pool, what is wanted of it, and which of
// that cannot be had.
func TestConflicts(t *testing.T) {
	t.Parallel()
	const totpOn = `{"MfaConfiguration":"ON","SoftwareTokenMfaConfiguration":{"Enabled":true}}`
	const off = `{"MfaConfiguration":"OFF"}`
	list := func(names ...any) []any { return names }
	rows := map[string]struct {
		pool, mfa string
		want      []baseline.Drift
		left      []string
	}{
		"verification-subset": {`{"AutoVerifiedAttributes":["email"]}`, off,
			[]baseline.Drift{write(verify, list("email", "phone_number"))}, []string{verify}},
		"phone-verification-without-sms": {`{}`, off, []baseline.Drift{write(autoVerify, list("phone_number"))},
			[]string{autoVerify}},
		"admin-only-recovery": {`{}`, off,
			[]baseline.Drift{write(recovery, list(map[string]any{"Name": "admin_only", "Priority": json.Number("1")},
				map[string]any{"Name": "verified_email", "Priority": json.Number("2")}))}, []string{recovery}},
		"equal-recovery-mechanisms": {`{}`, off,
			[]baseline.Drift{write(recovery, list(map[string]any{"Name": "verified_phone_number", "Priority": json.Number("1")},
				map[string]any{"Name": "verified_email", "Priority": json.Number("1")}))}, []string{recovery}},
		"mfa-on-with-one-time-codes": {
			`{"Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD","EMAIL_OTP"]}}}`,
			`{"MfaConfiguration":"OPTIONAL","SoftwareTokenMfaConfiguration":{"Enabled":true}}`,
			[]baseline.Drift{write(mfa, "ON")}, []string{mfa}},
		"mfa-on-with-single-factor-passkeys": {`{}`, totpOn,
			[]baseline.Drift{write(factors, list("PASSWORD", "WEB_AUTHN"))}, []string{factors}},
		"sms-code-without-sms": {`{}`, off, []baseline.Drift{write(factors, list("SMS_OTP"))},
			[]string{factors}},
		"factors-need-essentials": {`{"UserPoolTier":"LITE"}`, off,
			[]baseline.Drift{write(factors, list("PASSWORD", "WEB_AUTHN"))}, []string{factors}},
		"threat-protection-needs-plus": {`{"UserPoolTier":"ESSENTIALS"}`, off,
			[]baseline.Drift{write(threat, "AUDIT"), write("DeletionProtection", "ACTIVE")}, []string{threat}},
		"email-mfa-needs-ses": {`{}`, totpOn, []baseline.Drift{write("EmailMfaConfiguration.Subject", "s")},
			[]string{"EmailMfaConfiguration.Subject"}},
		"email-mfa-with-email-recovery": {
			`{"EmailConfiguration":{"EmailSendingAccount":"DEVELOPER","SourceArn":"x"},"AccountRecoverySetting":{"RecoveryMechanisms":[{"Name":"verified_email","Priority":1}]}}`, totpOn, []baseline.Drift{write("EmailMfaConfiguration.Subject", "s")}, []string{"EmailMfaConfiguration.Subject"}},
		"email-mfa-needs-essentials": {
			`{"UserPoolTier":"LITE","EmailConfiguration":{"EmailSendingAccount":"DEVELOPER","SourceArn":"x"}}`, totpOn,
			[]baseline.Drift{write("EmailMfaConfiguration.Subject", "s")}, []string{"EmailMfaConfiguration.Subject"}},
		"mfa-without-factor": {`{}`, off, []baseline.Drift{write(mfa, "OPTIONAL")}, []string{mfa}},
		"factor-with-mfa-off": {`{}`, off,
			[]baseline.Drift{write("SoftwareTokenMfaConfiguration.Enabled", true)},
			[]string{"SoftwareTokenMfaConfiguration.Enabled"}},
		"sms-mfa-without-sms": {`{}`, totpOn,
			[]baseline.Drift{write("SmsMfaConfiguration.SmsAuthenticationMessage", "c {####}")},
			[]string{"SmsMfaConfiguration.SmsAuthenticationMessage"}},
		"custom-sender-without-key": {`{}`, off,
			[]baseline.Drift{write("LambdaConfig",
				map[string]any{"CustomSMSSender": map[string]any{"LambdaArn": "a", "LambdaVersion": "V1_0"}})},
			[]string{"LambdaConfig"}},
		"key-type": {`{"KeyConfiguration":{"KeyType":"CUSTOMER_MANAGED_KEY","KmsKeyArn":"a"}}`,
			off, []baseline.Drift{write("KeyConfiguration.KeyType", "AWS_OWNED_KEY")}, []string{"KeyConfiguration.KeyType"}},
		"two-sms-senders": {`{"SmsConfiguration":{"EumsSms":{"CallerArn":"a"}}}`, off,
			[]baseline.Drift{write("SmsConfiguration.SnsCallerArn", "b")}, []string{"SmsConfiguration.SnsCallerArn"}},
		"sms-sender-removed": {`{"SmsConfiguration":{"SnsCallerArn":"a"}}`, off,
			[]baseline.Drift{{Setting: "SmsConfiguration.SnsCallerArn", Action: baseline.LeaveOut}},
			[]string{"SmsConfiguration.SnsCallerArn"}},
		"developer-email-without-identity": {`{}`, off, []baseline.Drift{write(account, "DEVELOPER")}, []string{account}},
		"registration-needs-essentials": {`{"UserPoolTier":"LITE"}`, off,
			[]baseline.Drift{write("DcrConfiguration.EnableStatus", "Enabled")}, []string{"DcrConfiguration.EnableStatus"}},
		"acr-needs-essentials": {`{"UserPoolTier":"LITE"}`, off,
			[]baseline.Drift{write("AcrConfiguration", map[string]any{"Level1": map[string]any{"AcrValue": "x"}})},
			[]string{"AcrConfiguration"}},
		"risk-without-threat-protection": {`{"UserPoolTier":"PLUS"}`, off,
			[]baseline.Drift{write("RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList", list("192.0.2.0/24"))},
			[]string{"RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList"}},
		"user-events-need-plus": {`{"UserPoolTier":"ESSENTIALS"}`, off,
			[]baseline.Drift{write("LogConfigurations.userAuthEvents", map[string]any{"LogLevel": "INFO"})},
			[]string{"LogConfigurations.userAuthEvents"}},
		"notifications-to-logs-only": {`{}`, off,
			[]baseline.Drift{write("LogConfigurations.userNotification",
				map[string]any{"LogLevel": "ERROR", "S3Configuration": map[string]any{"BucketArn": "a"}})},
			[]string{"LogConfigurations.userNotification"}},
		"mixed-auth-flows": {`{}`, off,
			[]baseline.Drift{write("Clients[web].ExplicitAuthFlows", list("ALLOW_USER_SRP_AUTH", "USER_PASSWORD_AUTH")),
				write("Clients[web].EnableTokenRevocation", true)},
			[]string{"Clients[web].ExplicitAuthFlows"}},
		"client-risk-without-threat-protection": {
			`{"UserPoolTier":"PLUS","UserPoolAddOns":{"AdvancedSecurityMode":"ENFORCED"}}`, off,
			[]baseline.Drift{{Setting: "UserPoolAddOns", Action: baseline.LeaveOut},
				write("Clients[web].RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList", list("192.0.2.0/24"))},
			[]string{"Clients[web].RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList"}},
		"default-redirect": {`{}`, off, []baseline.Drift{write("Clients[web].DefaultRedirectURI", "https://b.example")},
			[]string{"Clients[web].DefaultRedirectURI"}},
		"no-secret-to-publish": {`{}`, off, []baseline.Drift{write("Clients[web].PublishSecretsInAWSSecretsManager", true)},
			[]string{"Clients[web].PublishSecretsInAWSSecretsManager"}},
		"client risk that the pool does not offer": {`{}`, off,
			[]baseline.Drift{write("Clients[web].RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList",
				list("192.0.2.0/24"))},
			[]string{"Clients[web].RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList"}},
		"last-of-client-risk": {`{"UserPoolTier":"PLUS","UserPoolAddOns":{"AdvancedSecurityMode":"ENFORCED"}}`, off,
			[]baseline.Drift{{Setting: "Clients[web].RiskConfiguration.RiskExceptionConfiguration.SkippedIPRangeList",
				Action: baseline.LeaveOut}},
			[]string{"Clients[web].RiskConfiguration.RiskExceptionConfiguration.SkippedIPRangeList"}},
		"an old pool may keep what its plan lacks": {
			`{"UserPoolTier":"LITE","UserPoolAddOns":{"AdvancedSecurityMode":"AUDIT"}}`, off,
			[]baseline.Drift{write(threat, "ENFORCED")}, nil},
		"a contradiction through a twin": {
			`{"LambdaConfig":{"PreTokenGeneration":"a","PreTokenGenerationConfig":{"LambdaArn":"a","LambdaVersion":"V2_0"}}}`,
			off, []baseline.Drift{{Setting: "LambdaConfig.PreTokenGeneration", Action: baseline.LeaveOut},
				write("LambdaConfig.PreTokenGenerationConfig.LambdaVersion", "V3_0")},
			[]string{"LambdaConfig.PreTokenGenerationConfig.LambdaVersion"}},
		"an object without what it needs": {`{}`, off,
			[]baseline.Drift{write("LambdaConfig.InboundFederation.LambdaArn", "a")},
			[]string{"LambdaConfig.InboundFederation.LambdaArn"}},
		"an object of which the absence has a meaning": {`{}`, off,
			[]baseline.Drift{write("Clients[web].RefreshTokenRotation.RetryGracePeriodSeconds", json.Number("7"))}, nil},
		"a client that is not there": {`{}`, off, []baseline.Drift{write("Clients[gone].EnableTokenRevocation", true)},
			[]string{"Clients[gone].EnableTokenRevocation"}},
	}
	for _, c := range conflicts(view{}) {
		if _, ok := rows[c.ID]; !ok {
			t.Errorf("no row for %s", c.ID)
		}
	}
	for name, c := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := stateOf(t, c.pool, c.mfa)
			if strings.Contains(c.pool, "ENFORCED") {
				state.Documents[baseline.ClientRisk.Of("web")] = tree(t,
					`{"ClientId":"web","RiskExceptionConfiguration":{"SkippedIPRangeList":["192.0.2.0/24"]}}`)
			}
			plan, err := NewPlan(state, c.want, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, l := range plan.Skipped {
				left = append(left, l.Setting)
				if l.Reason == "" {
					t.Errorf("%s is left without a reason", l.Setting)
				}
			}
			if diff := cmp.Diff(c.left, left); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if len(plan.Fixes) != len(c.want)-len(c.left) || (len(plan.Writes) > 0) != (len(plan.Fixes) > 0) {
				t.Errorf("%d fixes, %d writes", len(plan.Fixes), len(plan.Writes))
			}
		})
	}
}

// TestBothOrdersOfWritesRejected: e-mail MFA needs a sender that the pool gets only with a plan change which e-mail MFA
// forbids. The plan says so, and makes the writes that are accepted.
func TestBothOrdersOfWritesRejected(t *testing.T) {
	t.Parallel()
	state := stateOf(t,
		`{"Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD","EMAIL_OTP"]}},"EmailConfiguration":{"EmailSendingAccount":"DEVELOPER","SourceArn":"x"}}`,
		`{"MfaConfiguration":"OPTIONAL","EmailMfaConfiguration":{},"SoftwareTokenMfaConfiguration":{"Enabled":true}}`)
	plan, err := NewPlan(state, []baseline.Drift{
		write(factors, []any{"PASSWORD"}), write(account, "COGNITO_DEFAULT"), write(mfa, "ON"),
		{Setting: emailMFA, Action: baseline.LeaveOut},
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Skipped) == 0 || !strings.Contains(plan.Skipped[0].Reason, "both orders of the two calls") ||
		len(plan.Writes) == 0 {
		t.Errorf("left %+v, writes %d", plan.Skipped, len(plan.Writes))
	}
}

// TestTagKeysWithDots: a tag's key is one part of its path, dots and all.
func TestTagKeysWithDots(t *testing.T) {
	t.Parallel()
	plan, err := NewPlan(stateOf(t, `{"UserPoolTags":{"a.b.c":"old","aws:x":"theirs"}}`, `{"MfaConfiguration":"OFF"}`),
		[]baseline.Drift{write("UserPoolTags.a.b.c", "new")}, Options{})
	if err != nil || len(plan.Writes) != 1 {
		t.Fatal(err)
	}
	if got := tree(t, string(plan.Writes[0].Body))["UserPoolTags"]; !cmp.Equal(got, map[string]any{"a.b.c": "new"}) {
		t.Errorf("%v", got)
	}
}

// TestBody compares what is sent with what the service takes.
func TestBody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ pool, want string }{
		"empty texts and enums": {
			`{"EmailConfiguration":{"From":"","EmailSendingAccount":""},"UserPoolTier":"","SmsAuthenticationMessage":""}`,
			`{"EmailConfiguration":{}}`},
		"empty containers": {
			`{"AutoVerifiedAttributes":[],"LambdaConfig":{},"UserPoolTags":{},"DeviceConfiguration":{},"UserAttributeUpdateSettings":{}}`, `{"AutoVerifiedAttributes":[],"LambdaConfig":{},"UserPoolTags":{},"DeviceConfiguration":{},"UserAttributeUpdateSettings":{}}`},
		"what is refused when empty": {
			`{"SmsConfiguration":{},"UserPoolAddOns":{},"AccountRecoverySetting":{"RecoveryMechanisms":[]},"Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":[]}}}`, `{"Policies":{}}`},
		"null": {`{"LambdaConfig":null,"Policies":{"PasswordPolicy":null}}`, `{"Policies":{}}`},
		"default names of levels": {
			`{"AcrConfiguration":{"Level1":{"AcrValue":"urn:cognito:loa:1"},"Level2":{"AcrValue":"urn:cognito:loa:2"}}}`, `{}`},
		"registration without status": {`{"DcrConfiguration":{"OpenDcrEnabled":true}}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := NewPlan(stateOf(t, c.pool, `{"MfaConfiguration":"OFF"}`),
				[]baseline.Drift{write("DeletionProtection", "ACTIVE")}, Options{})
			if err != nil || len(plan.Writes) != 1 {
				t.Fatal(err, plan.Skipped)
			}
			got := tree(t, string(plan.Writes[0].Body))
			for _, always := range []string{"UserPoolId", "MfaConfiguration", "DeletionProtection"} {
				delete(got, always)
			}
			if diff := cmp.Diff(tree(t, c.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDocumentsAreWhole: each of the documents goes out whole, in its own shape and in an order in which what the
// later ones need is there.
func TestDocumentsAreWhole(t *testing.T) {
	t.Parallel()
	state := stateOf(t, `{"UserPoolTier":"PLUS","UserPoolAddOns":{"AdvancedSecurityMode":"ENFORCED"}}`,
		`{"MfaConfiguration":"OFF"}`)
	state.Documents[baseline.RiskConfiguration] = tree(t,
		`{"UserPoolId":"p","LastModifiedDate":1.5,"RiskExceptionConfiguration":{"BlockedIPRangeList":["192.0.2.0/24"]}}`)
	state.Documents[baseline.LogDelivery] = tree(t,
		`{"UserPoolId":"p","LogConfigurations":{"userNotification":{"LogLevel":"ERROR","CloudWatchLogsConfiguration":{"LogGroupArn":"g"}}}}`)
	state.Documents[baseline.AppClient.Of("web")] = tree(t,
		`{"UserPoolId":"p","ClientId":"web","ClientName":"w","CreationDate":1,"RefreshTokenValidity":30,"ReadAttributes":[],"ClientType":"REGULAR","ClientSecretArn":"arn:x"}`)
	state.Documents[baseline.ClientRisk.Of("web")] = tree(t, `{"ClientId":"web"}`)
	plan, err := NewPlan(state, []baseline.Drift{
		write("Clients[web].RiskConfiguration.CompromisedCredentialsRiskConfiguration",
			map[string]any{"Actions": map[string]any{"EventAction": "BLOCK"}}),
		write("Clients[web].PreventUserExistenceErrors", "ENABLED"),
		write("LogConfigurations.userAuthEvents", map[string]any{"LogLevel": "INFO",
			"S3Configuration": map[string]any{"BucketArn": "b"}}),
		write("RiskConfiguration.CompromisedCredentialsRiskConfiguration.Actions.EventAction", "BLOCK"),
		write("DeletionProtection", "ACTIVE"),
	}, Options{})
	if err != nil || len(plan.Skipped) > 0 {
		t.Fatalf("%+v %v", plan.Skipped, err)
	}
	var got []string
	for _, w := range plan.Writes {
		got = append(got, w.Call+" "+string(w.Body))
	}
	want := []string{
		`UpdateUserPool {"DeletionProtection":"ACTIVE","MfaConfiguration":"OFF","UserPoolAddOns":{"AdvancedSecurityMode":"ENFORCED"},"UserPoolId":"` + pool + `","UserPoolTier":"PLUS"}`,
		`SetRiskConfiguration {"CompromisedCredentialsRiskConfiguration":{"Actions":{"EventAction":"BLOCK"}},"RiskExceptionConfiguration":{"BlockedIPRangeList":["192.0.2.0/24"]},"UserPoolId":"` + pool + `"}`,
		`SetLogDeliveryConfiguration {"LogConfigurations":[{"EventSource":"userAuthEvents","LogLevel":"INFO","S3Configuration":{"BucketArn":"b"}},` +
			`{"CloudWatchLogsConfiguration":{"LogGroupArn":"g"},"EventSource":"userNotification","LogLevel":"ERROR"}],"UserPoolId":"` + pool + `"}`,
		`UpdateUserPoolClient {"ClientId":"web","ClientName":"w","PreventUserExistenceErrors":"ENABLED","ReadAttributes":[],"RefreshTokenValidity":30,"UserPoolId":"` + pool + `"}`,
		`SetRiskConfiguration {"ClientId":"web","CompromisedCredentialsRiskConfiguration":{"Actions":{"EventAction":"BLOCK"}},"UserPoolId":"` + pool + `"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// logsState is a pool whose logs are the entries given.
func logsState(t *testing.T, entries string) State {
	t.Helper()
	document := tree(t, `{"UserPoolId":"`+pool+`","LogConfigurations":`+entries+`}`)
	table, _ := baseline.LogDelivery.Table()
	KeyLists(table.Members, document)
	return State{ID: pool, Documents: map[baseline.DocumentName]map[string]any{
		baseline.UserPool: tree(t, `{"Id":"`+pool+`","UserPoolTier":"PLUS"}`), baseline.LogDelivery: document}}
}

// TestLogEntries: the order of entries does not count, and all are sent. One of an unknown source is sent if the
// baseline says so. Entries with the same source, or none, stop the write.
func TestLogEntries(t *testing.T) {
	t.Parallel()
	const (
		group  = "arn:aws:logs:eu-west-1:111122223333:log-group:a"
		stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/a"
		notes  = `{"EventSource":"userNotification","LogLevel":"ERROR",` +
			`"CloudWatchLogsConfiguration":{"LogGroupArn":"` + group + `"}}`
		events = `{"EventSource":"userAuthEvents","LogLevel":"INFO"}`
		audits = `{"EventSource":"auditEvents","LogLevel":"INFO"}`
	)
	one, other := logsState(t, "["+notes+","+events+"]"), logsState(t, "["+events+","+notes+"]")
	if diff := cmp.Diff(one.Settings(), other.Settings()); diff != "" {
		t.Errorf("the order of the entries counts:\n%s", diff)
	}
	fix := []baseline.Drift{write("LogConfigurations.userAuthEvents.FirehoseConfiguration.StreamArn", stream)}
	fixed := strings.Replace(events, `"INFO"`, `"INFO","FirehoseConfiguration":{"StreamArn":"`+stream+`"}`, 1)
	all := func(say baseline.Unknown) map[string]baseline.Unknown { return map[string]baseline.Unknown{"*": say} }
	for name, c := range map[string]struct {
		entries string
		say     map[string]baseline.Unknown
		want    string // what is sent, "" if nothing is
	}{
		"two":               {notes + "," + events, nil, fixed + "," + notes},
		"an unknown source": {events + "," + audits, nil, audits + "," + fixed},
		"one that may be echoed": {events + "," + audits,
			map[string]baseline.Unknown{"LogConfigurations.auditEvents": baseline.EchoUnknown}, audits + "," + fixed},
		"one that may be left out": {events + "," + audits, all(baseline.OmitUnknown), fixed},
		"one source twice":         {events + "," + events, all(baseline.EchoUnknown), ""},
		"no source":                {events + `,{"LogLevel":"INFO"}`, all(baseline.EchoUnknown), ""},
	} {
		plan, err := NewPlan(logsState(t, "["+c.entries+"]"), fix, Options{Unknown: c.say})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" {
			const reason = "unknown member LogConfigurations (LogDelivery)"
			if len(plan.Writes) > 0 || len(plan.Skipped) != 1 || !strings.Contains(plan.Skipped[0].Reason, reason) {
				t.Errorf("%s: %d writes, %v", name, len(plan.Writes), plan.Skipped)
			}
			continue
		}
		if len(plan.Writes) != 1 {
			t.Errorf("%s: %d writes, %v", name, len(plan.Writes), plan.Skipped)
			continue
		}
		want, err := DecodeObject([]byte(`{"UserPoolId":"` + pool + `","LogConfigurations":[` + c.want + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeObject(plan.Writes[0].Body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s (-want +sent) %v:\n%s", name, err, diff)
		}
	}
}

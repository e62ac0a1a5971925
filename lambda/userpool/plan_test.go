package userpool

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
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

// rowsOf reads a table of tests from testdata. A misspelled key is an error.
func rowsOf[T any](t *testing.T, file string) map[string]T {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	var rows map[string]T
	if err := decoder.Decode(&rows); err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", file, len(rows), err)
	}
	return rows
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

func leaveOut(setting string) baseline.Drift {
	return baseline.Drift{Setting: setting, Action: baseline.LeaveOut}
}

func planned(state State, options Options, drifts ...baseline.Drift) Plan {
	return NewPlan(state, drifts, options)
}

// TestEveryConditionIsNamed: whoever sees one condition at a time has to try again and again.
func TestEveryConditionIsNamed(t *testing.T) {
	t.Parallel()
	state := stateOf(t, `{"AccountRecoverySetting":{"RecoveryMechanisms":[{"Name":"verified_email","Priority":1}]}}`,
		`{"MfaConfiguration":"ON","SoftwareTokenMfaConfiguration":{"Enabled":true}}`)
	plan := planned(state, Options{}, write("EmailMfaConfiguration.Subject", "s"),
		write("DeletionProtection", "ACTIVE"))
	if len(plan.Skipped) != 1 || len(plan.Fixes) != 1 {
		t.Fatalf("%+v", plan.Skipped)
	}
	for _, condition := range []string{account + " DEVELOPER", "account recovery only by e-mail"} {
		if !strings.Contains(plan.Skipped[0].Reason, condition) {
			t.Errorf("%s is not named: %s", condition, plan.Skipped[0].Reason)
		}
	}
}

// A combination is a pool, and what is wanted of it: what cannot be had, and what can.
type combination struct {
	Pool, Mfa   json.RawMessage
	Left, Fixed []baseline.Drift
}

// TestConflicts has a row for each rule that the service is known to have.
func TestConflicts(t *testing.T) {
	t.Parallel()
	rows := rowsOf[combination](t, "conflicts.json")
	for _, c := range conflicts(view{}) {
		if _, ok := rows[c.ID]; !ok {
			t.Errorf("no row for %s", c.ID)
		}
	}
	for name, c := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := stateOf(t, string(c.Pool), string(c.Mfa))
			if strings.Contains(string(c.Pool), "ENFORCED") {
				state.Documents[baseline.ClientRisk.Of("web")] = tree(t,
					`{"ClientId":"web","RiskExceptionConfiguration":{"SkippedIPRangeList":["192.0.2.0/24"]}}`)
			}
			plan := planned(state, Options{}, slices.Concat(c.Left, c.Fixed)...)
			if diff := cmp.Diff(settingsOf([][]baseline.Drift{c.Left, c.Fixed}),
				settingsOf([][]baseline.Drift{plan.Skipped, plan.Fixes})); diff != "" {
				t.Errorf("left and fixed (-want +got):\n%s", diff)
			}
			unexplained := slices.ContainsFunc(plan.Skipped, func(d baseline.Drift) bool { return d.Reason == "" })
			if unexplained || (len(plan.Writes) > 0) != (len(plan.Fixes) > 0) {
				t.Errorf("left: %+v, %d writes", plan.Skipped, len(plan.Writes))
			}
		})
	}
}

// TestBothOrdersOfWritesRejected: e-mail MFA needs a sender that the pool gets only with a plan change which e-mail MFA
// forbids. The plan says so, and makes the writes that are accepted.
func TestBothOrdersOfWritesRejected(t *testing.T) {
	t.Parallel()
	state := stateOf(t,
		`{"Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD","EMAIL_OTP"]}},`+
			`"EmailConfiguration":{"EmailSendingAccount":"DEVELOPER","SourceArn":"x"}}`,
		`{"MfaConfiguration":"OPTIONAL","EmailMfaConfiguration":{},"SoftwareTokenMfaConfiguration":{"Enabled":true}}`)
	plan := planned(state, Options{}, write(factors, []any{"PASSWORD"}), write(account, "COGNITO_DEFAULT"),
		write(mfa, "ON"), leaveOut(emailMFA))
	if len(plan.Skipped) == 0 || !strings.Contains(plan.Skipped[0].Reason, "both orders of the two calls") ||
		len(plan.Writes) == 0 {
		t.Errorf("left %+v, writes %d", plan.Skipped, len(plan.Writes))
	}
}

// TestTagKeysWithDots: a tag's key is one part of its path, dots and all.
func TestTagKeysWithDots(t *testing.T) {
	t.Parallel()
	state := stateOf(t, `{"UserPoolTags":{"a.b.c":"old","aws:x":"theirs"}}`, `{"MfaConfiguration":"OFF"}`)
	plan := planned(state, Options{}, write("UserPoolTags.a.b.c", "new"))
	if got := tree(t, string(plan.Writes[0].Body))["UserPoolTags"]; !cmp.Equal(got, map[string]any{"a.b.c": "new"}) {
		t.Errorf("%v", got)
	}
}

// TestBody compares what is sent with what the service takes.
func TestBody(t *testing.T) {
	t.Parallel()
	const empty = `{"AutoVerifiedAttributes":[],"LambdaConfig":{},"UserPoolTags":{},"DeviceConfiguration":{},` +
		`"UserAttributeUpdateSettings":{}}`
	for name, c := range map[string]struct{ pool, want string }{
		"empty texts and enums": {
			`{"EmailConfiguration":{"From":"","EmailSendingAccount":""},"UserPoolTier":"","SmsAuthenticationMessage":""}`,
			`{"EmailConfiguration":{}}`},
		"empty containers": {empty, empty},
		"what is refused when empty": {
			`{"SmsConfiguration":{},"UserPoolAddOns":{},"AccountRecoverySetting":{"RecoveryMechanisms":[]},` +
				`"Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":[]}}}`, `{"Policies":{}}`},
		"null": {`{"LambdaConfig":null,"Policies":{"PasswordPolicy":null}}`, `{"Policies":{}}`},
		"default names of levels": {
			`{"AcrConfiguration":{"Level1":{"AcrValue":"urn:cognito:loa:1"},"Level2":{"AcrValue":"urn:cognito:loa:2"}}}`, `{}`},
		"registration without status": {`{"DcrConfiguration":{"OpenDcrEnabled":true}}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := planned(stateOf(t, c.pool, `{"MfaConfiguration":"OFF"}`), Options{},
				write("DeletionProtection", "ACTIVE"))
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
		`{"UserPoolId":"p","LogConfigurations":{"userNotification":`+
			`{"LogLevel":"ERROR","CloudWatchLogsConfiguration":{"LogGroupArn":"g"}}}}`)
	state.Documents[baseline.AppClient.Of("web")] = tree(t,
		`{"UserPoolId":"p","ClientId":"web","ClientName":"w","CreationDate":1,`+
			`"RefreshTokenValidity":30,"ReadAttributes":[],"ClientType":"REGULAR","ClientSecretArn":"arn:x"}`)
	state.Documents[baseline.ClientRisk.Of("web")] = tree(t, `{"ClientId":"web"}`)
	plan := planned(state, Options{},
		write("Clients[web].RiskConfiguration.CompromisedCredentialsRiskConfiguration",
			map[string]any{"Actions": map[string]any{"EventAction": "BLOCK"}}),
		write("Clients[web].PreventUserExistenceErrors", "ENABLED"),
		write("LogConfigurations.userAuthEvents", map[string]any{"LogLevel": "INFO",
			"S3Configuration": map[string]any{"BucketArn": "b"}}),
		write("RiskConfiguration.CompromisedCredentialsRiskConfiguration.Actions.EventAction", "BLOCK"),
		write("DeletionProtection", "ACTIVE"))
	var got []string
	for _, w := range plan.Writes {
		got = append(got, w.Call+" "+string(w.Body))
	}
	want := []string{
		`UpdateUserPool {"DeletionProtection":"ACTIVE","MfaConfiguration":"OFF",` +
			`"UserPoolAddOns":{"AdvancedSecurityMode":"ENFORCED"},"UserPoolId":"` + pool + `","UserPoolTier":"PLUS"}`,
		`SetRiskConfiguration {"CompromisedCredentialsRiskConfiguration":{"Actions":{"EventAction":"BLOCK"}},` +
			`"RiskExceptionConfiguration":{"BlockedIPRangeList":["192.0.2.0/24"]},"UserPoolId":"` + pool + `"}`,
		`SetLogDeliveryConfiguration {"LogConfigurations":[{"EventSource":"userAuthEvents","LogLevel":"INFO",` +
			`"S3Configuration":{"BucketArn":"b"}},` +
			`{"CloudWatchLogsConfiguration":{"LogGroupArn":"g"},"EventSource":"userNotification",` +
			`"LogLevel":"ERROR"}],"UserPoolId":"` + pool + `"}`,
		`UpdateUserPoolClient {"ClientId":"web","ClientName":"w","PreventUserExistenceErrors":"ENABLED",` +
			`"ReadAttributes":[],"RefreshTokenValidity":30,"UserPoolId":"` + pool + `"}`,
		`SetRiskConfiguration {"ClientId":"web","CompromisedCredentialsRiskConfiguration":` +
			`{"Actions":{"EventAction":"BLOCK"}},"UserPoolId":"` + pool + `"}`,
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
	fix := write("LogConfigurations.userAuthEvents.FirehoseConfiguration.StreamArn", stream)
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
		plan := planned(logsState(t, "["+c.entries+"]"), Options{Unknown: c.say}, fix)
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
		want := tree(t, `{"UserPoolId":"`+pool+`","LogConfigurations":[`+c.want+`]}`)
		if diff := cmp.Diff(want, tree(t, string(plan.Writes[0].Body))); diff != "" {
			t.Errorf("%s (-want +sent):\n%s", name, diff)
		}
	}
}

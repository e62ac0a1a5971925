package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
)

// call sends a call to the fake, as somebody else does, and reports whether it was accepted.
func call(fake *cognitotest.Server, operation string, request map[string]any) bool {
	raw, _ := json.Marshal(request)
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(raw))
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	answer := httptest.NewRecorder()
	fake.ServeHTTP(answer, r)
	return answer.Code == http.StatusOK
}

func object(text string) map[string]any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	o := map[string]any{}
	if err := decoder.Decode(&o); err != nil {
		panic(err)
	}
	return o
}

// days is a fact with an older name.
const (
	days  = "Policies.PasswordPolicy.TemporaryPasswordValidityDays"
	older = "AdminCreateUserConfig.UnusedAccountValidityDays"
)

// everything is what the fake has of a pool, by path. Absent and empty are one, but for the objects whose presence
// turns something on.
func everything(fake *cognitotest.Server, id string) map[string]string {
	leaves := map[string]string{}
	pool, mfa, _ := fake.Pool(id)
	leavesOf("", pool, leaves)
	leavesOf("mfa", mfa, leaves)
	if mode := leaves["UserPoolAddOns.AdvancedSecurityMode"]; mode != "" && mode != `"OFF"` {
		leavesOf("risk", fake.Risk(id, ""), leaves)
		of := fake.Risk(id, cognitotest.RichClient)
		if len(of) == 0 { // it has the pool's
			of = fake.Risk(id, "")
		}
		leavesOf("client risk", of, leaves)
	}
	for _, entry := range fake.Logs(id) {
		entry, _ := entry.(map[string]any)
		leavesOf(fmt.Sprintf("log %v", entry["EventSource"]), entry, leaves)
	}
	leavesOf("client", fake.Client(id, cognitotest.RichClient), leaves)
	leavesOf("mobile", fake.Client(id, "mobile"), leaves)
	leaves[days] = cmp.Or(leaves[days], leaves[older], "7")
	maps.DeleteFunc(leaves, func(path, v string) bool {
		return strings.HasSuffix(path, "LastModifiedDate") || path == older || v == "" || v == usual(path)
	})
	return leaves
}

// usual is the default that the service shows, or not, where nothing is set.
func usual(path string) string {
	for prefix, instead := range map[string]string{"client.": "Clients[].", "mobile.": "Clients[].", "mfa.": ""} {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			path = instead + rest
		}
	}
	switch m, _ := baseline.Lookup(path); {
	case m.Default != "":
		return `"` + m.Default + `"`
	case len(m.DefaultList) > 0:
		return strings.Join(m.DefaultList, "")
	default:
		return ""
	}
}

func leavesOf(path string, v any, leaves map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for _, container := range []string{"DeviceConfiguration", "mfa.EmailMfaConfiguration", "mfa.SmsMfaConfiguration"} {
			if path == container {
				leaves[path] = "present"
			}
		}
		for name, below := range v {
			leavesOf(strings.TrimPrefix(path+"."+name, "."), below, leaves)
		}
	case []any:
		if len(v) > 0 {
			leaves[path] = fmt.Sprint(v...)
		}
	default:
		if v != nil && !reflect.ValueOf(v).IsZero() && v != json.Number("0") {
			text, _ := json.Marshal(v)
			leaves[path] = string(text)
		}
	}
}

// backUp saves the served pool and returns the file.
func backUp(t *testing.T, dir string) string {
	t.Helper()
	got := execute(t.Context(), "backup", "--pool", servedPool, "--out", dir)
	files, err := filepath.Glob(dir + "/*.json")
	if got.status != exitDone || err != nil || len(files) != 1 {
		t.Fatalf("exit status %d: %s%v %v", got.status, got.stderr, files, err)
	}
	return files[0]
}

const (
	totpOnly = `{"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": true}}`
	tagged   = `{"UserPoolTags": {"reset": "yes"}, "AutoVerifiedAttributes": ["email"]}`
	offMode  = `{"MfaConfiguration": "OFF"}`
)

// noPhone makes the pool one in which only the factor needs the sender of text messages.
func noPhone(pool, _ map[string]any) {
	maps.Copy(pool, object(`{"AutoVerifiedAttributes": ["email"],
		"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]}}`))
	policy, _ := pool["Policies"].(map[string]any)
	policy["SignInPolicy"] = object(`{"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}`)
}

// TestRestore: a pool is saved, somebody makes calls, and the pool is restored: it is what it was.
func TestRestore(t *testing.T) {
	const set, reset = "SetUserPoolMfaConfig", "UpdateUserPool"
	type made struct{ operation, request string }
	smsAndTOTP := func(_, mfa map[string]any) { delete(mfa, "EmailMfaConfiguration") }
	smsOnly := func(_, mfa map[string]any) {
		delete(mfa, "EmailMfaConfiguration")
		delete(mfa, "SoftwareTokenMfaConfiguration")
	}
	revocation := func(f *cognitotest.Server) {
		client := f.Client(servedPool, cognitotest.RichClient)
		client["EnableTokenRevocation"] = false
		f.PutClient(servedPool, cognitotest.RichClient, client)
	}
	for name, c := range map[string]struct {
		edit  func(pool, mfa map[string]any)
		plant func(*cognitotest.Server)
		calls []made
		after func(*cognitotest.Server) // what the service shows by itself
	}{
		"SMS factor dropped":            {edit: smsAndTOTP, calls: []made{{set, totpOnly}}},
		"SMS factor dropped by MFA OFF": {edit: smsAndTOTP, calls: []made{{set, offMode}}},
		"SMS factor dropped by a reset": {edit: smsAndTOTP, calls: []made{{reset, tagged}}},
		"SMS as only factor, TOTP only": {edit: smsOnly, calls: []made{{set, totpOnly}}},
		"SMS as only factor, MFA OFF":   {edit: smsOnly, calls: []made{{set, offMode}}},
		"SMS as only factor, reset":     {edit: smsOnly, calls: []made{{reset, tagged}}},
		"every factor and a reset":      {calls: []made{{reset, tagged}}},
		"risk configuration gone":       {calls: []made{{"SetRiskConfiguration", `{}`}}},
		"threat protection off":         {calls: []made{{"SetRiskConfiguration", `{}`}, {reset, tagged}}},
		"threat protection turned on": {plant: func(f *cognitotest.Server) {
			f.Edit(servedPool, func(pool, _ map[string]any) { delete(pool, "UserPoolAddOns") })
			f.PutRisk(servedPool, "", nil)
		}, calls: []made{
			{reset, `{"UserPoolTier": "PLUS", "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
				"AutoVerifiedAttributes": ["email"]}`},
			{"SetRiskConfiguration", `{"RiskExceptionConfiguration": {"SkippedIPRangeList": ["192.0.2.0/24"]}}`}}},
		"logs gone":      {calls: []made{{"SetLogDeliveryConfiguration", `{"LogConfigurations": []}`}}},
		"a client reset": {calls: []made{{"UpdateUserPoolClient", `{"ClientId": "mobile"}`}}},
		"a client's risk configuration that says nothing": {plant: inheriting, calls: []made{{"SetRiskConfiguration",
			`{"ClientId": "` + cognitotest.RichClient + `", "RiskExceptionConfiguration": {"BlockedIPRangeList": []}}`}}},
		"a client's risk configuration that said nothing": {plant: func(f *cognitotest.Server) {
			f.PutRisk(servedPool, cognitotest.RichClient, object(`{"RiskExceptionConfiguration": {"BlockedIPRangeList": []}}`))
		}, calls: []made{{"SetRiskConfiguration", `{"ClientId": "` + cognitotest.RichClient + `"}`}}},
		"a client's secret published": {calls: []made{{"UpdateUserPoolClient",
			`{"ClientId": "` + cognitotest.RichClient + `", "PublishSecretsInAWSSecretsManager": true}`}}},
		"a client's secret withdrawn": {calls: []made{{"UpdateUserPoolClient",
			`{"ClientId": "mobile", "PublishSecretsInAWSSecretsManager": false}`}}},
		"a client's revocation turned on":    {plant: revocation, calls: []made{{"UpdateUserPoolClient", revoking}}},
		"a client's revocation, the default": {plant: revocation, after: revocable},
		"defaults shown since": {edit: func(pool, mfa map[string]any) {
			smsAndTOTP(pool, mfa)
			delete(pool["Policies"].(map[string]any), "SignInPolicy")
			delete(pool, "EmailConfiguration")
		}, calls: []made{{reset, tagged}}, after: func(f *cognitotest.Server) {
			f.Edit(servedPool, func(pool, _ map[string]any) {
				pool["Policies"].(map[string]any)["SignInPolicy"] = object(`{"AllowedFirstAuthFactors": ["PASSWORD"]}`)
				pool["EmailConfiguration"] = object(`{"EmailSendingAccount": "COGNITO_DEFAULT"}`)
			})
		}},
	} {
		for _, mode := range []cognitotest.Mode{cognitotest.Contract, cognitotest.Measured} {
			t.Run(fmt.Sprintf("%s/%d", name, mode), func(t *testing.T) {
				fake := connected(t, mode)
				fake.PutRich(servedPool)
				fake.Edit(servedPool, noPhone)
				if c.edit != nil {
					fake.Edit(servedPool, c.edit)
				}
				if c.plant != nil {
					c.plant(fake)
				}
				before, file := everything(fake, servedPool), backUp(t, t.TempDir())
				for _, m := range c.calls {
					request := object(m.request)
					request["UserPoolId"] = servedPool
					if !call(fake, m.operation, request) {
						t.Fatalf("%s was refused", m.operation)
					}
				}
				if c.after != nil {
					c.after(fake)
				}
				got := execute(t.Context(), "restore", file, "--yes", "--no-backup")
				if !strings.Contains(name, "client") && strings.Contains(got.stdout, "CallbackURLs") {
					t.Errorf("what did not change is in the plan:\n%s", got.stdout)
				}
				if diff := gocmp.Diff(before, everything(fake, servedPool)); diff != "" || got.status != exitDone {
					_, done, _ := strings.Cut(got.stdout, "Plan:")
					t.Errorf("exit status %d: %s%s\n%s", got.status, done, got.stderr, diff)
				}
			})
		}
	}
}

func inheriting(f *cognitotest.Server) { f.PutRisk(servedPool, cognitotest.RichClient, nil) }

const revoking = `{"ClientId": "` + cognitotest.RichClient + `", "EnableTokenRevocation": true}`

func revocable(f *cognitotest.Server) {
	client := f.Client(servedPool, cognitotest.RichClient)
	client["EnableTokenRevocation"] = true
	f.PutClient(servedPool, cognitotest.RichClient, client)
}

// undone remediates the served pool with a baseline, undoes it from the record alone, and returns what undo printed.
func undone(t testing.TB, required *baseline.Baseline) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := started(nil, &out, &out, "yes", "no-backup")
	r, err := c.reconciler(t.Context(), required)
	if err != nil {
		t.Fatal(err)
	}
	records := ledger.NewMemory()
	a := applying{c: c, cause: "apply"}
	r.Ledger = records
	var status exit
	err = a.run(t.Context(), selection{ids: []string{servedPool}}, always(r))
	if err != nil && !errors.As(err, &status) {
		t.Fatalf("%v\n%s", err, out.String())
	}
	history, err := records.History(t.Context(), servedPool, time.Now().Add(-time.Hour), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(history.Records) == 0 {
		return "", nil // nothing was written
	}
	out.Reset()
	err = c.undoRecord(t.Context(), records, history.Records[0].ID)
	return out.String(), err
}

// TestUndoOfWhatWasAbsent: what a remediation added, undo takes away, container and all.
func TestUndoOfWhatWasAbsent(t *testing.T) {
	for requirement, edit := range map[string]func(pool, mfa map[string]any){
		"EmailMfaConfiguration: {Subject: Code}": func(_, mfa map[string]any) { delete(mfa, "EmailMfaConfiguration") },
		"DeviceConfiguration: {ChallengeRequiredOnNewDevice: true}": func(pool, _ map[string]any) {
			delete(pool, "DeviceConfiguration")
		},
		`SmsMfaConfiguration: {SmsAuthenticationMessage: "Code {####}"}`: func(pool, mfa map[string]any) {
			delete(mfa, "SmsMfaConfiguration")
			delete(pool, "SmsAuthenticationMessage")
		},
		"SmsMfaConfiguration: {SmsConfiguration: {SnsCallerArn: 'arn:aws:iam::111122223333:role/cognito-sms'}}": func(
			_, mfa map[string]any) {
			delete(mfa, "SmsMfaConfiguration")
		},
		"SoftwareTokenMfaConfiguration: {Enabled: true}": func(_, mfa map[string]any) {
			delete(mfa, "SoftwareTokenMfaConfiguration")
		},
		"WebAuthnConfiguration: {UserVerification: required}": func(_, mfa map[string]any) {
			delete(mfa, "WebAuthnConfiguration")
		},
		"UserPoolAddOns: {AdvancedSecurityMode: AUDIT}": func(pool, _ map[string]any) {
			delete(pool, "UserPoolAddOns")
		},
		"LambdaConfig: {PreSignUp: 'arn:aws:lambda:eu-west-1:111122223333:function:f'}": func(pool, _ map[string]any) {
			pool["LambdaConfig"] = map[string]any{}
		},
		"AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}": func(pool, _ map[string]any) {
			delete(pool, "AccountRecoverySetting")
		},
	} {
		t.Run(requirement, func(t *testing.T) {
			fake := connected(t)
			fake.PutRich(servedPool)
			fake.Edit(servedPool, noPhone)
			fake.Edit(servedPool, edit)
			before := everything(fake, servedPool)
			required, err := baseline.Parse("b.yaml", []byte("version: 1\nrules: [{name: r, require: {"+requirement+"}}]"))
			if err != nil {
				t.Fatal(err)
			}
			printed, err := undone(t, required)
			if diff := gocmp.Diff(before, everything(fake, servedPool)); diff != "" || err != nil || printed == "" {
				t.Errorf("%v: %s\n%s", err, printed, diff)
			}
		})
	}
}

// TestThreatProtectionOff: a risk configuration that has to be absent does not keep threat protection on.
func TestThreatProtectionOff(t *testing.T) {
	fake := connected(t)
	fake.PutRich(servedPool)
	file := write(t, "b.yaml", "version: 1\nrules: [{name: off, require: {UserPoolAddOns: {AdvancedSecurityMode: OFF}, "+
		"RiskConfiguration: {absent: true}}}]")
	got := execute(t.Context(), "apply", "--all", "--yes", "--no-backup", "--baseline", file)
	if mode := everything(fake, servedPool)["UserPoolAddOns.AdvancedSecurityMode"]; got.status != exitDone || mode != "" {
		t.Errorf("exit status %d, %s: %s%s", got.status, mode, got.stdout, got.stderr)
	}
}

// TestRestoreListsWhatItCannotRestore: no call takes a sender of text messages from a pool.
func TestRestoreListsWhatItCannotRestore(t *testing.T) {
	fake := connected(t)
	fake.PutRich(servedPool)
	sender := object("{}")
	fake.Edit(servedPool, func(pool, mfa map[string]any) {
		noPhone(pool, mfa)
		delete(mfa, "SmsMfaConfiguration")
		sender["SmsConfiguration"] = pool["SmsConfiguration"]
		delete(pool, "SmsConfiguration")
	})
	file := backUp(t, t.TempDir())
	fake.Edit(servedPool, func(pool, _ map[string]any) { maps.Copy(pool, sender) })
	got := execute(t.Context(), "restore", file, "--yes", "--no-backup")
	want := "no call by poolkeeper can restore them:\n  SmsConfiguration\n"
	if got.status != exitDrifted || !strings.Contains(got.stdout, want) {
		t.Errorf("exit status %d: %s%s", got.status, got.stdout, got.stderr)
	}
}

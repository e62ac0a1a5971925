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
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/userpool"
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
	o, err := userpool.DecodeObject([]byte(text))
	if err != nil {
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
	case path == "DcrConfiguration.EnableStatus":
		return `"Disabled"`
	case m.Kind == baseline.Integer:
		return m.Default
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
	expect(t, "backup --pool "+servedPool+" --out "+dir, exitDone)
	files, err := filepath.Glob(dir + "/*.json")
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	return files[0]
}

// noPhone makes the pool one in which only the factor needs the sender of text messages.
func noPhone(pool, _ map[string]any) {
	maps.Copy(pool, object(`{"AutoVerifiedAttributes": ["email"],
		"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]}}`))
	policy, _ := pool["Policies"].(map[string]any)
	policy["SignInPolicy"] = object(`{"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}`)
}

// A change is one of the served pool without a call.
type change func(*cognitotest.Server)

// without takes members from the pool.
func without(members ...string) change {
	return func(f *cognitotest.Server) {
		f.Edit(servedPool, func(pool, mfa map[string]any) {
			for _, name := range members {
				delete(pool, name)
				delete(mfa, name)
			}
		})
	}
}

// with sets members of the pool.
func with(members string) change {
	return func(f *cognitotest.Server) {
		f.Edit(servedPool, func(pool, _ map[string]any) { maps.Copy(pool, object(members)) })
	}
}

// risk sets the risk configuration of the pool, or of a client.
func risk(client string, of map[string]any) change {
	return func(f *cognitotest.Server) { f.PutRisk(servedPool, client, of) }
}

// revocation sets whether a client's tokens can be revoked.
func revocation(enabled bool) change {
	return func(f *cognitotest.Server) {
		client := f.Client(servedPool, cognitotest.RichClient)
		client["EnableTokenRevocation"] = enabled
		f.PutClient(servedPool, cognitotest.RichClient, client)
	}
}

func noValidity(f *cognitotest.Server) {
	client := f.Client(servedPool, cognitotest.RichClient)
	delete(client, "AuthSessionValidity")
	f.PutClient(servedPool, cognitotest.RichClient, client)
}

// TestRestore: a pool is saved, somebody makes calls, and the pool is restored: it is what it was.
func TestRestore(t *testing.T) {
	const (
		totpOnly = `SetUserPoolMfaConfig {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": true}}`
		mfaOff   = `SetUserPoolMfaConfig {"MfaConfiguration": "OFF"}`
		reset    = `UpdateUserPool {"UserPoolTags": {"reset": "yes"}, "AutoVerifiedAttributes": ["email"]}`
		noRisk   = `SetRiskConfiguration {}`
		web      = `{"ClientId": "` + cognitotest.RichClient + `"`
		silent   = `"RiskExceptionConfiguration": {"BlockedIPRangeList": []}}`
	)
	smsAndTOTP := without("EmailMfaConfiguration")
	smsOnly := without("EmailMfaConfiguration", "SoftwareTokenMfaConfiguration")
	for name, c := range map[string]struct {
		before []change
		calls  []string
		after  change // what the service shows by itself
	}{
		"SMS factor dropped":            {before: []change{smsAndTOTP}, calls: []string{totpOnly}},
		"SMS factor dropped by MFA OFF": {before: []change{smsAndTOTP}, calls: []string{mfaOff}},
		"SMS factor dropped by a reset": {before: []change{smsAndTOTP}, calls: []string{reset}},
		"SMS as only factor, TOTP only": {before: []change{smsOnly}, calls: []string{totpOnly}},
		"SMS as only factor, MFA OFF":   {before: []change{smsOnly}, calls: []string{mfaOff}},
		"SMS as only factor, reset":     {before: []change{smsOnly}, calls: []string{reset}},
		"every factor and a reset":      {calls: []string{reset}},
		"risk configuration gone":       {calls: []string{noRisk}},
		"threat protection off":         {calls: []string{noRisk, reset}},
		"threat protection turned on": {before: []change{without("UserPoolAddOns"), risk("", nil)}, calls: []string{
			`UpdateUserPool {"UserPoolTier": "PLUS", "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
				"AutoVerifiedAttributes": ["email"]}`,
			`SetRiskConfiguration {"RiskExceptionConfiguration": {"SkippedIPRangeList": ["192.0.2.0/24"]}}`}},
		"registration turned on": {before: []change{without("DcrConfiguration")}, calls: []string{
			`UpdateUserPool {"AutoVerifiedAttributes": ["email"], "DcrConfiguration": {"EnableStatus": "Enabled"}}`}},
		"logs gone":      {calls: []string{`SetLogDeliveryConfiguration {"LogConfigurations": []}`}},
		"a client reset": {calls: []string{`UpdateUserPoolClient {"ClientId": "mobile"}`}},
		"a client's risk configuration that says nothing": {before: []change{risk(cognitotest.RichClient, nil)},
			calls: []string{`SetRiskConfiguration ` + web + `, ` + silent}},
		"a client's risk configuration that said nothing": {calls: []string{`SetRiskConfiguration ` + web + `}`},
			before: []change{risk(cognitotest.RichClient, object(`{`+silent))}},
		"a client's secret published": {calls: []string{
			`UpdateUserPoolClient ` + web + `, "PublishSecretsInAWSSecretsManager": true}`}},
		"a client's secret withdrawn": {calls: []string{
			`UpdateUserPoolClient {"ClientId": "mobile", "PublishSecretsInAWSSecretsManager": false}`}},
		"a client's sign-in session validity": {before: []change{noValidity}, calls: []string{
			`UpdateUserPoolClient ` + web + `, "AuthSessionValidity": 15}`}},
		"a client's revocation turned on": {before: []change{revocation(false)}, calls: []string{
			`UpdateUserPoolClient ` + web + `, "EnableTokenRevocation": true}`}},
		"a client's revocation, the default": {before: []change{revocation(false)}, after: revocation(true)},
		"defaults shown since": {before: []change{smsAndTOTP, without("EmailConfiguration"),
			with(`{"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}`)}, calls: []string{reset}, after: with(
			`{"Policies": {"PasswordPolicy": {"MinimumLength": 8}, "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}},
				"EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"}}`)},
	} {
		for _, mode := range []cognitotest.Mode{cognitotest.Contract, cognitotest.Measured} {
			t.Run(fmt.Sprintf("%s/%d", name, mode), func(t *testing.T) {
				fake := connected(t, mode)
				fake.PutRich(servedPool)
				fake.Edit(servedPool, noPhone)
				for _, change := range c.before {
					change(fake)
				}
				before, file := everything(fake, servedPool), backUp(t, t.TempDir())
				for _, made := range c.calls {
					operation, body, _ := strings.Cut(made, " ")
					request := object(body)
					request["UserPoolId"] = servedPool
					if !call(fake, operation, request) {
						t.Fatalf("%s was refused", operation)
					}
				}
				if c.after != nil {
					c.after(fake)
				}
				got := execute(t.Context(), "restore --yes --no-backup "+file)
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
	err = c.show(func() error { return a.run(t.Context(), []string{servedPool}, always(r)) })
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
	err = c.show(func() error { return c.undoRecord(t.Context(), records, history.Records[0].ID) })
	return out.String(), err
}

// TestUndoOfWhatWasAbsent: what a remediation added, undo takes away, container and all.
func TestUndoOfWhatWasAbsent(t *testing.T) {
	role, function := "arn:aws:iam::111122223333:role/cognito-sms", "arn:aws:lambda:eu-west-1:111122223333:function:f"
	older := with(`{"LambdaConfig": {"PreTokenGeneration": "` + function + `"}}`)
	newest := "LambdaConfig: {exactly: {PreTokenGenerationConfig: {LambdaArn: '" + function + "', LambdaVersion: V2_0}}}"
	for requirement, missing := range map[string]change{
		"EmailMfaConfiguration: {Subject: Code}":                    without("EmailMfaConfiguration"),
		"DeviceConfiguration: {ChallengeRequiredOnNewDevice: true}": without("DeviceConfiguration"),
		`SmsMfaConfiguration: {SmsAuthenticationMessage: "Code {####}"}`: without("SmsMfaConfiguration",
			"SmsAuthenticationMessage"),
		"SmsMfaConfiguration: {SmsConfiguration: {SnsCallerArn: '" + role + "'}}": without("SmsMfaConfiguration"),
		"SoftwareTokenMfaConfiguration: {Enabled: true}":                          without("SoftwareTokenMfaConfiguration"),
		"WebAuthnConfiguration: {UserVerification: required}":                     without("WebAuthnConfiguration"),
		"UserPoolAddOns: {AdvancedSecurityMode: AUDIT}":                           without("UserPoolAddOns"),
		"LambdaConfig: {PreSignUp: '" + function + "'}":                           with(`{"LambdaConfig": {}}`),
		"VerificationMessageTemplate: {EmailMessage: 'New {####}'}":               without("VerificationMessageTemplate"),
		"LambdaConfig: {PreTokenGenerationConfig: {LambdaVersion: V2_0}}":         older,
		newest: older,
		"AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}": without(
			"AccountRecoverySetting"),
	} {
		t.Run(requirement, func(t *testing.T) {
			fake := connected(t)
			fake.PutRich(servedPool)
			fake.Edit(servedPool, noPhone)
			missing(fake)
			before := everything(fake, servedPool)
			required, err := baseline.Parse("b.yaml", []byte("version: 1\nrules: [{name: r, require: {"+requirement+"}}]"))
			if err != nil {
				t.Fatal(err)
			}
			printed, err := undone(t, required)
			after := everything(fake, servedPool)
			maps.DeleteFunc(after, func(path, v string) bool { // a mirror that the service shows since
				twin, ok := baseline.TwinOf(path)
				return ok && before[path] == "" && before[twin] == v
			})
			if diff := gocmp.Diff(before, after); diff != "" || err != nil || printed == "" {
				t.Errorf("%v: %s\n%s", err, printed, diff)
			}
		})
	}
}

// TestRestoreListsWhatItCannotRestore: no call takes a sender of text messages from a pool.
func TestRestoreListsWhatItCannotRestore(t *testing.T) {
	fake := connected(t)
	fake.PutRich(servedPool)
	fake.Edit(servedPool, noPhone)
	without("SmsMfaConfiguration", "SmsConfiguration")(fake)
	file := backUp(t, t.TempDir())
	with(`{"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::111122223333:role/cognito-sms"}}`)(fake)
	got := execute(t.Context(), "restore --yes --no-backup "+file)
	want := "no call by poolkeeper can restore them:\n  SmsConfiguration\n"
	if got.status != exitDrifted || !strings.Contains(got.stdout, want) {
		t.Errorf("exit status %d: %s%s", got.status, got.stdout, got.stderr)
	}
	without("SmsMfaConfiguration", "SmsConfiguration")(fake)
	required, err := baseline.Parse("b.yaml", []byte("version: 1\nrules: [{name: r, require: {SmsMfaConfiguration: "+
		"{exactly: {SmsConfiguration: {SnsCallerArn: 'arn:aws:iam::111122223333:role/cognito-sms'}}}}}]"))
	if err != nil {
		t.Fatal(err)
	}
	if printed, err := undone(t, required); !strings.Contains(printed, want) {
		t.Errorf("%v: %s", err, printed)
	}
}

// TestWeaker: a setting is weaker where what is there is stricter. One that only changes is not.
func TestWeaker(t *testing.T) {
	t.Parallel()
	type settings = map[string]any
	password := func(length int, symbols bool) settings {
		return settings{"Policies": settings{"PasswordPolicy": settings{"MinimumLength": length, "RequireSymbols": symbols}}}
	}
	protection := func(value string) settings { return settings{protected: value} }
	trigger := func(name string) settings {
		return settings{"LambdaConfig": settings{"PreSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:" + name}}
	}
	const minimum, symbol = "Policies.PasswordPolicy.MinimumLength", "Policies.PasswordPolicy.RequireSymbols"
	for name, c := range map[string]struct {
		now, target settings
		planned     string
		weaker      bool
	}{
		"protection off":      {protection("ACTIVE"), protection("INACTIVE"), protected, true},
		"protection on":       {protection("INACTIVE"), protection("ACTIVE"), protected, false},
		"shorter password":    {password(12, true), password(8, true), minimum, true},
		"longer password":     {password(8, true), password(12, true), minimum, false},
		"no symbol":           {password(12, true), password(12, false), symbol, true},
		"another trigger":     {trigger("a"), trigger("b"), "LambdaConfig.PreSignUp", false},
		"not planned":         {password(12, true), password(8, true), protected, false},
		"no setting of these": {settings{"PoolName": "a"}, settings{"PoolName": "b"}, "PoolName", false},
	} {
		got, err := weaker(state(c.now), state(c.target), []string{c.planned})
		if err != nil || (len(got) > 0) != c.weaker {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

const protected = "DeletionProtection"

// state returns a rich pool with some members of its own.
func state(members map[string]any) userpool.State {
	pool, mfa := cognitotest.Rich()
	maps.Copy(pool, members)
	return userpool.State{ID: servedPool,
		Documents: map[baseline.DocumentName]map[string]any{baseline.UserPool: pool, baseline.MfaConfig: mfa}}
}

// drawCalls makes some calls of others about the served pool: each sends the document as it is shown, or as a rich pool
// has it, of which some members are left out or have other values. What the fake refuses changes nothing.
func drawCalls(t *rapid.T, fake *cognitotest.Server) {
	rich := cognitotest.New(cognitotest.Contract)
	rich.PutRich(servedPool)
	for range rapid.IntRange(1, 4).Draw(t, "calls") {
		from := rapid.SampledFrom([]*cognitotest.Server{fake, fake, rich}).Draw(t, "document")
		client := rapid.SampledFrom([]string{cognitotest.RichClient, "mobile"}).Draw(t, "client")
		operation := rapid.SampledFrom([]string{"UpdateUserPool", "UpdateUserPool", "UpdateUserPool",
			"SetUserPoolMfaConfig", "SetUserPoolMfaConfig", "SetUserPoolMfaConfig", "SetRiskConfiguration",
			"SetRiskConfiguration", "UpdateUserPoolClient", "SetLogDeliveryConfiguration"}).Draw(t, "call")
		pool, mfa, _ := from.Pool(servedPool)
		request := map[string]any{}
		switch operation {
		case "UpdateUserPool":
			request = drawRequest(t, baseline.UserPool, pool)
		case "SetUserPoolMfaConfig":
			request = drawRequest(t, baseline.MfaConfig, mfa)
		case "SetRiskConfiguration":
			of := rapid.SampledFrom([]string{"", client}).Draw(t, "risk of")
			if request = drawRequest(t, baseline.RiskConfiguration, from.Risk(servedPool, of)); of != "" {
				request["ClientId"] = of
			}
		case "UpdateUserPoolClient":
			if rapid.IntRange(0, 9).Draw(t, "delete") == 0 {
				operation = "DeleteUserPoolClient"
			} else {
				request = drawRequest(t, baseline.AppClient, from.Client(servedPool, client))
			}
			request["ClientId"] = client
		default:
			unlogged := func(any) bool { return rapid.Bool().Draw(t, "no log") }
			request["LogConfigurations"] = append([]any{}, slices.DeleteFunc(from.Logs(servedPool), unlogged)...)
		}
		request["UserPoolId"] = servedPool
		t.Log(operation, request["ClientId"], call(fake, operation, request))
	}
}

func drawRequest(t *rapid.T, name baseline.DocumentName, shown map[string]any) map[string]any {
	table, _ := name.Table()
	request := map[string]any{}
	if rapid.IntRange(0, 9).Draw(t, "one member alone") == 0 {
		m := rapid.SampledFrom(table.Members).Draw(t, "member")
		drawMember(t, m, m.Name, shown, request, 1)
		return request
	}
	for _, m := range table.Members {
		drawMember(t, m, m.Name, shown, request, 12)
	}
	policies, _ := request["Policies"].(map[string]any)
	if password, ok := policies["PasswordPolicy"].(map[string]any); ok && password["MinimumLength"] == nil {
		password["MinimumLength"] = json.Number("8") // no pool is without one
	}
	return request
}

// drawMember puts a member into a request: as it is shown, or, one time in so many, otherwise or not at all.
func drawMember(t *rapid.T, m baseline.Member, path string, shown, request map[string]any, oneIn int) {
	v, isShown := shown[m.Name]
	if m.ReadName != "" {
		v, isShown = shown[m.ReadName]
	}
	if m.Trip == baseline.ReadOnly {
		return
	}
	if rapid.IntRange(1, oneIn).Draw(t, path) > 1 {
		if isShown {
			request[m.Name] = v
		}
		return
	}
	switch below, _ := v.(map[string]any); {
	case m.Kind == baseline.Object && rapid.IntRange(0, 3).Draw(t, "in "+path) > 0:
		inner := map[string]any{}
		for _, e := range m.Members {
			drawMember(t, e, path+"."+e.Name, below, inner, 3)
		}
		request[m.Name] = inner
	case rapid.Bool().Draw(t, "no "+path):
	case m.Kind == baseline.Boolean:
		request[m.Name] = v != true
	case len(m.Enum) > 0:
		request[m.Name] = rapid.SampledFrom(m.Enum).Draw(t, "value of "+path)
	case m.Kind == baseline.Integer:
		request[m.Name] = json.Number(rapid.SampledFrom([]string{"6", "7", "13"}).Draw(t, "value of "+path))
	case m.Kind == baseline.List && m.Elem.Kind == baseline.String:
		list, _ := v.([]any)
		request[m.Name] = append([]any{}, list[:len(list)/2]...)
	case m.Kind == baseline.String && m.Pattern == "":
		request[m.Name] = "other"
	case isShown:
		request[m.Name] = v
	}
}

// sameOrSaid demands that the pool is what it was, or that the command says what is not, with exit status 2.
func sameOrSaid(t *rapid.T, before, after map[string]string, status int, printed string) {
	differ := moved(before, after)
	if status != exitDrifted && (status != exitDone || len(differ) > 0) {
		t.Fatalf("exit status %d, and %v differ:\n%s", status, differ, printed)
	}
	for _, path := range differ {
		if !said(path, printed) {
			t.Fatalf("%s is %s, was %s:\n%s", path, after[path], before[path], printed)
		}
	}
}

// said reports whether an output speaks of a path of everything, or of something around it.
func said(path, printed string) bool {
	for of, prefix := range map[string]string{"mfa.": "", "risk.": "RiskConfiguration.", "log ": "LogConfigurations.",
		"client risk.": "Clients[" + cognitotest.RichClient + "].RiskConfiguration.",
		"client.":      "Clients[" + cognitotest.RichClient + "].", "mobile.": "Clients[mobile]."} {
		if rest, ok := strings.CutPrefix(path, of); ok {
			path = prefix + rest
			break
		}
	}
	if path == days {
		printed = strings.ReplaceAll(printed, older, path)
	}
	for at := path; at != ""; at = at[:max(0, strings.LastIndexByte(at, '.'))] {
		if strings.Contains(printed, "unfixable "+at) || strings.Contains(printed, "x "+at) ||
			strings.Contains(printed, "\n  "+at+"\n") {
			return true
		}
	}
	client := strings.NewReplacer("Clients[", "AppClient/", "]", "").Replace(path)
	client, _, _ = strings.Cut(client, ".")
	return strings.Contains(printed, "\n  "+client+"\n")
}

// law checks a law of a pool about which others have made any calls, in both modes of the fake.
func law(t *testing.T, check func(*rapid.T, *cognitotest.Server)) {
	t.Helper()
	rapid.Check(t, func(r *rapid.T) {
		mode := rapid.SampledFrom([]cognitotest.Mode{cognitotest.Contract, cognitotest.Measured}).Draw(r, "mode")
		fake := start(t, mode)
		defer func() { _ = fake.Close() }()
		fake.PutRich(servedPool)
		drawCalls(r, fake)
		check(r, fake)
	})
}

// TestRestoreLaw: after a backup, any calls of others, and a restore, the pool is as in the backup, or what is not is
// said with exit status 2.
func TestRestoreLaw(t *testing.T) {
	dir := t.TempDir()
	law(t, func(r *rapid.T, fake *cognitotest.Server) {
		before := everything(fake, servedPool)
		if err := os.RemoveAll(dir); err != nil {
			r.Fatal(err)
		}
		file := backUp(t, dir)
		drawCalls(r, fake)
		got := execute(t.Context(), "restore --yes --no-backup "+file)
		sameOrSaid(r, before, everything(fake, servedPool), got.status, got.stderr+got.stdout)
	})
}

// TestUndoLaw: after a remediation of any drift and its undo, the pool is what it was, or what is not is said with exit
// status 2.
func TestUndoLaw(t *testing.T) {
	law(t, func(r *rapid.T, fake *cognitotest.Server) {
		required := drawTarget(t, r)
		drawCalls(r, fake)
		before := everything(fake, servedPool)
		printed, err := undone(t, required)
		var status exit
		if err != nil && !errors.As(err, &status) && !strings.Contains(err.Error(), "changed nothing") {
			r.Fatal(err)
		}
		sameOrSaid(r, before, everything(fake, servedPool), int(status), printed)
	})
}

// drawTarget draws a baseline: some settings of the pool as they are now.
func drawTarget(t *testing.T, r *rapid.T) *baseline.Baseline {
	t.Helper()
	pools, err := started(nil, nil, nil).connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state, err := pools.Read(t.Context(), servedPool, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	settings := everySetting()
	var paths []string
	for range rapid.IntRange(1, 6).Draw(r, "settings") {
		path := rapid.SampledFrom(settings).Draw(r, "setting")
		path = strings.Replace(path, baseline.Clients+".", baseline.ClientPath("mobile")+".", 1)
		if !slices.ContainsFunc(paths, func(p string) bool { return userpool.Touches(p, path) }) {
			paths = append(paths, path)
		}
	}
	required, _ := baseline.OfPaths("target", "sha256:t", servedPool, state.Own(), paths)
	return required
}

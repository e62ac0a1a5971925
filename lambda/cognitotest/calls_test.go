package cognitotest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

// A row is a pool, a change of the echo of one call, and what the service makes of it: an error, or a value.
type row struct {
	Rule     string // the name of the rule that refuses
	Call     string
	Pool     json.RawMessage // patch of the rich pool
	Request  json.RawMessage // patch of the echo
	Says     string
	Path     string
	Want     json.RawMessage // in Measured
	Contract json.RawMessage // in Contract where that differs
}

// rows are those of a list in testdata/calls.json. The refusals are those that no fact of package conformance has.
func rows(t *testing.T, list string) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/calls.json")
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string][]row
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&lists); err != nil || len(lists[list]) == 0 {
		t.Fatalf("%d rows of %s, %v", len(lists[list]), list, err)
	}
	return lists[list]
}

// changed is the fake of a row with the request to send.
func (r row) changed(t *testing.T, mode cognitotest.Mode, o ...cognitotest.Option) (fake, map[string]any) {
	t.Helper()
	f := rich(t, mode, string(r.Pool), o...)
	request := f.echo(t, r.Call)
	delete(request, "Newest")
	patch(t, request, string(r.Request))
	return f, request
}

// inBothModes checks each row of a list in both modes of the fake.
func inBothModes(t *testing.T, list string, check func(t *testing.T, r row, mode cognitotest.Mode)) {
	for _, r := range rows(t, list) {
		for name, mode := range modes {
			t.Run(r.Rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				check(t, r, mode)
			})
		}
	}
}

// TestRefusals: each rule refuses in both worlds, changes nothing, and is what refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	inBothModes(t, "refusals", func(t *testing.T, r row, mode cognitotest.Mode) {
		r.check(t, mode)
		f, request := r.changed(t, mode, cognitotest.WithoutValidators())
		f.ok(t, r.Call, request)
	})
}

func (r row) check(t *testing.T, mode cognitotest.Mode) {
	t.Helper()
	f, request := r.changed(t, mode)
	before := f.state()
	a := f.send(t, r.Call, request)
	code, text := parameter, r.Says
	if name, rest, ok := strings.Cut(r.Says, "Exception: "); ok {
		code, text = name+"Exception", rest
	}
	if a.status != http.StatusBadRequest || a.code() != code || !strings.Contains(a.says(), text) {
		t.Errorf("answered %d %s, want %q", a.status, a.says(), r.Says)
	}
	if got := a.header.Get("X-Amzn-Errortype"); got != code+":" {
		t.Errorf("the header says %q", got)
	}
	if diff := gocmp.Diff(before, f.state()); diff != "" {
		t.Errorf("a refused call changed (-before +after):\n%s", diff)
	}
}

// TestValidation breaks one limit of each kind in an echo.
func TestValidation(t *testing.T) {
	t.Parallel()
	long := fmt.Sprintf(`{"SmsAuthenticationMessage": "{####}%s"}`, strings.Repeat("é", 135))
	key := fmt.Sprintf(`{"UserPoolTags": {"%s": "x"}}`, strings.Repeat("k", 129))
	for i, r := range append(rows(t, "validation"),
		row{Rule: "long text", Call: update, Request: []byte(long), Says: "length less than or equal to 140"},
		row{Rule: "long tag key", Call: update, Request: []byte(key), Says: "128"},
		row{Rule: "too many tags", Call: update, Request: tags(51), Says: "50"},
	) {
		t.Run(fmt.Sprintf("%d %s", i, r.Rule), func(t *testing.T) {
			t.Parallel()
			r.check(t, cognitotest.Contract)
		})
	}
}

// TestTaken are changes that lie close to a refusal and are none.
func TestTaken(t *testing.T) {
	t.Parallel()
	fifty := row{Rule: "fifty tags", Call: update, Pool: []byte(`{"pool": {"UserPoolTags": null}}`), Request: tags(50)}
	for _, r := range append(rows(t, "taken"), fifty) {
		for name, mode := range modes {
			t.Run(r.Rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				f, request := r.changed(t, mode)
				f.ok(t, r.Call, request)
			})
		}
	}
}

func tags(n int) []byte {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"key%d": "value"`, i))
	}
	return []byte(`{"UserPoolTags": {` + strings.Join(all, ", ") + `}}`)
}

// state is all that the fake keeps of the pool, without the dates of changes.
func (f fake) state() map[string]any {
	pool, mfa, _ := f.Pool(poolID)
	all := map[string]any{"pool": pool, "mfa": mfa, "risk": f.Risk(poolID, ""), "logs": f.Logs(poolID),
		"client": f.Client(poolID, cognitotest.RichClient)}
	for _, document := range all {
		if object, ok := document.(map[string]any); ok {
			delete(object, "LastModifiedDate")
		}
	}
	return all
}

// TestEcho writes each document back as it was read, which changes nothing.
func TestEcho(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		f := rich(t, mode, "")
		before := f.state()
		for _, call := range []string{update, set, setRisk, setLogs, setClient} {
			f.ok(t, call, f.echo(t, call))
			if diff := gocmp.Diff(before, f.state()); diff != "" {
				t.Errorf("%s: %s changed (-before +after):\n%s", name, call, diff)
			}
		}
	}
}

// TestWrites checks what a write leaves behind against what is known of the service. The facts of package conformance
// have more: what a member that is left out, and a twin, become.
func TestWrites(t *testing.T) {
	t.Parallel()
	inBothModes(t, "writes", func(t *testing.T, r row, mode cognitotest.Mode) {
		f, request := r.changed(t, mode)
		f.ok(t, r.Call, request)
		want := r.Want
		if mode == cognitotest.Contract && r.Contract != nil {
			want = r.Contract
		}
		wanted := parse(fmt.Appendf(nil, `{"value": %s}`, want))["value"]
		if diff := gocmp.Diff(wanted, walk(f.state(), r.Path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.Path, diff)
		}
	})
}

const appOnly = `{"MfaConfiguration": "OPTIONAL", "SmsMfaConfiguration": null, "EmailMfaConfiguration": null,
	"SoftwareTokenMfaConfiguration": {"Enabled": true}, "WebAuthnConfiguration": null}`

// TestShownUnasked: what the service shows although nobody set it. With MFA off that is the pool's sender, in the place
// of a factor; after a write it is defaults.
func TestShownUnasked(t *testing.T) {
	t.Parallel()
	for world, mode := range modes {
		t.Run(world, func(t *testing.T) {
			t.Parallel()
			f := serve(t, mode)
			block := map[string]any{"SmsAuthenticationMessage": "a {####}",
				"SmsConfiguration": map[string]any{"SnsCallerArn": "arn:aws:iam::111122223333:role/sms"}}
			f.Put(poolID, block, nil)
			if diff := gocmp.Diff(block, f.ok(t, get, describe)["SmsMfaConfiguration"]); diff != "" {
				t.Errorf("the SMS block with MFA off (-want +got):\n%s", diff)
			}
			request := f.echo(t, set)
			patch(t, request, appOnly)
			f.ok(t, set, request)
			if shown := f.ok(t, get, describe)["SmsMfaConfiguration"]; shown != nil {
				t.Errorf("the SMS block with MFA on is %v", shown)
			}
			f.ok(t, update, map[string]any{"UserPoolId": poolID, "DeletionProtection": "ACTIVE"})
			for path, want := range map[string]any{
				"UserPoolTier": "ESSENTIALS", "EmailConfiguration.EmailSendingAccount": "COGNITO_DEFAULT",
				"VerificationMessageTemplate.DefaultEmailOption": "CONFIRM_WITH_CODE",
				"Policies.SignInPolicy.AllowedFirstAuthFactors":  []any{"PASSWORD"},
			} {
				pool, _, _ := f.Pool(poolID)
				if diff := gocmp.Diff(want, walk(pool, path)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
		})
	}
}

// TestRichIsComplete checks the rich pool against the table: a member that is added there has to be set here. A pool
// sends text messages through SNS or End User Messaging, never both, so the latter's members are the one gap.
func TestRichIsComplete(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Contract, "")
	for name, document := range map[baseline.DocumentName]string{baseline.UserPool: "pool", baseline.MfaConfig: "mfa",
		baseline.RiskConfiguration: "risk", baseline.AppClient: "client"} {
		table, _ := name.Table()
		state, _ := f.state()[document].(map[string]any)
		patch(t, state, `{"LastModifiedDate": 1, "UserPoolId": "in the answer", "ClientId": "in the answer"}`)
		checkSet(t, document+".", table.Members, state)
	}
	if n := len(f.Logs(poolID)); n != 2 {
		t.Errorf("%d log configurations", n)
	}
	pool, mfa := cognitotest.Rich()
	if n := len(pool["SchemaAttributes"].([]any)); n != 20 || pool["MfaConfiguration"] != mfa["MfaConfiguration"] {
		t.Errorf("%d schema attributes, MFA %v and %v", n, pool["MfaConfiguration"], mfa["MfaConfiguration"])
	}
	clear(mfa)
	if _, again := cognitotest.Rich(); len(again) == 0 {
		t.Error("Rich handed out shared state")
	}
}

func checkSet(t *testing.T, path string, members []baseline.Member, object map[string]any) {
	t.Helper()
	for _, m := range members {
		name := cmp.Or(m.ReadName, m.Name)
		v, ok := object[name]
		if !ok && name != "EumsSms" && m.ShownBy == "" && name != "ClientSecretArn" {
			t.Errorf("%s%s is not set", path, name)
		}
		if inner, ok := v.(map[string]any); ok && m.Kind == baseline.Object {
			checkSet(t, path+name+".", m.Members, inner)
		}
		if text, isText := v.(string); ok && m.Sensitive && (!isText || !strings.Contains(text, "CANARY")) {
			t.Errorf("%s%s is %v, want a text with the marker", path, name, v)
		}
		if _, isNumber := v.(json.Number); ok && m.Kind == baseline.Integer && !isNumber {
			t.Errorf("%s%s is a %T, want a json.Number", path, name, v)
		}
	}
}

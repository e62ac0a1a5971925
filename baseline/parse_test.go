package baseline

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the goldens anew")

// TestPublishedSecrets: a requirement on ClientSecretArn is one on the member that it shows.
func TestPublishedSecrets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"ClientSecretArn: {present: true}": true,
		"ClientSecretArn: {absent: true}": false, "PublishSecretsInAWSSecretsManager: false": false} {
		b, err := Parse("b.yaml", []byte("version: 1\nrules: [{name: a, clients: [{require: {"+text+"}}]}]"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		r := b.Rules[0].Clients[0].Require
		if len(r) != 1 || r[0].Setting != Clients+".PublishSecretsInAWSSecretsManager" || r[0].Value != want {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

// TestErrors holds every way to get a file wrong to the words that a person reads.
func TestErrors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b, err := Parse(name, data)
			if err == nil || b != nil {
				t.Fatal("no error was found")
			}
			checkGolden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
			if strings.Contains(err.Error(), "CANARY") {
				t.Error("a sensitive text stands in an error")
			}
		})
	}
}

// checkGolden holds a text to the one in a file, or writes it there.
func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func mustParse(t testing.TB, text string) *Baseline {
	t.Helper()
	b, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return b
}

const headOfRule = "version: 1\nrules:\n  - name: a\n    require:\n      "

func oneRequirement(setting string, op Op, v, set any) []Requirement {
	return []Requirement{{Setting: setting, Op: op, Value: v, Set: set}}
}

var requirementCases = map[string][]Requirement{
	"DeletionProtection: ACTIVE": oneRequirement("DeletionProtection", Equal, "ACTIVE", nil),
	// YAML 1.1 would read true
	"MfaConfiguration: ON": oneRequirement("MfaConfiguration", Equal, "ON", nil),
	"MfaConfiguration: {oneOf: [ON, OPTIONAL], set: OPTIONAL}": oneRequirement(
		"MfaConfiguration", OneOf, []any{"ON", "OPTIONAL"}, "OPTIONAL"),
	"Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}": oneRequirement(
		"Policies.PasswordPolicy.MinimumLength", AtLeast, json.Number("12"), nil),
	"AutoVerifiedAttributes: {contains: [email]}": oneRequirement(
		"AutoVerifiedAttributes", Contains, []any{"email"}, nil),
	"LambdaConfig: {exactly: {}}": oneRequirement("LambdaConfig", Exactly, map[string]any{}, nil),
	"LambdaConfig: {exactly: {PreSignUp: \"arn:aws:lambda:eu-west-1:111122223333:function:x\"}}": oneRequirement(
		"LambdaConfig", Exactly, map[string]any{"PreSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:x"}, nil),
	"EmailMfaConfiguration: {present: true, set: {}}": oneRequirement(
		"EmailMfaConfiguration", Present, true, map[string]any{}),
	"PoolName: {matches: \"prod-*\"}": oneRequirement("PoolName", Matches, "prod-*", nil),
	// refused: set without an operator
	"UserPoolTags: {set: x}": nil,
	"UserPoolTags: {set: x, env: y}": {
		{Setting: "UserPoolTags.set", Op: Equal, Value: "x"}, {Setting: "UserPoolTags.env", Op: Equal, Value: "y"}},
	"UserPoolTags: {note: \"\"}": oneRequirement("UserPoolTags.note", Equal, "", nil),
	"AcrConfiguration: {Level1: {AcrValue: \"urn:x\"}}": oneRequirement(
		"AcrConfiguration.Level1.AcrValue", Equal, "urn:x", nil),
	"AccountRecoverySetting: {RecoveryMechanisms: [{Name: verified_email, Priority: 1}]}": oneRequirement(
		"AccountRecoverySetting.RecoveryMechanisms", Equal,
		[]any{map[string]any{"Name": "verified_email", "Priority": json.Number("1")}}, nil),
	"EmailVerificationMessage: \"two\\nlines {####}\"": oneRequirement(
		"EmailVerificationMessage", Equal, "two\nlines {####}", nil),
	"UserPoolAddOns: {AdvancedSecurityMode: ENFORCED, AdvancedSecurityAdditionalFlows: {CustomAuthMode: AUDIT}}": {
		{Setting: "UserPoolAddOns.AdvancedSecurityMode", Op: Equal, Value: "ENFORCED"},
		{Setting: "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", Op: Equal, Value: "AUDIT"}},
}

// TestRequirements: what a rule requires, as the leaves that are compared.
func TestRequirements(t *testing.T) {
	t.Parallel()
	for text, want := range requirementCases {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			b, err := Parse("test.yaml", []byte(headOfRule+text+"\n"))
			if want == nil {
				if err == nil {
					t.Fatal("no error was found")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, b.Rules[0].Require, cmpopts.IgnoreFields(Requirement{}, "Position")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if p := b.Rules[0].Require[0].Position; p.Line != 5 || p.Column < 7 || p.File != "test.yaml" {
				t.Errorf("position %v", p)
			}
		})
	}
}

func TestParseWhole(t *testing.T) {
	t.Parallel()
	b := mustParse(t, `
version: 1
mode: audit
rules:
  - name: every-pool
    require: {DeletionProtection: ACTIVE}
  - name: some
    mode: enforce
    pools:
      ids: [eu-west-1_AbCdEf123]
      names: ["prod-*"]
      tags: {env: [prod, live]}
      except: {names: ["*-sandbox"]}
    require: {DeletionProtection: ACTIVE}
exemptions:
  - pools: {ids: [eu-west-1_Legacy01]}
    settings: [UserPoolAddOns, UserPoolTags.env]
    until: 2027-01-31T00:00:00Z
    reason: waiting
    owner: identity-team
unknownMembers: {FutureThing: echo, Other: stop, "*": omit}
flapBudget: {times: 3}
`)
	ignore := cmpopts.IgnoreTypes(Position{})
	want := []Rule{
		{Name: "every-pool", Mode: Audit, Require: []Requirement{{Setting: "DeletionProtection", Op: Equal,
			Value: "ACTIVE"}}},
		{Name: "some", Mode: Enforce, Require: []Requirement{{Setting: "DeletionProtection", Op: Equal, Value: "ACTIVE"}},
			Pools: &Selector{IDs: []string{"eu-west-1_AbCdEf123"}, Names: []string{"prod-*"},
				Tags: map[string][]string{"env": {"prod", "live"}}, Except: &Selector{Names: []string{"*-sandbox"}}}},
	}
	if diff := cmp.Diff(want, b.Rules, ignore); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	exemptions := []Exemption{{Pools: &Selector{IDs: []string{"eu-west-1_Legacy01"}},
		Settings: []string{"UserPoolAddOns", "UserPoolTags.env"},
		Until:    time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Reason: "waiting", Owner: "identity-team"}}
	if diff := cmp.Diff(exemptions, b.Exemptions, ignore); diff != "" {
		t.Errorf("exemptions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]Unknown{"FutureThing": EchoUnknown, "Other": StopUnknown, "*": OmitUnknown},
		b.Unknown); diff != "" {
		t.Errorf("unknown members (-want +got):\n%s", diff)
	}
	if want := (FlapBudget{Times: 3, Within: time.Hour}); b.Flap != want || b.InMode(Audit).Flap != want ||
		mustParse(t, string(Default())).Flap != DefaultFlapBudget {
		t.Errorf("flap budget %v, want %v", b.Flap, want)
	}
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(b.Digest) ||
		b.Digest == mustParse(t, string(Default())).Digest {
		t.Errorf("digest %s", b.Digest)
	}
}

// TestUnknownMembersOfDocuments: an entry may name a document, or a member there that only another document has.
func TestUnknownMembersOfDocuments(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"UserPool": true, "RiskConfiguration": true, "AppClient": true, "UserPool.FutureThing": true,
		"UserPool.SoftwareTokenMfaConfiguration": true, "UserPool.DeletionProtection": false,
		"MfaConfig.SoftwareTokenMfaConfiguration": false, "RiskConfiguration.FutureThing": true,
		"RiskConfiguration.RiskExceptionConfiguration": false, "AppClient.CallbackURLs": false,
		"DeletionProtection": false,
	} {
		_, err := Parse("b.yaml", []byte("version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}}]\n"+
			"unknownMembers: {"+name+": stop}\n"))
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDefaultSatisfiesControls holds the baseline that ships to the controls that it is meant to satisfy.
func TestDefaultSatisfiesControls(t *testing.T) {
	t.Parallel()
	policy := mustParse(t, string(Default())).Policy(Identity{ID: "eu-west-1_Any"}, time.Now())
	required := map[string]Requirement{}
	for _, r := range policy.Requirements {
		required[r.Setting] = r.Requirement
	}
	const p = "Policies.PasswordPolicy."
	for control, want := range map[string][]Requirement{
		"Cognito.1": {{Setting: "UserPoolAddOns.AdvancedSecurityMode", Op: Equal, Value: "ENFORCED"}},
		"Cognito.6": {{Setting: "DeletionProtection", Op: Equal, Value: "ACTIVE"}},
		"Cognito.3": {{Setting: p + "MinimumLength", Op: AtLeast, Value: json.Number("12")},
			{Setting: p + "RequireLowercase", Op: Equal, Value: true}, {Setting: p + "RequireUppercase", Op: Equal, Value: true},
			{Setting: p + "RequireNumbers", Op: Equal, Value: true}, {Setting: p + "RequireSymbols", Op: Equal, Value: true},
			{Setting: p + "TemporaryPasswordValidityDays", Op: AtMost, Value: json.Number("7")}},
	} {
		for _, r := range want {
			if diff := cmp.Diff(r, required[r.Setting], cmpopts.IgnoreFields(Requirement{}, "Position")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", control, diff)
			}
		}
	}
}

func ruleFile(require string) string {
	return "version: 1\nrules: [{name: a, require: {" + require + "}}]\n"
}

func clientFile(require string) string {
	return "version: 1\nrules: [{name: a, clients: [{require: {" + require + "}}]}]\n"
}

func exemptionFile(until, pools string) string {
	return ruleFile("DeletionProtection: ACTIVE") + "exemptions: [{pools: {" + pools +
		"}, settings: [DeletionProtection], until: " + until + ", reason: r, owner: o}]\n"
}

const allPools = `{names: ["*"]}`

func exempting(pools, settings string) string {
	return "exemptions: [{pools: " + pools + ", settings: [" + settings +
		"], until: 2026-12-01T00:00:00Z, reason: r, owner: o}]\n"
}

var lintCases = map[string]struct {
	text string
	want []string
}{
	"none": {ruleFile("DeletionProtection: ACTIVE"), nil},
	"threat protection": {ruleFile("UserPoolAddOns: {AdvancedSecurityMode: AUDIT}"),
		[]string{"weaker", "threat-protection-without-plus"}},
	"threat protection and plus": {ruleFile("UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}, UserPoolTier: PLUS"),
		nil},
	"plus or another": {
		ruleFile("UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}, UserPoolTier: {oneOf: [ESSENTIALS, PLUS]}"),
		[]string{"threat-protection-without-plus"}},
	"written over better ones": {
		ruleFile("Policies: {PasswordPolicy: {MinimumLength: {atMost: 7}, TemporaryPasswordValidityDays: 30, " +
			"RequireNumbers: " +
			"false}}"), []string{"weaker", "weaker", "weaker"}},
	"nearly a usual value": {clientFile("ReadAttributes: [email, emails, 'custom:mail'], " +
		"SupportedIdentityProviders: [Cognito, Okta], AllowedOAuthScopes: {contains: [open_id, api/read]}"),
		[]string{"unusual-value", "unusual-value", "unusual-value"}},
	"never over a better one": {
		ruleFile("Policies: {PasswordPolicy: {MinimumLength: {atLeast: 6}, TemporaryPasswordValidityDays: {atMost: 30}}}, " +
			"DeletionProtection: {oneOf: [INACTIVE, ACTIVE]}"), []string{"always-holds", "always-holds"}},
	"one of them, without set": {
		ruleFile("MfaConfiguration: {oneOf: [ON, OPTIONAL]}, Policies: {SignInPolicy: {AllowedFirstAuthFactors: {contains: " +
			"[EMAIL_OTP]}}}"), []string{"mfa-on-with-one-time-codes"}},
	"deprecated": {
		ruleFile("AdminCreateUserConfig: {UnusedAccountValidityDays: 7}, EmailVerificationSubject: s"),
		[]string{"deprecated-setting", "deprecated-setting"}},
	"recovery by SMS": {
		ruleFile("MfaConfiguration: ON, AccountRecoverySetting: {RecoveryMechanisms: [{Name: verified_phone_number, " +
			"Priority: 1}]}"), []string{"sms-only-recovery"}},
	"MFA and codes": {
		ruleFile("MfaConfiguration: ON, Policies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD, EMAIL_OTP]}}"),
		[]string{"mfa-on-with-one-time-codes"}},
	"a validity and no unit": {clientFile("AccessTokenValidity: {atMost: 60}"), []string{"validity-without-unit"}},
	"a unit and no validity": {clientFile("TokenValidityUnits: {AccessToken: hours}"), []string{"unit-without-validity"}},
	"a validity and its unit": {
		clientFile(
			"AccessTokenValidity: {atMost: 60}, TokenValidityUnits: {AccessToken: minutes}, AuthSessionValidity: 3"),
		nil},
	"by name": {
		"version: 1\nrules: [{name: a, pools: {names: [x]}, require: {DeletionProtection: ACTIVE}}]\n",
		[]string{"mutable-selection"}},
	"by id": {
		"version: 1\nrules: [{name: a, pools: {ids: [eu-west-1_a]}, require: {DeletionProtection: ACTIVE}}]\n", nil},
	"all but by tag": {
		"version: 1\nrules: [{name: a, pools: {except: {tags: {env: [dev]}}}, require: {DeletionProtection: ACTIVE}}]\n",
		[]string{"mutable-selection"}},
	"clients by name": {
		"version: 1\nrules: [{name: a, clients: [{names: [web], require: {EnableTokenRevocation: true}}]}]\n",
		[]string{"mutable-selection"}},
	"exemption by tag": {exemptionFile("2026-12-01T00:00:00Z", "tags: {env: [dev]}"),
		[]string{"mutable-selection"}},
	"exemption that has run out": {exemptionFile("2026-11-01T00:00:00Z", "ids: [eu-west-1_a]"),
		[]string{"expired-exemption"}},
	"exemption of more": {exemptionFile("2027-04-30T00:00:01Z", "ids: [eu-west-1_a]"), []string{"long-exemption"}},
	"exemption of what is not required": {
		ruleFile("DeletionProtection: ACTIVE") + exempting(allPools, "UserPoolTier, DeletionProtection"),
		[]string{"exempts-nothing"}},
	"exemption of a part": {
		ruleFile("LambdaConfig: {absent: true}") + exempting(allPools, "LambdaConfig.PreSignUp"), nil},
	"exemption of the whole": {
		ruleFile("LambdaConfig: {PreSignUp: {present: true}}") + exempting(allPools, "LambdaConfig"), nil},
	"exemption by the other name": {
		ruleFile("VerificationMessageTemplate: {exactly: {EmailSubject: s}}") +
			exempting(allPools, "EmailVerificationSubject"), nil},
	"exemption of a client's setting": {
		clientFile("EnableTokenRevocation: true") + exempting(allPools,
			`"Clients[abc].EnableTokenRevocation", "Clients[]"`), nil},
	"exemption of another of a client's": {
		clientFile("EnableTokenRevocation: true") + exempting(allPools, `"Clients[abc].ExplicitAuthFlows"`),
		[]string{"exempts-nothing"}},
	"exemption of a pool that no ruleFile selects": {
		"version: 1\nrules: [{name: a, pools: {ids: [eu-west-1_a]}, require: {DeletionProtection: ACTIVE}}]\n" +
			exempting("{ids: [eu-west-1_a, eu-west-1_b]}", "DeletionProtection"), []string{"exempts-nothing"}},
	"whatever the API allows": {
		ruleFile("Policies: {PasswordPolicy: {MinimumLength: {atLeast: 6}, PasswordHistorySize: {atMost: 24}}}, " +
			"MfaConfiguration: {matches: 'O*'}, DeletionProtection: {oneOf: [ACTIVE, INACTIVE]}"),
		[]string{"always-holds", "always-holds", "always-holds", "always-holds"}},
	"almost all that the API allows": {
		ruleFile("Policies: {PasswordPolicy: {PasswordHistorySize: {atLeast: 1}, TemporaryPasswordValidityDays: " +
			"{atMost: 364}}}, UserPoolTier: {oneOf: [LITE, PLUS]}"), nil},
	"custom sign-in and no plan": {
		ruleFile("UserPoolAddOns: {AdvancedSecurityAdditionalFlows: {CustomAuthMode: ENFORCED}}"),
		[]string{"threat-protection-without-plus"}},
	"a Region that there is not": {
		"version: 1\nrules: [{name: a, pools: {ids: [eu-wset-1_AbCdEf123], except: {ids: [us-eats-2_a]}}, require: " +
			"{DeletionProtection: ACTIVE}}]\n", []string{"unknown-region", "unknown-region"}},
	"Regions": {
		"version: 1\nrules: [{name: a, pools: {ids: [eu-west-99_a, us-gov-east-1_b, ap-southeast-7_c, local_d, " +
			"eusc-de-east-1_e]}, require: {DeletionProtection: ACTIVE}}]\n", nil},
	"a regular expression": {
		"version: 1\nrules: [{name: a, pools: {names: [prod-.*]}, require: {DeletionProtection: ACTIVE}}]\n",
		[]string{"mutable-selection", "regular-expression"}},
}

func TestLint(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range lintCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, l := range mustParse(t, c.text).Lint(now) {
				got = append(got, l.ID)
				if l.Message == "" || l.Position.Line == 0 {
					t.Errorf("%+v says nothing, or stands nowhere", l)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// seeds are the files of the tests.
func seeds(t interface{ Fatal(...any) }) [][]byte {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := [][]byte{Default()}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// FuzzParse: no file makes the parser panic or waver, and it answers with a baseline or with errors that have places.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParse(t, data) })
}

func checkParse(t interface{ Fatalf(string, ...any) }, data []byte) {
	b, err := Parse("fuzz.yaml", data)
	if (b == nil) == (err == nil) {
		t.Fatalf("baseline %v with error %v", b, err)
	}
	if again, err2 := Parse("fuzz.yaml", data); (again == nil) != (b == nil) || err != nil && err.Error() != err2.Error() {
		t.Fatalf("the same file is read in two ways: %v and %v", err, err2)
	}
	if err != nil {
		found, ok := err.(Errors) //nolint:errorlint // the very type is promised
		if !ok || len(found) == 0 {
			t.Fatalf("%T without an error", err)
		}
		for _, one := range found {
			if one.Position.Line < 1 || one.Position.Column < 1 || one.Message == "" {
				t.Fatalf("%+v stands nowhere or says nothing", one)
			}
		}
		return
	}
	b.Lint(time.Unix(0, 0))
	Compare(b.Policy(Identity{ID: "eu-west-1_a"}, time.Unix(0, 0)), map[string]any{})
}

package baseline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// An opCase is one requirement and one pool. A case without an action holds.
type opCase struct {
	require Requirement
	live    string // JSON of the settings
	action  Action
	value   any
	want    any
	reason  string
}

func runOpCases(t *testing.T, cases map[string]opCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policyOf([]Requirement{c.require})
			settings := tree(c.live)
			got := Compare(p, settings).Drifts
			if c.action == "" {
				if len(got) > 0 {
					t.Errorf("%s, but drifted: %+v", c.reason, got[0])
				}
				return
			}
			m, _ := Lookup(c.require.Setting)
			want := []Drift{{Setting: c.require.Setting, Rule: "1", Mode: Enforce, Want: c.want,
				Have: Mask(m, At(settings, Keys(c.require.Setting))), Action: c.action, Value: c.value}}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Drift{}, "Reason")); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", c.reason, diff)
			}
			if again := Compare(p, writeBack(settings, got[0])).Drifts; c.action != Report && len(again) != 0 {
				t.Errorf("after the write there is still %+v", again)
			}
		})
	}
}

// with adds the value to write to a requirement.
func with(r Requirement, set any) Requirement {
	r.Set = set
	return r
}

func TestEqual(t *testing.T) {
	t.Parallel()
	const device, symbols = "DeviceConfiguration", "Policies.PasswordPolicy.RequireSymbols"
	runOpCases(t, map[string]opCase{
		"false is absent": {say(symbols, Equal, false), `{"Policies":{"PasswordPolicy":{}}}`, "", nil, nil,
			"the service leaves false out"},
		"zero is absent": {say("Policies.PasswordPolicy.PasswordHistorySize", Equal, num("0")), `{}`, "", nil, nil,
			"0 is as good as absent"},
		"numbers by value": {say("Policies.PasswordPolicy.MinimumLength", Equal, num("12")),
			`{"Policies":{"PasswordPolicy":{"MinimumLength":1.2e1}}}`, "", nil, nil, "12"},
		"a text is no number": {say("Policies.PasswordPolicy.MinimumLength", Equal, num("12")),
			`{"Policies":{"PasswordPolicy":{"MinimumLength":"12"}}}`, Write, num("12"), num("12"), "another type"},
		"set": {say("AutoVerifiedAttributes", Equal, []any{"email", "phone_number"}),
			`{"AutoVerifiedAttributes":["phone_number","email"]}`, "", nil, nil, "order is ignored"},
		"empty list": {say("AutoVerifiedAttributes", Equal, []any{}), `{"AutoVerifiedAttributes":["email"]}`,
			Write, []any{}, []any{}, "the list is emptied"},
		"empty list where it tells": {say("DcrConfiguration.AllowedScopes", Equal, []any{}), `{"DcrConfiguration":{}}`, Write,
			[]any{}, []any{}, "presence counts"},
		"objects in a set": {say("AccountRecoverySetting.RecoveryMechanisms", Equal,
			[]any{obj("Name", "verified_email", "Priority", num("1"))}),
			`{"AccountRecoverySetting":{"RecoveryMechanisms":[{"Priority":1.0,"Name":"verified_email"}]}}`, "", nil, nil,
			"equal by value"},
		"object on by presence": {say(device, Equal, obj()), `{}`, Write, obj(), obj(), "absent is off"},
		"tag without a value": {say("UserPoolTags.env", Equal, ""), `{"UserPoolTags":{}}`, Write, "", "",
			"a tag may have an empty value"},
		"tag with dots": {say("UserPoolTags.a.b", Equal, "x"), `{"UserPoolTags":{"a":{"b":"x"},"a.b":"y"}}`,
			Write, "x", "x", "the rest of the path is the key"},
		"a plan that is not shown matches": {say("UserPoolTier", Matches, "ESS*"), `{}`, "", nil, nil, "it is the default"},
		"a plan that is not shown":         {say("UserPoolTier", Present, true), `{}`, "", nil, nil, "every pool has one"},
		"default name of a level": {say("AcrConfiguration.Level1.AcrValue", Equal, "urn:cognito:loa:1"), `{}`, "", nil, nil,
			"the service gives it"},
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	const length, history, days = "Policies.PasswordPolicy.MinimumLength", "Policies.PasswordPolicy.PasswordHistorySize",
		"Policies.PasswordPolicy.TemporaryPasswordValidityDays"
	with1 := func(name, value string) string {
		return `{"Policies":{"PasswordPolicy":{"` + name + `":` + value + `}}}`
	}
	runOpCases(t, map[string]opCase{
		"at least, less": {say(length, AtLeast, num("12")), with1("MinimumLength", "11"), Write, num("12"), ">= 12",
			"less is not"},
		"at least, set": {with(say(length, AtLeast, num("12")), num("16")), with1("MinimumLength", "8"), Write,
			num("16"), ">= 12", "the value to write is given"},
		"at least, absent": {say(length, AtLeast, num("12")), `{}`, Write, num("12"), ">= 12", "absent is 0"},
		"at least, big": {say(length, AtLeast, num("9007199254740993")), with1("MinimumLength", "9007199254740992"),
			Write, num("9007199254740993"), ">= 9007199254740993", "no digit is lost"},
		"at most, more": {say(days, AtMost, num("7")), with1("TemporaryPasswordValidityDays", "30"), Write, num("7"),
			"<= 7", "more is not"},
		"at most, absent":       {say(history, AtMost, num("5")), `{}`, "", nil, nil, "absent is 0"},
		"at most, absent, no 0": {say(days, AtMost, num("7")), `{}`, Write, num("7"), "<= 7", "the API has no 0 here"},
	})
}

func TestChoice(t *testing.T) {
	t.Parallel()
	some := []any{"ON", "OPTIONAL"}
	runOpCases(t, map[string]opCase{
		"one of, none": {say("MfaConfiguration", OneOf, some), `{"MfaConfiguration":"OFF"}`, Write, "ON",
			"one of ON, OPTIONAL", "the first is written"},
		"one of, set": {with(say("MfaConfiguration", OneOf, some), "OPTIONAL"), `{}`, Write, "OPTIONAL",
			"one of ON, OPTIONAL", "the value to write is given"},
		"one of, sensitive": {say("EmailVerificationSubject", OneOf, []any{"x"}), `{}`, Write, "x",
			"one of (hidden: 1 characters, sha256 2d711642)", "hidden, but written as it is"},
		"matches, not": {say("LambdaConfig.PreSignUp", Matches, "arn:*"), `{"LambdaConfig":{"PreSignUp":"b"}}`,
			Report, nil, `matches "arn:*"`, "no value follows from a pattern"},
		"matches, set": {with(say("LambdaConfig.PreSignUp", Matches, "arn:*"), "arn:x"), `{}`, Write, "arn:x",
			`matches "arn:*"`, "the value to write is given"},
		"matches, absent": {say("LambdaConfig.PreSignUp", Matches, "*"), `{}`, Report, nil, `matches "*"`,
			"what is absent is no text"},
		"present, empty": {say("SmsConfiguration", Present, true), `{"SmsConfiguration":{"SnsRegion":""}}`, Report,
			nil, "present", "as good as absent"},
		"present, set": {with(say("PoolName", Present, true), "shop"), `{}`, Write, "shop", "present",
			"the value to write is given"},
		"present, tag, no value": {say("UserPoolTags.env", Present, true), `{"UserPoolTags":{"env":""}}`, "", nil, nil,
			"a tag may have an empty value"},
		"unheard of": {say("PoolName", "unheard of", true), `{"PoolName":"a"}`, Report, nil, "unheard of",
			"what cannot be judged is not in order"},
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	const factors, verified, recovery = "Policies.SignInPolicy.AllowedFirstAuthFactors", "AutoVerifiedAttributes",
		"AccountRecoverySetting.RecoveryMechanisms"
	first := func(list string) string {
		return `{"Policies":{"SignInPolicy":{"AllowedFirstAuthFactors":` + list + `}}}`
	}
	way := func(name, priority string) map[string]any { return obj("Name", name, "Priority", num(priority)) }
	runOpCases(t, map[string]opCase{
		"contains, missing": {say(verified, Contains, []any{"email"}), `{"AutoVerifiedAttributes":["phone_number"]}`,
			Write, []any{"phone_number", "email"}, "contains email", "the union, live first"},
		"contains, too many": {say(recovery, Contains, []any{way("admin_only", "1")}),
			`{"AccountRecoverySetting":{"RecoveryMechanisms":[{"Name":"verified_email","Priority":1},
				{"Name":"verified_phone_number","Priority":2}]}}`, Report, nil, `contains {"Name":"admin_only","Priority":1}`,
			"the API takes two at most"},
		"without, there": {say(factors, Without, []any{"SMS_OTP", "EMAIL_OTP"}),
			first(`["WEB_AUTHN","SMS_OTP","PASSWORD"]`), Write, []any{"WEB_AUTHN", "PASSWORD"}, "without SMS_OTP, EMAIL_OTP",
			"the list less them, in its order"},
		"without, nothing left": {say(factors, Without, []any{"SMS_OTP"}), first(`["SMS_OTP"]`), Report, nil,
			"without SMS_OTP", "the API takes no empty list here"},
		"without, no list": {say(verified, Without, []any{"email"}), `{"AutoVerifiedAttributes":"email"}`, Report, nil,
			"without email", "what it would be less them is not known"},
	})
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	runOpCases(t, map[string]opCase{
		"left out": {say("SmsConfiguration.SnsRegion", Absent, true),
			`{"SmsConfiguration":{"SnsRegion":"eu-west-1"}}`, LeaveOut, nil, "absent", "it has no way of its own"},
		"cleared": {say("AutoVerifiedAttributes", Absent, true), `{"AutoVerifiedAttributes":["email"]}`,
			Write, []any{}, "absent", "the member's own way"},
		"what clears is absent": {say("EmailConfiguration", Absent, true),
			`{"EmailConfiguration":{"EmailSendingAccount":"COGNITO_DEFAULT"}}`, "", nil, nil,
			"nothing nearer to absent can be had"},
		"cannot be": {say("Policies.PasswordPolicy.MinimumLength", Absent, true),
			`{"Policies":{"PasswordPolicy":{"MinimumLength":8}}}`, Report, nil, "absent", "the API has no way"},
		"empty, but it is on": {say("DeviceConfiguration", Absent, true), `{"DeviceConfiguration":{}}`, LeaveOut, nil,
			"absent", "presence counts"},
		"a tag without a value": {say("UserPoolTags.env", Absent, true), `{"UserPoolTags":{"env":""}}`, LeaveOut, nil,
			"absent", "a tag may have an empty value"},
	})
}

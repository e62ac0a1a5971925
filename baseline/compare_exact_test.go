package baseline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExactly(t *testing.T) {
	t.Parallel()
	const (
		pre, sms = "LambdaConfig.PreSignUp", "LambdaConfig.CustomSMSSender"
		text     = "VerificationMessageTemplate.EmailSubject"
	)
	lambdas := func(pairs ...any) []Requirement { return []Requirement{say("LambdaConfig", Exactly, obj(pairs...))} }
	sender := func(arn string) map[string]any { return obj("LambdaArn", arn, "LambdaVersion", "V1_0") }
	type verdict struct {
		Value    any
		Exempted bool
	}
	cases := map[string]struct {
		reason string
		rules  [][]Requirement
		exempt string
		live   string
		want   []verdict // of the first rule's drifts
		owned  []string
	}{
		"the same": {
			"empties do not count", [][]Requirement{lambdas("PreSignUp", "a")}, "",
			`{"LambdaConfig":{"PreSignUp":"a","CustomMessage":"","CustomSMSSender":{}}}`, nil, []string{pre},
		},
		"one more": {
			"it has to go", [][]Requirement{lambdas("PreSignUp", "a")}, "",
			`{"LambdaConfig":{"PreSignUp":"a","UserMigration":"b"}}`, []verdict{{obj("PreSignUp", "a"), false}}, []string{pre, "LambdaConfig.UserMigration"},
		},
		"one less": {
			"it has to come back", [][]Requirement{lambdas("PreSignUp", "a", "CustomSMSSender", sender("b"))}, "",
			`{"LambdaConfig":{"PreSignUp":"a"}}`, []verdict{{obj("PreSignUp", "a", "CustomSMSSender", sender("b")), false}},
			[]string{pre, sms + ".LambdaArn", sms + ".LambdaVersion"},
		},
		"nothing, and nothing": {
			"the object itself is owned", [][]Requirement{lambdas()}, "", `{}`, nil, []string{"LambdaConfig"},
		},
		"nothing, but something": {
			"everything goes", [][]Requirement{lambdas()}, "", `{"LambdaConfig":{"PreSignUp":"a"}}`, []verdict{{obj(), false}}, []string{pre},
		},
		"an unknown member": {
			"it is no exception", [][]Requirement{lambdas()}, "", `{"LambdaConfig":{"Future":"a"}}`, []verdict{{obj(), false}}, []string{"LambdaConfig.Future"},
		},
		"another shape": {
			"it is put right", [][]Requirement{lambdas("PreSignUp", "a")}, "", `{"LambdaConfig":7}`, []verdict{{obj("PreSignUp", "a"), false}}, []string{"LambdaConfig", pre},
		},
		"empty, but on": {
			"presence counts", [][]Requirement{{say("DeviceConfiguration", Exactly, obj())}}, "", `{}`, []verdict{{obj(), false}}, []string{"DeviceConfiguration"},
		},
		"tags": {
			"a map is an object", [][]Requirement{{say("UserPoolTags", Exactly, obj("a.b", "c"))}}, "",
			`{"UserPoolTags":{"a.b":"c","a":"x"}}`, []verdict{{obj("a.b", "c"), false}}, []string{"UserPoolTags.a", "UserPoolTags.a.b"},
		},

		"a later rule's member holds": {
			"it is that rule's business", [][]Requirement{lambdas("PreSignUp", "a"), {say(pre, Equal, "b")}}, "",
			`{"LambdaConfig":{"PreSignUp":"b"}}`, nil, []string{pre},
		},
		"a later rule's member stays": {
			"as it is live", [][]Requirement{lambdas("PreSignUp", "a"), {say(pre, Equal, "b")}}, "",
			`{"LambdaConfig":{"PreSignUp":"c","UserMigration":"d"}}`, []verdict{{obj("PreSignUp", "c"), false}}, []string{pre, "LambdaConfig.UserMigration"},
		},
		"a later rule's member is not there": {
			"as it is live: absent, and its empty object with it", [][]Requirement{lambdas("CustomSMSSender", obj("LambdaArn", "a")), {say(sms, Exactly, obj())}}, "",
			`{"LambdaConfig":{"UserMigration":"d"}}`, []verdict{{obj(), false}}, []string{"LambdaConfig.UserMigration", sms},
		},
		"a later rule's member under its other name": {
			"it is the same fact", [][]Requirement{{say("VerificationMessageTemplate", Exactly, obj("EmailSubject", "a"))}, {say("EmailVerificationSubject", Equal, "b")}}, "",
			`{"VerificationMessageTemplate":{"EmailSubject":"b"},"EmailVerificationSubject":"b"}`, nil, []string{"EmailVerificationSubject"},
		},

		"exempted member": {
			"nothing else differs", [][]Requirement{lambdas("PreSignUp", "a")}, "LambdaConfig.UserMigration",
			`{"LambdaConfig":{"PreSignUp":"a","UserMigration":"b"}}`, []verdict{{obj("PreSignUp", "a", "UserMigration", "b"), true}}, []string{pre},
		},
		"exempted member and another": {
			"the exempted one stays", [][]Requirement{lambdas("PreSignUp", "a")}, "LambdaConfig.UserMigration",
			`{"LambdaConfig":{"UserMigration":"b"}}`, []verdict{{obj("PreSignUp", "a", "UserMigration", "b"), false}}, []string{pre},
		},
		"exempted member that is in order": {
			"an exemption need not be used", [][]Requirement{lambdas("PreSignUp", "a")}, pre,
			`{"LambdaConfig":{"PreSignUp":"a"}}`, nil, nil,
		},
		"exempted object": {
			"the whole of it", [][]Requirement{lambdas("PreSignUp", "a")}, "LambdaConfig", `{}`, []verdict{{obj(), true}}, nil,
		},
		"exempted, absent": {
			"what is exempted stays, and its empties too", [][]Requirement{{say("LambdaConfig", Absent, true)}}, sms,
			`{"LambdaConfig":{"PreSignUp":"a","CustomSMSSender":{"LambdaArn":"b","LambdaVersion":""}}}`,
			[]verdict{{obj("CustomSMSSender", obj("LambdaArn", "b", "LambdaVersion", "")), false}}, []string{"LambdaConfig"},
		},
		"exempted, absent, and nothing else": {
			"nothing else is there", [][]Requirement{{say("LambdaConfig", Absent, true)}}, sms,
			`{"LambdaConfig":{"CustomSMSSender":{"LambdaArn":"b"}}}`, []verdict{{obj("CustomSMSSender", obj("LambdaArn", "b")), true}}, []string{"LambdaConfig"},
		},

		"twin outside": {
			"the other write would undo it", [][]Requirement{{say("VerificationMessageTemplate", Exactly, obj("EmailSubject", "a"))}}, "",
			`{"VerificationMessageTemplate":{"EmailSubject":"a"},"EmailVerificationSubject":"b"}`, []verdict{{obj("EmailSubject", "a"), false}}, []string{text},
		},
		"twin outside, exempted": {
			"one fact", [][]Requirement{{say("VerificationMessageTemplate", Exactly, obj("EmailSubject", "a"))}}, "EmailVerificationSubject",
			`{"VerificationMessageTemplate":{"EmailSubject":"a"},"EmailVerificationSubject":"b"}`, []verdict{{obj("EmailSubject", "a"), true}}, nil,
		},
		"twins outside, one exempted": {
			"the other one is not", [][]Requirement{{say("VerificationMessageTemplate", Exactly, obj("EmailMessage", "a", "SmsMessage", "a"))}}, "EmailVerificationMessage",
			`{"VerificationMessageTemplate":{"EmailMessage":"b","SmsMessage":"a"},"EmailVerificationMessage":"b","SmsVerificationMessage":"b"}`,
			[]verdict{{obj("EmailMessage", "b", "SmsMessage", "a"), false}}, []string{"VerificationMessageTemplate.SmsMessage"},
		},
		"twin inside, a mirror": {
			"a pool with the one shows the other too", [][]Requirement{lambdas("PreTokenGeneration", "a")}, "",
			`{"LambdaConfig":{"PreTokenGeneration":"a","PreTokenGenerationConfig":{"LambdaArn":"a","LambdaVersion":"V2_0"}}}`, nil,
			[]string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn", "LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
		},
		"twin inside, the other way": {
			"a pool with the one shows the other too", [][]Requirement{lambdas("PreTokenGenerationConfig", sender("a"))}, "",
			`{"LambdaConfig":{"PreTokenGeneration":"a","PreTokenGenerationConfig":{"LambdaArn":"a","LambdaVersion":"V1_0"}}}`, nil,
			[]string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn", "LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
		},
		"twin inside, differs": {
			"both are put right", [][]Requirement{lambdas("PreTokenGeneration", "a")}, "",
			`{"LambdaConfig":{"PreTokenGeneration":"a","PreTokenGenerationConfig":{"LambdaArn":"b","LambdaVersion":"V2_0"}}}`,
			[]verdict{{obj("PreTokenGeneration", "a", "PreTokenGenerationConfig", obj("LambdaArn", "a", "LambdaVersion", "V2_0")), false}},
			[]string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn", "LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
		},
		"twin that is no longer read": {
			"the pool shows it whether one likes or not", [][]Requirement{{say("AdminCreateUserConfig", Exactly, obj("AllowAdminCreateUserOnly", true))}}, "",
			`{"AdminCreateUserConfig":{"AllowAdminCreateUserOnly":true,"UnusedAccountValidityDays":7},"Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":3}}}`,
			nil, []string{"AdminCreateUserConfig.AllowAdminCreateUserOnly"},
		},
		"twin that is no longer read, named": {
			"the fact holds under its newer name", [][]Requirement{{say("AdminCreateUserConfig", Exactly, obj("UnusedAccountValidityDays", num("3")))}}, "",
			`{"AdminCreateUserConfig":{"UnusedAccountValidityDays":7},"Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":3}}}`,
			nil, []string{"AdminCreateUserConfig.UnusedAccountValidityDays"},
		},
		"twin that is no longer read, and differs": {
			"the fact is what the newer one says", [][]Requirement{{say("AdminCreateUserConfig", Exactly, obj("UnusedAccountValidityDays", num("7")))}}, "",
			`{"AdminCreateUserConfig":{"UnusedAccountValidityDays":7},"Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":3}}}`,
			[]verdict{{obj("UnusedAccountValidityDays", num("7")), false}}, []string{"AdminCreateUserConfig.UnusedAccountValidityDays"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policyOf(c.rules...)
			p.Exemptions = []Exemption{{Settings: []string{c.exempt}}}
			settings := tree(c.live)
			got := Compare(p, settings)
			var verdicts []verdict
			for _, d := range got.Drifts {
				if d.Rule == "1" {
					verdicts = append(verdicts, verdict{d.Value, d.Exempted != nil})
					settings = writeBack(settings, d)
				}
			}
			if diff := cmp.Diff(c.want, verdicts); diff != "" {
				t.Errorf("%s: drifts (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.owned, got.Owned); diff != "" {
				t.Errorf("owned (-want +got):\n%s", diff)
			}
			for _, d := range Compare(p, settings).Drifts {
				if d.Rule == "1" && d.Exempted == nil {
					t.Errorf("after the write there is still %s: have %v, value %v", d.Setting, d.Have, d.Value)
				}
			}
		})
	}
}

func TestExactlyIsShownMasked(t *testing.T) {
	t.Parallel()
	const x = "(hidden: 1 characters, sha256 2d711642)"
	p := policyOf([]Requirement{say("SmsConfiguration", Exactly, obj("ExternalId", "x", "SnsRegion", "<r>"))})
	want := []Drift{{
		Setting: "SmsConfiguration", Rule: "1", Mode: Enforce, Want: `exactly {"ExternalId":"` + x + `","SnsRegion":"<r>"}`,
		Have: obj("ExternalId", x, "SnsRegion", "s"), Action: Write, Value: obj("ExternalId", "x", "SnsRegion", "<r>"),
	}}
	got := Compare(p, tree(`{"SmsConfiguration":{"ExternalId":"x","SnsRegion":"s"}}`)).Drifts
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drifts (-want +got):\n%s", diff)
	}
}

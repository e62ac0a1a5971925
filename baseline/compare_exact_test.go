package baseline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	preSignUp, customSMS = "LambdaConfig.PreSignUp", "LambdaConfig.CustomSMSSender"
	subjectOfEmail       = "VerificationMessageTemplate.EmailSubject"
)

func exactLambdas(pairs ...any) []Requirement {
	return []Requirement{say("LambdaConfig", Exactly, obj(pairs...))}
}

type exactVerdict struct {
	Value    any
	Exempted bool
}

var exactCases = map[string]struct {
	reason string
	rules  [][]Requirement
	exempt string
	live   string
	want   []exactVerdict // of the first rule's drifts
	owned  []string
}{
	"the same": {
		"empties do not count", [][]Requirement{exactLambdas("PreSignUp", "a")}, "",
		`{"LambdaConfig":{"PreSignUp":"a","CustomMessage":"","CustomSMSSender":{}}}`, nil, []string{preSignUp},
	},
	"one more": {
		"it has to go", [][]Requirement{exactLambdas("PreSignUp", "a")}, "",
		`{"LambdaConfig":{"PreSignUp":"a","UserMigration":"b"}}`, []exactVerdict{{obj("PreSignUp", "a"), false}},
		[]string{preSignUp, "LambdaConfig.UserMigration"},
	},
	"nothing, and nothing": {
		"the object itself is owned", [][]Requirement{exactLambdas()}, "", `{}`, nil, []string{"LambdaConfig"},
	},
	"nothing, but something": {
		"everything goes", [][]Requirement{exactLambdas()}, "", `{"LambdaConfig":{"PreSignUp":"a"}}`,
		[]exactVerdict{{obj(), false}},
		[]string{preSignUp},
	},
	"an unknown member": {
		"it is no exception", [][]Requirement{exactLambdas()}, "", `{"LambdaConfig":{"Future":"a"}}`,
		[]exactVerdict{{obj(), false}},
		[]string{"LambdaConfig.Future"},
	},
	"empty, but on": {
		"presence counts", [][]Requirement{{say("DeviceConfiguration", Exactly, obj())}}, "", `{}`,
		[]exactVerdict{{obj(), false}}, []string{"DeviceConfiguration"},
	},
	"tags": {
		"a map is an object", [][]Requirement{{say("UserPoolTags", Exactly, obj("a.b", "c"))}}, "",
		`{"UserPoolTags":{"a.b":"c","a":"x"}}`, []exactVerdict{{obj("a.b", "c"), false}},
		[]string{"UserPoolTags.a", "UserPoolTags.a.b"},
	},

	"a later rule's member stays": {
		"as it is live", [][]Requirement{exactLambdas("PreSignUp", "a"), {say(preSignUp, Equal, "b")}}, "",
		`{"LambdaConfig":{"PreSignUp":"c","UserMigration":"d"}}`, []exactVerdict{{obj("PreSignUp", "c"), false}},
		[]string{preSignUp, "LambdaConfig.UserMigration"},
	},
	"a later rule's member under its other name": {
		"it is the same fact", [][]Requirement{{say("VerificationMessageTemplate", Exactly, obj("EmailSubject", "a"))},
			{say("EmailVerificationSubject", Equal, "b")}}, "",
		`{"VerificationMessageTemplate":{"EmailSubject":"b"},"EmailVerificationSubject":"b"}`, nil,
		[]string{"EmailVerificationSubject"},
	},

	"exempted member": {
		"nothing else differs", [][]Requirement{exactLambdas("PreSignUp", "a")}, "LambdaConfig.UserMigration",
		`{"LambdaConfig":{"PreSignUp":"a","UserMigration":"b"}}`, []exactVerdict{{nil, true}}, []string{preSignUp},
	},
	"exempted member and another": {
		"the exempted one stays", [][]Requirement{exactLambdas("PreSignUp", "a")}, "LambdaConfig.UserMigration",
		`{"LambdaConfig":{"UserMigration":"b"}}`, []exactVerdict{{obj("PreSignUp", "a", "UserMigration", "b"), false},
			{nil, true}}, []string{preSignUp},
	},
	"exempted object": {
		"the whole of it", [][]Requirement{exactLambdas("PreSignUp", "a")}, "LambdaConfig", `{}`,
		[]exactVerdict{{obj("PreSignUp", "a"), true}}, nil,
	},
	"exempted, absent": {
		"what is exempted stays, and its empties too", [][]Requirement{{say("LambdaConfig", Absent, true)}}, customSMS,
		`{"LambdaConfig":{"PreSignUp":"a","CustomSMSSender":{"LambdaArn":"b","LambdaVersion":""}}}`,
		[]exactVerdict{{obj("CustomSMSSender", obj("LambdaArn", "b", "LambdaVersion", "")), false},
			{nil, true}}, []string{"LambdaConfig"},
	},

	"twin outside": {
		"the other write would undo it", [][]Requirement{{say("VerificationMessageTemplate", Exactly,
			obj("EmailSubject", "a"))}}, "",
		`{"VerificationMessageTemplate":{"EmailSubject":"a"},"EmailVerificationSubject":"b"}`,
		[]exactVerdict{{obj("EmailSubject", "a"), false}}, []string{subjectOfEmail},
	},
	"twin inside, a mirror": {
		"a pool with the one shows the other too", [][]Requirement{exactLambdas("PreTokenGeneration", "a")}, "",
		`{"LambdaConfig":{"PreTokenGeneration":"a","PreTokenGenerationConfig":{"LambdaArn":"a","LambdaVersion":"V2_0"}}}`,
		nil,
		[]string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn",
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
	},
	"twin inside, differs": {
		"both are put right", [][]Requirement{exactLambdas("PreTokenGeneration", "a")}, "",
		`{"LambdaConfig":{"PreTokenGeneration":"a","PreTokenGenerationConfig":{"LambdaArn":"b","LambdaVersion":"V2_0"}}}`,
		[]exactVerdict{{obj("PreTokenGeneration", "a", "PreTokenGenerationConfig",
			obj("LambdaArn", "a", "LambdaVersion", "V2_0")), false}},
		[]string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn",
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
	},
	"twin that is no longer read": {
		"the pool shows it whether one likes or not", [][]Requirement{{say("AdminCreateUserConfig", Exactly,
			obj("AllowAdminCreateUserOnly", true))}}, "",
		`{"AdminCreateUserConfig":{"AllowAdminCreateUserOnly":true,"UnusedAccountValidityDays":7},
			"Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":3}}}`,
		nil, []string{"AdminCreateUserConfig.AllowAdminCreateUserOnly"},
	},
	"a sender that only the factor has": {
		"it is written whole", [][]Requirement{{say("SmsConfiguration", Exactly,
			obj("EumsSms", obj("OriginationIdentity", "o")))}}, "",
		`{"MfaConfiguration":"ON","SmsMfaConfiguration":{"SmsConfiguration":{"EumsSms":{"InEntityId":"i",
			"OriginationIdentity":"o"}}}}`,
		[]exactVerdict{{obj("EumsSms", obj("OriginationIdentity", "o")), false}},
		[]string{"SmsConfiguration.EumsSms.OriginationIdentity"},
	},
	"twin that is no longer read, and differs": {
		"the fact is what the newer one says", [][]Requirement{{say("AdminCreateUserConfig", Exactly,
			obj("UnusedAccountValidityDays", num("7")))}}, "",
		`{"AdminCreateUserConfig":{"UnusedAccountValidityDays":7},
			"Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":3}}}`,
		[]exactVerdict{{obj("UnusedAccountValidityDays", num("7")), false}},
		[]string{"AdminCreateUserConfig.UnusedAccountValidityDays"},
	},
}

func TestExactly(t *testing.T) {
	t.Parallel()
	for name, c := range exactCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policyOf(c.rules...)
			p.Exemptions = []Exemption{{Settings: []string{c.exempt}}}
			settings := tree(c.live)
			got := Compare(p, settings)
			var verdicts []exactVerdict
			for _, d := range ofFirstRule(got) {
				verdicts = append(verdicts, exactVerdict{d.Value, d.Exempted != nil})
				if d.Exempted == nil {
					settings = writeBack(settings, d)
				}
			}
			if diff := cmp.Diff(c.want, verdicts); diff != "" {
				t.Errorf("%s: drifts (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.owned, got.Owned); diff != "" {
				t.Errorf("owned (-want +got):\n%s", diff)
			}
			if still := enforced(ofFirstRule(Compare(p, settings))); len(still) > 0 {
				t.Errorf("after the write there is still %s: have %v, value %v", still[0].Setting, still[0].Have, still[0].Value)
			}
		})
	}
}

func enforced(drifts []Drift) []Drift {
	return slices.DeleteFunc(drifts, func(d Drift) bool { return d.Exempted != nil })
}

func ofFirstRule(c Comparison) []Drift {
	return slices.DeleteFunc(slices.Clone(c.Drifts), func(d Drift) bool { return d.Rule != "1" })
}

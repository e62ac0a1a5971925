package baseline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// twinPlaces are the settings that have another name, each once by either name, whose presence says nothing more.
func twinPlaces() []place {
	var all []place
	for _, p := range allPlaces() {
		if _, ok := TwinOf(p.path); ok && p.leaf() {
			all = append(all, p)
		}
	}
	return all
}

// TestTwinsUnderEveryOperator: a fact is the same under one name, under the other and under both, whatever the operator
// and by whichever name it is required. Only the block of the SMS factor has to be there to count.
func TestTwinsUnderEveryOperator(t *testing.T) {
	t.Parallel()
	places := twinPlaces()
	if len(places) < 30 {
		t.Fatalf("only %d settings have another name", len(places))
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(places).Draw(t, "place")
		twin, _ := TwinOf(p.path)
		r := genRequirementOf(p).Draw(t, "requirement")
		value := rapid.SampledFrom([]any{sample(p.member, 0), sampleOr0(p.member, 1)}).Draw(t, "value")
		want := holds(p.member, r, value)
		here, there := map[string]any{"MfaConfiguration": "ON"}, map[string]any{"MfaConfiguration": "ON"}
		both := map[string]any{"MfaConfiguration": "ON"}
		Put(here, Keys(p.path), value)
		Put(there, Keys(twin), value)
		Put(both, Keys(p.path), value)
		Put(both, Keys(twin), value)
		for name, settings := range map[string]map[string]any{"the name": here, "the other name": there, "both": both} {
			wanted := want
			if name == "the other name" && strings.HasPrefix(p.path, smsMFAPath) && r.Op != Absent {
				wanted = false // the factor itself is missing
			}
			drifts := Compare(policyOf([]Requirement{r}), settings).Drifts
			if held := len(drifts) == 0; held != wanted {
				t.Errorf("%s %s %v of %v under %s: holds is %t", p.path, r.Op, r.Value, value, name, held)
			}
			for _, d := range drifts {
				after := writeBack(settings, d)
				if again := Compare(policyOf([]Requirement{r}), after).Drifts; d.Action != Report && len(again) > 0 {
					t.Errorf("%s %s: %s %v, but then have %v", p.path, r.Op, d.Action, d.Value, again[0].Have)
				}
			}
		}
	})
}

// TestTemporaryPasswordDays: a pool that has the older name only keeps its days where they are good.
func TestTemporaryPasswordDays(t *testing.T) {
	t.Parallel()
	old := `{"AdminCreateUserConfig":{"UnusedAccountValidityDays":1}}`
	for name, c := range map[string]struct {
		require Requirement
		live    string
		holds   bool
	}{
		"at most":  {say(daysPath, AtMost, num("7")), old, true},
		"at least": {say(daysPath, AtLeast, num("1")), old, true},
		"more":     {say(daysPath, AtLeast, num("2")), old, false},
		"one of":   {say(daysPath, OneOf, []any{num("1"), num("2")}), old, true},
		"equal":    {say(daysPath, Equal, num("1")), old, true},
		"present":  {say(daysPath, Present, true), old, true},
		"in an object": {say("Policies.PasswordPolicy", Exactly, obj("TemporaryPasswordValidityDays", num("1"))),
			old, true},
		"in an object, differs": {say("Policies.PasswordPolicy", Exactly, obj("TemporaryPasswordValidityDays", num("2"))),
			old, false},
		"the newer one counts": {say(daysPath, AtMost, num("7")),
			`{"AdminCreateUserConfig":{"UnusedAccountValidityDays":1},
				"Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":30}}}`,
			false},
		"neither": {say(daysPath, AtMost, num("7")), `{}`, false},
	} {
		if drifts := Compare(policyOf([]Requirement{c.require}), tree(c.live)).Drifts; (len(drifts) == 0) != c.holds {
			t.Errorf("%s: %+v", name, drifts)
		}
	}
}

// TestFactorsAndMirrors: with MFA off, the SMS block that is shown is no factor; with MFA on, a factor has to be there.
func TestFactorsAndMirrors(t *testing.T) {
	t.Parallel()
	const sender = `"SmsConfiguration":{"SnsRegion":"r"},"SmsAuthenticationMessage":"t"`
	block := `"SmsMfaConfiguration":{` + sender + `}`
	mirror, on, missing := `{`+sender+`,`+block+`,"MfaConfiguration":"OFF"}`, `{`+sender+`,`+block+`,
		"MfaConfiguration":"ON"}`,
		`{`+sender+`,"MfaConfiguration":"ON","SoftwareTokenMfaConfiguration":{"Enabled":true}}`
	all := [][]Requirement{{say("SmsConfiguration", Exactly, obj("SnsRegion", "r")),
		say(smsMFAPath, Exactly, obj("SmsAuthenticationMessage", "t", "SmsConfiguration", obj("SnsRegion", "r"))),
		say("SmsAuthenticationMessage", Equal, "t")}}
	none := [][]Requirement{{say(smsMFAPath, Absent, true), say(emailMFAPath, Absent, true), say(totpPath, Equal, false),
		say(mfaPath, Equal, "OFF")}}
	for name, c := range map[string]struct {
		rules    [][]Requirement
		exempted string
		live     string
		want     []string // the settings that drifted
	}{
		"absent, a mirror":           {[][]Requirement{{say(smsMFAPath, Absent, true)}}, "", mirror, nil},
		"absent, a factor":           {[][]Requirement{{say(smsMFAPath, Absent, true)}}, "", on, []string{smsMFAPath}},
		"present, a mirror":          {[][]Requirement{{say(smsMFAPath, Present, true)}}, "", mirror, []string{smsMFAPath}},
		"present, a factor":          {[][]Requirement{{say(smsMFAPath, Present, true)}}, "", on, nil},
		"every factor off, a mirror": {none, "", mirror, nil},
		"its text": {[][]Requirement{{say(smsMFAPath, Exactly, obj("SmsAuthenticationMessage", "t"))}}, "",
			on, nil},
		"absent but for its text": {[][]Requirement{{say(smsMFAPath, Absent, true)}},
			smsMFAPath + ".SmsAuthenticationMessage", on, []string{smsMFAPath + ".SmsAuthenticationMessage"}},
		"all of it":                 {all, "", on, nil},
		"all of it, factor missing": {all, "", missing, []string{smsMFAPath}},
		"a sender, factor is missing": {[][]Requirement{{say(smsMFAPath+".SmsConfiguration.SnsRegion", Equal, "r")}}, "",
			missing, []string{smsMFAPath + ".SmsConfiguration.SnsRegion"}},
	} {
		p := policyOf(c.rules...)
		p.Exemptions = []Exemption{{Settings: []string{c.exempted}}}
		drifts := Compare(p, tree(c.live)).Drifts
		var got []string
		for _, d := range drifts {
			got = append(got, d.Setting)
		}
		if strings.Join(got, ",") != strings.Join(c.want, ",") {
			t.Errorf("%s: %v drifted, want %v", name, got, c.want)
		}
		for _, d := range drifts {
			if after := Compare(p, writeBack(tree(c.live), d)).Drifts; d.Action == Write && d.Exempted == nil && len(after) > 0 {
				t.Errorf("%s: after the write there is still %+v", name, after)
			}
		}
	}
}

const (
	eventsPath   = "RiskConfiguration.CompromisedCredentialsRiskConfiguration.EventFilter"
	readablePath = Clients + ".ReadAttributes"
	blockedPath  = "RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList"
	daysPath     = "Policies.PasswordPolicy.TemporaryPasswordValidityDays"
	unusedPath   = "AdminCreateUserConfig.UnusedAccountValidityDays"
)

func texts(all ...string) []any {
	var l []any
	for _, text := range all {
		l = append(l, text)
	}
	return l
}

// TestDefaultsThatTheServiceShows: what the service shows where nothing was set is as good as absent, and counts
// where a list is written.
func TestDefaultsThatTheServiceShows(t *testing.T) {
	t.Parallel()
	standard := texts(readableAttributes...)
	with := func(events string) string {
		return `{"RiskConfiguration":{"CompromisedCredentialsRiskConfiguration":{"EventFilter":` + events + `}}}`
	}
	rotation := `{"Clients[]":{"RefreshTokenRotation":{"Feature":"DISABLED","RetryGracePeriodSeconds":0}}}`
	off := texts("SIGN_IN", "PASSWORD_CHANGE")
	runOpCases(t, map[string]opCase{
		"rotation that is off": {say(Clients+".RefreshTokenRotation", Absent, true), rotation, "", nil, nil, "the default"},
		"rotation that is not": {say(rotationPath, Equal, "DISABLED"), `{}`, "", nil, nil, "the default"},
		"a sender":             {say(accountPath, Equal, "COGNITO_DEFAULT"), `{}`, "", nil, nil, "the default"},
		"a sender, shown": {say(accountPath, Present, true),
			`{"EmailConfiguration":{"EmailSendingAccount":"COGNITO_DEFAULT"}}`, "", nil, nil, "it is there"},
		"a plan": {say(tierPath, Equal, "ESSENTIALS"), `{}`, "", nil, nil, "the default"},
		"a plan that matches": {say(tierPath, Matches, "ESS*"), `{"UserPoolTier":"ESSENTIALS"}`, "", nil, nil,
			"it is shown"},
		"every event": {say(eventsPath, Contains, texts("SIGN_IN")), with("[]"), "", nil, nil,
			"an empty list is every event"},
		"every event, where nothing is": {say(eventsPath, Contains, texts("SIGN_IN")), `{}`, "", nil, nil, "every event"},
		"every event, by name": {say(eventsPath, Equal, texts("SIGN_UP", "SIGN_IN", "PASSWORD_CHANGE")), `{}`, Write,
			texts("SIGN_UP", "SIGN_IN", "PASSWORD_CHANGE"), texts("SIGN_UP", "SIGN_IN", "PASSWORD_CHANGE"),
			"the same events, but checks of others look for the list"},
		"every event but one": {say(eventsPath, Without, texts("SIGN_UP")), `{}`, Write, off, "without SIGN_UP",
			"it is one of them"},
		"a standard attribute": {say(readablePath, Contains, texts("email")), `{}`, "", nil, nil, "among the default ones"},
		"an attribute of one's own": {say(readablePath, Contains, texts("custom:x")), `{}`, Write,
			append(standard, "custom:x"),
			"contains custom:x", "the default ones stay"},
		"no attribute": {say(readablePath, Contains, texts("email")), `{"Clients[]":{"ReadAttributes":[]}}`, Write,
			texts("email"),
			"contains email", "an empty list is none"},
		"a factor more": {say(factorsPath, Contains, texts("WEB_AUTHN")), `{}`, Write, texts("PASSWORD", "WEB_AUTHN"),
			"contains WEB_AUTHN", "PASSWORD stays"},
		"the password alone": {say(factorsPath, Equal, texts("PASSWORD")), `{}`, "", nil, nil, "the default"},
		"a flow less": {say(flowsPath, Without, texts("ALLOW_CUSTOM_AUTH")), `{}`, Write,
			texts("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"), "without ALLOW_CUSTOM_AUTH", "the others stay"},
	})
}

// TestLeavesOfDefaults: nothing moved where the service shows a default that it did not show before.
func TestLeavesOfDefaults(t *testing.T) {
	t.Parallel()
	for name, shown := range map[string]string{
		"pool": `{"UserPoolTier":"ESSENTIALS","EmailConfiguration":{"EmailSendingAccount":"COGNITO_DEFAULT"},"Policies":
			{"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD"]}},"VerificationMessageTemplate":{"DefaultEmailOption":
			"CONFIRM_WITH_CODE"},"DeletionProtection":"INACTIVE","KeyConfiguration":{"KeyType":"AWS_OWNED_KEY"},
			"IssuerConfiguration":{"Type":"ORIGINAL"}}`,
		"client": `{"Clients[]":{"RefreshTokenRotation":{"Feature":"DISABLED","RetryGracePeriodSeconds":0},
			"TokenValidityUnits":
			{"AccessToken":"hours","IdToken":"hours","RefreshToken":"days"}}}`,
		"risk": `{"RiskConfiguration":{"CompromisedCredentialsRiskConfiguration":{"EventFilter":["SIGN_UP","SIGN_IN",
			"PASSWORD_CHANGE"]}}}`,
	} {
		if diff := cmp.Diff(map[string]string{}, Leaves(root.Members, tree(shown))); diff != "" {
			t.Errorf("%s: something is set (-want +got):\n%s", name, diff)
		}
	}
}

// TestListsOfDefaultsStay: whatever a list operator writes, of what an absent list stands for only what was forbidden
// goes.
func TestListsOfDefaultsStay(t *testing.T) {
	t.Parallel()
	var withDefaults []place
	for _, p := range allPlaces() {
		if len(p.member.DefaultList) > 0 {
			withDefaults = append(withDefaults, p)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(withDefaults).Draw(t, "list")
		options := p.member.DefaultList
		if len(p.member.Elem.Enum) > 0 {
			options = p.member.Elem.Enum
		}
		named := rapid.SampledFrom(options).Draw(t, "element")
		op := rapid.SampledFrom([]Op{Contains, Without}).Draw(t, "operator")
		for _, d := range Compare(policyOf([]Requirement{say(p.path, op, texts(named))}), map[string]any{}).Drifts {
			if d.Action == Report {
				continue
			}
			got := elements(p.member, list(d.Value))
			for _, e := range p.member.DefaultList {
				if kept := got[element(p.member, e)]; kept != (op == Contains || e != named) {
					t.Errorf("%s %s %s writes %v", p.path, op, named, d.Value)
				}
			}
		}
	})
}

// TestExactlyLeavesWhatIsAlwaysThere: a member that the service never lacks stays as it is where it is not named.
func TestExactlyLeavesWhatIsAlwaysThere(t *testing.T) {
	t.Parallel()
	const policy = "Policies.PasswordPolicy"
	pass := func(members string) string { return `{"Policies":{"PasswordPolicy":{` + members + `}}}` }
	length := obj("MinimumLength", num("12"))
	runOpCases(t, map[string]opCase{
		"days": {say(policy, Exactly, length), pass(`"MinimumLength":12,"TemporaryPasswordValidityDays":3`), "", nil, nil,
			"there is no pool without"},
		"days and a drift": {say(policy, Exactly, length),
			pass(`"MinimumLength":8,"RequireSymbols":true,"TemporaryPasswordValidityDays":3`), Write,
			obj("MinimumLength", num("12"), "TemporaryPasswordValidityDays", num("3")), `exactly {"MinimumLength":12}`,
			"3 stays"},
		"all policies": {say("Policies", Exactly, obj("PasswordPolicy", length)),
			`{"Policies":{"PasswordPolicy":{"MinimumLength":12},"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD",
				"WEB_AUTHN"]}}}`,
			"", nil, nil, "no call removes the sign-in policy"},
		"an account": {say("EmailConfiguration", Exactly, obj("From", "a@b.example")),
			`{"EmailConfiguration":{"From":"a@b.example","EmailSendingAccount":"DEVELOPER"}}`, "", nil, nil,
			"every pool has one"},
		"a sender of the factor": {say("SmsMfaConfiguration", Exactly, obj("SmsAuthenticationMessage", "t")),
			`{"MfaConfiguration":"ON","SmsMfaConfiguration":{"SmsAuthenticationMessage":"t",
				"SmsConfiguration":{"SnsRegion":"r"}}}`,
			"", nil, nil, "no factor is without"},
		"names of other levels": {say("AcrConfiguration", Exactly, obj("Level1", obj("AcrValue", "x"))),
			`{"AcrConfiguration":{"Level1":{"AcrValue":"x"},"Level2":{"AcrValue":"urn:cognito:loa:2"}}}`, "", nil, nil,
			"every level has one"},
	})
}

// TestListsThatTheAPIRefuses: a list that the API does not take is not written, and the drift says why.
func TestListsThatTheAPIRefuses(t *testing.T) {
	t.Parallel()
	many := make([]string, 200)
	for i := range many {
		many[i] = "10.0." + num("0").String() + "." + string(rune('0'+i%10)) + strings.Repeat("0", i/10) + "/32"
	}
	for name, c := range map[string]struct {
		require Requirement
		live    any
		action  Action
		reason  string
	}{
		"one too many": {say(blockedPath, Contains, texts("10.1.0.0/16")), texts(many...), Report,
			"the list would have 201 elements, and the API accepts at most 200"},
		"as many as there may be": {say(blockedPath, Contains, texts("10.1.0.0/16")), texts(many[1:]...), Write, ""},
		"none left, and taken":    {say("AutoVerifiedAttributes", Without, texts("email")), texts("email"), Write, ""},
		"none left": {say(recoveryPath, Without, []any{obj("Name", "verified_email", "Priority", num("1"))}),
			[]any{obj("Name", "verified_email", "Priority", num("1"))}, Report,
			"the list would have 0 elements, and the API needs at least 1"},
		"none left, which is every one": {say(eventsPath, Without, texts("SIGN_IN")), texts("SIGN_IN"), Report,
			"this would leave an empty list, which means SIGN_IN, PASSWORD_CHANGE, SIGN_UP"},
		"none left, which is the service's choice": {say(flowsPath, Without, texts("ALLOW_USER_AUTH")),
			texts("ALLOW_USER_AUTH"), Report,
			"this would leave an empty list, which means ALLOW_REFRESH_TOKEN_AUTH, ALLOW_USER_SRP_AUTH, ALLOW_CUSTOM_AUTH"},
		"no value is named": {say(tierPath, Matches, "P*"), "LITE", Report, ""},
	} {
		settings := map[string]any{}
		Put(settings, Keys(c.require.Setting), c.live)
		drifts := Compare(policyOf([]Requirement{c.require}), settings).Drifts
		if len(drifts) != 1 || drifts[0].Action != c.action || drifts[0].Reason != c.reason {
			t.Errorf("%s: %+v, want %s, %q", name, drifts, c.action, c.reason)
		}
	}
}

// TestAbsentBesideALaterPart: a later rule for a part of what is to be absent leaves the rest absent.
func TestAbsentBesideALaterPart(t *testing.T) {
	t.Parallel()
	rules := [][]Requirement{{say("LambdaConfig", Absent, true)}, {say("LambdaConfig.UserMigration", Equal, "x")}}
	device := [][]Requirement{{say("DeviceConfiguration", Absent, true)},
		{say("DeviceConfiguration.ChallengeRequiredOnNewDevice", Equal, true)}}
	token := [][]Requirement{{say("LambdaConfig", Absent, true)}, {say("LambdaConfig.PreTokenGeneration", Equal, "x")}}
	for name, c := range map[string]struct {
		rules      [][]Requirement
		live, want string
	}{
		"another trigger": {rules, `{"LambdaConfig":{"UserMigration":"x","PreSignUp":"y"}}`,
			`{"LambdaConfig":{"UserMigration":"x"}}`},
		"both differ": {rules, `{"LambdaConfig":{"UserMigration":"z","PreSignUp":"y"}}`,
			`{"LambdaConfig":{"UserMigration":"x"}}`},
		"nothing":  {rules, `{}`, `{"LambdaConfig":{"UserMigration":"x"}}`},
		"in order": {rules, `{"LambdaConfig":{"UserMigration":"x"}}`, `{"LambdaConfig":{"UserMigration":"x"}}`},
		"an object that is on": {device, `{"DeviceConfiguration":{}}`,
			`{"DeviceConfiguration":{"ChallengeRequiredOnNewDevice":true}}`},
		"a trigger of two names": {token,
			`{"LambdaConfig":{"PreSignUp":"y","PreTokenGeneration":"x","PreTokenGenerationConfig":{"LambdaArn":"x",
				"LambdaVersion":"V2_0"}}}`,
			`{"LambdaConfig":{"PreTokenGeneration":"x","PreTokenGenerationConfig":{"LambdaArn":"x","LambdaVersion":"V2_0"}}}`},
		"a part that is to be absent too": {[][]Requirement{{say("LambdaConfig", Absent, true)},
			{say("LambdaConfig.PreSignUp", Absent, true)}},
			`{"LambdaConfig":{"PreSignUp":"y"}}`, `{"LambdaConfig":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policyOf(c.rules...)
			after := writeAll(tree(c.live), Compare(p, tree(c.live)).Drifts)
			if diff := cmp.Diff(Leaves(root.Members, tree(c.want)), Leaves(root.Members, after)); diff != "" {
				t.Errorf("after the writes (-want +got):\n%s", diff)
			}
			if again := Compare(p, after).Drifts; len(again) > 0 {
				t.Errorf("after the writes there is still %+v", again)
			}
		})
	}
}

// TestExactlyWithAnExemptedPart: the exempted part is listed by itself, so that the rest holds once it is written.
func TestExactlyWithAnExemptedPart(t *testing.T) {
	t.Parallel()
	p := policyOf([]Requirement{say("UserPoolTags", Exactly, obj("env", "prod"))})
	p.Exemptions = []Exemption{{Settings: []string{"UserPoolTags.team"}}}
	list := func(settings map[string]any) (written, exempted []string) {
		for _, d := range Compare(p, settings).Drifts {
			if d.Exempted != nil {
				exempted = append(exempted, d.Setting)
			} else {
				written = append(written, d.Setting)
			}
		}
		return written, exempted
	}
	live := tree(`{"UserPoolTags":{"env":"dev","team":"x"}}`)
	if written, exempted := list(live); !cmp.Equal(written, []string{"UserPoolTags"}) ||
		!cmp.Equal(exempted, []string{"UserPoolTags.team"}) {
		t.Errorf("%v is written, %v is exempted", written, exempted)
	}
	after := writeAll(live, Compare(p, live).Drifts[:1])
	if written, exempted := list(after); written != nil || !cmp.Equal(exempted, []string{"UserPoolTags.team"}) {
		t.Errorf("after the write %v is written, %v is exempted", written, exempted)
	}
	if diff := cmp.Diff(obj("env", "prod", "team", "x"), after["UserPoolTags"]); diff != "" {
		t.Errorf("after the write (-want +got):\n%s", diff)
	}
}

// TestAsSaved: what was off is required to be off, not to be left out, which is on again where the service's default
// is on; what every pool has goes back to its default.
func TestAsSaved(t *testing.T) {
	t.Parallel()
	client := AppClient.Of("a")
	saved := map[string]any{ClientPath("a"): obj("EnableTokenRevocation", false)}
	b, _ := OfSettings("backup", "", "eu-west-1_a", saved, []DocumentName{UserPool, client})
	live := map[string]any{ClientPath("a"): obj("EnableTokenRevocation", true),
		"EmailConfiguration": obj("EmailSendingAccount", "DEVELOPER")}
	pool := Identity{ID: "eu-west-1_a", Clients: []ClientIdentity{{ID: "a"}}}
	got := map[string]any{}
	for _, d := range Compare(b.Policy(pool, noTime), live).Drifts {
		if d.Action != Write {
			t.Errorf("%s: %s", d.Setting, d.Action)
		}
		got[d.Setting] = d.Value
	}
	want := map[string]any{"EmailConfiguration": obj("EmailSendingAccount", "COGNITO_DEFAULT"),
		ClientPath("a") + ".EnableTokenRevocation": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

package baseline

import (
	"strings"
	"testing"

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

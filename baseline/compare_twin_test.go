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

func texts(all ...string) []any {
	var l []any
	for _, text := range all {
		l = append(l, text)
	}
	return l
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
		if diff := cmp.Diff(map[string]string{}, leavesOf(root.Members, tree(shown))); diff != "" {
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
			for _, e := range p.member.DefaultList {
				kept := len(less(p.member, []any{e}, list(d.Value))) == 0
				if kept != (op == Contains || e != named) {
					t.Errorf("%s %s %s writes %v", p.path, op, named, d.Value)
				}
			}
		}
	})
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

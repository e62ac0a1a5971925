package baseline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var leavesCases = map[string]struct {
	object string
	want   map[string]string
	reason string
}{
	"nothing": {`{}`, map[string]string{}, "no member, no leaf"},
	"empty values": {
		`{"PoolName":"","LambdaConfig":{},"AutoVerifiedAttributes":[],"UserPoolTier":null,"UserPoolTags":{}}`,
		map[string]string{}, "as good as absent"},
	"empty values deep": {
		`{"Policies":{"PasswordPolicy":{"RequireSymbols":false,"MinimumLength":0.0,"PasswordHistorySize":-0e5}}}`,
		map[string]string{}, "false and 0, however it is spelt"},
	"defaults": {`{"DeletionProtection":"INACTIVE","UserPoolAddOns":{"AdvancedSecurityMode":"OFF"}}`,
		map[string]string{}, "as good as absent"},
	"depth": {`{"Policies":{"PasswordPolicy":{"MinimumLength":12,"RequireSymbols":true}}}`,
		map[string]string{"Policies.PasswordPolicy.MinimumLength": "12", "Policies.PasswordPolicy.RequireSymbols": "true"},
		"dotted paths"},
	"presence": {`{"DeviceConfiguration":{},"DcrConfiguration":{"AllowedScopes":[]}}`,
		map[string]string{"DeviceConfiguration": "{}", "DcrConfiguration.AllowedScopes": "[]"},
		"present, even empty, is something"},
	"presence, empties": {`{"DeviceConfiguration":{"ChallengeRequiredOnNewDevice":false}}`,
		map[string]string{"DeviceConfiguration": "{}"}, "empties in it are absent"},
	"presence and more": {`{"DeviceConfiguration":{"ChallengeRequiredOnNewDevice":true}}`,
		map[string]string{"DeviceConfiguration": "{}", "DeviceConfiguration.ChallengeRequiredOnNewDevice": "true"},
		"both leaves"},
	"tags": {`{"UserPoolTags":{"a.b":"x","bare":""}}`,
		map[string]string{"UserPoolTags.a.b": `"x"`, "UserPoolTags.bare": `""`},
		"keys are joined as they are, and a tag needs no value"},
	"set": {`{"AutoVerifiedAttributes":["phone_number","email","email"]}`,
		map[string]string{"AutoVerifiedAttributes": `["email","phone_number"]`}, "sorted, doubles count once"},
	"set of objects": {
		`{"AccountRecoverySetting":{"RecoveryMechanisms":[{"Priority":2.0,"Name":"b"},{"Name":"a","Priority":1e0,
			"Future":null}]}}`,
		map[string]string{
			"AccountRecoverySetting.RecoveryMechanisms": `[{"Name":"a","Priority":1},{"Name":"b","Priority":2}]`},
		"elements first, then the order"},
	"empty elements": {
		`{"AutoVerifiedAttributes":["",null],"AccountRecoverySetting":{"RecoveryMechanisms":[{"Name":""}]}}`,
		map[string]string{"AutoVerifiedAttributes": `["",null]`, "AccountRecoverySetting.RecoveryMechanisms": `[{}]`},
		"an element is an element"},
	"read-only": {`{"Id":"x","Status":"y","MfaConfiguration":"ON","PoolName":"a"}`,
		map[string]string{"PoolName": `"a"`}, "what is not written from here is left out"},
	"unknown": {`{"Future":{"b":1.0,"a":[false]},"LambdaConfig":{"New":"arn"}}`,
		map[string]string{"Future": `{"a":[false],"b":1}`, "LambdaConfig.New": `"arn"`}, "one leaf as it stands"},
	"other shapes": {
		`{"LambdaConfig":"what","PoolName":{"a":1},"AutoVerifiedAttributes":"email","UserPoolTags":[1],"UserPoolTier":["a"],
			"DeviceConfiguration":"on"}`, map[string]string{"LambdaConfig": `"what"`, "PoolName": `{"a":1}`,
			"AutoVerifiedAttributes": `"email"`, "UserPoolTags": `[1]`, "UserPoolTier": `["a"]`,
			"DeviceConfiguration": `"on"`}, "one leaf as it stands"},
	"text is text": {`{"PoolName":"<a href=\"x\">\u00fc\u2028</a> "}`,
		map[string]string{"PoolName": "\"<a href=\\\"x\\\">ü\\u2028</a> \""},
		"nothing is escaped for HTML, nothing is trimmed"},
	"big numbers": {`{"Future":9007199254740993,"Other":1e400,"More":123456789012345678901234567890e-5}`,
		map[string]string{"Future": "9007199254740993", "Other": "1" + strings.Repeat("0", 400),
			"More": "1234567890123456789012345.6789"},
		"no digit is lost"},
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	for name, c := range leavesCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, Leaves(userPoolMembers, tree(c.object))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestLeavesCoverTheTable(t *testing.T) {
	t.Parallel()
	got := Leaves(root.Members, fullPool())
	for _, p := range allPlaces() {
		if _, ok := got[p.path]; (p.leaf() || p.member.Presence) && !ok && text(p.member, sample(p.member, 0)) != "" {
			t.Errorf("a full pool lacks the leaf %s", p.path)
		}
		delete(got, p.path)
	}
	if len(got) > 0 {
		t.Errorf("leaves that are no settings: %v", got)
	}
}

// TestLeavesAgreeWithText holds the two ways to compare together: objects have the same leaves where they have the
// same text.
func TestLeavesAgreeWithText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := genPool().Draw(t, "a"), genPool().Draw(t, "b")
		for name := range a {
			m, _ := child(root, name)
			x, y := map[string]any{name: a[name]}, map[string]any{name: b[name]}
			same := cmp.Equal(Leaves(root.Members, x), Leaves(root.Members, y))
			if got := equal(m, a[name], b[name]); got != same {
				t.Errorf("%s: equal is %t, but equal leaves is %t: %v and %v", name, got, same, a[name], b[name])
			}
		}
	})
}

// TestTwinsPointAtEachOther finds every twin of the table, wherever it stands.
func TestTwinsPointAtEachOther(t *testing.T) {
	t.Parallel()
	var all []string
	var look func(members []Member, prefix string)
	look = func(members []Member, prefix string) {
		for _, m := range members {
			path := prefix + m.Name
			if m.Twin != "" {
				all = append(all, path)
				back, ok := TwinOf(m.Twin)
				if twin, found := TwinOf(path + ".Below"); !ok || back != path || !found || twin != m.Twin+".Below" {
					t.Errorf("%s and %s do not point at each other", path, m.Twin)
				}
			}
			if m.Elem != nil {
				look([]Member{*m.Elem}, path+".KEY.")
			}
			look(m.Members, path+".")
		}
	}
	look(root.Members, "")
	if len(all) == 0 || len(all) != len(twins()) {
		t.Errorf("%d twins in the table, %d known: %v", len(all), len(twins()), all)
	}
}

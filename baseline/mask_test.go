package baseline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMask(t *testing.T) {
	t.Parallel()
	const x = "(hidden: 1 characters, sha256 2d711642)"
	secrets := Member{Kind: List, Elem: &Member{Kind: String, Sensitive: true}}
	cases := map[string]struct {
		member any // a path, or a Member
		value  any
		want   any
		reason string
	}{
		"plain":     {"PoolName", "x", "x", "nothing to hide"},
		"sensitive": {"SmsVerificationMessage", "x", x, "length and hash"},
		"nil":       {"SmsVerificationMessage", nil, nil, "absent stays absent"},
		"no text":   {"SmsVerificationMessage", num("7"), "(hidden: 1 characters, sha256 7902699b)", "whatever it is"},
		"object": {"SmsConfiguration", obj("SnsRegion", "x", "ExternalId", "x"),
			obj("SnsRegion", "x", "ExternalId", x), "member by member"},
		"depth": {"SmsMfaConfiguration", obj("SmsConfiguration", obj("EumsSms", obj("ExternalId", "x"))),
			obj("SmsConfiguration", obj("EumsSms", obj("ExternalId", x))), "at any depth"},
		"unknown in it":     {"SmsConfiguration", obj("Future", "x"), obj("Future", x), "beside secrets, the unknown is one"},
		"unknown elsewhere": {"LambdaConfig", obj("Future", "x"), obj("Future", "x"), "nothing to hide here"},
		"a list for objects": {"SmsConfiguration", []any{"x"}, "(hidden: 5 characters, sha256 cd65ea2c)",
			"it could be the secret"},
		"list": {secrets, []any{"x", nil}, []any{x, nil}, "element by element"},
		"map":  {Member{Kind: Map, Elem: secrets.Elem}, obj("a", "x"), obj("a", x), "value by value"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, ok := c.member.(Member)
			if path, is := c.member.(string); is {
				m, ok = Lookup(path)
			}
			if diff := cmp.Diff(c.want, Mask(m, c.value)); !ok || diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// scribble overwrites everything in a JSON tree.
func scribble(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			scribble(e)
			v[k] = "scribbled"
		}
		v["scribbled"] = true
	case []any:
		for i, e := range v {
			scribble(e)
			v[i] = "scribbled"
		}
	}
}

// TestControls: every row is about a setting that there is, in the order of the settings, says something, and says it
// once.
func TestControls(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, c := range Controls() {
		if _, ok := Lookup(c.Setting); !ok {
			t.Errorf("there is no setting %s", c.Setting)
		}
		if len(c.Checks()) == 0 && c.Hazard == "" && c.Cost == "" {
			t.Errorf("nothing is said of %s", c.Setting)
		}
		paths = append(paths, c.Setting)
	}
	if !slices.IsSortedFunc(paths, Order) {
		t.Errorf("not in the order of the settings: %v", paths)
	}
	for _, id := range []string{"Cognito.1", "Cognito.3", "Cognito.4", "Cognito.5", "Cognito.6"} {
		if !slices.ContainsFunc(Controls(), func(c Control) bool { return c.SecurityHub == id }) {
			t.Errorf("no setting satisfies %s", id)
		}
	}
}

func TestCostlier(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		setting    string
		have, want any
		costlier   bool
	}{
		{"UserPoolTier", "ESSENTIALS", "PLUS", true},
		{"UserPoolTier", "PLUS", "LITE", false},
		{"UserPoolTier", "PLUS", "one of LITE, ESSENTIALS", true}, // not known to be lower
		{"UserPoolAddOns.AdvancedSecurityMode", nil, "AUDIT", true},
		{"UserPoolAddOns.AdvancedSecurityMode", "ENFORCED", "OFF", false},
		{"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", "ENFORCED", nil, false},
	} {
		if got := Costlier(c.setting, c.have, c.want); got != c.costlier {
			t.Errorf("%s from %v to %v: %v", c.setting, c.have, c.want, got)
		}
	}
}

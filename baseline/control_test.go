package baseline

import (
	"slices"
	"testing"
)

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

func TestControlsOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{"Policies.PasswordPolicy": 6, "Policies.PasswordPolicy.MinimumLength": 1,
		"LambdaConfig.PreSignUp": 1, "UserPoolAddOns": 2, "PoolName": 0} {
		if got := len(ControlsOf(path)); got != want {
			t.Errorf("%s has %d rows, want %d", path, got, want)
		}
	}
}

package halving_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/halving"
)

var settings = []string{"DeletionProtection", "UserPoolAddOns.AdvancedSecurityMode", "MfaConfiguration",
	"EmailVerificationMessage", "UserPoolTags.team", "UserPoolTier", "AutoVerifiedAttributes",
	"DeviceConfiguration", "SmsVerificationMessage", "UserPoolTags.env"}

// TestEachIsAcceptedOrRefusedByItself: whatever a service refuses, all else is accepted, in at most twelve tries of six
// settings, and two tries for each of more. A setting that needs others is only planned together with them or after
// them, and goes with them where one of them is refused.
func TestEachIsAcceptedOrRefusedByItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.SliceOfDistinct(rapid.SampledFrom(settings), rapid.ID).Draw(t, "wanted")
		bad := rapid.SliceOfDistinct(rapid.SampledFrom(settings), rapid.ID).Draw(t, "refused")
		refused := func(d baseline.Drift) bool { return slices.Contains(bad, d.Setting) }
		needs := map[string]string{}
		for i, setting := range wanted {
			if i > 0 && rapid.IntRange(0, 2).Draw(t, "needs") == 0 {
				needs[setting] = wanted[rapid.IntRange(0, i-1).Draw(t, "need")]
			}
		}
		accepted, tries := map[string]bool{}, 0
		var search halving.Search
		for {
			var fixes []baseline.Drift
			for _, setting := range wanted {
				if _, no := search.Refused[setting]; !no && !search.Postponed[setting] && !accepted[setting] {
					fixes = append(fixes, baseline.Drift{Setting: setting, Rule: "r"})
				}
			}
			for some := len(fixes) + 1; some > len(fixes); {
				some = len(fixes)
				fixes = slices.DeleteFunc(fixes, func(d baseline.Drift) bool {
					need := needs[d.Setting]
					return need != "" && !accepted[need] && !slices.ContainsFunc(fixes, func(o baseline.Drift) bool {
						return o.Setting == need
					})
				})
			}
			if len(fixes) == 0 {
				if search.Next() || search.Retry() {
					continue
				}
				break
			}
			if search.GivesUp(fixes) {
				continue
			}
			search.Try(fixes)
			tries++
			if slices.ContainsFunc(fixes, refused) {
				search.Refuse(fixes, fixes, "no")
				continue
			}
			search.Progress()
			for _, d := range fixes {
				accepted[d.Setting] = true
			}
		}
		for _, setting := range wanted {
			possible := true
			for need := setting; need != ""; need = needs[need] {
				possible = possible && !slices.Contains(bad, need)
			}
			if accepted[setting] != possible {
				t.Fatalf("%s is accepted: %t, refused: %v, needs: %v", setting, accepted[setting], bad, needs)
			}
			if _, no := search.Refused[setting]; no && possible {
				t.Fatalf("%s is accepted and noted as refused, or neither", setting)
			}
		}
		if tries > max(12, 2*len(wanted)) {
			t.Fatalf("%d tries of %v, of which %v are refused", tries, wanted, bad)
		}
	})
}

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
// settings, and two tries for each of more.
func TestEachIsAcceptedOrRefusedByItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.SliceOfDistinct(rapid.SampledFrom(settings), rapid.ID).Draw(t, "wanted")
		bad := rapid.SliceOfDistinct(rapid.SampledFrom(settings), rapid.ID).Draw(t, "refused")
		refused := func(d baseline.Drift) bool { return slices.Contains(bad, d.Setting) }
		accepted, tries := map[string]bool{}, 0
		var search halving.Search
		for {
			var fixes []baseline.Drift
			for _, setting := range wanted {
				if _, no := search.Refused[setting]; !no && !search.Postponed[setting] && !accepted[setting] {
					fixes = append(fixes, baseline.Drift{Setting: setting, Rule: "r"})
				}
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
			if accepted[setting] == slices.Contains(bad, setting) {
				t.Fatalf("%s is accepted: %t, refused: %v", setting, accepted[setting], bad)
			}
			if _, no := search.Refused[setting]; no == accepted[setting] {
				t.Fatalf("%s is accepted and noted as refused, or neither", setting)
			}
		}
		if tries > max(12, 2*len(wanted)) {
			t.Fatalf("%d tries of %v, of which %v are refused", tries, wanted, bad)
		}
	})
}

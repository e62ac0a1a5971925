package userpool

import (
	"cmp"
	"slices"

	"poolkeeper/baseline"
)

// Groups divides fixes into groups that must be written together, the most important first: restores, deletion
// protection, the tier, threat protection, which needs the tier, MFA, and then the rest in the order of the member
// table. Twins form one group, and so do a lifetime and its unit.
//
// For example, AccessTokenValidity and TokenValidityUnits.AccessToken are one group, and DeletionProtection before it
// is another.
func Groups(fixes []baseline.Drift) [][]baseline.Drift {
	sorted := slices.SortedStableFunc(slices.Values(fixes), func(a, b baseline.Drift) int {
		return cmp.Or(gravity(b)-gravity(a), baseline.Order(a.Setting, b.Setting))
	})
	var groups [][]baseline.Drift
	for _, d := range sorted {
		i := slices.IndexFunc(groups, func(group []baseline.Drift) bool {
			return slices.ContainsFunc(group, func(g baseline.Drift) bool { return together(g.Setting, d.Setting) })
		})
		if i < 0 {
			i, groups = len(groups), append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// grave are the prefixes of the settings that are tried first after a rejected write, the most important last.
var grave = []string{smsMFA, emailMFA, totp, mfa, "UserPoolAddOns", "UserPoolTier", "DeletionProtection"}

func gravity(d baseline.Drift) int {
	if d.Rule == "" {
		return len(grave) // restores come first
	}
	return slices.IndexFunc(grave, func(above string) bool { return baseline.Covers(above, d.Setting) })
}

func together(a, b string) bool { return Touches(a, b) || unitOf(a) == b || unitOf(b) == a }

// unitOf returns the setting for the unit of a lifetime, or "".
func unitOf(setting string) string {
	m, _ := baseline.Lookup(setting)
	if m.Lifetime == nil {
		return ""
	}
	return parent(setting) + "." + m.Lifetime.Unit
}

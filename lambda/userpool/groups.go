package userpool

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// Groups divides fixes into groups that must be written together, the most important first: restores, deletion
// protection, the tier, threat protection, which needs the tier, MFA, and then the rest in the order of the member
// table. Twins form one group, and so do a lifetime and its unit, and token rotation and the flow that it replaces.
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
			return slices.ContainsFunc(group, func(g baseline.Drift) bool { return together(g, d) })
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

func together(a, b baseline.Drift) bool {
	return Touches(a.Setting, b.Setting) || unitOf(a.Setting) == b.Setting || unitOf(b.Setting) == a.Setting ||
		replacesFlow(a, b) || replacesFlow(b, a)
}

// replacesFlow reports whether a client is to rotate its refresh tokens instead of the flow for them. The service
// rejects either change alone.
func replacesFlow(flows, rotation baseline.Drift) bool {
	const refresh = "ALLOW_REFRESH_TOKEN_AUTH"
	client, ok := strings.CutSuffix(flows.Setting, ".ExplicitAuthFlows")
	return ok && baseline.Covers(client+".RefreshTokenRotation", rotation.Setting) &&
		strings.Contains(fmt.Sprint(rotation.Value), "ENABLED") &&
		strings.Contains(fmt.Sprint(flows.Have), refresh) && !strings.Contains(fmt.Sprint(flows.Value), refresh)
}

// unitOf returns the setting for the unit of a lifetime, or "".
func unitOf(setting string) string {
	m, _ := baseline.Lookup(setting)
	if m.Lifetime == nil {
		return ""
	}
	return parent(setting) + "." + m.Lifetime.Unit
}

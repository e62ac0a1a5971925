package userpool

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"poolkeeper/baseline"
)

// TestGroups groups fixes so that what belongs together is never written apart, and the gravest comes first.
func TestGroups(t *testing.T) {
	t.Parallel()
	const (
		minimum   = "Policies.PasswordPolicy.MinimumLength"
		client    = "Clients[web]."
		validity  = client + "AccessTokenValidity"
		units     = client + "TokenValidityUnits.AccessToken"
		idUnits   = client + "TokenValidityUnits.IdToken"
		session   = client + "AuthSessionValidity"
		adminOnly = "AdminCreateUserConfig.AllowAdminCreateUserOnly"
	)
	for name, c := range map[string]struct {
		fixes []string
		want  [][]string
	}{
		"the gravest first": {
			[]string{minimum, "SoftwareTokenMfaConfiguration.Enabled", mfa, threat, "UserPoolTier", "DeletionProtection"},
			[][]string{{"DeletionProtection"}, {"UserPoolTier"}, {threat}, {mfa}, {"SoftwareTokenMfaConfiguration.Enabled"},
				{minimum}}},
		"the rest in the order of the table": {[]string{adminOnly, minimum}, [][]string{{minimum}, {adminOnly}}},
		"twins": {[]string{"SmsAuthenticationMessage", minimum, "SmsMfaConfiguration.SmsAuthenticationMessage"},
			[][]string{{"SmsMfaConfiguration.SmsAuthenticationMessage", "SmsAuthenticationMessage"}, {minimum}}},
		"an object and a part of it": {[]string{"SmsConfiguration.SnsRegion", "SmsConfiguration"},
			[][]string{{"SmsConfiguration", "SmsConfiguration.SnsRegion"}}},
		"what is to be restored first": {[]string{"DeletionProtection", account},
			[][]string{{account}, {"DeletionProtection"}}},
		"a lifetime and its unit":       {[]string{validity, units}, [][]string{{validity, units}}},
		"a lifetime and another's unit": {[]string{validity, idUnits}, [][]string{{validity}, {idUnits}}},
		"a lifetime without a unit":     {[]string{session, units}, [][]string{{units}, {session}}},
	} {
		var fixes []baseline.Drift
		for _, setting := range c.fixes {
			d := write(setting, "x")
			if setting != account { // which a write of ours took from the pool
				d.Rule = "all"
			}
			fixes = append(fixes, d)
		}
		if got := settingsOf(Groups(fixes)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestRotationInsteadOfFlow: the flow that refreshes tokens goes together with the rotation that replaces it.
func TestRotationInsteadOfFlow(t *testing.T) {
	t.Parallel()
	for have, groups := range map[string]int{"ALLOW_REFRESH_TOKEN_AUTH": 1, "ALLOW_USER_AUTH": 2} {
		flows, rotation := write("Clients[web].ExplicitAuthFlows", []any{"CUSTOM_AUTH_FLOW_ONLY"}),
			write("Clients[web].RefreshTokenRotation.Feature", "ENABLED")
		flows.Rule, flows.Have, rotation.Rule = "all", []any{have}, "all"
		if got := Groups([]baseline.Drift{rotation, flows}); len(got) != groups {
			t.Errorf("from %s: %v", have, settingsOf(got))
		}
	}
}

func settingsOf(groups [][]baseline.Drift) (all [][]string) {
	for _, group := range groups {
		var settings []string
		for _, d := range group {
			settings = append(settings, d.Setting)
		}
		all = append(all, settings)
	}
	return all
}

// A movedCase is a pool before a write and after it.
type movedCase struct {
	Before, MfaBefore json.RawMessage // documents
	Now, MfaNow       json.RawMessage // none is as before
	Fixes             []baseline.Drift
	Unknown           map[string]baseline.Unknown
	Moved             []string
}

// TestMoved finds what no fix was to change and is not what it was.
func TestMoved(t *testing.T) {
	t.Parallel()
	for name, c := range rowsOf[movedCase](t, "moved.json") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mfaBefore := cmp.Or(string(c.MfaBefore), `{"MfaConfiguration":"OFF"}`)
			before := stateOf(t, string(c.Before), mfaBefore)
			now := stateOf(t, cmp.Or(string(c.Now), string(c.Before)), cmp.Or(string(c.MfaNow), mfaBefore))
			omitted := before.Unknown(before.Names(), c.Unknown, baseline.OmitUnknown)
			_, changes := Moved(before, c.Fixes, now, omitted, func(string) bool { return false })
			var moved []string
			for _, change := range changes {
				moved = append(moved, change.Setting)
			}
			if !slices.Equal(moved, c.Moved) {
				t.Errorf("%v, want %v", moved, c.Moved)
			}
		})
	}
}

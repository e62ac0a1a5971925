package userpool

import (
	"cmp"
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
			[]string{minimum, "SoftwareTokenMfaConfiguration.Enabled", mfa, threat, "DeletionProtection"},
			[][]string{{"DeletionProtection"}, {threat}, {mfa}, {"SoftwareTokenMfaConfiguration.Enabled"}, {minimum}}},
		"the rest in the order of the table": {[]string{"UserPoolTier", adminOnly, minimum},
			[][]string{{minimum}, {adminOnly}, {"UserPoolTier"}}},
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
	before, mfaBefore string // documents
	now, mfaNow       string // "" is as before
	fixes             []baseline.Drift
	unknown           map[string]baseline.Unknown
	moved             []string
}

var movedCases = map[string]movedCase{
	"the fix alone": {before: `{"Name":"a","DeletionProtection":"INACTIVE"}`,
		now: `{"Name":"a","DeletionProtection":"ACTIVE"}`, fixes: []baseline.Drift{write("DeletionProtection", "ACTIVE")}},
	"the fix did not hold, which is no move": {before: `{"Name":"a","DeletionProtection":"INACTIVE"}`,
		fixes: []baseline.Drift{write("DeletionProtection", "ACTIVE")}},
	"something else is another": {before: `{"Name":"a","DeletionProtection":"INACTIVE"}`,
		now: `{"Name":"b","DeletionProtection":"ACTIVE"}`, fixes: []baseline.Drift{write("DeletionProtection", "ACTIVE")},
		moved: []string{"PoolName"}},
	"something else came": {before: `{"Name":"a"}`, now: `{"Name":"a","UserPoolTags":{"team":"x"}}`,
		moved: []string{"UserPoolTags.team"}},
	"an unknown member moved": {before: `{"Name":"a","FutureThing":1}`, now: `{"Name":"a","FutureThing":2}`,
		moved: []string{"UserPool.FutureThing"}},
	"an unknown member that is left out": {before: `{"Name":"a","FutureThing":1}`, now: `{"Name":"a"}`,
		unknown: map[string]baseline.Unknown{"FutureThing": baseline.OmitUnknown}},
	"a mirror follows its twin": {before: `{"Name":"a","SmsAuthenticationMessage":"Old {####}"}`,
		mfaBefore: `{"MfaConfiguration":"ON","SmsMfaConfiguration":{"SmsAuthenticationMessage":"Old {####}"}}`,
		now:       `{"Name":"a","SmsAuthenticationMessage":"New {####}"}`,
		mfaNow:    `{"MfaConfiguration":"ON","SmsMfaConfiguration":{"SmsAuthenticationMessage":"New {####}"}}`,
		fixes:     []baseline.Drift{write("SmsAuthenticationMessage", "New {####}")}},
	"with MFA off, the block of the text factor may go": {before: `{"Name":"a"}`, now: `{"Name":"a"}`,
		mfaBefore: `{"MfaConfiguration":"OFF","SmsMfaConfiguration":{"SmsAuthenticationMessage":"Old {####}"}}`,
		mfaNow:    `{"MfaConfiguration":"OFF"}`},
	"with MFA on, it may not": {before: `{"Name":"a"}`, now: `{"Name":"a"}`,
		mfaBefore: `{"MfaConfiguration":"ON","SmsMfaConfiguration":{"SmsAuthenticationMessage":"Old {####}"}}`,
		mfaNow:    `{"MfaConfiguration":"ON"}`, moved: []string{"SmsMfaConfiguration.SmsAuthenticationMessage"}},
}

// TestMoved finds what no fix was to change and is not what it was.
func TestMoved(t *testing.T) {
	t.Parallel()
	for name, c := range movedCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mfaBefore := cmp.Or(c.mfaBefore, `{"MfaConfiguration":"OFF"}`)
			before := stateOf(t, c.before, mfaBefore)
			now := stateOf(t, cmp.Or(c.now, c.before), cmp.Or(c.mfaNow, mfaBefore))
			omitted := before.Unknown(before.Names(), c.unknown, baseline.OmitUnknown)
			_, changes := Moved(before, c.fixes, now, omitted, func(string) bool { return false })
			var moved []string
			for _, change := range changes {
				moved = append(moved, change.Setting)
			}
			if !slices.Equal(moved, c.moved) {
				t.Errorf("%v, want %v", moved, c.moved)
			}
		})
	}
}

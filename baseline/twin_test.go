package baseline_test

import (
	"slices"
	"testing"

	"poolkeeper/baseline"
)

// TestHolds: a fact is found in every document whose write sends it, by the name that it has there.
func TestHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		document baseline.DocumentName
		path     string
		want     []string
	}{
		{baseline.UserPool, "Policies", []string{"Policies"}},
		{baseline.UserPool, "UserPoolTags.a.b", []string{"UserPoolTags.a.b"}},
		{baseline.MfaConfig, "Policies", nil},
		{baseline.UserPool, "MfaConfiguration", []string{"MfaConfiguration"}},
		{baseline.MfaConfig, "MfaConfiguration", []string{"MfaConfiguration"}},
		{baseline.UserPool, "SmsMfaConfiguration", []string{"SmsAuthenticationMessage", "SmsConfiguration"}},
		{baseline.MfaConfig, "SmsConfiguration", []string{"SmsMfaConfiguration.SmsConfiguration"}},
		{baseline.MfaConfig, "SmsAuthenticationMessage", []string{"SmsMfaConfiguration.SmsAuthenticationMessage"}},
		{baseline.UserPool, "WebAuthnConfiguration", nil},
		{baseline.UserPool, "SmsVerificationMessage", []string{"SmsVerificationMessage"}},
		{baseline.UserPool, "SchemaAttributes", nil},
		{baseline.RiskConfiguration, "UserPoolAddOns", nil},
		{baseline.RiskConfiguration, "RiskConfiguration.RiskExceptionConfiguration",
			[]string{"RiskConfiguration.RiskExceptionConfiguration"}},
		{baseline.ClientRisk.Of("a"), "RiskConfiguration.RiskExceptionConfiguration", nil},
		{baseline.ClientRisk.Of("a"), "Clients[a].RiskConfiguration.RiskExceptionConfiguration",
			[]string{"Clients[a].RiskConfiguration.RiskExceptionConfiguration"}},
		{baseline.AppClient.Of("a"), "Clients[b].CallbackURLs", nil},
		{baseline.AppClient.Of("a"), "Clients[a].ClientSecret", nil},
	} {
		if got := c.document.Holds(c.path); !slices.Equal(got, c.want) {
			t.Errorf("%s holds %s as %v, want %v", c.document, c.path, got, c.want)
		}
	}
}

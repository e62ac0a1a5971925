package userpool

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

// TestSecretsOf: message texts and external ids are secrets, wherever they are; names are not.
func TestSecretsOf(t *testing.T) {
	t.Parallel()
	document := map[string]any{
		"SmsConfiguration":         map[string]any{"ExternalId": "the-external-id"},
		"SmsMfaConfiguration":      map[string]any{"SmsConfiguration": map[string]any{"ExternalId": "mfa-external-id"}},
		"EmailVerificationMessage": "text {####}",
		"PoolName":                 "customers",
		"SchemaAttributes":         []any{map[string]any{"Name": "phone_number"}},
	}
	got := Secrets(baseline.UserPool, document)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"mfa-external-id", "text {####}", "the-external-id"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestErrorsHideSecretsLaw: no secret is in the text, even where secrets overlap or look like a part of a validation
// error.
func TestErrorsHideSecretsLaw(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"code", "{####}", "' at '", "Value '", "telltale", " ", "(hidden)", "1234", "é"})
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.Map(rapid.SliceOfN(piece, 1, 5), func(p []string) string { return strings.Join(p, "") })
		secrets := rapid.SliceOfN(secret, 1, 4).Draw(t, "secrets")
		around := rapid.SliceOfN(rapid.SampledFrom([]string{
			"Value '%s' at 'emailVerificationMessage' failed to satisfy constraint: a", "the role %s is wrong", "%s",
		}), 1, 4).Draw(t, "around")
		var said []string
		for _, a := range around {
			said = append(said, fmt.Sprintf(a, rapid.SampledFrom(secrets).Draw(t, "repeated")))
		}
		text := Redact(strings.Join(said, "; "), secrets)
		for _, secret := range secrets {
			if strings.Contains(secret, "telltale") && strings.Contains(text, "telltale") {
				t.Fatalf("a secret leaked: %s", text)
			}
		}
	})
}

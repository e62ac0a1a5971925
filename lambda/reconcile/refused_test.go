package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// mostTries is how many writes six requirements of one document may take, whichever of them are refused.
const mostTries = 12

// A wish is a requirement of one document, the live value that breaks it, and where its value stands in a body.
type wish struct {
	setting, required string
	weaken            func(pool map[string]any)
	has               func(body map[string]any) bool
}

// A plain wish is about one text or number.
func plain(setting, required string, weak any) wish {
	return wish{setting: setting, required: required,
		weaken: func(pool map[string]any) { put(pool, setting, weak) },
		has:    func(body map[string]any) bool { return fmt.Sprint(deep(body, setting)) == required }}
}

var wishes = []wish{
	plain("DeletionProtection", "ACTIVE", "INACTIVE"),
	plain("UserPoolAddOns.AdvancedSecurityMode", "ENFORCED", "AUDIT"),
	plain("Policies.PasswordPolicy.MinimumLength", "20", json.Number("8")),
	plain("AdminCreateUserConfig.AllowAdminCreateUserOnly", "true", false),
	plain("DeviceConfiguration.ChallengeRequiredOnNewDevice", "true", false),
	plain("EmailConfiguration.ReplyToEmailAddress", "security@example.com", "old@example.com"),
}

// refusals are answers that name nothing, or the wrong member.
var refusals = []struct{ code, message string }{
	{"InvalidParameterException", "Email address is not verified. The following identities failed the check"},
	{"InvalidParameterException", "Invalid lambda function ARN provided"},
	{"FeatureUnavailableInTierException", "This feature is not available in your current feature plan"},
	{"InvalidParameterException", "DeletionProtection and MinimumLength are fine"},
	{"AccessDeniedException", "not authorized to perform iam:PassRole"},
	{"NotAuthorizedException", ""},
}

// TestRejectedFixDoesNotBlockOthers: whichever of n requirements the service refuses, in whatever words, the others
// hold.
func TestRejectedFixDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, stop := start(t.Fatalf, cognitotest.Measured)
		defer stop()
		var text strings.Builder
		refused := map[string]bool{}
		answer := rapid.SampledFrom(refusals).Draw(t, "answer")
		b.rich(func(pool, _ map[string]any) {
			for _, w := range wishes {
				w.weaken(pool)
			}
		})
		for _, w := range wishes {
			parts := strings.Split(w.setting, ".")
			fmt.Fprintf(&text, "      %s: %s%s\n", strings.Join(parts, ": {"), w.required, strings.Repeat("}", len(parts)-1))
			refused[w.setting] = rapid.Bool().Draw(t, w.setting)
		}
		b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: answer.code, Message: answer.message,
			When: func(body map[string]any) bool {
				return slices.ContainsFunc(wishes, func(w wish) bool { return refused[w.setting] && w.has(body) })
			}})
		before := b.snapshot(t)
		required, err := baseline.Parse("test.yaml", []byte("version: 1\nrules:\n  - name: a\n    require:\n"+text.String()))
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{}))
		if err != nil {
			t.Fatal(err)
		}
		moved := difference(before, b.snapshot(t))
		for _, w := range wishes {
			want := outcome.StateFixed
			if refused[w.setting] {
				want = outcome.StateUnfixable
			}
			if states(out)[w.setting] != want || slices.Contains(moved, w.setting) == refused[w.setting] {
				t.Fatalf("%s is %s, want %s: %s (%s)", w.setting, states(out)[w.setting], want, out.Outcome, out.Reason)
			}
		}
		if tries := len(b.writes()); tries > mostTries {
			t.Fatalf("%d writes were tried", tries)
		}
	})
}

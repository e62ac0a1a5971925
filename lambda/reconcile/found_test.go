package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// TestSecondPass tries what was refused in the pool's unit once more after a later unit wrote: what the first pass
// found is not forgotten over it. A setting that does not hold is not written again, and what moved has moved.
func TestSecondPass(t *testing.T) {
	t.Parallel()
	const required = `version: 1
rules:
  - name: all
    require:
      DeletionProtection: ACTIVE
      Policies: {PasswordPolicy: {MinimumLength: 20}}
      LogConfigurations: {userAuthEvents: {LogLevel: INFO}}
`
	for name, c := range map[string]struct {
		change func(pool, mfa map[string]any) // after each write of the pool that is accepted
		want   outcome.Ending
		says   string
	}{
		"set back": {unprotected, outcome.Unconverged, "does not have the written value"},
		"moved":    {meanwhile, outcome.Unconverged, "UserPoolTags.meanwhile"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.whole(alsoUnprotected(policy+"MinimumLength", json.Number("8")))
			b.set("LogConfigurations.userAuthEvents.LogLevel", "ERROR")
			b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "InvalidParameterException", Message: "no",
				When: func(body map[string]any) bool {
					return fmt.Sprint(deep(body, "Policies.PasswordPolicy.MinimumLength")) == "20"
				}})
			b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: c.change})
			out, err := b.reconciler(parse(t, required)).Reconcile(t.Context(), onPool(event.Cause{}))
			if err != nil || out.Outcome != c.want || !strings.Contains(out.Reason, c.says) {
				t.Errorf("%s (%s), want %s with %q: %v", out.Outcome, out.Reason, c.want, c.says, err)
			}
			writes := []string{"UpdateUserPool", "SetLogDeliveryConfiguration"}
			if !slices.Equal(out.Writes, writes) {
				t.Errorf("accepted %v, want %v", out.Writes, writes)
			}
		})
	}
}

package cognitotest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSetMFA shows that the call replaces all, in both worlds, and what it does to the pool.
func TestSetMFA(t *testing.T) {
	t.Parallel()
	totp := map[string]any{"Enabled": true}
	for name, c := range map[string]struct {
		pool    func(pool, mfa map[string]any)
		request map[string]any
		mfa     map[string]any // without the SMS block's content
		sender  bool           // whether the pool has one afterwards
	}{
		"only the app": {func(p, _ map[string]any) { p["AutoVerifiedAttributes"] = list("email") },
			map[string]any{"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": totp},
			map[string]any{"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": totp}, false},
		"nothing at all": {func(p, _ map[string]any) { p["AutoVerifiedAttributes"] = list("email") }, map[string]any{},
			map[string]any{"MfaConfiguration": "OFF"}, false},
		"the sender stays where the block was never there": {off,
			map[string]any{"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": totp},
			map[string]any{"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": totp}, true},
		"unknown members": {off, map[string]any{"Newest": map[string]any{"A": "b"}},
			map[string]any{"MfaConfiguration": "OFF", "Newest": map[string]any{"A": "b"}}, true},
	} {
		for world, mode := range modes {
			t.Run(name+"/"+world, func(t *testing.T) {
				t.Parallel()
				f := rich(t, mode, c.pool)
				request := map[string]any{"UserPoolId": poolID}
				for k, v := range c.request {
					request[k] = v
				}
				f.ok(t, set, request)
				pool, mfa, _ := f.Pool(poolID)
				if diff := cmp.Diff(c.mfa, mfa); diff != "" {
					t.Errorf("the MFA document (-want +got):\n%s", diff)
				}
				if pool["MfaConfiguration"] != mfa["MfaConfiguration"] {
					t.Errorf("the pool says %v", pool["MfaConfiguration"])
				}
				if sender := pool["SmsConfiguration"] != nil; sender != c.sender {
					t.Errorf("a sender of text messages: %v, want %v", sender, c.sender)
				}
			})
		}
	}
}

// TestSetMFAMirrors shows that the sender and the text of the SMS block are the pool's too.
func TestSetMFAMirrors(t *testing.T) {
	t.Parallel()
	for world, mode := range modes {
		t.Run(world, func(t *testing.T) {
			t.Parallel()
			f := rich(t, mode, nil)
			_, request := f.echo(t)
			block := in(request, "SmsMfaConfiguration")
			block["SmsAuthenticationMessage"] = "new {####}"
			in(block, "SmsConfiguration")["SnsCallerArn"] = "arn:aws:iam::111122223333:role/other"
			f.ok(t, set, request)
			pool, _, _ := f.Pool(poolID)
			if pool["SmsAuthenticationMessage"] != "new {####}" ||
				in(pool, "SmsConfiguration")["SnsCallerArn"] != "arn:aws:iam::111122223333:role/other" {
				t.Errorf("the pool has %v and %v", pool["SmsAuthenticationMessage"], pool["SmsConfiguration"])
			}
		})
	}
}

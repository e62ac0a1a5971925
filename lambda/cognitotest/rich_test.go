package cognitotest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

// TestRichIsComplete holds the pool against the table: a member that is added there has to be set here. A pool sends
// text messages through SNS or End User Messaging, never both, so the latter's members are the one gap.
func TestRichIsComplete(t *testing.T) {
	t.Parallel()
	pool, mfa := cognitotest.Rich()
	for i, shown := range []map[string]any{pool, mfa} {
		checkSet(t, "", baseline.Documents()[i].Members, shown)
	}
	if n := len(pool["SchemaAttributes"].([]any)); n != 20 {
		t.Errorf("%d schema attributes, want 20", n)
	}
	if pool["MfaConfiguration"] != mfa["MfaConfiguration"] {
		t.Error("the two documents disagree about MFA")
	}
}

func checkSet(t *testing.T, path string, members []baseline.Member, object map[string]any) {
	t.Helper()
	for _, m := range members {
		if m.Trip == baseline.WriteOnly {
			continue // no read call shows it
		}
		name := m.Name
		if m.ReadName != "" {
			name = m.ReadName
		}
		v, ok := object[name]
		if !ok && name != "EumsSms" {
			t.Errorf("%s%s is not set", path, name)
			continue
		}
		if inner, ok := v.(map[string]any); ok && m.Kind == baseline.Object {
			checkSet(t, path+name+".", m.Members, inner)
		}
		if text, ok := v.(string); m.Sensitive && (!ok || !strings.Contains(text, "CANARY")) {
			t.Errorf("%s%s is %v, want a text with the marker", path, name, v)
		}
		if _, ok := v.(json.Number); m.Kind == baseline.Integer && !ok {
			t.Errorf("%s%s is a %T, want a json.Number", path, name, v)
		}
	}
}

func TestRichEcho(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := rich(t, mode, nil)
			pool, mfa, _ := f.Pool(poolID)
			update, set := f.echo(t)
			f.ok(t, "UpdateUserPool", update)
			compare(t, f, pool, mfa)
			f.ok(t, "SetUserPoolMfaConfig", set)
			compare(t, f, pool, mfa)
		})
	}
}

func compare(t *testing.T, f fake, pool, mfa map[string]any) {
	t.Helper()
	nowPool, nowMFA, _ := f.Pool(poolID)
	pool["LastModifiedDate"] = nowPool["LastModifiedDate"]
	if diff := cmp.Diff(pool, nowPool); diff != "" {
		t.Errorf("the pool moved (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(mfa, nowMFA); diff != "" {
		t.Errorf("the MFA document moved (-before +after):\n%s", diff)
	}
}

// TestRichIsFresh shows that one caller's changes are not another's.
func TestRichIsFresh(t *testing.T) {
	t.Parallel()
	pool, mfa := cognitotest.Rich()
	in(pool, "Policies")["PasswordPolicy"] = nil
	clear(mfa)
	again, againMFA := cognitotest.Rich()
	if in(again, "Policies")["PasswordPolicy"] == nil || len(againMFA) == 0 {
		t.Error("Rich handed out shared state")
	}
}

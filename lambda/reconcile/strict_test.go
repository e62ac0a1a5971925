package reconcile_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
)

// A posture is a pool, its risk configuration and its clients, as the API shows them.
type posture struct {
	pool, mfa, risk map[string]any
	clients         []map[string]any
}

func (b bench) posture() posture {
	p := posture{risk: b.fake.Risk(poolID, "")}
	p.pool, p.mfa, _ = b.fake.Pool(poolID)
	for _, id := range b.clients {
		p.clients = append(p.clients, b.fake.Client(poolID, id))
	}
	return p
}

// A lapse is one thing that fails a check: a value, by document and path, of a pool that is strict otherwise.
type lapse struct {
	document, path string
	value          any // nil takes the value away
}

func (l lapse) make(b bench) {
	switch l.document {
	case "risk":
		risk := b.fake.Risk(poolID, "")
		put(risk, l.path, l.value)
		b.fake.PutRisk(poolID, "", risk)
	case "client":
		last := b.clients[len(b.clients)-1]
		client := b.fake.Client(poolID, last)
		put(client, l.path, l.value)
		b.fake.PutClient(poolID, last, client)
	case "mfa":
		b.fake.Edit(poolID, func(pool, mfa map[string]any) {
			for member := range mfa {
				delete(mfa, member)
			}
			put(mfa, l.path, l.value)
			put(pool, l.path, l.value)
		})
	default:
		b.fake.Edit(poolID, func(pool, _ map[string]any) { put(pool, l.path, l.value) })
	}
}

func put(root map[string]any, path string, v any) {
	keys := strings.Split(path, ".")
	in, last := object(root, keys[:len(keys)-1]...), keys[len(keys)-1]
	if v == nil {
		delete(in, last)
	} else {
		in[last] = v
	}
}

// A check is one of others': when a pool passes it, and what fails it, each alone.
type check struct {
	passes func(p posture) bool
	lapses []lapse
}

const (
	policyPath   = "Policies.PasswordPolicy."
	addOns       = "UserPoolAddOns.AdvancedSecurityMode"
	customAuth   = "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode"
	stolenFilter = "CompromisedCredentialsRiskConfiguration.EventFilter"
	stolenAction = "CompromisedCredentialsRiskConfiguration.Actions.EventAction"
	takeover     = "AccountTakeoverRiskConfiguration.Actions."
)

// of is a check that one value of the pool has to be as it says.
func of(path string, want any, lax ...any) check {
	c := check{passes: func(p posture) bool { return deep(p.pool, path) == want }}
	for _, v := range append(lax, nil) {
		c.lapses = append(c.lapses, lapse{"pool", path, v})
	}
	return c
}

// ofClients is a check that a value of every client has to be as it says.
func ofClients(member string, want any, lax any) check {
	return check{func(p posture) bool {
		return len(p.clients) > 0 && !slices.ContainsFunc(p.clients,
			func(client map[string]any) bool { return client[member] != want })
	}, []lapse{{"client", member, lax}, {"client", member, nil}}}
}

var (
	modeCheck   = of(addOns, "ENFORCED", "AUDIT", "OFF")
	customCheck = of(customAuth, "ENFORCED", "AUDIT")
	deleteCheck = of("DeletionProtection", "ACTIVE", "INACTIVE")
	// A pool with other first factors than a password is none of this check's.
	mfaCheck = check{func(p posture) bool {
		first, _ := deep(p.pool, "Policies.SignInPolicy.AllowedFirstAuthFactors").([]any)
		return len(first) > 0 && !slices.Equal(first, list("PASSWORD")) || p.mfa["MfaConfiguration"] == "ON"
	}, []lapse{{"mfa", "MfaConfiguration", "OFF"}}}
	// Eight characters, all four classes, and temporary passwords of seven days.
	passwordCheck = check{func(p posture) bool {
		for _, class := range []string{"RequireLowercase", "RequireUppercase", "RequireNumbers", "RequireSymbols"} {
			if deep(p.pool, policyPath+class) != true {
				return false
			}
		}
		length, days := number(deep(p.pool, policyPath+"MinimumLength")),
			number(deep(p.pool, policyPath+"TemporaryPasswordValidityDays"))
		return length >= 8 && days >= 1 && days <= 7
	}, []lapse{{"pool", policyPath + "RequireLowercase", false}, {"pool", policyPath + "RequireUppercase", false},
		{"pool", policyPath + "RequireNumbers", false},
		{"pool", policyPath + "RequireSymbols", false}, {"pool", policyPath + "MinimumLength", json.Number("7")},
		{"pool", policyPath + "TemporaryPasswordValidityDays", json.Number("8")}}}
)

// checks are those of Security Hub and AWS Config, whose rules they are, and of Prowler, by id.
var checks = map[string]check{
	"Cognito.1": modeCheck, "cognito-user-pool-advanced-security-enabled": modeCheck,
	"cognito_user_pool_advanced_security_enabled": modeCheck,
	"Cognito.3": passwordCheck, "cognito-user-pool-password-policy-check": passwordCheck,
	"Cognito.4": customCheck, "cognito-userpool-cust-auth-threat-full-check": customCheck,
	"Cognito.5": mfaCheck, "cognito-user-pool-mfa-enabled": mfaCheck,
	"Cognito.6": deleteCheck, "cognito-user-pool-deletion-protection-enabled": deleteCheck,
	"cognito_user_pool_deletion_protection_enabled": deleteCheck,

	"cognito_user_pool_mfa_enabled": {func(p posture) bool { return p.mfa["MfaConfiguration"] == "ON" },
		[]lapse{{"mfa", "MfaConfiguration", "OFF"}}},
	"cognito_user_pool_password_policy_minimum_length_14": {func(p posture) bool {
		return number(deep(p.pool, policyPath+
			"MinimumLength")) >= 14
	},
		[]lapse{{"pool", policyPath + "MinimumLength", json.Number("13")}}},
	"cognito_user_pool_password_policy_lowercase": of(policyPath+"RequireLowercase", true, false),
	"cognito_user_pool_password_policy_uppercase": of(policyPath+"RequireUppercase", true, false),
	"cognito_user_pool_password_policy_number":    of(policyPath+"RequireNumbers", true, false),
	"cognito_user_pool_password_policy_symbol":    of(policyPath+"RequireSymbols", true, false),
	"cognito_user_pool_temporary_password_expiration": {func(p posture) bool {
		days := number(deep(p.pool, policyPath+"TemporaryPasswordValidityDays"))
		return days >= 1 && days <= 7
	}, []lapse{{"pool", policyPath + "TemporaryPasswordValidityDays", json.Number("8")}}},
	"cognito_user_pool_self_registration_disabled": of("AdminCreateUserConfig.AllowAdminCreateUserOnly", true, false),
	"cognito_user_pool_blocks_compromised_credentials_sign_in_attempts": {func(p posture) bool {
		events, _ := deep(p.risk, stolenFilter).([]any)
		return deep(p.pool, addOns) == "ENFORCED" && slices.Contains(events, any("SIGN_IN")) &&
			deep(p.risk, stolenAction) == "BLOCK"
	}, []lapse{{"pool", addOns, "AUDIT"}, {"risk", stolenFilter, list("SIGN_UP")}, {"risk", stolenFilter, nil},
		{"risk", stolenAction, "NO_ACTION"},
		{"risk", "CompromisedCredentialsRiskConfiguration", nil}}},
	"cognito_user_pool_blocks_potential_malicious_sign_in_attempts": {func(p posture) bool {
		for _, level := range []string{"Low", "Medium", "High"} {
			if deep(p.risk, takeover+level+"Action.EventAction") != "BLOCK" {
				return false
			}
		}
		return deep(p.pool, addOns) == "ENFORCED"
	}, []lapse{{"pool", addOns, "AUDIT"}, {"risk", takeover + "LowAction.EventAction", "MFA_REQUIRED"},
		{"risk", takeover + "MediumAction", nil},
		{"risk", takeover + "HighAction.EventAction", "NO_ACTION"}, {"risk", "AccountTakeoverRiskConfiguration", nil}}},
	"cognito_user_pool_client_prevent_user_existence_errors": ofClients("PreventUserExistenceErrors", "ENABLED", "LEGACY"),
	"cognito_user_pool_client_token_revocation_enabled":      ofClients("EnableTokenRevocation", true, false),
}

// prowler are all checks of Prowler whose id begins with cognito_user_pool_. That of the web ACL checks no setting
// of a pool, but at another service's.
var prowler = []string{
	"cognito_user_pool_advanced_security_enabled", "cognito_user_pool_blocks_compromised_credentials_sign_in_attempts",
	"cognito_user_pool_blocks_potential_malicious_sign_in_attempts",
	"cognito_user_pool_client_prevent_user_existence_errors", "cognito_user_pool_client_token_revocation_enabled",
	"cognito_user_pool_deletion_protection_enabled",
	"cognito_user_pool_mfa_enabled", "cognito_user_pool_password_policy_lowercase",
	"cognito_user_pool_password_policy_minimum_length_14", "cognito_user_pool_password_policy_number",
	"cognito_user_pool_password_policy_symbol", "cognito_user_pool_password_policy_uppercase",
	"cognito_user_pool_self_registration_disabled", "cognito_user_pool_temporary_password_expiration",
	webACL,
}

const webACL = "cognito_user_pool_waf_acl_attached"

func deep(object map[string]any, path string) any {
	var v any = object
	for _, key := range strings.Split(path, ".") {
		inner, _ := v.(map[string]any)
		v = inner[key]
	}
	return v
}

// number is a whole number, and -1 for what is none.
func number(v any) int64 {
	n, _ := v.(json.Number)
	i, err := n.Int64()
	if err != nil {
		return -1
	}
	return i
}

// strict is the baseline that ships with its strict example made a rule.
func strict(t *testing.T) *baseline.Baseline {
	t.Helper()
	var text strings.Builder
	in := false
	for line := range strings.Lines(string(baseline.Default())) {
		bare := strings.TrimPrefix(line, "#")
		switch {
		case strings.HasPrefix(bare, "  - name: strict"):
			in = true
		case in && !strings.HasPrefix(bare, "    "):
			in = false
		}
		if in {
			line = bare
		}
		text.WriteString(line)
	}
	return parse(t, text.String())
}

// lax plants a pool that passes no check, with two clients.
func (b *bench) lax(t *testing.T) {
	t.Helper()
	b.fake.Put(poolID, tree(t,
		`{"UserPoolTier":"LITE","MfaConfiguration":"OFF","DeletionProtection":"INACTIVE","UserPoolTags":{"team":"a"},
		"Policies":{"PasswordPolicy":{"MinimumLength":6,"TemporaryPasswordValidityDays":90},"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD"]}}}`), map[string]any{"MfaConfiguration": "OFF"})
	b.clients = []string{"lax", "laxer"}
	for _, id := range b.clients {
		b.fake.PutClient(poolID, id, map[string]any{"ClientName": id, "PreventUserExistenceErrors": "LEGACY",
			"RefreshTokenValidity": json.Number("30"), "AuthSessionValidity": json.Number("3"),
			"ExplicitAuthFlows": list("ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"),
			"AllowedOAuthFlows": list("code", "implicit"),
			"CallbackURLs":      list("https://app.example.com/callback")})
	}
}

// TestStrict brings a pool that passes none of the checks to the strict example, and then it passes them all.
func TestStrict(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		b := serve(t, mode)
		b.lax(t)
		for id, c := range checks {
			if c.passes(b.posture()) {
				t.Errorf("%s: the weak pool passes %s", name, id)
			}
		}
		out := b.reconcile(t, strict(t))
		if out.Outcome != outcome.Remediated {
			t.Fatalf("%s: %s (%s) %v", name, out.Outcome, out.Reason, out.Drifts)
		}
		for id, c := range checks {
			if !c.passes(b.posture()) {
				t.Errorf("%s: the strict pool fails %s", name, id)
			}
		}
		for _, client := range b.posture().clients {
			if flows, _ := client["ExplicitAuthFlows"].([]any); !slices.Equal(flows, list("ALLOW_USER_SRP_AUTH")) {
				t.Errorf("%s: flows are %v", name, flows)
			}
		}
	}
}

// TestStrictLapses has each thing alone that fails a check, in a pool that is strict otherwise: the check sees it, and
// the strict example ends it.
func TestStrictLapses(t *testing.T) {
	t.Parallel()
	required := strict(t)
	for id, c := range checks {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.lax(t)
			b.reconcile(t, required)
			for _, l := range c.lapses {
				l.make(b)
				if c.passes(b.posture()) {
					t.Errorf("%s %s = %v passes", l.document, l.path, l.value)
				}
				if out := b.reconcile(t, required); out.Outcome != outcome.Remediated || !c.passes(b.posture()) {
					t.Errorf("%s %s = %v stays: %s (%s)", l.document, l.path, l.value, out.Outcome, out.Reason)
				}
			}
		})
	}
}

// TestStrictKnowsEveryCheck: there is no check of Prowler, and none in the table of controls, that the strict example
// is not checked with.
func TestStrictKnowsEveryCheck(t *testing.T) {
	t.Parallel()
	ours := slices.DeleteFunc(slices.Sorted(maps.Keys(checks)),
		func(id string) bool { return !strings.HasPrefix(id, "cognito_user_pool_") })
	all := slices.DeleteFunc(slices.Clone(prowler), func(id string) bool { return id == webACL })
	slices.Sort(all)
	if diff := cmp.Diff(all, ours); diff != "" {
		t.Errorf("(-Prowler +held against):\n%s", diff)
	}
	named := map[string]bool{}
	for _, c := range baseline.Controls() {
		for _, id := range append([]string{c.SecurityHub, c.ConfigRule}, c.Prowler...) {
			named[id] = true
		}
	}
	delete(named, "")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(checks)), slices.Sorted(maps.Keys(named))); diff != "" {
		t.Errorf("(-held against +named by the table of controls):\n%s", diff)
	}
}

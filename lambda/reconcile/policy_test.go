package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const twoRules = `
version: 1
rules:
  - name: enforced
    require: {DeletionProtection: ACTIVE}
  - name: audited
    mode: audit
    require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 20}}}}
`

// TestModes: audit is left alone, and what is enforced beside it is written.
func TestModes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		baseline *baseline.Baseline
		cause    event.Cause
		ownRole  string
		outcome  outcome.Ending
		states   map[string]outcome.State
		says     string
	}{
		"enforce and audit": {parse(t, twoRules), event.Cause{}, "", outcome.Remediated,
			map[string]outcome.State{"DeletionProtection": fixed,
				"Policies.PasswordPolicy.MinimumLength": outcome.StateReported}, ""},
		"all in audit": {parse(t, twoRules).InMode(baseline.Audit), event.Cause{}, "", outcome.Drifted,
			map[string]outcome.State{"DeletionProtection": outcome.StateReported,
				"Policies.PasswordPolicy.MinimumLength": outcome.StateReported}, "only audits"},
		"own write": {parse(t, twoRules), event.Cause{Issuer: "arn:aws:iam::111122223333:role/poolkeeper"},
			"arn:aws:iam::111122223333:role/poolkeeper", outcome.Drifted,
			map[string]outcome.State{"DeletionProtection": outcome.StateReported,
				"Policies.PasswordPolicy.MinimumLength": outcome.StateReported}, "poolkeeper's own write"},
		"own role's name as a session": {parse(t, twoRules),
			event.Cause{Actor: "arn:aws:sts::111122223333:assumed-role/Evil/poolkeeper",
				Issuer: "arn:aws:iam::111122223333:role/Evil"},
			"arn:aws:iam::111122223333:role/poolkeeper", outcome.Remediated,
			map[string]outcome.State{"DeletionProtection": fixed,
				"Policies.PasswordPolicy.MinimumLength": outcome.StateReported}, ""},
		"something fixed beside nothing to write": {require(t,
			"LambdaConfig: {PreSignUp: {matches: \"arn:aws:lambda:us-*\"}}\nDeletionProtection: ACTIVE"), event.Cause{}, "",
			outcome.Partial,
			map[string]outcome.State{"LambdaConfig.PreSignUp": outcome.StateReported, "DeletionProtection": fixed},
			"has no value"},
		"exemption that has run out": {parse(t, strings.Replace(inRule(deletionProtection)+"\n"+exempt(protected),
			"2027-01-31T00:00:00Z", "2026-11-01T12:00:00Z", 1)),
			event.Cause{}, "", outcome.Remediated, map[string]outcome.State{"DeletionProtection": fixed}, ""},
		"selected by tag": {parse(t,
			"version: 1\nrules: [{name: a, pools: {tags: {env: [pr*]}}, require: {DeletionProtection: ACTIVE}}]"),
			event.Cause{}, "", outcome.Remediated,
			map[string]outcome.State{"DeletionProtection": fixed}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.rich(unprotected)
			r := b.reconciler(c.baseline)
			r.OwnRole = c.ownRole
			out, err := r.Reconcile(t.Context(), onPool(c.cause))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.states, states(out)); diff != "" || out.Outcome != c.outcome ||
				!strings.Contains(out.Reason, c.says) {
				t.Errorf("%s (%s), want %s with %q\n%s", out.Outcome, out.Reason, c.outcome, c.says, diff)
			}
			for _, d := range out.Drifts {
				if (d.State == outcome.StateReported) == (d.Code == "") {
					t.Errorf("%s is %s, left %q", d.Setting, d.State, d.Code)
				}
			}
			if left := c.outcome == outcome.Drifted || c.outcome == outcome.Unchanged; left && len(b.writes()) > 0 {
				t.Errorf("wrote %v", b.writes())
			}
		})
	}
}

// TestEveryLeaf damages each leaf that a baseline can require, one at a time, and demands that the reconciler detects
// it, writes it back and moves nothing else.
func TestEveryLeaf(t *testing.T) {
	t.Parallel()
	for _, setting := range everyLeaf() {
		if strings.HasPrefix(setting, "LogConfigurations.userNotification.S3") ||
			strings.HasPrefix(setting, "LogConfigurations.userNotification.Fire") {
			continue
		}
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract, cognitotest.WithoutValidators())
			b.whole(nil)
			b.everyDestination()
			state, err := b.client.Read(t.Context(), poolID, userpool.Everything())
			if err != nil {
				t.Fatal(err)
			}
			want := lookup(state.Settings(), setting)
			if want == nil && strings.HasPrefix(setting, "SmsConfiguration.EumsSms.") ||
				strings.HasPrefix(setting, "SmsMfaConfiguration.SmsConfiguration.EumsSms.") {
				want = eums(b, setting)
			}
			if want == nil {
				t.Fatal("the rich pool does not set it")
			}
			before := b.snapshot(t)
			b.damage(setting, want)
			required := &baseline.Baseline{Digest: "sha256:leaf", Rules: []baseline.Rule{{Name: "leaf", Mode: baseline.Enforce,
				Require: []baseline.Requirement{{Setting: setting, Op: baseline.Equal, Value: want}}}}}
			out := b.reconcile(t, required)
			if out.Outcome != outcome.Remediated || states(out)[setting] != fixed {
				t.Errorf("%s (%s) %v", out.Outcome, out.Reason, out.Drifts)
			}
			for _, call := range out.Writes {
				if !slices.ContainsFunc(baseline.WrittenWith(setting),
					func(d baseline.Document) bool { return d.WriteCall == call }) {
					t.Errorf("%s was called, which a role for this baseline does not allow", call)
				}
			}
			for _, path := range difference(before, b.snapshot(t)) {
				if path != "AdminCreateUserConfig.UnusedAccountValidityDays" {
					t.Errorf("%s is not what it was before the damage", path)
				}
			}
		})
	}
}

// eums makes the pool one that sends through End User Messaging, and returns the value of the setting.
func eums(b bench, setting string) any {
	sender := map[string]any{"EumsSms": map[string]any{"CallerArn": "arn:aws:iam::111122223333:role/eums-sender",
		"ExternalId": "CANARY-eums", "OriginationIdentity": "Example",
		"ConfigurationSetName": "texts", "InEntityId": "1", "InTemplateId": "2", "Region": "eu-west-1"}}
	b.fake.Edit(poolID, func(pool, mfa map[string]any) {
		pool["SmsConfiguration"] = sender
		object(mfa, "SmsMfaConfiguration")["SmsConfiguration"] = sender
	})
	return lookup(map[string]any{"SmsConfiguration": sender}, strings.TrimPrefix(setting, "SmsMfaConfiguration."))
}

// everyLeaf returns all that a baseline can require, of the pool and of one of its clients.
func everyLeaf() []string {
	all := append(leafSettings(baseline.Settings(), ""), "PoolName", "UserPoolTags.env",
		"AcrConfiguration.Level1.AcrValue")
	client := baseline.ClientPath(cognitotest.RichClient) + "."
	return append(append(all, leafSettings(baseline.ClientSettings(), client)...), client+"ClientName")
}

// everyDestination gives the logs of the pool every destination that the table knows.
func (b bench) everyDestination() {
	logs := b.fake.Logs(poolID)
	for _, e := range logs {
		entry, _ := e.(map[string]any)
		entry["CloudWatchLogsConfiguration"] = map[string]any{
			"LogGroupArn": "arn:aws:logs:eu-west-1:111122223333:log-group:a"}
		if entry["EventSource"] == "userNotification" {
			continue // the service takes no other of it
		}
		entry["S3Configuration"] = map[string]any{"BucketArn": "arn:aws:s3:::bucket"}
		entry["FirehoseConfiguration"] = map[string]any{
			"StreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/a"}
	}
	b.fake.PutLogs(poolID, logs)
}

// damage gives a leaf another value, and its twin with it, as the service would.
func (b bench) damage(setting string, have any) {
	paths := []string{setting}
	if other, ok := baseline.TwinOf(setting); ok {
		paths = append(paths, other)
	}
	for _, path := range paths {
		m, _ := baseline.Lookup(path)
		b.set(path, another(m, have))
	}
}

// another is a value of a member that is not the one it has.
func another(m baseline.Member, have any) any {
	switch {
	case m.Kind == baseline.Boolean:
		return have != true
	case m.Kind == baseline.Integer:
		return json.Number("23")
	case m.Kind == baseline.List && m.Elem.Kind == baseline.Object:
		return list(map[string]any{"Name": "admin_only", "Priority": json.Number("1")})
	case m.Kind == baseline.List:
		return list("other")
	case len(m.Enum) > 1:
		others := slices.DeleteFunc(slices.Clone(m.Enum), func(e string) bool { return e == have || e == "OFF" })
		return others[0]
	default:
		return "damaged {####} {##x##}"
	}
}

// TestRulesThroughARun: what a later rule, an exemption or a limit leaves of a requirement is done or reported.
func TestRulesThroughARun(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:eu-west-1:111122223333:function:"
	for name, c := range map[string]struct {
		rules, path string
		has, want   any
		outcome     outcome.Ending
		says        string
	}{
		"a part of what is absent": {"{name: a, require: {LambdaConfig: {absent: true}}}, " +
			"{name: b, require: {LambdaConfig: {UserMigration: '" + arn + "x'}}}", "LambdaConfig",
			map[string]any{"PreSignUp": arn + "y"}, map[string]any{"UserMigration": arn + "x"}, outcome.Remediated, ""},
		"an exempted part": {"{name: a, require: {UserPoolTags: {exactly: {env: prod}}}}]\n" +
			strings.TrimSuffix(exempt("UserPoolTags.team"), "\n") + "\n#", "UserPoolTags",
			map[string]any{"env": "dev", "team": "x"}, map[string]any{"env": "prod", "team": "x"}, outcome.Remediated, ""},
		"a list that cannot be empty": {"{name: a, require: {AccountRecoverySetting: {RecoveryMechanisms: " +
			"{without: [{Name: verified_email, Priority: 1}]}}}}", "AccountRecoverySetting",
			map[string]any{"RecoveryMechanisms": list(map[string]any{"Name": "verified_email", "Priority": json.Number("1")})},
			map[string]any{"RecoveryMechanisms": list(map[string]any{"Name": "verified_email", "Priority": json.Number("1")})},
			outcome.Unfixable, "the API needs at least 1 elements"},
	} {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := serve(t, world)
				b.rich(func(pool, mfa map[string]any) {
					delete(mfa, "EmailMfaConfiguration")
					pool[c.path] = c.has
				})
				out := b.reconcile(t, parse(t, "version: 1\nrules: ["+c.rules+"]\n"))
				pool, _, _ := b.fake.Pool(poolID)
				if diff := cmp.Diff(c.want, pool[c.path]); diff != "" || out.Outcome != c.outcome ||
					!strings.Contains(fmt.Sprint(out.Drifts, out.Reason), c.says) {
					t.Errorf("%s (%s) %v (-want +got):\n%s", out.Outcome, out.Reason, out.Drifts, diff)
				}
			})
		}
	}
}

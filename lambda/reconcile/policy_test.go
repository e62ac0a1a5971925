package reconcile_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

func marshal(t tester, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return raw
}

// modeCases are about what is left alone because of the rule or of who made the call.
var modeCases = map[string]scenario{
	"enforce and audit": {pool: unprotected, rule: twoRules, fixed: all(protected), others: tooShort},
	"all in audit": {pool: unprotected, rule: twoRules, others: bothReported, says: "only audits",
		change: func(r *reconcile.Reconciler) { r.Baseline = r.Baseline.InMode(baseline.Audit) }},
	"own write": {pool: unprotected, rule: twoRules, others: bothReported, says: "poolkeeper's own write",
		cause: event.Cause{Issuer: ownRole}},
	"own role's name as a session": {pool: unprotected, rule: twoRules, fixed: all(protected), others: tooShort,
		cause: event.Cause{Actor: "arn:aws:sts::111122223333:assumed-role/Evil/Poolkeeper",
			Issuer: "arn:aws:iam::111122223333:role/Evil"}},
	"something fixed beside nothing to write": {pool: unprotected, fixed: all(protected), outcome: outcome.Partial,
		rule:   "LambdaConfig: {PreSignUp: {matches: \"arn:aws:lambda:us-*\"}}\n" + deletionProtection,
		others: map[string]outcome.State{"LambdaConfig.PreSignUp": outcome.StateReported}, says: "no value"},
	"exemption that has run out": {pool: unprotected, fixed: all(protected), rule: strings.Replace(
		inRule(deletionProtection)+exempt(protected), "2027-01-31T00:00:00Z", "2026-11-01T12:00:00Z", 1)},
	"selected by tag": {pool: unprotected, fixed: all(protected), rule: rules("pools: {tags: {env: [pr*]}}, " + protects)},
}

var (
	twoRules     = rules(protects, "mode: audit, require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 20}}}}")
	tooShort     = map[string]outcome.State{policy + "MinimumLength": outcome.StateReported}
	bothReported = map[string]outcome.State{protected: outcome.StateReported,
		policy + "MinimumLength": outcome.StateReported}
)

// TestModes: audit is left alone, and what is enforced beside it is written.
func TestModes(t *testing.T) {
	t.Parallel()
	runAll(t, modeCases)
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
			want := deep(state.Settings(), setting)
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
	return deep(map[string]any{"SmsConfiguration": sender}, strings.TrimPrefix(setting, "SmsMfaConfiguration."))
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

package reconcile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// mostTries is how many writes six requirements of one document may take, whichever of them are refused.
const mostTries = 12

// A wish is a requirement of one document, and the live value that breaks it.
type wish struct {
	setting, required string
	weak              any
}

var wishes = []wish{
	{protected, "ACTIVE", "INACTIVE"},
	{threat, "ENFORCED", "AUDIT"},
	{policy + "MinimumLength", "20", json.Number("8")},
	{"AdminCreateUserConfig.AllowAdminCreateUserOnly", "true", false},
	{"DeviceConfiguration.ChallengeRequiredOnNewDevice", "true", false},
	{"EmailConfiguration.ReplyToEmailAddress", "security@example.com", "old@example.com"},
}

// refusals are answers that name nothing, or the wrong member.
var refusals = []cognitotest.Fault{
	refusedWrite("InvalidParameterException",
		"Email address is not verified. The following identities failed the check"),
	refusedWrite("InvalidParameterException", "Invalid lambda function ARN provided"),
	refusedWrite("FeatureUnavailableInTierException", "This feature is not available in your current feature plan"),
	refusedWrite("InvalidParameterException", "DeletionProtection and MinimumLength are fine"),
	refusedWrite("AccessDeniedException", "not authorized to perform iam:PassRole"),
	refusedWrite("NotAuthorizedException", ""),
}

// requirement writes a setting of a baseline.
func requirement(setting, value string) string {
	path := strings.Split(setting, ".")
	return strings.Join(path, ": {") + ": " + value + strings.Repeat("}", len(path)-1)
}

// TestRejectedFixDoesNotBlockOthers: whichever of n requirements the service refuses, in whatever words, the others
// hold.
func TestRejectedFixDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := serve(t, cognitotest.Measured)
		b.rich(nil)
		text, refused := "", map[string]string{}
		for _, w := range wishes {
			b.set(w.setting, w.weak)
			text += requirement(w.setting, w.required) + "\n"
			if rapid.Bool().Draw(t, w.setting) {
				refused[w.setting] = w.required
			}
		}
		f := rapid.SampledFrom(refusals).Draw(t, "answer")
		f.When = func(body map[string]any) bool {
			for setting, required := range refused {
				if fmt.Sprint(deep(body, setting)) == required {
					return true
				}
			}
			return false
		}
		b.fake.Inject(f)
		before := b.snapshot(t)
		out := b.reconcile(t, require(t, text))
		moved := difference(before, b.snapshot(t))
		for _, w := range wishes {
			want := fixed
			if refused[w.setting] != "" {
				want = left
			}
			if states(out)[w.setting] != want || slices.Contains(moved, w.setting) == (want == left) {
				t.Fatalf("%s is %s, want %s: %s (%s)", w.setting, states(out)[w.setting], want, out.Outcome, out.Reason)
			}
		}
		if tries := len(b.writes()); tries > mostTries {
			t.Fatalf("%d writes were tried", tries)
		}
	})
}

// serviceDefaults are what the service may show after a write where nothing was set, by the setting.
var serviceDefaults = map[string]any{
	"EmailConfiguration.EmailSendingAccount":         "COGNITO_DEFAULT",
	"VerificationMessageTemplate.DefaultEmailOption": "CONFIRM_WITH_CODE",
	"Policies.SignInPolicy.AllowedFirstAuthFactors":  list("PASSWORD"),
	"UserPoolTier":                                   "ESSENTIALS",
	"DeletionProtection":                             "INACTIVE",
	"MfaConfiguration":                               "OFF",
	"UserPoolAddOns.AdvancedSecurityMode":            "OFF",
	"KeyConfiguration.KeyType":                       "AWS_OWNED_KEY",
	"IssuerConfiguration.Type":                       "ORIGINAL",
	"UserPoolTags":                                   map[string]any{},
	"LambdaConfig":                                   map[string]any{},
	"AutoVerifiedAttributes":                         list(),
	"AdminCreateUserConfig.AllowAdminCreateUserOnly": false,
	"AcrConfiguration.Level1.AcrValue":               "urn:cognito:loa:1",
	"AcrConfiguration.Level2.AcrValue":               "urn:cognito:loa:2",
	"mfa:SoftwareTokenMfaConfiguration.Enabled":      false,
	"client:RefreshTokenRotation": map[string]any{"Feature": "DISABLED",
		"RetryGracePeriodSeconds": json.Number("0")},
	"client:TokenValidityUnits": map[string]any{"AccessToken": "hours", "IdToken": "hours",
		"RefreshToken": "days"},
	"client:PreventUserExistenceErrors":               "LEGACY",
	"client:AuthSessionValidity":                      json.Number("3"),
	"client:AllowedOAuthFlowsUserPoolClient":          false,
	"client:EnablePropagateAdditionalUserContextData": false,
	"client:CallbackURLs":                             list(),
}

const bareBaseline = `version: 1
rules:
  - name: a
    require:
      Policies: {PasswordPolicy: {MinimumLength: 12}}
      UserPoolAddOns: {absent: true}
      VerificationMessageTemplate: {exactly: {SmsMessage: "Code {####}"}}
      AccountRecoverySetting: {RecoveryMechanisms: [{Priority: 1, Name: verified_email}]}
    clients: [{names: [web], require: {EnableTokenRevocation: true, RefreshTokenRotation: {absent: true},
      AllowedOAuthFlows: {without: [implicit]}}}]
`

// TestServiceDefaultsAreNotReportedAsMoved: whichever defaults the service shows only after a write, nothing has moved,
// the run has remediated, and the next one has nothing to do.
func TestServiceDefaultsAreNotReportedAsMoved(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := serve(t, drawMode(t))
		pool := tree(t, `{"Id": "`+poolID+`", "Name": "a", "SmsVerificationMessage": "Code {####}", "Policies": {
			"PasswordPolicy": {"MinimumLength": 8, "TemporaryPasswordValidityDays": 7}},
			"VerificationMessageTemplate": {"SmsMessage": "Code {####}"}}`)
		client := tree(t, `{"UserPoolId": "`+poolID+`", "ClientId": "1web", "ClientName": "web", "RefreshTokenValidity": 30,
			"EnableTokenRevocation": false, "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"]}`)
		mfa := map[string]any{"MfaConfiguration": "OFF"} // which the service always shows
		var ofPool, ofClient []any                       // what is shown after a write
		for _, path := range slices.Sorted(maps.Keys(serviceDefaults)) {
			of, isOfClient := strings.CutPrefix(path, "client:")
			switch when := rapid.SampledFrom([]string{"before", "after", "never"}).Draw(t, path); {
			case when == "before" && isOfClient:
				put(client, of, serviceDefaults[path])
			case when == "before":
				sets(path, serviceDefaults[path])(pool, mfa)
			case when == "after" && isOfClient:
				ofClient = append(ofClient, of, serviceDefaults[path])
			case when == "after":
				ofPool = append(ofPool, path, serviceDefaults[path])
			}
		}
		b.fake.Put(poolID, pool, mfa)
		b.fake.PutClient(poolID, "1web", client)
		b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: func(pool, mfa map[string]any) {
			adopt(pool, mfa, ofPool)
		}})
		b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPoolClient", Then: func(s *cognitotest.Server) {
			client := s.Client(poolID, "1web")
			if client["EnableTokenRevocation"] == true {
				adopt(client, nil, ofClient)
				s.PutClient(poolID, "1web", client)
			}
		}})
		required := parse(t, bareBaseline)
		if out := b.reconcile(t, required); out.Outcome != outcome.Remediated {
			t.Fatalf("%s (%s)", out.Outcome, out.Reason)
		}
		if out := b.reconcile(t, required); out.Outcome != outcome.Unchanged {
			t.Fatalf("again: %s (%s), %v", out.Outcome, out.Reason, out.Drifts)
		}
	})
}

// adopt shows values where there is none.
func adopt(pool, mfa map[string]any, shown []any) {
	for i := 0; i < len(shown); i += 2 {
		path, ofMFA := strings.CutPrefix(shown[i].(string), "mfa:")
		if root := map[bool]map[string]any{false: pool, true: mfa}[ofMFA]; deep(root, path) == nil {
			put(root, path, shown[i+1])
		}
	}
}

// A fact is one that has two names. ok is the text of its value in a pool that is fine, and other that of another one.
type fact struct {
	one, two  string
	ok, other string
	number    bool
	inMFA     bool // the second name is in the SMS factor
	always    bool // it cannot be absent
}

var facts = []fact{
	{one: "SmsVerificationMessage", two: "VerificationMessageTemplate.SmsMessage", ok: "A {####}", other: "B {####}"},
	{one: "EmailVerificationMessage", two: "VerificationMessageTemplate.EmailMessage", ok: "A {####}", other: "B {####}"},
	{one: "EmailVerificationSubject", two: "VerificationMessageTemplate.EmailSubject", ok: "A", other: "B"},
	{one: "LambdaConfig.PreTokenGeneration", two: "LambdaConfig.PreTokenGenerationConfig.LambdaArn",
		ok:    "arn:aws:lambda:eu-west-1:111122223333:function:one",
		other: "arn:aws:lambda:eu-west-1:111122223333:function:two"},
	{one: "SmsAuthenticationMessage", two: "SmsMfaConfiguration.SmsAuthenticationMessage", ok: "A {####}",
		other: "B {####}", inMFA: true},
	{one: "SmsConfiguration.SnsCallerArn", two: "SmsMfaConfiguration.SmsConfiguration.SnsCallerArn",
		ok: "arn:aws:iam::111122223333:role/one", other: "arn:aws:iam::111122223333:role/two", inMFA: true, always: true},
	{one: "AdminCreateUserConfig.UnusedAccountValidityDays", two: "Policies.PasswordPolicy.TemporaryPasswordValidityDays",
		ok: "3", other: "9", number: true, always: true},
}

// value is the text as a value of JSON.
func (f fact) value(text string) any {
	if f.number {
		return json.Number(text)
	}
	return text
}

// An operator of a baseline, and whether the fact has to be changed where its value is ok, another one, or absent.
type operator struct {
	text                           string
	fixesOK, fixesOther, fixesNone bool
	numbers                        bool
}

var twinOperators = []operator{
	{text: "'OK'", fixesOther: true, fixesNone: true},
	{text: "{oneOf: ['OK', 'OK2'], set: 'OK'}", fixesOther: true, fixesNone: true},
	{text: "{present: true, set: 'OK'}", fixesNone: true},
	{text: "{absent: true}", fixesOK: true, fixesOther: true},
	{text: "{atMost: OK}", fixesOther: true, fixesNone: true, numbers: true},
	{text: "{atMost: 10, set: OK}", fixesNone: true, numbers: true},
	{text: "{atLeast: OK}", fixesNone: true, numbers: true},
	{text: "{matches: 'GLOB', set: 'OK'}", fixesOther: true, fixesNone: true},
}

// set sets a fact in the documents of a pool by one of its names, or takes it away.
func (f fact) set(pool, mfa map[string]any, name string, v any) {
	path, version := name, strings.TrimSuffix(name, "LambdaArn")+"LambdaVersion"
	if strings.HasPrefix(name, "SmsMfa") {
		path = "mfa:" + name
	}
	switch {
	case !strings.HasSuffix(name, "LambdaArn"):
		sets(path, v)(pool, mfa)
	case v == nil:
		sets(strings.TrimSuffix(name, ".LambdaArn"), nil)(pool, mfa)
	default:
		sets(name, v, version, "V1_0")(pool, mfa)
	}
}

// TestTwinsThroughARun: by whichever name a fact is required, and under one name, the other or both in the pool: what
// meets the requirement is left alone; else the run writes it under every name that the pool shows, moves nothing
// else, and the next run finds nothing to do.
func TestTwinsThroughARun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(facts).Draw(t, "fact")
		op := rapid.SampledFrom(twinOperators).Draw(t, "operator")
		setting := rapid.SampledFrom(all(f.one, f.two)).Draw(t, "required by")
		live := rapid.SampledFrom(all(f.ok, f.other, "")).Draw(t, "live")
		under := rapid.SampledFrom(all("one", "two", "both")).Draw(t, "under")
		if op.numbers && !f.number || f.number && strings.Contains(op.text, "matches") || f.always && live == "" ||
			(f.always || strings.HasSuffix(setting, "LambdaArn")) && strings.Contains(op.text, "absent") ||
			f.inMFA && under == "two" {
			return
		}
		text := strings.NewReplacer("GLOB", strings.ReplaceAll(f.ok, "{####}", "*"), "OK", f.ok).Replace(op.text)
		if f.number {
			text = strings.ReplaceAll(text, "'", "")
		}
		b := serve(t, drawMode(t))
		b.rich(func(pool, mfa map[string]any) {
			for name, here := range map[string]bool{f.one: under != "two", f.two: under != "one"} {
				if here && live != "" {
					f.set(pool, mfa, name, f.value(live))
				} else {
					f.set(pool, mfa, name, nil)
				}
			}
			if f.inMFA && under == "one" && live != "" {
				delete(mfa, "SmsMfaConfiguration")
			}
		})
		before, required := b.snapshot(t), require(t, requirement(setting, text))
		out := b.reconcile(t, required)
		fixes := map[string]bool{f.ok: op.fixesOK, f.other: op.fixesOther, "": op.fixesNone}[live]
		if f.inMFA && live != "" && under == "one" && setting == f.two {
			fixes = true // the factor is missing, or its text is there all the same
		}
		f.check(t, b, before, out, fixes, op)
		if again := b.reconcile(t, required); len(again.Writes) > 0 {
			t.Fatalf("again: %s, %v", again.Outcome, again.Drifts)
		}
	})
}

// check compares the pool after a run with what it has to be.
func (f fact) check(t *rapid.T, b bench, before map[string]string, out outcome.Outcome, fixes bool, op operator) {
	after := b.snapshot(t)
	moved := difference(before, after)
	if !fixes {
		if out.Outcome != outcome.Unchanged || len(moved)+len(b.writes()) > 0 {
			t.Fatalf("nothing is to be done: %s (%s), %v, moved %v", out.Outcome, out.Reason, out.Drifts, moved)
		}
		return
	}
	want := fmt.Sprintf("%q", f.ok)
	switch {
	case f.number:
		want = f.ok
	case strings.Contains(op.text, "absent"):
		want = ""
	}
	one, two := after[f.one], after[f.two]+after["mfa:"+f.two]
	if out.Outcome != outcome.Remediated || one != want && two != want || one != want && one != "" ||
		two != want && two != "" {
		t.Fatalf("%s (%s), %v: %q and %q, want %q", out.Outcome, out.Reason, out.Drifts, one, two, want)
	}
	for _, path := range moved {
		path = strings.TrimPrefix(path, "mfa:")
		if path != f.one && path != f.two && path != "LambdaConfig.PreTokenGenerationConfig.LambdaVersion" &&
			(!f.inMFA || !strings.HasPrefix(path, "SmsMfaConfiguration.")) {
			t.Fatalf("%s moved", path)
		}
	}
}

var administrator = cognitotest.Actor{Kind: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/Admin/someone",
	IssuerARN: "arn:aws:iam::111122223333:role/Admin"}

// TestLawsOfEvents turns a pool that is as required into another one, by the calls of somebody else, and delivers
// their events to one process, in any order: then nothing is left that a scan would write.
func TestLawsOfEvents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		drawn, required, other := drawPool(t), drawBaseline(t), drawPool(t)
		mode := drawMode(t)
		b := serve(t, mode)
		drawn.plant(&b)
		r := b.reconciler(required)
		if _, err := deliver(t.Context(), r, onPool(event.Cause{})); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Minute)
		events := strange(t, b, other)
		if rapid.Bool().Draw(t, "the last first") {
			slices.Reverse(events)
		}
		for _, payload := range events {
			b.pass(time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * time.Second)
			if _, err := handle(t.Context(), r, payload, event.Home{}); err != nil {
				t.Fatal(err)
			}
		}
		b.ledger = ledger.NewMemory()
		out, err := b.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{}))
		written := slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool { return d.State == outcome.StateFixed })
		if err != nil || written {
			t.Errorf("%v: after %d events %s was still to be written: %v", err, len(events), out.Writes, out.Drifts)
		}
	})
}

// strange has somebody turn the pool into another one, as far as Cognito takes it, and returns the events of the calls
// that it took, a second after each other.
func strange(t *rapid.T, b bench, other drawnPool) (events [][]byte) {
	elsewhere := serve(t, cognitotest.Contract)
	other.plant(&elsewhere)
	state, err := elsewhere.client.Read(t.Context(), poolID, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	required, _ := baseline.OfSettings("other", "sha256:o", poolID, state.Own(), state.Offered())
	b.fake.ResetCalls()
	stranger := b
	stranger.ledger = ledger.NewMemory()
	if _, err := stranger.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{})); err != nil {
		t.Fatal(err)
	}
	for _, call := range b.fake.Calls() {
		if strings.HasPrefix(call.Operation, "Set") || strings.HasPrefix(call.Operation, "Update") {
			b.pass(time.Second)
			events = append(events, b.fake.Event(call, administrator, b.time()))
		}
	}
	return events
}

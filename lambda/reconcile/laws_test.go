package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestLaws checks runs over random pools and random baselines, in both worlds, with a service that refuses what
// it is known to refuse and with one that takes anything:
//
//   - every owned setting holds afterwards, or the outcome names it with the reason;
//   - every other setting is exactly what it was;
//   - a second reconcile changes nothing;
//   - what comes of it does not depend on what the service does with members that are left out.
func TestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		drawn := drawPool(t)
		required := drawBaseline(t)
		var options []cognitotest.Option
		if rapid.Bool().Draw(t, "lenient service") {
			options = append(options, cognitotest.WithoutValidators())
		}
		contract := runWorld(t, cognitotest.Contract, drawn, required, options)
		if diff := cmp.Diff(contract, runWorld(t, cognitotest.Measured, drawn, required, options)); diff != "" {
			t.Fatalf("the worlds differ (-contract +measured):\n%s", diff)
		}
	})
}

// A world is what one of the two worlds ended in.
type world struct {
	Outcome outcome.Ending
	States  map[string]outcome.State
	After   map[string]string
}

// effective is a snapshot in which a client without a risk configuration of its own has the pool's, which counts for
// it.
func (b bench) effective(t *rapid.T) map[string]string {
	leaves := b.snapshot(t)
	for _, id := range b.clients {
		if len(b.fake.Risk(poolID, id)) == 0 {
			flatten("Clients["+id+"].RiskConfiguration.", b.fake.Risk(poolID, ""), leaves)
			delete(leaves, "Clients["+id+"].RiskConfiguration.LastModifiedDate")
		}
	}
	return leaves
}

func runWorld(t *rapid.T, mode cognitotest.Mode, drawn drawnPool, required *baseline.Baseline,
	options []cognitotest.Option) world {
	b := serve(t, mode, options...)
	drawn.plant(&b)
	before := b.effective(t)
	preview := must(b.reconciler(required).Plan(t.Context(), poolID))(t)
	if moved := difference(before, b.effective(t)); len(moved) > 0 || len(b.writes()) > 0 {
		t.Fatalf("a plan wrote %v and moved %v", b.writes(), moved)
	}
	out := must(b.reconciler(required).ReconcileFrom(t.Context(), poolID, preview.State, event.Cause{}))(t)
	after := b.effective(t)
	for _, path := range difference(before, after) {
		if !excused(path, before, after, out) {
			t.Fatalf("%s moved from %q to %q, and no drift that was fixed says so: %s %v", path, before[path], after[path],
				out.Reason, out.Drifts)
		}
	}
	kept(t, preview, out, len(b.writes()) > len(out.Writes))
	if out.Outcome == outcome.Unconverged {
		t.Fatalf("unconverged: %s: %v", out.Reason, out.Drifts)
	}
	state := must(b.client.Read(t.Context(), poolID, userpool.Everything()))(t)
	left := baseline.Compare(required.Policy(state.Identity(), clock), state.Settings())
	named := states(out)
	for _, d := range left.Drifts {
		if client, below, _ := baseline.ClientOf(d.Setting); below == "RiskConfiguration" &&
			d.Action == baseline.LeaveOut && state.Inherits(baseline.ClientRisk.Of(client)) {
			continue // it has none of its own
		}
		if named[d.Setting] != outcome.StateUnfixable && named[d.Setting] != outcome.StateReported {
			t.Fatalf("%s does not hold, and the outcome %s says %q of it: %v, before %v", d.Setting, out.Outcome,
				named[d.Setting], out.Drifts, before["LambdaConfig.PreTokenGeneration"])
		}
	}
	allowed(t, required, out)
	for _, d := range out.Drifts {
		if d.State == outcome.StateUnfixable && d.Reason == "" {
			t.Fatalf("%s was left without a reason", d.Setting)
		}
	}
	again := b.reconcile(t, required)
	if diff := difference(after, b.effective(t)); len(diff) > 0 || len(again.Writes) > 0 {
		t.Fatalf("a second reconcile wrote %v and moved %v", again.Writes, diff)
	}
	return world{Outcome: out.Outcome, States: named, After: after}
}

// allowed demands that a role for the baseline allows all the writes.
func allowed(t tester, required *baseline.Baseline, out outcome.Outcome) {
	t.Helper()
	calls := map[string]bool{}
	for _, setting := range required.Enforced() {
		for _, d := range baseline.WrittenWith(setting) {
			calls[d.WriteCall] = true
		}
	}
	for _, call := range out.Writes {
		if !calls[call] {
			t.Fatalf("%s was called, which a role for this baseline does not allow", call)
		}
	}
}

// kept demands that what was planned is what was done, unless the service refused a write.
func kept(t *rapid.T, preview outcome.Preview, out outcome.Outcome, refused bool) {
	planned := states(preview.Outcome)
	// Nobody knows what stands in a document that the pool offers only after a write.
	unseen := slices.ContainsFunc(preview.Before.Names(), preview.Before.Off)
	// What the service shows by itself after a write, a tier for example, may rule something out.
	for setting, state := range states(out) {
		refused = refused || state == outcome.StateUnfixable && planned[setting] == outcome.StatePlanned
	}
	for setting, state := range states(out) {
		if state == outcome.StateFixed && planned[setting] != outcome.StatePlanned && !refused {
			t.Fatalf("%s was fixed, and the plan had it as %q: plan %v, outcome %v", setting, planned[setting],
				preview.Drifts, out.Drifts)
		}
	}
	if !refused && !unseen && !slices.Equal(preview.Writes, out.Writes) {
		t.Fatalf("%v were called, and the plan had %v: plan %v, outcome %v", out.Writes, preview.Writes, preview.Drifts,
			out.Drifts)
	}
}

// twins are the settings that stand under two names, as the API reference has them.
var twins = [][2]string{
	{"SmsVerificationMessage", "VerificationMessageTemplate.SmsMessage"},
	{"EmailVerificationMessage", "VerificationMessageTemplate.EmailMessage"},
	{"EmailVerificationSubject", "VerificationMessageTemplate.EmailSubject"},
	{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn"},
	{"SmsAuthenticationMessage", "mfa:SmsMfaConfiguration.SmsAuthenticationMessage"},
	{"SmsConfiguration", "mfa:SmsMfaConfiguration.SmsConfiguration"},
	{"AdminCreateUserConfig.UnusedAccountValidityDays", "Policies.PasswordPolicy.TemporaryPasswordValidityDays"},
}

// excused reports whether a leaf may have moved: a drift on it was fixed, or it is a mirror of a fact that is the same
// as before or was fixed.
func excused(path string, before, after map[string]string, out outcome.Outcome) bool {
	setting := strings.TrimPrefix(path, "mfa:")
	for _, d := range out.Drifts {
		if d.State == outcome.StateFixed && (d.Setting == setting || strings.HasPrefix(setting, d.Setting+".") ||
			strings.HasPrefix(d.Setting, setting+".") && after[path] == "present") {
			return true
		}
	}
	// A client that has the pool's risk configuration has what becomes of that one.
	if of, below, ok := baseline.ClientOf(setting); ok && of == "mobile" &&
		strings.HasPrefix(below, "RiskConfiguration.") && excused(below, before, after, out) {
		return true
	}
	// The secret of a client stands in the client, or in Secrets Manager, and then the client has its ARN.
	if client, ok := strings.CutSuffix(strings.TrimSuffix(setting, "Arn"), ".ClientSecret"); ok &&
		excusedBy(client+".PublishSecretsInAWSSecretsManager", out) {
		return true
	}
	if setting == "AdminCreateUserConfig.UnusedAccountValidityDays" || path == "MfaConfiguration" &&
		after[path] == after["mfa:MfaConfiguration"] {
		return true
	}
	for _, pair := range twins {
		for i, side := range pair {
			rest, ok := strings.CutPrefix(path, side)
			if !ok || rest != "" && rest[0] != '.' {
				continue
			}
			other := pair[1-i] + rest
			if after[path] == "" || after[other] == after[path] || before[other] == after[path] ||
				excusedBy(strings.TrimPrefix(other, "mfa:"), out) {
				return true
			}
		}
	}
	// The version belongs to the trigger: it comes and goes with its ARN.
	arn := "LambdaConfig.PreTokenGenerationConfig.LambdaArn"
	return path == "LambdaConfig.PreTokenGenerationConfig.LambdaVersion" &&
		(before[arn] == "" || after[arn] == "" && excused(arn, before, after, out))
}

// excusedBy reports whether the outcome says of the setting that it was written, in its own document or in another one
// that it stands in.
func excusedBy(setting string, out outcome.Outcome) bool {
	return slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool {
		return d.Setting == setting && (d.State == outcome.StateFixed || d.Code == outcome.CodeHalf)
	})
}

// A drawnPool is a pool with all its documents.
type drawnPool struct {
	pool, mfa, risk, client, clientRisk map[string]any
	logs                                []any
}

func (d drawnPool) plant(b *bench) {
	b.fake.Put(poolID, d.pool, d.mfa)
	b.fake.PutRisk(poolID, "", d.risk)
	b.fake.PutLogs(poolID, d.logs)
	b.fake.PutClient(poolID, "web", d.client)
	b.fake.PutRisk(poolID, "web", d.clientRisk)
	// A second client, which has the pool's risk configuration.
	mobile := maps.Clone(d.client)
	mobile["ClientName"] = "mobile-app"
	b.fake.PutClient(poolID, "mobile", mobile)
	b.clients = []string{"web", "mobile"}
}

// drawPool draws a pool: of the rich one, each member stays, goes, becomes empty or takes another value, at every
// depth; then what the service could never show is mended.
func drawPool(t *rapid.T) drawnPool {
	source := cognitotest.New(cognitotest.Contract)
	source.PutRich(poolID)
	var d drawnPool
	d.pool, d.mfa, _ = source.Pool(poolID)
	d.risk, d.clientRisk = source.Risk(poolID, ""), source.Risk(poolID, cognitotest.RichClient)
	d.client = source.Client(poolID, cognitotest.RichClient)
	delete(d.client, "ClientId")
	for _, table := range baseline.Documents() {
		target := map[baseline.DocumentName]map[string]any{baseline.UserPool: d.pool, baseline.MfaConfig: d.mfa,
			baseline.RiskConfiguration: d.risk,
			baseline.AppClient:         d.client, baseline.ClientRisk: d.clientRisk}[table.Name]
		if target == nil {
			continue
		}
		for _, m := range table.Members {
			if m.Trip == baseline.Echo && m.Name != "PoolName" && m.Name != "ClientName" {
				drawMember(t, m, target, string(table.Name)+" "+m.Name)
			}
		}
	}
	for _, e := range source.Logs(poolID) {
		if rapid.Bool().Draw(t, "log") {
			d.logs = append(d.logs, e)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "unknown members") == 0 {
		target := rapid.SampledFrom([]map[string]any{d.pool, d.mfa, d.risk, d.client, d.clientRisk}).Draw(t,
			"document of the unknown member")
		target["FutureThing"] = rapid.SampledFrom([]any{map[string]any{"Deep": list("x", json.Number("1.50"))}, "", nil,
			map[string]any{}}).Draw(t, "unknown")
	}
	mend(d.pool, d.mfa)
	mendClient(d.client)
	return d
}

// mendClient gives a client what every client is shown with.
func mendClient(client map[string]any) {
	for member, v := range map[string]any{"PreventUserExistenceErrors": "LEGACY",
		"RefreshTokenValidity": json.Number("30"), "AuthSessionValidity": json.Number("3"),
		"ExplicitAuthFlows": list("ALLOW_USER_SRP_AUTH")} {
		if client[member] == nil || client[member] == "" {
			client[member] = v
		}
	}
	// A redirect is always one of the URLs, and flows are of one kind.
	if to, ok := client["DefaultRedirectURI"].(string); ok && to != "" {
		urls, _ := client["CallbackURLs"].([]any)
		if !slices.Contains(urls, any(to)) {
			client["CallbackURLs"] = append(slices.Clone(urls), to)
		}
	}
	flows, _ := client["ExplicitAuthFlows"].([]any)
	client["ExplicitAuthFlows"] = slices.DeleteFunc(slices.Clone(flows), func(e any) bool {
		flow, _ := e.(string)
		return !strings.HasPrefix(flow, "ALLOW_")
	})
	whole(client, "TokenValidityUnits", "AccessToken", "IdToken", "RefreshToken")
}

// drawMember draws one of the members of an object. One that the object is never without has a value.
func drawMember(t *rapid.T, m baseline.Member, in map[string]any, path string) {
	switch drawn := rapid.IntRange(0, 9).Draw(t, path); {
	case drawn < 2 && m.Required:
	case drawn == 0:
		delete(in, m.Name)
		return
	case drawn == 1:
		put(in, m.Name, map[baseline.Kind]any{baseline.Object: map[string]any{}, baseline.Map: map[string]any{},
			baseline.List: list(), baseline.String: "", baseline.Boolean: false}[m.Kind]) // no integer is empty
		return
	case drawn == 2:
		if m.Kind != baseline.Object && m.Kind != baseline.Map {
			in[m.Name] = drawValue(t, m, path)
		}
		return
	}
	if inner, ok := in[m.Name].(map[string]any); ok && m.Kind == baseline.Object {
		for _, below := range m.Members {
			drawMember(t, below, inner, path+"."+below.Name)
		}
	}
}

// drawValue draws a lawful value of a member.
func drawValue(t *rapid.T, m baseline.Member, path string) any {
	switch {
	case m.Kind == baseline.Boolean:
		return rapid.Bool().Draw(t, path)
	case m.Kind == baseline.Integer:
		return json.Number(rapid.SampledFrom([]string{"6", "7", "13", "24"}).Draw(t, path))
	case m.Kind == baseline.List && m.Elem.Kind == baseline.Object:
		return rapid.SampledFrom([]any{
			list(map[string]any{"Name": "verified_phone_number", "Priority": json.Number("1")}),
			list(map[string]any{"Name": "admin_only", "Priority": json.Number("1")}),
			list(map[string]any{"Name": "verified_email", "Priority": json.Number("2")},
				map[string]any{"Name": "verified_phone_number", "Priority": json.Number("1")}),
		}).Draw(t, path)
	case m.Kind == baseline.List && len(m.Elem.Enum) > 0:
		chosen := []any{}
		for _, e := range m.Elem.Enum {
			if rapid.Bool().Draw(t, path+" "+e) {
				chosen = append(chosen, e)
			}
		}
		if len(chosen) == 0 {
			chosen = append(chosen, m.Elem.Enum[0])
		}
		return chosen[:min(len(chosen), 3)]
	case m.Kind == baseline.List:
		return list("openid", "profile")
	case len(m.Enum) > 0:
		return rapid.SampledFrom(m.Enum).Draw(t, path)
	case strings.Contains(m.Pattern, ":::"):
		return "arn:aws:s3:::other-bucket"
	case strings.HasPrefix(m.Pattern, "arn:"):
		return rapid.SampledFrom([]string{"arn:aws:lambda:eu-west-1:111122223333:function:other",
			"arn:aws:iam::111122223333:role/other-role"}).Draw(t, path)
	case strings.Contains(m.Pattern, `\{##[`):
		return "Follow {##this##} CANARY " + rapid.SampledFrom([]string{"<b>", " ", "é"}).Draw(t, path)
	case strings.Contains(m.Pattern, `\{####`):
		return "Code {####} CANARY " + rapid.SampledFrom([]string{"<b>", " ", "é\u2028"}).Draw(t, path)
	case strings.HasSuffix(path, "Region"):
		return "eu-central-1"
	case strings.Contains(m.Pattern, "@["):
		return "other@example.com"
	default:
		return "other-value"
	}
}

// mend gives the twins one value, the two MFA modes too, and the pool's objects what they are never shown without.
func mend(pool, mfa map[string]any) {
	template, _ := pool["VerificationMessageTemplate"].(map[string]any)
	for legacy, name := range map[string]string{"SmsVerificationMessage": "SmsMessage",
		"EmailVerificationMessage": "EmailMessage", "EmailVerificationSubject": "EmailSubject"} {
		if template[name] != nil && template[name] != "" && pool[legacy] != nil && pool[legacy] != "" {
			pool[legacy] = template[name]
		}
	}
	if deep(pool, policy+"MinimumLength") == nil { // no pool is without one
		put(pool, policy+"MinimumLength", json.Number("8"))
	}
	if triggers, ok := pool["LambdaConfig"].(map[string]any); ok {
		if config, ok := triggers["PreTokenGenerationConfig"].(map[string]any); ok && len(config) > 0 {
			triggers["PreTokenGeneration"] = config["LambdaArn"]
		}
	}
	whole(pool, "KeyConfiguration", "KmsKeyArn")
	if key, ok := pool["KeyConfiguration"].(map[string]any); ok && key["KeyType"] == "AWS_OWNED_KEY" {
		delete(key, "KmsKeyArn")
	}
	whole(pool, "SmsConfiguration", "SnsCallerArn")
	if block, ok := mfa["SmsMfaConfiguration"].(map[string]any); ok {
		sender, _ := pool["SmsConfiguration"].(map[string]any)
		if len(sender) == 0 {
			delete(mfa, "SmsMfaConfiguration")
		} else {
			block["SmsConfiguration"] = sender
			delete(block, "SmsAuthenticationMessage")
			if text, ok := pool["SmsAuthenticationMessage"].(string); ok && text != "" {
				block["SmsAuthenticationMessage"] = text
			}
		}
	}
	if mode, _ := mfa["MfaConfiguration"].(string); mode == "" || mode == "OFF" {
		mfa["MfaConfiguration"] = "OFF"
		for _, block := range []string{"SmsMfaConfiguration", "SoftwareTokenMfaConfiguration", "EmailMfaConfiguration"} {
			delete(mfa, block)
		}
	}
	pool["MfaConfiguration"] = mfa["MfaConfiguration"]
	if account, _ := pool["EmailConfiguration"].(map[string]any); account["EmailSendingAccount"] != "DEVELOPER" {
		delete(mfa, "EmailMfaConfiguration")
	}
	levels := object(pool, "AcrConfiguration")
	for _, n := range []string{"1", "2", "3", "4"} { // which are always shown
		if level := object(levels, "Level"+n); level["AcrValue"] == nil || level["AcrValue"] == "" {
			level["AcrValue"] = "urn:cognito:loa:" + n
		}
	}
}

// whole drops an object that lacks one of the members.
func whole(in map[string]any, name string, members ...string) {
	inner, ok := in[name].(map[string]any)
	for _, m := range members {
		if ok && (inner[m] == nil || inner[m] == "") {
			delete(in, name)
			return
		}
	}
}

// drawBaseline draws a few requirements on leaves.
func drawBaseline(t *rapid.T) *baseline.Baseline {
	leaves := append(leafSettings(baseline.Settings(), ""),
		leafSettings(baseline.ClientSettings(), baseline.Clients+".")...)
	rule := baseline.Rule{Name: "drawn", Mode: baseline.Enforce}
	var used []string
	free := func(path string) bool {
		return !slices.ContainsFunc(used, func(other string) bool { return strings.HasPrefix(other, path+".") })
	}
	gone := func(path string) baseline.Requirement {
		return baseline.Requirement{Setting: path, Op: baseline.Absent, Value: true}
	}
	for range rapid.IntRange(1, 5).Draw(t, "requirements") {
		leaf := rapid.SampledFrom(leaves).Draw(t, "setting")
		m, _ := baseline.Lookup(leaf)
		other, _ := baseline.TwinOf(leaf)
		if slices.Contains(used, leaf) || slices.Contains(used, other) {
			continue
		}
		used = append(used, leaf)
		r := baseline.Requirement{Setting: leaf, Op: baseline.Equal, Value: drawValue(t, m, "required "+leaf)}
		if m.Keep == "" && !m.Required && rapid.IntRange(0, 4).Draw(t, "absent") == 0 {
			r = gone(leaf)
		}
		if _, _, ofClient := baseline.ClientOf(leaf); ofClient {
			rule.Clients = append(rule.Clients, drawClients(t, r))
		} else {
			rule.Require = append(rule.Require, r)
		}
	}
	// Now and then a whole object is to be gone, or to hold nothing else.
	m := rapid.SampledFrom(objects(baseline.ClientSettings())).Draw(t, "object of a client")
	path := baseline.Clients + "." + m.Name
	if rapid.IntRange(0, 5).Draw(t, "a client's object") == 0 && free(path) {
		rule.Clients = append(rule.Clients, drawClients(t, gone(path)))
	}
	m = rapid.SampledFrom(objects(baseline.Settings())).Draw(t, "object")
	if rapid.IntRange(0, 2).Draw(t, "objects") == 0 && free(m.Name) {
		r := gone(m.Name)
		if !m.NotEmpty && rapid.Bool().Draw(t, "exactly") {
			r = baseline.Requirement{Setting: m.Name, Op: baseline.Exactly, Value: map[string]any{}}
		}
		rule.Require = append(rule.Require, r)
	}
	say := rapid.SampledFrom([]map[string]baseline.Unknown{{"*": baseline.EchoUnknown},
		{"FutureThing": baseline.EchoUnknown}, {}}).Draw(t, "say of unknown members")
	return &baseline.Baseline{Rules: []baseline.Rule{rule}, Unknown: say, Digest: "sha256:drawn"}
}

// drawClients requires something of some of the clients.
func drawClients(t *rapid.T, r baseline.Requirement) baseline.ClientRule {
	return rapid.SampledFrom([]baseline.ClientRule{
		{Require: []baseline.Requirement{r}},
		{Require: []baseline.Requirement{r}, Select: &baseline.Selector{Names: []string{"web-*"}}},
		{Require: []baseline.Requirement{r},
			Select: &baseline.Selector{Except: &baseline.Selector{IDs: []string{"web"}}}},
	}).Draw(t, "clients")
}

// objects are the settings that may be absent as a whole.
func objects(members []baseline.Member) []baseline.Member {
	return slices.DeleteFunc(slices.Clone(members), func(m baseline.Member) bool {
		return m.Kind != baseline.Object || m.Keep != ""
	})
}

func leafSettings(members []baseline.Member, prefix string) []string {
	var all []string
	for _, m := range members {
		path := prefix + m.Name
		switch {
		case m.Name == "PoolName" || m.Name == "ClientName" || m.Kind == baseline.Map:
		case m.Kind == baseline.Object:
			all = append(all, leafSettings(m.Members, path+".")...)
		default:
			all = append(all, path)
		}
	}
	return all
}

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
		text, refused := "", map[string]bool{}
		for _, w := range wishes {
			b.set(w.setting, w.weak)
			text += requirement(w.setting, w.required) + "\n"
			refused[w.setting] = rapid.Bool().Draw(t, w.setting)
		}
		f := rapid.SampledFrom(refusals).Draw(t, "answer")
		f.When = func(body map[string]any) bool {
			return slices.ContainsFunc(wishes, func(w wish) bool {
				return refused[w.setting] && fmt.Sprint(deep(body, w.setting)) == w.required
			})
		}
		b.fake.Inject(f)
		before := b.snapshot(t)
		out := b.reconcile(t, require(t, text))
		moved := difference(before, b.snapshot(t))
		for _, w := range wishes {
			want := fixed
			if refused[w.setting] {
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

// serviceDefaults are what the service may show after a write where nothing was set, by the settings.
var serviceDefaults = map[string]any{
	"pool:EmailConfiguration.EmailSendingAccount": "COGNITO_DEFAULT", "pool:DeletionProtection": "INACTIVE",
	"pool:VerificationMessageTemplate.DefaultEmailOption": "CONFIRM_WITH_CODE", "pool:UserPoolTier": "ESSENTIALS",
	"pool:" + factors: list("PASSWORD"), "pool:MfaConfiguration": "OFF", "pool:" + threat: "OFF",
	"pool:KeyConfiguration.KeyType": "AWS_OWNED_KEY", "pool:IssuerConfiguration.Type": "ORIGINAL",
	"pool:UserPoolTags": map[string]any{}, "pool:LambdaConfig": map[string]any{}, "pool:AutoVerifiedAttributes": list(),
	"pool:AdminCreateUserConfig.AllowAdminCreateUserOnly": false, "mfa:" + totp: false,
	"pool:AcrConfiguration.Level1.AcrValue": "urn:cognito:loa:1", "client:CallbackURLs": list(),
	"pool:AcrConfiguration.Level2.AcrValue": "urn:cognito:loa:2", "client:AuthSessionValidity": json.Number("3"),
	"client:RefreshTokenRotation": map[string]any{"Feature": "DISABLED", "RetryGracePeriodSeconds": json.Number("0")},
	"client:TokenValidityUnits": map[string]any{"AccessToken": "hours", "IdToken": "hours",
		"RefreshToken": "days"}, "client:PreventUserExistenceErrors": "LEGACY",
	"client:AllowedOAuthFlowsUserPoolClient": false, "client:EnablePropagateAdditionalUserContextData": false,
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
		after := map[string]any{}                        // what is shown after a write
		for _, path := range slices.Sorted(maps.Keys(serviceDefaults)) {
			switch v := serviceDefaults[path]; rapid.SampledFrom(all("before", "after", "never")).Draw(t, path) {
			case "before":
				adopt(map[string]any{path: v}, pool, mfa, client)
			case "after":
				after[path] = v
			}
		}
		b.fake.Put(poolID, pool, mfa)
		b.fake.PutClient(poolID, "1web", client)
		b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: func(pool, mfa map[string]any) {
			adopt(after, pool, mfa, nil)
		}})
		b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPoolClient", Then: func(s *cognitotest.Server) {
			client := s.Client(poolID, "1web")
			if client["EnableTokenRevocation"] == true {
				adopt(after, nil, nil, client)
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

// adopt shows values where there is none, in the documents that are not nil.
func adopt(shown, pool, mfa, client map[string]any) {
	for name, v := range shown {
		of, path, _ := strings.Cut(name, ":")
		root := map[string]map[string]any{"pool": pool, "mfa": mfa, "client": client}[of]
		if root != nil && deep(root, path) == nil {
			put(root, path, v)
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
	{one: tokens, two: tokensARN, ok: trigger, other: evil},
	{one: "SmsAuthenticationMessage", two: "SmsMfaConfiguration.SmsAuthenticationMessage", ok: "A {####}",
		other: "B {####}", inMFA: true},
	{one: "SmsConfiguration.SnsCallerArn", two: "SmsMfaConfiguration.SmsConfiguration.SnsCallerArn",
		ok: "arn:aws:iam::111122223333:role/one", other: "arn:aws:iam::111122223333:role/two", inMFA: true, always: true},
	{one: olderDays, two: days, ok: "3", other: "9", number: true, always: true},
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

var administrator = cognitotest.Actor{ARN: "arn:aws:sts::111122223333:assumed-role/Admin/someone",
	IssuerARN: "arn:aws:iam::111122223333:role/Admin"}

// TestLawsOfEvents turns a pool that is as required into another one, by the calls of somebody else, and delivers
// their events to one process, in any order: then nothing is left that a scan would write.
func TestLawsOfEvents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		drawn, required, other := drawPool(t), drawBaseline(t), drawPool(t)
		b := serve(t, drawMode(t))
		drawn.plant(&b)
		r := b.reconciler(required)
		must(deliver(t.Context(), r, onPool(event.Cause{})))(t)
		b.pass(time.Minute)
		events := strange(t, b, other)
		if rapid.Bool().Draw(t, "the last first") {
			slices.Reverse(events)
		}
		for _, payload := range events {
			b.pass(time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * time.Second)
			must(handle(t.Context(), r, payload, event.Home{}))(t)
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
	state := must(elsewhere.client.Read(t.Context(), poolID, userpool.Everything()))(t)
	required, _ := baseline.OfSettings("other", "sha256:o", poolID, state.Own(), state.Offered())
	b.fake.ResetCalls()
	stranger := b
	stranger.ledger = ledger.NewMemory()
	must(stranger.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{})))(t)
	for _, call := range b.fake.Calls() {
		if strings.HasPrefix(call.Operation, "Set") || strings.HasPrefix(call.Operation, "Update") {
			b.pass(time.Second)
			events = append(events, b.fake.Event(call, administrator, b.time()))
		}
	}
	return events
}

const highAction = "{AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK, Notify: true}}}}"

// The requirements over which somebody races with us: some of every document, and some that depend on others.
var (
	racedPool = all("DeletionProtection: ACTIVE", "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}",
		"Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}, RequireSymbols: true}}",
		"SmsAuthenticationMessage: 'Sign-in code {####} required'", "RiskConfiguration: "+highAction,
		"LogConfigurations: {userNotification: {LogLevel: ERROR}}")
	racedMFA     = all("MfaConfiguration: OPTIONAL", "SoftwareTokenMfaConfiguration: {Enabled: true}")
	racedClients = all("EnableTokenRevocation: true", "PreventUserExistenceErrors: ENABLED",
		"RiskConfiguration: "+highAction)
)

func drawRaced(t *rapid.T) *baseline.Baseline {
	mfa := racedMFA
	if rapid.Bool().Draw(t, "MFA off") {
		mfa = all(`MfaConfiguration: "OFF"`)
	}
	some := func(of ...string) string {
		return strings.Join(slices.DeleteFunc(of, func(r string) bool { return rapid.Bool().Draw(t, "not "+r) }), ", ")
	}
	pool, clients := some(slices.Concat(racedPool, mfa)...), some(slices.Clone(racedClients)...)
	if pool+clients == "" {
		pool = racedPool[0]
	}
	text := "require: {" + pool + "}"
	if pool == "" {
		text = onClients("", clients)
	} else if clients != "" {
		text += ", " + onClients("", clients)
	}
	return parse(t, oneRule(text)+"flapBudget: {times: 2, minutes: 30}\n")
}

// moves are what somebody else does to a pool: to each of its documents, and so that one of them breaks each
// requirement of raced.
var moves = map[string]func(fake *cognitotest.Server){
	"UserPool": does(alsoUnprotected(policy+"MinimumLength", json.Number("8"), policy+"RequireSymbols", false)),
	"length":   does(sets(policy+"MinimumLength", json.Number("6"))),
	"threat":   does(sets(threat, "OFF")),
	"audit":    does(sets(threat, "AUDIT")),
	"sms":      does(sets("SmsConfiguration", nil, "mfa:SmsMfaConfiguration", nil)),
	"text": does(func(pool, mfa map[string]any) {
		pool["SmsAuthenticationMessage"] = "another {####} CANARY"
		if mfa["SmsMfaConfiguration"] != nil {
			object(mfa, "SmsMfaConfiguration")["SmsAuthenticationMessage"] = "another {####} CANARY"
		}
	}),
	"tags":              does(sets("UserPoolTags.team", "another")),
	"MfaConfig":         does(sets("MfaConfiguration", "ON", "mfa:MfaConfiguration", "ON")),
	"optional":          does(sets("MfaConfiguration", "OPTIONAL", "mfa:MfaConfiguration", "OPTIONAL")),
	"token":             does(sets("mfa:SoftwareTokenMfaConfiguration", nil)),
	"RiskConfiguration": func(fake *cognitotest.Server) { ignoreHighRisk(fake, "") },
	"LogDelivery":       func(fake *cognitotest.Server) { fake.PutLogs(poolID, nil) },
	"AppClient": func(fake *cognitotest.Server) {
		bench{fake: fake}.editClient("mobile", "EnableTokenRevocation", false, "PreventUserExistenceErrors", "LEGACY")
	},
	"ClientRisk": func(fake *cognitotest.Server) { ignoreHighRisk(fake, cognitotest.RichClient) },
	"nothing":    func(*cognitotest.Server) {},
}

func does(edit func(pool, mfa map[string]any)) func(*cognitotest.Server) {
	return func(fake *cognitotest.Server) { fake.Edit(poolID, edit) }
}

func ignoreHighRisk(fake *cognitotest.Server, client string) {
	bench{fake: fake}.editRisk(client, "AccountTakeoverRiskConfiguration.Actions.HighAction",
		map[string]any{"EventAction": "NO_ACTION", "Notify": false})
}

func drawMove() *rapid.Generator[string] { return rapid.SampledFrom(slices.Sorted(maps.Keys(moves))) }

// failures are what may become of a write that is not simply accepted.
var failures = []cognitotest.Fault{
	refusedWrite("InvalidParameterException", "no"),
	refusedWrite("InvalidParameterException", "Value 'x' at 'deletionProtection' failed to satisfy constraint: a"),
	refusedWrite("InvalidSmsRoleTrustRelationshipException", "no"), refusedWrite("OperationNotEnabledException", "no"),
	refusedWrite("BrandNewException", "no"), refusedWrite("TooManyRequestsException", "no"), lostWrite(0, false),
	lostWrite(0, true),
}

// drawFaults has some writes fail: the first few of a call, or all of them.
func drawFaults(t *rapid.T, fake *cognitotest.Server) {
	for operation := range writesOf() {
		for range rapid.IntRange(0, 3).Draw(t, "failures of "+operation) {
			f := rapid.SampledFrom(failures).Draw(t, "failure")
			f.Operation, f.Times = operation, rapid.SampledFrom([]int{1, 1, 2, 0}).Draw(t, "times")
			fake.Inject(f)
		}
	}
}

// A watcher keeps the pool as a run is shown it, and has somebody make a move after each write that is accepted.
type watcher struct {
	reconcile.Pools
	fake     *cognitotest.Server
	required *baseline.Baseline
	moves    map[string]string // by the call
	last     userpool.State
}

func (w *watcher) Write(ctx context.Context, id string, r userpool.Request) (request string, err error) {
	request, err = w.Pools.Write(ctx, id, r)
	if err == nil {
		moves[w.moves[r.Call]](w.fake)
	}
	return request, err
}

func (w *watcher) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	state, err := w.Pools.Read(ctx, id, want)
	if err != nil {
		return state, err
	}
	documents := w.last.Documents
	if documents == nil {
		w.last, documents = state, map[baseline.DocumentName]map[string]any{}
	}
	maps.Copy(documents, state.Documents)
	w.last.Documents = documents
	return state, nil
}

func (w *watcher) Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	document, err := w.Pools.Document(ctx, id, name)
	if err == nil {
		w.last.Documents[name] = document
	}
	return document, err
}

// drift are the settings that do not hold by the latest reads.
func (w *watcher) drift() map[string]bool {
	drift := map[string]bool{}
	for _, d := range baseline.Compare(w.required.Policy(w.last.Identity(), clock), w.last.Settings()).Drifts {
		drift[d.Setting] = true
	}
	return drift
}

// lie compares what a run says with what it was shown.
func (w *watcher) lie(out outcome.Outcome) string {
	drift, said := w.drift(), states(out)
	if len(drift) > 0 && (out.Outcome == outcome.Remediated || out.Outcome == outcome.Unchanged) {
		return fmt.Sprint("these do not hold: ", drift)
	}
	for _, d := range out.Drifts {
		switch {
		case d.State == outcome.StateFixed && drift[d.Setting]:
			return d.Setting + " is called fixed"
		case d.Code == outcome.CodeUnheld && !drift[d.Setting]:
			return d.Setting + " is said not to hold"
		case d.State == outcome.StateUnfixable && d.Reason == "":
			return d.Setting + " without a reason"
		}
	}
	for setting := range drift {
		if said[setting] == "" {
			return setting + " does not hold, and nothing is said of it"
		}
	}
	return ""
}

// bounded checks that no run wrote a setting twice once that was accepted, and that the flap budget bounds what all
// runs together write.
func (w bench) bounded(t *rapid.T, within time.Duration) {
	history := must(w.ledger.History(t.Context(), poolID, time.Time{}, true))(t)
	written := map[string][]time.Time{} // by document and setting, one run after the other
	slices.SortFunc(history.Records, func(a, b outcome.Record) int { return a.Began.Compare(b.Began) })
	for _, r := range history.Records {
		for _, s := range r.Sent {
			for _, setting := range s.Fixes {
				key := string(s.Document) + " " + setting
				if at := written[key]; s.Status == outcome.Accepted {
					written[key] = append(at, r.Began)
					if n := len(at); n > 0 && at[n-1].Equal(r.Began) || n > 1 && r.Began.Sub(at[n-2]) < within {
						t.Fatalf("%s was written at %v", setting, written[key])
					}
				}
			}
		}
	}
}

// TestNoRace has somebody change something whenever a write of ours is accepted, and other writes fail, event after
// event, each delivered again while it is deferred: each run is bounded, says what it was shown, and the flap budget
// bounds what is written of a setting however the runs end.
func TestNoRace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := serve(t, cognitotest.Measured)
		w.fake.PutRich(poolID)
		for _, move := range rapid.SliceOfN(drawMove(), 1, 5).Draw(t, "what is wrong") {
			moves[move](w.fake)
		}
		required := drawRaced(t)
		drawFaults(t, w.fake)
		after := map[string]string{}
		for operation := range writesOf() {
			after[operation] = drawMove().Draw(t, "move after "+operation)
		}
		steady := drawMove().Draw(t, "move of each event")
		for i := range rapid.SampledFrom([]int{1, 1, 1, 1, 5}).Draw(t, "events") {
			if i > 0 {
				moves[steady](w.fake)
			}
			request := call(fmt.Sprint("event", i), "terraform-ci", w.time())
			request.Call.Changes = everyDocument()
			own := rapid.IntRange(0, 4).Draw(t, "own") == 0
			if own {
				request.Cause.Issuer = ownRole
			}
			for try := range 3 {
				w.pass(time.Duration(try+2) * time.Minute)
				w.fake.ResetCalls()
				r, seen := w.reconciler(required), &watcher{w.client, w.fake, required, after, userpool.State{}}
				r.Pools = seen
				out, err := deliver(t.Context(), r, request)
				w.bounded(t, 29*time.Minute)
				writes, reads := len(w.writes()), len(w.fake.Calls())-len(w.writes())
				if writes > 60 || reads > 20*(writes+10) {
					t.Fatalf("%d writes and %d reads: %s (%s)", writes, reads, out.Outcome, out.Reason)
				}
				if own && writes > 0 {
					t.Fatalf("the event of a write of ours was answered with %v", w.writes())
				}
				if err != nil {
					continue
				}
				if lie := seen.lie(out); lie != "" && out.Outcome != outcome.Ignored {
					t.Fatalf("%s: %s (%s)", lie, out.Outcome, out.Reason)
				}
				break
			}
		}
	})
}

package reconcile_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
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
		var first *world
		for _, mode := range []cognitotest.Mode{cognitotest.Contract, cognitotest.Measured} {
			w := runWorld(t, mode, drawn, required, options)
			if first == nil {
				first = w
				continue
			}
			if diff := cmp.Diff(first, w); diff != "" {
				t.Fatalf("the worlds differ (-contract +measured):\n%s", diff)
			}
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
	options []cognitotest.Option) *world {
	b := serve(t, mode, options...)
	drawn.plant(&b)
	before := b.effective(t)
	preview, err := b.reconciler(required).Plan(t.Context(), poolID)
	if err != nil {
		t.Fatalf("planning: %v", err)
	}
	if moved := difference(before, b.effective(t)); len(moved) > 0 || len(b.writes()) > 0 {
		t.Fatalf("a plan wrote %v and moved %v", b.writes(), moved)
	}
	out, err := b.reconciler(required).ReconcileFrom(t.Context(), poolID, preview.State, event.Cause{})
	if err != nil {
		t.Fatalf("reconciling: %v", err)
	}
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
	state, err := b.client.Read(t.Context(), poolID, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	left := baseline.Compare(required.Policy(state.Identity(), clock), state.Settings())
	named := states(out)
	for _, d := range left.Drifts {
		if client, below, _ := baseline.ClientOf(d.Setting); below == "RiskConfiguration" &&
			d.Action == baseline.LeaveOut && state.Inherits(client) {
			continue // it has none of its own
		}
		if named[d.Setting] != outcome.StateUnfixable && named[d.Setting] != outcome.StateReported {
			t.Fatalf("%s does not hold, and the outcome %s says %q of it: %v, before %v", d.Setting, out.Outcome,
				named[d.Setting], out.Drifts, before["LambdaConfig.PreTokenGeneration"])
		}
	}
	for _, call := range out.Writes {
		if !slices.ContainsFunc(required.Enforced(), func(setting string) bool {
			return slices.ContainsFunc(baseline.WrittenWith(setting),
				func(d baseline.Document) bool { return d.WriteCall == call })
		}) {
			t.Fatalf("%s was called, which a role for this baseline does not allow", call)
		}
	}
	for _, d := range out.Drifts {
		if d.State == outcome.StateUnfixable && d.Reason == "" {
			t.Fatalf("%s was left without a reason", d.Setting)
		}
	}
	again := b.reconcile(t, required)
	if diff := difference(after, b.effective(t)); len(diff) > 0 || len(again.Writes) > 0 {
		t.Fatalf("a second reconcile wrote %v and moved %v", again.Writes, diff)
	}
	return &world{Outcome: out.Outcome, States: named, After: after}
}

// kept demands that what was planned is what was done, unless the service refused a write.
func kept(t *rapid.T, preview outcome.Preview, out outcome.Outcome, refused bool) {
	planned := map[string]outcome.State{}
	for _, d := range preview.Drifts {
		planned[d.Setting] = d.State
	}
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
		switch m.Kind {
		case baseline.Object, baseline.Map:
			in[m.Name] = map[string]any{}
		case baseline.List:
			in[m.Name] = list()
		case baseline.String:
			in[m.Name] = ""
		case baseline.Boolean:
			in[m.Name] = false
		case baseline.Integer:
			delete(in, m.Name)
		}
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
			r = baseline.Requirement{Setting: leaf, Op: baseline.Absent, Value: true}
		}
		if _, _, ofClient := baseline.ClientOf(leaf); ofClient {
			rule.Clients = append(rule.Clients, drawClients(t, r))
		} else {
			rule.Require = append(rule.Require, r)
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "a client's object") == 0 {
		m := rapid.SampledFrom(objects(baseline.ClientSettings())).Draw(t, "object of a client")
		path := baseline.Clients + "." + m.Name
		if !slices.ContainsFunc(used, func(other string) bool { return strings.HasPrefix(other, path+".") }) {
			rule.Clients = append(rule.Clients,
				drawClients(t, baseline.Requirement{Setting: path, Op: baseline.Absent, Value: true}))
		}
	}
	// Now and then a whole object is to be gone, or to hold nothing else.
	if rapid.IntRange(0, 2).Draw(t, "objects") == 0 {
		m := rapid.SampledFrom(objects(baseline.Settings())).Draw(t, "object")
		if !slices.ContainsFunc(used, func(path string) bool { return strings.HasPrefix(path, m.Name+".") }) {
			r := baseline.Requirement{Setting: m.Name, Op: baseline.Absent, Value: true}
			if !m.NotEmpty && rapid.Bool().Draw(t, "exactly") {
				r = baseline.Requirement{Setting: m.Name, Op: baseline.Exactly, Value: map[string]any{}}
			}
			rule.Require = append(rule.Require, r)
		}
	}
	say := map[string]baseline.Unknown{}
	switch rapid.IntRange(0, 2).Draw(t, "say of unknown members") {
	case 0:
		say["*"] = baseline.EchoUnknown
	case 1:
		say["FutureThing"] = baseline.EchoUnknown
	}
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
	var all []baseline.Member
	for _, m := range members {
		if m.Kind == baseline.Object && m.Keep == "" {
			all = append(all, m)
		}
	}
	return all
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

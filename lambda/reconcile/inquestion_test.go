package reconcile_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

// A write of ours replaces one document, for which something in it is required and was tampered with.
type ourWrite struct {
	call     string
	required string
	tamper   func(w ledgered)
	beside   string // what an UpdateUserPool by somebody else has to leave for the write to be taken
}

const threatOn = `,"UserPoolAddOns":{"AdvancedSecurityMode":"ENFORCED"}`

func inRule(settings string) string {
	return "version: 1\nrules: [{name: all, require: {" + settings + "}}]"
}

func inClients(client, settings string) string {
	return "version: 1\nrules: [{name: all, clients: [{names: [" + client + "], require: {" + settings + "}}]}]"
}

const blocked = "RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}"

// lenient lets the compromised passwords of a pool or a client be.
func lenient(client string) func(w ledgered) {
	return func(w ledgered) {
		risk := w.fake.Risk(poolID, client)
		object(risk, "CompromisedCredentialsRiskConfiguration", "Actions")["EventAction"] = "NO_ACTION"
		w.fake.PutRisk(poolID, client, risk)
	}
}

func edited(edit func(pool, mfa map[string]any)) func(w ledgered) {
	return func(w ledgered) { w.fake.Edit(poolID, edit) }
}

var ourWrites = map[string]ourWrite{
	"UserPool": {"UpdateUserPool", inRule("DeletionProtection: ACTIVE"), edited(unprotected), ""},
	"MfaConfig": {"SetUserPoolMfaConfig", inRule("WebAuthnConfiguration: {UserVerification: required}"), edited(func(_, mfa map[string]any) {
		object(mfa, "WebAuthnConfiguration")["UserVerification"] = "preferred"
	}), ""},
	"RiskConfiguration": {"SetRiskConfiguration", inRule(blocked), lenient(""), threatOn},
	"LogDelivery": {"SetLogDeliveryConfiguration", inRule("LogConfigurations: {userAuthEvents: {LogLevel: INFO}}"), func(w ledgered) {
		logs := w.fake.Logs(poolID)
		logs[1].(map[string]any)["LogLevel"] = "ERROR"
		w.fake.PutLogs(poolID, logs)
	}, ""},
	"AppClient": {"UpdateUserPoolClient", inClients("web-app", "PreventUserExistenceErrors: ENABLED"), func(w ledgered) {
		client := w.fake.Client(poolID, web)
		client["PreventUserExistenceErrors"] = "LEGACY"
		w.fake.PutClient(poolID, web, client)
	}, ""},
	"ClientRisk": {"SetRiskConfiguration", inClients("web-app", blocked), lenient(web), threatOn},
	// This client had only the pool's, and is given its own.
	"ClientRisk copied": {"SetRiskConfiguration", inClients("mobile-app", blocked), lenient(""), threatOn},
}

// A call of somebody else comes between our read and our write. Leaves are what it sets, as a snapshot has them.
type theirCall struct {
	call, body string // without the pool
	leaves     []string
	lost       map[string][]string // by our write: the settings that are told
}

const (
	newSender  = `{"SnsCallerArn":"arn:aws:iam::111122223333:role/cognito-sms","SnsRegion":"us-east-1"}`
	newText    = `"Another {####} CANARY-new-text"`
	clientsOwn = "Clients[" + web + "]."
)

var theirCalls = map[string]theirCall{
	"a tag":       {"TagResource", `"Tags":{"team":"new"}`, names("UserPoolTags.team"), map[string][]string{"UserPool": {"UserPoolTags"}}},
	"a tag taken": {"UntagResource", `"TagKeys":["team"]`, names("UserPoolTags.team"), map[string][]string{"UserPool": {"UserPoolTags"}}},
	"the text MFA": {"SetUserPoolMfaConfig", `"SmsMfaConfiguration":{"SmsConfiguration":` + newSender + `,"SmsAuthenticationMessage":` + newText + `}`, names("SmsConfiguration.SnsRegion", "SmsAuthenticationMessage"),
		map[string][]string{"UserPool": {"SmsAuthenticationMessage", "SmsConfiguration"}, "MfaConfig": {"SmsMfaConfiguration"}}},
	"MFA": {"SetUserPoolMfaConfig", `"MfaConfiguration":"ON"`, names("mfa:MfaConfiguration"), map[string][]string{"UserPool": {"MfaConfiguration"}, "MfaConfig": {"MfaConfiguration"}}},
	"passkeys": {"SetUserPoolMfaConfig", `"WebAuthnConfiguration":{"RelyingPartyId":"other.example.com"}`, names("mfa:WebAuthnConfiguration.RelyingPartyId"),
		map[string][]string{"MfaConfig": {"WebAuthnConfiguration"}}},
	"e-mail MFA": {"SetUserPoolMfaConfig", `"EmailMfaConfiguration":{"Message":` + newText + `}`, names("mfa:EmailMfaConfiguration.Message"), map[string][]string{"MfaConfig": {"EmailMfaConfiguration"}}},
	"the app":    {"SetUserPoolMfaConfig", `"SoftwareTokenMfaConfiguration":{"Enabled":false}`, names("mfa:SoftwareTokenMfaConfiguration.Enabled"), map[string][]string{"MfaConfig": {"SoftwareTokenMfaConfiguration"}}},

	"policies": {"UpdateUserPool", `"Policies":{"PasswordPolicy":{"MinimumLength":20}}`, names("Policies.PasswordPolicy.MinimumLength"), map[string][]string{"UserPool": {"Policies"}}},
	"the sender": {"UpdateUserPool", `"SmsConfiguration":` + newSender, names("SmsConfiguration.SnsRegion"),
		map[string][]string{"UserPool": {"SmsConfiguration"}, "MfaConfig": {"SmsMfaConfiguration.SmsConfiguration"}}},
	"the text": {"UpdateUserPool", `"SmsAuthenticationMessage":` + newText, names("SmsAuthenticationMessage"),
		map[string][]string{"UserPool": {"SmsAuthenticationMessage"}, "MfaConfig": {"SmsMfaConfiguration.SmsAuthenticationMessage"}}},
	"MFA of the pool": {"UpdateUserPool", `"MfaConfiguration":"ON"`, names("mfa:MfaConfiguration"), map[string][]string{"UserPool": {"MfaConfiguration"}, "MfaConfig": {"MfaConfiguration"}}},
	"a text of two names": {"UpdateUserPool", `"SmsVerificationMessage":` + newText + `,"VerificationMessageTemplate":{"DefaultEmailOption":"CONFIRM_WITH_CODE","SmsMessage":` + newText + `}`,
		names("SmsVerificationMessage", "VerificationMessageTemplate.SmsMessage"), map[string][]string{"UserPool": {"VerificationMessageTemplate"}}},
	"a text by its older name": {"UpdateUserPool", `"SmsVerificationMessage":` + newText, names("SmsVerificationMessage"), map[string][]string{"UserPool": {"SmsVerificationMessage"}}},

	"the risk": {"SetRiskConfiguration", `"RiskExceptionConfiguration":{"BlockedIPRangeList":["192.0.2.7/32"]}`, names("RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList"),
		map[string][]string{"RiskConfiguration": {"RiskConfiguration.RiskExceptionConfiguration"}}},
	"the risk of a client": {"SetRiskConfiguration", `"ClientId":"` + web + `","RiskExceptionConfiguration":{"BlockedIPRangeList":["192.0.2.7/32"]}`,
		names(clientsOwn + "RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList"), map[string][]string{"ClientRisk": {clientsOwn + "RiskConfiguration.RiskExceptionConfiguration"}}},
	"the logs": {"SetLogDeliveryConfiguration", `"LogConfigurations":[{"LogLevel":"ERROR","EventSource":"userNotification","CloudWatchLogsConfiguration":{"LogGroupArn":"arn:aws:logs:eu-west-1:111122223333:log-group:other"}}]`,
		names("LogConfigurations.userNotification.CloudWatchLogsConfiguration.LogGroupArn"), map[string][]string{"LogDelivery": {"LogConfigurations"}}},
	"a client":       {"UpdateUserPoolClient", `"ClientId":"` + web + `","CallbackURLs":["https://new.example.com"]`, names(clientsOwn + "CallbackURLs"), map[string][]string{"AppClient": {clientsOwn + "CallbackURLs"}}},
	"another client": {"UpdateUserPoolClient", `"ClientId":"mobile","CallbackURLs":["https://new.example.com"]`, names("Clients[mobile].CallbackURLs"), nil},
}

func names(texts ...string) []string { return texts }

// make lets somebody make a call in earnest, and returns its event.
func (w ledgered) make(t testing.TB, call, body string) []byte {
	t.Helper()
	pool := fmt.Sprintf(`{"UserPoolId":%q`, poolID)
	if strings.HasSuffix(call, "Resource") {
		pool = fmt.Sprintf(`{"ResourceArn":"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/%s"`, poolID)
	}
	request, answer := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(pool+","+body+"}")), httptest.NewRecorder()
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+call)
	w.fake.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Errorf("%s was refused with %d", call, answer.Code)
	}
	calls := w.fake.Calls()
	return w.fake.Event(calls[len(calls)-1], administrator, w.time())
}

// between lets somebody make a call between our read and our write, and returns its event and what was set by it.
func (w ledgered) between(t testing.TB, ours ourWrite, call, body string) (request event.Request, set map[string]string) {
	t.Helper()
	ours.tamper(w)
	w.pass(time.Minute)
	w.fake.Inject(cognitotest.Fault{Operation: ours.call, Times: 1, Then: func(*cognitotest.Server) {
		w.pass(2 * time.Second)
		request = event.Decode(w.make(t, call, body), home)
		set = w.snapshot(t)
		w.pass(2 * time.Second)
	}})
	sweep := event.Request{Kind: event.One, UserPoolID: poolID, Cause: event.Cause{EventID: "sweep", EventName: "Reconcile User Pool", Time: w.time()}}
	if _, err := w.keeper(parse(t, ours.required)).Answer(t.Context(), sweep); err != nil {
		t.Fatal(err)
	}
	if request.Kind != event.One || !slices.Contains(w.writes(), ours.call) {
		t.Fatalf("%s was not made, or not before %s: %+v", call, ours.call, request)
	}
	w.pass(time.Minute)
	return request, set
}

func withEverything(t testing.TB, mode cognitotest.Mode) ledgered {
	now := clock
	w := ledgered{bench: serve(t, mode, cognitotest.WithoutValidators()), ledger: ledger.NewMemory(), mutex: &sync.Mutex{}, now: &now}
	w.whole(nil)
	return w
}

// TestEveryLostUpdate makes each call between our read and each of our writes: what the pool has lost in the end is told, by the name that it has in the document that we wrote, and nothing else is.
func TestEveryLostUpdate(t *testing.T) {
	t.Parallel()
	for their, c := range theirCalls {
		for our, ours := range ourWrites {
			if their == "the risk" && our == "ClientRisk copied" {
				continue // what is lost is not the pool's: TestLostToACopy
			}
			t.Run(their+" before "+our, func(t *testing.T) {
				t.Parallel()
				w := withEverything(t, cognitotest.Measured)
				before, body := w.snapshot(t), c.body
				if c.call == "UpdateUserPool" {
					body += ours.beside
				}
				theirs, set := w.between(t, ours, c.call, body)
				after := w.snapshot(t)
				for _, leaf := range c.leaves {
					if set[leaf] == before[leaf] {
						t.Fatalf("the call did not set %s", leaf)
					}
					if lost := after[leaf] != set[leaf]; lost != (len(c.lost[our]) > 0) {
						t.Errorf("%s is lost: %v", leaf, lost)
					}
				}
				out := w.answer(t, parse(t, ours.required), theirs)
				if diff := cmp.Diff(c.lost[our], out.Overwritten, cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
					t.Errorf("%s (%s), overwritten (-want +got):\n%s", out.Outcome, out.Reason, diff)
				}
			})
		}
	}
	for _, call := range event.Table() {
		tried := false
		for _, c := range theirCalls {
			tried = tried || c.call == call.Name
		}
		if !tried && len(call.Changes) > 0 && !call.New {
			t.Errorf("%s is not tried", call.Name)
		}
	}
}

// TestLostToACopy: what a call sets for the pool does not reach a client that we meanwhile gave a copy of what the pool had.
func TestLostToACopy(t *testing.T) {
	t.Parallel()
	w, c, ours := withEverything(t, cognitotest.Measured), theirCalls["the risk"], ourWrites["ClientRisk copied"]
	theirs, set := w.between(t, ours, c.call, c.body)
	const leaf = "RiskConfiguration.RiskExceptionConfiguration.BlockedIPRangeList"
	if after := w.snapshot(t); after[leaf] != set[leaf] || after["Clients[mobile]."+leaf] == "" || after["Clients[mobile]."+leaf] == set[leaf] {
		t.Fatalf("the pool has %s, the client %s", after[leaf], after["Clients[mobile]."+leaf])
	}
	if out := w.answer(t, parse(t, ours.required), theirs); !slices.Equal(out.Overwritten, names("Clients[mobile].RiskConfiguration.RiskExceptionConfiguration")) {
		t.Errorf("%s (%s), overwritten %v", out.Outcome, out.Reason, out.Overwritten)
	}
}

// TestLostWithTheMode: a factor that somebody turns MFA on with goes when our write sends MFA as it was, off.
func TestLostWithTheMode(t *testing.T) {
	t.Parallel()
	w, ours := withEverything(t, cognitotest.Measured), ourWrites["UserPool"]
	w.fake.Edit(poolID, mfaOff)
	theirs, set := w.between(t, ours, "SetUserPoolMfaConfig", `"MfaConfiguration":"OPTIONAL","SoftwareTokenMfaConfiguration":{"Enabled":true},"WebAuthnConfiguration":{"RelyingPartyId":"other.example.com"}`)
	after := w.snapshot(t)
	for leaf, lost := range map[string]bool{"mfa:MfaConfiguration": true, "mfa:SoftwareTokenMfaConfiguration.Enabled": true, "mfa:WebAuthnConfiguration.RelyingPartyId": false} {
		if set[leaf] == "" || (set[leaf] != after[leaf]) != lost {
			t.Errorf("%s was set to %s and is %s", leaf, set[leaf], after[leaf])
		}
	}
	if out := w.answer(t, parse(t, ours.required), theirs); !slices.Equal(out.Overwritten, names("MfaConfiguration", "SoftwareTokenMfaConfiguration")) {
		t.Errorf("%s (%s), overwritten %v", out.Outcome, out.Reason, out.Overwritten)
	}
}

// TestLostOnce: a fact that stands in two documents, both of which we wrote, is told once; and as what it is, put right, where it is required.
func TestLostOnce(t *testing.T) {
	t.Parallel()
	both := ourWrites["UserPool"]
	both.required = inRule("DeletionProtection: ACTIVE, WebAuthnConfiguration: {UserVerification: required}")
	both.tamper = func(w ledgered) { ourWrites["UserPool"].tamper(w); ourWrites["MfaConfig"].tamper(w) }
	for _, first := range []string{"UpdateUserPool", "SetUserPoolMfaConfig"} {
		for their, want := range map[string][][]string{
			"the text MFA": {{"SmsMfaConfiguration"}},
			"the sender":   {{"SmsConfiguration"}, {"SmsMfaConfiguration.SmsConfiguration"}},
			"the text":     {{"SmsAuthenticationMessage"}, {"SmsMfaConfiguration.SmsAuthenticationMessage"}},
			"MFA":          {{"MfaConfiguration"}},
		} {
			t.Run(their+" before "+first, func(t *testing.T) {
				t.Parallel()
				w, ours, c := withEverything(t, cognitotest.Measured), both, theirCalls[their]
				ours.call = first
				theirs, _ := w.between(t, ours, c.call, c.body)
				if writes := w.writes(); !slices.Contains(writes, "UpdateUserPool") || !slices.Contains(writes, "SetUserPoolMfaConfig") {
					t.Fatalf("written: %v", writes)
				}
				out := w.answer(t, parse(t, ours.required), theirs)
				if !slices.ContainsFunc(want, func(one []string) bool { return slices.Equal(one, out.Overwritten) }) {
					t.Errorf("%s (%s), overwritten %v", out.Outcome, out.Reason, out.Overwritten)
				}
			})
		}
	}
	w, c, ours := withEverything(t, cognitotest.Measured), theirCalls["the text MFA"], ourWrites["UserPool"]
	theirs, _ := w.between(t, ours, c.call, c.body)
	out := w.answer(t, parse(t, inRule("DeletionProtection: ACTIVE, SmsConfiguration: {exactly: {SnsCallerArn: 'arn:aws:iam::111122223333:role/own', SnsRegion: eu-west-1}}")), theirs)
	if !slices.Equal(out.Overwritten, names("SmsAuthenticationMessage")) || states(out)["SmsConfiguration"] != reconcile.Fixed {
		t.Errorf("%s (%s), overwritten %v, %v", out.Outcome, out.Reason, out.Overwritten, states(out))
	}
}

// TestUnknownParameter: a parameter that no table knows may have set anything of the document that we wrote. One that says what the call is about, in whatever case, has set nothing.
func TestUnknownParameter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode       cognitotest.Mode
		our        string
		call, body string
		want       []string
	}{
		"alone":               {cognitotest.Contract, "UserPool", "UpdateUserPool", `"FutureThing":"new"`, names("UserPool")},
		"beside another":      {cognitotest.Contract, "UserPool", "UpdateUserPool", `"FutureThing":"new","Policies":{"PasswordPolicy":{"MinimumLength":20}}`, names("Policies", "UserPool")},
		"of the other write":  {cognitotest.Measured, "UserPool", "SetUserPoolMfaConfig", `"FutureThing":"new"`, names("UserPool")},
		"of a client":         {cognitotest.Measured, "AppClient", "UpdateUserPoolClient", `"ClientId":"` + web + `","FutureThing":"new"`, names("AppClient/" + web)},
		"of another client":   {cognitotest.Measured, "AppClient", "UpdateUserPoolClient", `"ClientId":"mobile","FutureThing":"new"`, nil},
		"of a tag":            {cognitotest.Measured, "UserPool", "TagResource", `"Tags":{},"FutureThing":"new"`, names("UserPoolTags", "UserPool")},
		"of a call elsewhere": {cognitotest.Measured, "UserPool", "SetLogDeliveryConfiguration", `"LogConfigurations":[],"FutureThing":"new"`, nil},
		"none":                {cognitotest.Measured, "UserPool", "UpdateUserPool", `"FutureThing":null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ours := withEverything(t, c.mode), ourWrites[c.our]
			theirs, set := w.between(t, ours, c.call, c.body)
			if c.mode == cognitotest.Contract && (set["FutureThing"] == "" || w.snapshot(t)["FutureThing"] != "") {
				t.Error("it is not lost")
			}
			out := w.answer(t, parse(t, ours.required), theirs)
			if !slices.Equal(out.Overwritten, c.want) {
				t.Errorf("%s (%s), overwritten %v, want %v", out.Outcome, out.Reason, out.Overwritten, c.want)
			}
		})
	}
}

// TestEventOfTheSecond hands over events of the second of our read and our write, as CloudTrail writes them: what is hidden in them sets no less, and what a call made cannot be lost to a write that
// was planned after it.
func TestEventOfTheSecond(t *testing.T) {
	t.Parallel()
	const requestParameters = `"requestParameters": {`
	for name, c := range map[string]struct {
		our, fixture string
		old, changed string // in the fixture
		want         []string
	}{
		"an update":                          {"UserPool", "update-user-pool", "", "", names("AdminCreateUserConfig", "DeletionProtection", "Policies")},
		"capitals":                           {"UserPool", "update-user-pool", `"adminCreateUserConfig"`, `"ADMINCreateUserConfig"`, names("AdminCreateUserConfig", "DeletionProtection", "Policies")},
		"a tag":                              {"UserPool", "tag-resource", "", "", names("UserPoolTags")},
		"a tag taken":                        {"UserPool", "untag-resource", "", "", names("UserPoolTags")},
		"MFA in the console":                 {"UserPool", "mfa-off-console", "", "", names("MfaConfiguration")},
		"a hidden block":                     {"UserPool", "mfa-off-console", requestParameters, requestParameters + `"smsMfaConfiguration": "HIDDEN_DUE_TO_SECURITY_REASONS",`, names("MfaConfiguration", "SmsConfiguration", "SmsAuthenticationMessage")},
		"a pool made":                        {"UserPool", "create-user-pool", "", "", nil},
		"a client made":                      {"AppClient", "create-user-pool-client", "7rogue7client", web, nil},
		"a client's secret":                  {"AppClient", "add-user-pool-client-secret", "", "", nil},
		"a client deleted":                   {"AppClient", "delete-user-pool-client", "", "", nil},
		"a client whose id is hidden":        {"AppClient", "update-user-pool-client-hidden", requestParameters, requestParameters + `"logoutURLs": [],`, names(clientsOwn + "LogoutURLs")},
		"the pool's risk before a client's":  {"ClientRisk", "set-risk-configuration", requestParameters, requestParameters + `"riskExceptionConfiguration": {},`, nil},
		"a client's risk before the pool's":  {"RiskConfiguration", "set-risk-configuration-of-client", requestParameters, requestParameters + `"riskExceptionConfiguration": {},`, nil},
		"a hidden client's risk, the pool's": {"RiskConfiguration", "set-risk-configuration-of-client", `"clientId": "` + web + `"`, `"clientId": "HIDDEN_DUE_TO_SECURITY_REASONS", "riskExceptionConfiguration": {}`, nil},
		"a hidden client's risk, its own":    {"ClientRisk", "set-risk-configuration-of-client", `"clientId": "` + web + `"`, `"clientId": "HIDDEN_DUE_TO_SECURITY_REASONS", "riskExceptionConfiguration": {}`, names(clientsOwn + "RiskConfiguration.RiskExceptionConfiguration")},
		"a group":                            {"UserPool", "update-group", "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile("../event/testdata/" + c.fixture + ".json")
			if err != nil {
				t.Fatal(err)
			}
			payload := strings.ReplaceAll(string(raw), c.old, c.changed)
			if c.old == "" {
				payload = string(raw)
			} else if payload == string(raw) {
				t.Fatal("the fixture has nothing of that")
			}
			theirs := event.Decode([]byte(payload), home)
			if theirs.Kind != event.One {
				t.Fatalf("%+v", theirs)
			}
			w, ours := withEverything(t, cognitotest.Measured), ourWrites[c.our]
			*w.now = theirs.Cause.Time.Add(500 * time.Millisecond)
			ours.tamper(w)
			sweep := event.Request{Kind: event.One, UserPoolID: poolID, Cause: event.Cause{EventID: "sweep", EventName: "Reconcile User Pool", Time: w.time()}}
			if out := w.answer(t, parse(t, ours.required), sweep); !slices.Equal(out.Writes, names(ours.call)) {
				t.Fatalf("%s (%s) by %v", out.Outcome, out.Reason, out.Writes)
			}
			w.pass(time.Minute)
			out := w.answer(t, parse(t, ours.required), theirs)
			if diff := cmp.Diff(c.want, out.Overwritten, cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("%s (%s), overwritten (-want +got):\n%s", out.Outcome, out.Reason, diff)
			}
		})
	}
}

// inputs are the SDK's requests of the calls that change a document.
var inputs = map[string]reflect.Type{
	"SetLogDeliveryConfiguration": reflect.TypeFor[cognito.SetLogDeliveryConfigurationInput](),
	"SetRiskConfiguration":        reflect.TypeFor[cognito.SetRiskConfigurationInput](),
	"SetUserPoolMfaConfig":        reflect.TypeFor[cognito.SetUserPoolMfaConfigInput](),
	"TagResource":                 reflect.TypeFor[cognito.TagResourceInput](),
	"UntagResource":               reflect.TypeFor[cognito.UntagResourceInput](),
	"UpdateUserPool":              reflect.TypeFor[cognito.UpdateUserPoolInput](),
	"UpdateUserPoolClient":        reflect.TypeFor[cognito.UpdateUserPoolClientInput](),
}

// TestTableKnowsEveryParameter holds the table of calls against the SDK: each parameter of a call that changes what is there is a member of a document that the call writes, or stands in the table, with
// a setting of a document that the call changes or as one that sets nothing; and the table has no other.
func TestTableKnowsEveryParameter(t *testing.T) {
	t.Parallel()
	for _, call := range event.Table() {
		input, ok := inputs[call.Name]
		if needed := len(call.Changes) > 0 && !call.New; ok != needed {
			t.Errorf("%s: the SDK's request is here: %v", call.Name, ok)
		}
		if !ok {
			if len(call.Parameters) > 0 {
				t.Errorf("%s needs no parameters in the table", call.Name)
			}
			continue
		}
		sdk := map[string]bool{}
		for i := range input.NumField() {
			if field := input.Field(i); field.IsExported() {
				sdk[strings.ToLower(field.Name[:1])+field.Name[1:]] = true
			}
		}
		var members []string
		for _, kind := range call.Changes {
			if table, _ := baseline.DocumentName(kind).Table(); table.WriteCall == call.Name {
				for _, m := range table.Members {
					if m.Trip != baseline.ReadOnly {
						members = append(members, strings.ToLower(m.Name[:1])+m.Name[1:])
					}
				}
			}
		}
		for _, p := range call.Parameters {
			if !sdk[p.Name] || slices.Contains(members, p.Name) {
				t.Errorf("%s has no parameter %s, or it sets the member of its name", call.Name, p.Name)
			}
			if p.Sets != "" && !slices.ContainsFunc(call.Changes, func(kind string) bool { return len(baseline.DocumentName(kind).Holds(p.Sets)) > 0 }) {
				t.Errorf("%s sets %s, which is in none of the documents that %s changes", p.Name, p.Sets, call.Name)
			}
			members = append(members, p.Name)
		}
		for name := range sdk {
			if !slices.Contains(members, name) {
				t.Errorf("%s: the table lacks %s", call.Name, name)
			}
		}
	}
}

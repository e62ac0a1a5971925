package reconcile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

var ours = event.Home{Account: "111122223333", Region: "eu-west-1"}

// forged is an event as somebody makes it who may invoke the function: of the call, with these parameters, by the
// role.
func forged(name, parameters, role string) string {
	return `{"source":"aws.cognito-idp","detail-type":"AWS API Call via CloudTrail","account":"111122223333",` +
		`"region":"eu-west-1","detail":{"eventSource":"cognito-idp.amazonaws.com","eventName":"` + name +
		`","eventID":"FORGED","awsRegion":"eu-west-1","recipientAccountId":"111122223333","userIdentity":` +
		`{"arn":"FORGED","sessionContext":{"sessionIssuer":{"arn":"` + role + `"}}},"requestParameters":` + parameters + `}}`
}

// forgeries are the events of TestForgedEvents.
func forgeries() map[string]string {
	const id = `"userPoolId":"` + poolID + `"`
	const weak = id + `,"deletionProtection":"INACTIVE","DeletionProtection":"INACTIVE","poolName":"FORGED",` +
		`"userPoolTags":{"FORGED":"FORGED"},"lambdaConfig":{"preSignUp":"FORGED"}`
	deep := strings.Repeat(`{"FORGED":`, 5000) + `1` + strings.Repeat(`}`, 5000)
	update := func(parameters string) string { return forged("UpdateUserPool", parameters, "FORGED") }
	return map[string]string{
		"weak parameters":     update(`{` + weak + `}`),
		"of other calls":      forged("SetUserPoolMfaConfig", `{`+weak+`,"mfaConfiguration":"OFF"}`, "FORGED"),
		"as after a deletion": forged("DeleteUserPool", `{`+weak+`}`, "FORGED"),
		"two ids":             update(`{` + id + `,"UserPoolId":"eu-west-1_FORGED"}`),
		"the id twice":        update(`{"userPoolId":"eu-west-1_FORGED",` + id + `}`),
		"two details": strings.Replace(update(`{`+weak+`}`), `{"source"`,
			`{"detail":{"eventName":"FORGED"},"source"`, 1),
		"deep":                  update(`{` + weak + `,"deep":` + deep + `}`),
		"deep, in place of ids": update(`{"userPoolId":` + deep + `}`),
		"deeper than is read":   strings.Repeat(`{"detail":`, 50000),
		"huge":                  update(`{` + weak + `,"much":"` + strings.Repeat("FORGED", 1<<20) + `"}`),
		"no UTF-8":              forged("UpdateUserPool", `{`+weak+",\"\xff\":\"\xfe\\ud800\"}", "FORGED\xff"),
		"numbers":               update(`{` + weak + `,"n":1e999999999,"m":` + strings.Repeat("9", 100000) + `}`),
		"of ourselves":          `{"source":"poolkeeper","detail-type":"Reconcile User Pool","detail":{` + weak + `}}`,
		"without parameters":    update(`null`),
		"by our own role":       forged("UpdateUserPool", `{`+weak+`}`, ownRole),
	}
}

// TestForgedEvents: whatever an event says, the most that comes of it is that a pool is read and brought to the
// baseline. Nothing that it holds is ever sent to Cognito, but for the id of a pool.
func TestForgedEvents(t *testing.T) {
	t.Parallel()
	for name, payload := range forgeries() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.rich(unprotected)
			before := b.snapshot(t)
			r := b.reconciler(require(t, deletionProtection))
			if _, err := handle(t.Context(), r, []byte(payload), ours); err != nil {
				t.Fatalf("%.200v", err)
			}
			for _, call := range b.fake.Calls() {
				if bytes.Contains(call.Body, []byte("FORGED")) {
					t.Errorf("%s was sent what the event holds", call.Operation)
				}
			}
			if moved := difference(before, b.snapshot(t)); len(moved) > 0 && !cmp.Equal(moved, []string{"DeletionProtection"}) {
				t.Errorf("it moved %v", moved)
			}
			if len(b.writes()) > 0 && b.snapshot(t)["DeletionProtection"] != `"ACTIVE"` {
				t.Error("it wrote, and not the baseline")
			}
		})
	}
}

// TestForgedOwnRole: an event that claims to be of our own write is not answered with a write, and is reported; the
// true event still puts the pool right.
func TestForgedOwnRole(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	r := b.reconciler(require(t, deletionProtection))
	const parameters = `{"userPoolId":"` + poolID + `"}`
	out, err := handle(t.Context(), r, []byte(forged("UpdateUserPool", parameters, ownRole)), ours)
	if err != nil || out.Outcome != outcome.Drifted || len(b.writes()) > 0 {
		t.Errorf("first: %s, wrote %v: %v", out.Outcome, b.writes(), err)
	}
	role := "arn:aws:iam::111122223333:role/AppAdmin"
	out, err = handle(t.Context(), r, []byte(forged("UpdateUserPool", parameters, role)), ours)
	if err != nil || out.Outcome != outcome.Remediated {
		t.Errorf("then: %s: %v", out.Outcome, err)
	}
}

// TestHostileAnswers: an answer that is made to harm, of any read, leads to no write; when answers are good again, the
// event that is delivered again puts the pool right.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	bomb := gzip.NewWriter(&zipped)
	_, _ = bomb.Write(make([]byte, 16<<20))
	_ = bomb.Close()
	const pool = `{"UserPool":{"Id":"` + poolID + `","MfaConfiguration":"OFF"`
	const mfa = `},"MfaConfiguration":"OFF"`
	every := map[string]scenario{}
	for name, c := range map[string]struct{ body, says string }{
		"a bomb":              {zipped.String(), "not a JSON object"},
		"more than is read":   {pool + mfa + `,"Padding":"` + strings.Repeat("x", 3<<20) + `"}`, "larger than"},
		"two answers":         {pool + mfa + `}{}`, "after the JSON object"},
		"deeper than is read": {strings.Repeat(`{"UserPool":`, 50000), "not a JSON object"},
		"deep": {pool + `,"UserPoolTags":{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}` + mfa + `}`,
			"nested deeper"},
		"a member twice": {pool + `,"DeletionProtection":"ACTIVE","DeletionProtection":"INACTIVE"` + mfa +
			`,"MfaConfiguration":"ON"}`, "duplicated"},
		"half a character": {pool + `,"EmailVerificationMessage":"\ud83d {####}"},"MfaConfiguration":"\ud83d"}`,
			"not valid Unicode"},
		"bytes that are no text": {pool + ",\"Name\":\"\xff\"},\"MfaConfiguration\":\"\xff\"}", "not valid Unicode"},
	} {
		for _, read := range all("DescribeUserPool", "GetUserPoolMfaConfig") {
			hostile := ends(outcome.Deferred, c.says, answeredRead(read, c.body))
			hostile.lacks = strings.Repeat("x", 5000)
			every[name+" for "+read] = hostile
		}
	}
	runAll(t, every)
}

// TestPlantedTexts: whoever may change a pool can plant what they like in its texts. It hinders no remediation, and
// goes back as it came.
func TestPlantedTexts(t *testing.T) {
	t.Parallel()
	for _, nasty := range []string{"\n\r\t\x1b[2J", "\u202e\u2028\ufeff", `"},"DeletionProtection":"INACTIVE","x":{"`,
		"\\ud83d", "\U0001f600\ufffd", "%n%s${jndi:ldap://x}", "<script>&amp;", "a.b.c", "aws", "*", "Clients[x].y",
		"UserPoolTags.x"} {
		b := serve(t, cognitotest.Contract)
		b.rich(alsoUnprotected("Name", "pool "+nasty, "UserPoolTags", map[string]any{nasty: nasty, "z": nasty + " "},
			"EmailVerificationMessage", nasty+" {####} ", "VerificationMessageTemplate.EmailMessage", nasty+" {####} ",
			"AdminCreateUserConfig.InviteMessageTemplate.SMSMessage", nasty+"{username} {####}"))
		before := b.snapshot(t)
		// The fake checks texts as the API does, which would refuse some of these.
		out := b.reconcile(t, require(t, deletionProtection))
		moved := difference(before, b.snapshot(t))
		switch {
		case out.Outcome == outcome.Remediated && cmp.Equal(moved, []string{"DeletionProtection"}):
		case out.Outcome == outcome.Unfixable && len(moved) == 0 && strings.Contains(out.Reason, "InvalidParameter"):
		default:
			t.Errorf("%q: %s (%s), moved %v", nasty, out.Outcome, out.Reason, moved)
		}
		if _, err := json.Marshal(out); err != nil {
			t.Errorf("%q: %v", nasty, err)
		}
	}
}

// TestEscapeBySelection: who renames or tags a pool in the call that weakens it gets it out of a rule exactly where
// the baseline was warned of.
func TestEscapeBySelection(t *testing.T) {
	t.Parallel()
	for pools, escapes := range map[string]bool{
		"{ids: [" + poolID + "]}":                               false,
		"{names: [\"*\"]}":                                      false,
		"{except: {ids: [eu-west-1_other]}}":                    false,
		"{names: [customers]}":                                  true,
		"{tags: {env: [prod]}}":                                 true,
		"{ids: [" + poolID + "], names: [customers]}":           true,
		"{ids: [" + poolID + "], tags: {env: [prod]}}":          true,
		"{except: {names: [sandbox]}}":                          true,
		"{ids: [" + poolID + "], except: {tags: {env: [dev]}}}": true,
	} {
		b := serve(t, cognitotest.Contract)
		b.rich(alsoUnprotected("Name", "customers", "UserPoolTags", map[string]any{"env": "prod"}))
		required := parse(t, "version: 1\nrules: [{name: a, pools: "+pools+", require: {DeletionProtection: ACTIVE}}]\n")
		if out := b.reconcile(t, required); out.Outcome != outcome.Remediated {
			t.Errorf("%s: %s before the attack", pools, out.Outcome)
		}
		b.fake.Edit(poolID, alsoUnprotected("Name", "sandbox", "UserPoolTags", map[string]any{"env": "dev"}))
		escaped := b.reconcile(t, required).Outcome != outcome.Remediated
		warned := false
		for _, l := range required.Lint(clock) {
			warned = warned || l.ID == "mutable-selection"
		}
		if escaped != escapes || warned != escapes {
			t.Errorf("%s: escaped %t, warned %t", pools, escaped, warned)
		}
	}
}

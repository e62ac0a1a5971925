package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

const futureWants = "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE, " +
	"SoftwareTokenMfaConfiguration: {Enabled: true}}, clients: [{names: ['web-*'], require: " +
	"{PreventUserExistenceErrors: ENABLED}}]}]\n"

// planted plants a pool that drifts in three documents.
func (b *bench) planted(plant func(pool, mfa, client map[string]any)) {
	b.whole(nil)
	client := b.fake.Client(poolID, web)
	client["PreventUserExistenceErrors"] = "LEGACY"
	b.fake.Edit(poolID, func(pool, mfa map[string]any) {
		unprotected(pool, mfa)
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
		plant(pool, mfa, client)
	})
	b.fake.PutClient(poolID, web, client)
}

// TestUnknownMembers: a member that this build does not know goes back as it was read, and the finding of the write
// names it and its document, unless the baseline says something else of its path, its document, or every one.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	entropy := func(pool, _, _ map[string]any) {
		object(pool, "Policies", "PasswordPolicy")["Entropy"] = json.Number("40")
	}
	pool := func(pool, _, _ map[string]any) { pool["FutureThing"] = map[string]any{"On": true} }
	mfa := func(_, mfa, _ map[string]any) { mfa["FutureThing"] = map[string]any{"On": true} }
	client := func(_, _, client map[string]any) { client["FutureThing"] = map[string]any{"On": true} }
	const poolLeaf, mfaLeaf, clientLeaf = "FutureThing.On", "mfa:FutureThing.On", "Clients[" + web + "].FutureThing.On"
	const entropyLeaf = "Policies.PasswordPolicy.Entropy"
	const none = ""
	for name, c := range map[string]struct {
		plant    func(pool, mfa, client map[string]any)
		say      string
		unwanted string // the write that is not made
		says     string
		leaf     string
		want     string
	}{
		"pool":                  {pool, "", none, "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, echo":            {pool, "FutureThing: echo", none, "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, omit":            {pool, "FutureThing: omit", none, "", poolLeaf, ""},
		"pool, stop":            {pool, "FutureThing: stop", "UpdateUserPool", "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, stop all":        {pool, `"*": stop`, "UpdateUserPool", "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, stop document":   {pool, "UserPool: stop", "UpdateUserPool", "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, by both":         {pool, "UserPool.FutureThing: omit, UserPool: stop", none, "", poolLeaf, ""},
		"document before all":   {pool, `UserPool: omit, "*": stop`, none, "", poolLeaf, ""},
		"path before document":  {pool, "LogDelivery: stop, UserPool: stop, FutureThing: omit", none, "", poolLeaf, ""},
		"other document":        {pool, "MfaConfig: stop, AppClient: stop", none, "FutureThing (UserPool)", poolLeaf, "true"},
		"nested":                {entropy, "", none, entropyLeaf + " (UserPool)", entropyLeaf, "40"},
		"nested, omit":          {entropy, entropyLeaf + ": omit", none, "", entropyLeaf, ""},
		"nested, stop":          {entropy, entropyLeaf + ": stop", "UpdateUserPool", entropyLeaf, entropyLeaf, "40"},
		"nested, by document":   {entropy, "UserPool." + entropyLeaf + ": omit", none, "", entropyLeaf, ""},
		"MFA":                   {mfa, "", none, "FutureThing (MfaConfig)", mfaLeaf, "true"},
		"MFA, stop":             {mfa, "MfaConfig: stop", "SetUserPoolMfaConfig", "FutureThing (MfaConfig)", mfaLeaf, "true"},
		"client":                {client, "", none, "Clients[" + web + "].FutureThing (AppClient)", clientLeaf, "true"},
		"client, omit":          {client, `"Clients[].FutureThing": omit`, none, "", clientLeaf, ""},
		"client, omit this":     {client, `"Clients[` + web + `].FutureThing": omit`, none, "", clientLeaf, ""},
		"client, other client":  {client, `"Clients[mobile].FutureThing": omit`, none, "FutureThing", clientLeaf, "true"},
		"client, like the pool": {client, "FutureThing: omit", none, "FutureThing (AppClient)", clientLeaf, "true"},
		"client, stop": {client, `"Clients[].FutureThing": stop`, "UpdateUserPoolClient", "FutureThing (AppClient)",
			clientLeaf, "true"},
		"client, document": {client, "AppClient: stop", "UpdateUserPoolClient", "FutureThing (AppClient)", clientLeaf,
			"true"},
		"a member of another document": {func(pool, _, _ map[string]any) {
			pool["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false, "New": "x"}
		}, "", none, "SoftwareTokenMfaConfiguration (UserPool)", "SoftwareTokenMfaConfiguration.New", `"x"`},
		"a member of another document, omit": {func(pool, _, _ map[string]any) {
			pool["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false, "New": "x"}
		}, "UserPool.SoftwareTokenMfaConfiguration: omit", none, "", "SoftwareTokenMfaConfiguration.New", ""},
		"in a list": {func(pool, _, _ map[string]any) {
			mechanisms := pool["AccountRecoverySetting"].(map[string]any)["RecoveryMechanisms"].([]any)
			mechanisms[0].(map[string]any)["Delay"] = json.Number("3")
		}, "", none, "RecoveryMechanisms.Delay (UserPool)", "", ""},
		"empty and null": {func(pool, _, _ map[string]any) {
			pool["FutureThing"], pool["Other"] = map[string]any{}, nil
		}, `"*": stop`, none, "", "", ""},
		"in a read-only member": {func(pool, _, _ map[string]any) {
			pool["SchemaAttributes"] = list(map[string]any{"Name": "sub", "New": true})
		}, `"*": stop`, none, "", "", ""},
		"a known member of a strange shape": {func(pool, _, _ map[string]any) { pool["LambdaConfig"] = "hidden" },
			`"*": echo`, "UpdateUserPool", "LambdaConfig (UserPool): its type is", "LambdaConfig", `"hidden"`},
	} {
		for mode, m := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := serve(t, m, cognitotest.WithoutValidators())
				b.planted(c.plant)
				out := b.reconcile(t, parse(t, futureWants+"unknownMembers: {"+c.say+"}\n"))
				ending := outcome.Remediated
				if c.unwanted != none {
					ending = outcome.Partial
				}
				if out.Outcome != ending || !strings.Contains(fmt.Sprint(out.Drifts), c.says) {
					t.Errorf("%s (%s), %v, want %s with %q", out.Outcome, out.Reason, out.Drifts, ending, c.says)
				}
				wanted := all("UpdateUserPool", "SetUserPoolMfaConfig", "UpdateUserPoolClient")
				wanted = slices.DeleteFunc(wanted, func(call string) bool { return call == c.unwanted })
				if !slices.Equal(out.Writes, wanted) {
					t.Errorf("wrote %v, want %v", out.Writes, wanted)
				}
				if got := b.snapshot(t)[c.leaf]; got != c.want && (m == cognitotest.Contract || c.want != "") {
					t.Errorf("%s is %q, want %q", c.leaf, got, c.want)
				}
			})
		}
	}
}

// TestUnknownMemberMoves: an unknown member that our write moves is critical, and its document is left alone for 24
// hours, unless the baseline decides. One that moves without us counts for nothing.
func TestUnknownMemberMoves(t *testing.T) {
	t.Parallel()
	changed, gone, added := sets("FutureThing", "b"), sets("FutureThing", nil), sets("Other", true)
	for name, c := range map[string]struct {
		change func(pool, mfa map[string]any)
		after  time.Duration
		say    string
		want   outcome.Ending
	}{
		"changed, at once":      {changed, time.Minute, "", outcome.Unfixable},
		"gone, a day later":     {gone, 23 * time.Hour, "", outcome.Unfixable},
		"gone, two days later":  {gone, 25 * time.Hour, "", outcome.Remediated},
		"new, decided":          {added, time.Hour, "Other: echo", outcome.Remediated},
		"new, not decided":      {added, time.Hour, "Else: echo", outcome.Unfixable},
		"new, document decided": {added, time.Hour, "UserPool: echo", outcome.Remediated},
	} {
		for mode, m := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := serve(t, m)
				b.rich(alsoUnprotected("FutureThing", "a"))
				b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Change: c.change})
				required := parse(t, oneRule(protects)+"unknownMembers: {"+c.say+"}\n")
				out := b.answer(t, required, onPool(event.Cause{EventID: "one"}))
				if out.Outcome != outcome.Unconverged || !out.Critical || !strings.Contains(out.Reason, "(UserPool): ") ||
					!strings.Contains(out.Reason, "which poolkeeper does not know") {
					t.Errorf("%s, critical %t (%s)", out.Outcome, out.Critical, out.Reason)
				}
				b.fake.Edit(poolID, unprotected)
				b.pass(c.after)
				out = b.answer(t, required, onPool(event.Cause{EventID: "two"}))
				stopped := strings.Contains(out.Reason, "(UserPool): a write by poolkeeper changed it")
				if out.Outcome != c.want || stopped != (c.want == outcome.Unfixable) {
					t.Errorf("later: %s (%s), want %s", out.Outcome, out.Reason, c.want)
				}
			})
		}
	}
}

// TestRefusedEcho: a document whose unknown member is refused is left alone, with the member's name, however the
// service says so.
func TestRefusedEcho(t *testing.T) {
	t.Parallel()
	echo := func(message string, most int) scenario {
		return scenario{pool: alsoUnprotected("FutureThing", "secret text", "Name", "other", "mfa:"+totp, false),
			rule: "PoolName: customers\nUserPoolTier: PLUS\n" + deletionProtection + "\n" + totpOptional,
			faults: []cognitotest.Fault{{Operation: "UpdateUserPool", Error: "InvalidParameterException",
				Message: message + ": secret text", When: func(body map[string]any) bool { return body["FutureThing"] != nil }}},
			left: all(protected, "PoolName"), fixed: all(totp), says: "FutureThing (UserPool)", lacks: "secret text", most: most}
	}
	runAll(t, map[string]scenario{"named": echo("Unexpected member FutureThing", 4), "not named": echo("no", mostTries)})
}

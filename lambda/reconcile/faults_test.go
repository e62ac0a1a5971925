package reconcile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
)

const deletionProtection = "DeletionProtection: ACTIVE"

func unprotected(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" }

func fails(operation, code, message string) cognitotest.Fault {
	return cognitotest.Fault{Operation: operation, Error: code, Message: message}
}

func refusedWrite(code, message string) cognitotest.Fault {
	return fails("UpdateUserPool", code, message)
}

func refusedRead(code, message string) cognitotest.Fault {
	return fails("DescribeUserPool", code, message)
}

func answeredRead(operation, body string) cognitotest.Fault {
	return cognitotest.Fault{Operation: operation, Body: []byte(body)}
}

// lostWrite is a write whose answer does not come.
func lostWrite(times int, applied bool) cognitotest.Fault {
	return cognitotest.Fault{Operation: "UpdateUserPool", Times: times, Drop: true, Apply: applied}
}

func times(n int, f cognitotest.Fault) cognitotest.Fault {
	f.Times = n
	return f
}

func skips(n int, f cognitotest.Fault) cognitotest.Fault {
	f.Skip = n
	return f
}

// struck is the loss of the deletion protection, and a fault in its remediation.
func struck(faults ...cognitotest.Fault) scenario {
	return scenario{pool: unprotected, rule: deletionProtection, faults: faults, fixed: all(protected)}
}

// ends is such a scenario that ends with the protection not fixed.
func ends(as outcome.Ending, says string, faults ...cognitotest.Fault) scenario {
	c := struck(faults...)
	c.outcome, c.says, c.fixed = as, says, nil
	if as != outcome.Ignored {
		c.left = all(protected)
	}
	return c
}

// odd is an answer of a further document that is none of what was asked for.
func odd(operation, body, says string) scenario {
	c := ends(outcome.Deferred, says, answeredRead(operation, body))
	c.rule = allDocuments
	return c
}

const (
	throttled = "TooManyRequestsException"
	goneCode  = "ResourceNotFoundException"
	replica   = "OperationNotEnabledException"
	smsRoleIs = "(the role for text messages is arn:aws:iam::111122223333:role/cognito-sms)"
)

// faultCases have each class of error once. TestClassify says which error is of which class.
var faultCases = map[string]scenario{
	"throttled read":           struck(times(2, refusedRead(throttled, ""))),
	"throttled read for good":  ends(outcome.Deferred, throttled, refusedRead(throttled, "")),
	"throttled write":          struck(times(2, refusedWrite(throttled, ""))),
	"throttled write for good": ends(outcome.Deferred, throttled, refusedWrite(throttled, "")),
	"server fault after applying": struck(cognitotest.Fault{Operation: "UpdateUserPool", Error: "InternalErrorException",
		Status: 500, Apply: true, Times: 1}),
	"connection lost before applying": struck(lostWrite(1, false)),
	"connection lost after applying":  struck(lostWrite(1, true)),
	"connection lost before applying, then refused": {pool: unprotected, rule: deletionProtection, left: all(protected),
		says: "something new", writes: []string{},
		faults: []cognitotest.Fault{lostWrite(1, false), refusedWrite("InvalidParameterException", "something new")}},
	"connection lost for good": ends(outcome.Deferred, "no answer", lostWrite(0, false)),
	"import in progress": ends(outcome.Deferred, "UserImportInProgressException",
		refusedWrite("UserImportInProgressException", "busy importing")),
	"write denied": ends(outcome.Unfixable, "iam:PassRole", refusedWrite("AccessDeniedException",
		"not authorized to perform: iam:PassRole on resource: sms")),
	"read denied": {pool: unprotected, rule: deletionProtection, outcome: outcome.Unfixable, says: "cognito-idp:Describe",
		faults: []cognitotest.Fault{refusedRead("AccessDeniedException",
			"not authorized to perform: cognito-idp:DescribeUserPool")}},
	"read denied after the first": {pool: unprotected, rule: deletionProtection, outcome: outcome.Unfixable,
		says:   "reconciling user pool " + poolID + ": calling DescribeUserPool",
		faults: []cognitotest.Fault{{Operation: "DescribeUserPool", Skip: 1, Error: "AccessDeniedException"}}},
	"refused": ends(outcome.Unfixable, "something new", refusedWrite("InvalidParameterException", "something new")),
	// A role that is new may be seen a moment later.
	"SMS role not yet seen": struck(times(1, refusedWrite("InvalidSmsRoleTrustRelationshipException", "no trust"))),
	"SMS role broken": ends(outcome.Unfixable, "cannot publish "+smsRoleIs,
		refusedWrite("InvalidSmsRoleAccessPolicyException", "cannot publish")),
	"SMS role broken, in other words": ends(outcome.Unfixable, smsRoleIs, refusedWrite("InvalidParameterException",
		"Role does not have a trust relationship allowing Cognito to assume the role")),
	"gone before the read":     ends(outcome.Ignored, "no such user pool", refusedRead(goneCode, "gone")),
	"secondary replica, read":  ends(outcome.Ignored, "primary", refusedRead(replica, "secondary")),
	"secondary replica, write": ends(outcome.Ignored, "primary", refusedWrite(replica, "secondary")),
	"unknown code":             ends(outcome.Deferred, "BrandNewException", refusedWrite("BrandNewException", "hm")),
	"an answer that is no pool": ends(outcome.Deferred, "the response has no UserPool",
		answeredRead("DescribeUserPool", `{}`)),
	"an answer of another pool": ends(outcome.Deferred, "for another pool",
		answeredRead("DescribeUserPool", `{"UserPool":{"Id":"eu-west-1_Other0001"}}`)),
	"a risk without itself": odd("DescribeRiskConfiguration", `{}`, "the response has no RiskConfiguration"),
	"another pool's risk": odd("DescribeRiskConfiguration", `{"RiskConfiguration":{"UserPoolId":"eu-west-1_Other0001"}}`,
		"for another pool"),
	"another client's risk": odd("DescribeRiskConfiguration", `{"RiskConfiguration":{"ClientId":"other"}}`,
		"for another client"),
	"logs that are none": odd("GetLogDeliveryConfiguration", `{"LogDeliveryConfiguration":[]}`,
		"the response has no LogDeliveryConfiguration"),
	"another pool's logs": odd("GetLogDeliveryConfiguration",
		`{"LogDeliveryConfiguration":{"UserPoolId":"eu-west-1_Other0001"}}`, "for another pool"),
	"a client without itself": odd("DescribeUserPoolClient", `{}`, "the response has no UserPoolClient"),
	"another client": odd("DescribeUserPoolClient", `{"UserPoolClient":{"ClientId":"other"}}`,
		"for another client"),
	"a list that is no object":  odd("ListUserPoolClients", `<html>`, ""),
	"an answer that is no JSON": ends(outcome.Deferred, "", answeredRead("DescribeUserPool", `<html>`)),
	// It would read as MFA off.
	"an MFA answer that is empty": ends(outcome.Deferred, "MfaConfiguration", answeredRead("GetUserPoolMfaConfig", `{}`)),
	"accepted, but not applied": ends(outcome.Unconverged, "not have the written value", cognitotest.Fault{
		Operation: "UpdateUserPool", Change: unprotected}),
	"deleted between the read and the write": ends(outcome.Ignored, "", refusedWrite(goneCode, "no pool"),
		skips(1, refusedRead(goneCode, "no pool"))),
	// The next plan is made of the pool as it is then.
	"somebody else writes between the read and the write": {pool: unprotected, rule: deletionProtection,
		fixed: all(protected), moves: all("UserPoolTags.added=meanwhile"), faults: []cognitotest.Fault{{
			Operation: "UpdateUserPool", Times: 1, Error: "ConcurrentModificationException",
			Then: func(s *cognitotest.Server) { s.Edit(poolID, sets("UserPoolTags.added", "meanwhile")) }}}},
	"accepted, and something else moved": {pool: unprotected, rule: deletionProtection, fixed: all(protected),
		outcome: outcome.Unconverged, says: `UserPoolTags.team (UserPool): \"identity\" -\u003e absent`,
		moves: all("UserPoolTags.team="), faults: []cognitotest.Fault{{Operation: "UpdateUserPool", Times: 1,
			Change: sets("UserPoolTags.team", nil)}}},
	"verification cannot be read": {pool: unprotected, rule: deletionProtection, outcome: outcome.Deferred,
		moves: all(protected + "=ACTIVE"), says: throttled,
		faults: []cognitotest.Fault{skips(2, refusedRead(throttled, ""))}},
	"the first of two writes is lost, and was applied": {rule: codesOff, fixed: all("MfaConfiguration", totp, factors),
		pool: offWithCodes, faults: []cognitotest.Fault{lostWrite(1, true)},
		writes: all("SetUserPoolMfaConfig", "UpdateUserPool")},
	// What the first write fixed stays fixed.
	"the second of two writes is refused": {rule: codesOff, pool: offWithCodes, fixed: all(factors),
		left: all("MfaConfiguration", totp), says: "not today",
		faults: []cognitotest.Fault{fails("SetUserPoolMfaConfig", "InvalidParameterException", "not today")}},
	"a setting that held breaks meanwhile": {rule: deletionProtection + "\n" + atLeast12, pool: unprotected,
		fixed: all(protected, policy+"MinimumLength"), moves: all(policy + "MinimumLength=12"),
		faults: []cognitotest.Fault{{Operation: "UpdateUserPool", Times: 1,
			Change: sets(policy+"MinimumLength", json.Number("6"))}}},
	"one of three settings is refused": {fixed: all(protected, policy+"RequireSymbols"),
		pool: alsoUnprotected(policy+"PasswordHistorySize", nil, policy+"RequireSymbols", false),
		rule: deletionProtection + "\nPolicies: {PasswordPolicy: {PasswordHistorySize: 3, RequireSymbols: true}}",
		left: all(policy + "PasswordHistorySize"), faults: []cognitotest.Fault{{Operation: "UpdateUserPool",
			Error: "FeatureUnavailableInTierException", Message: "feature not available",
			When: func(body map[string]any) bool { return deep(body, policy+"PasswordHistorySize") != nil }}}},
	"one of two is refused with an unknown code": {
		pool:  edits(unprotected, sets(policy+"MinimumLength", json.Number("8"))),
		rule:  deletionProtection + "\nPolicies: {PasswordPolicy: {MinimumLength: 20}}",
		fixed: all(protected), left: all(policy + "MinimumLength"), says: "BrandNewException",
		faults: []cognitotest.Fault{{Operation: "UpdateUserPool", Error: "BrandNewException",
			When: func(body map[string]any) bool { return fmt.Sprint(deep(body, policy+"MinimumLength")) == "20" }}}},
	"one is refused beside two that need a third": {
		pool: edits(totpOnly("OPTIONAL"), sets("AutoVerifiedAttributes", nil, verifies, nil, factors, list("PASSWORD"))),
		left: all("UserPoolTags.team"),
		rule: "AutoVerifiedAttributes: [phone_number]\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: " +
			"[PASSWORD, SMS_OTP]}}\nSmsConfiguration: {exactly: " + ownSender + "}\nUserPoolTags: {team: x}",
		fixed: all("AutoVerifiedAttributes", factors, "SmsConfiguration"),
		faults: []cognitotest.Fault{{Operation: "UpdateUserPool", Error: "UserPoolTaggingException", Message: "no",
			When: func(body map[string]any) bool { return deep(body, "UserPoolTags.team") == "x" }}}},
	// The service wants them under the newer name, says so, and gets them.
	"older validity days are moved": {pool: edits(unprotected, unusual["the older validity days alone"]),
		rule: deletionProtection, fixed: all(protected), moves: all(days+"=9", olderDays),
		faults: []cognitotest.Fault{times(1, refusedWrite("InvalidParameterException",
			"Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"))}},
	"settings that are refused without each other, beside a third": {faults: tooLong,
		pool:  sets("UserPoolTier", "ESSENTIALS", "UserPoolAddOns", nil, policy+"MinimumLength", json.Number("8")),
		rule:  "UserPoolTier: PLUS\n" + enforced + "\nPolicies: {PasswordPolicy: {MinimumLength: 20}}",
		fixed: all("UserPoolTier", threat), left: all(policy + "MinimumLength")},
	// What was refused is tried once more after a later unit wrote: what the first pass found is not forgotten over it.
	"a setting does not hold, and another is tried again": secondPass(unprotected, "does not have the written value",
		all(protected)),
	"a setting moved, and another is tried again":   secondPass(meanwhile, "UserPoolTags.meanwhile", nil),
	"a setting moved, and another is written later": writtenLater(secondPass(meanwhile, "UserPoolTags.meanwhile", nil)),
	"a setting that is refused, and what a later unit writes": {refused: true, left: all("SmsMfaConfiguration"),
		rule: noTextFactor + "\nPolicies: {PasswordPolicy: {MinimumLength: 20}}\n" +
			"RiskConfiguration: {AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: NO_ACTION}}}}",
		fixed: all(policy+"MinimumLength", takeover+".Actions.HighAction.EventAction")},
	"an unknown member that differs at every read": {pool: alsoUnprotected("Reads", json.Number("1")),
		rule: deletionProtection, fixed: all(protected), moves: all("Reads"), faults: []cognitotest.Fault{{
			Operation: "DescribeUserPool", Then: func(s *cognitotest.Server) {
				pool, _, _ := s.Pool(poolID)
				n, _ := pool["Reads"].(json.Number).Int64()
				s.Edit(poolID, sets("Reads", json.Number(fmt.Sprint(n+1))))
			}}}},
	// What one of the service's own rules refuses.
	"an identity that SES does not know": refusedByTheService(
		"EmailConfiguration: {SourceArn: 'arn:aws:ses:eu-west-1:111122223333:identity/nobody.example'}", "not verified",
		"EmailConfiguration.SourceArn"),
	"a trigger that is no function": refusedByTheService(
		"LambdaConfig: {PreSignUp: 'arn:aws:lambda:eu-west-1:111122223333:function:nobody'}", "Invalid lambda function ARN",
		"LambdaConfig.PreSignUp"),
	"a role that the caller may not pass": refusedByTheService(
		"SmsConfiguration: {SnsCallerArn: 'arn:aws:iam::111122223333:role/nobody'}", "iam:PassRole",
		"SmsConfiguration.SnsCallerArn"),
	"recovery by phone beside SMS MFA": refusedByTheService(
		"AccountRecoverySetting: {RecoveryMechanisms: [{Name: verified_phone_number, Priority: 1}]}",
		"verified_phone_number", recovery),
	// It is in the write whose answer was lost, and is left out once the pool shows its tier, after the next one.
	"a tier that shows only after a write": {refused: true, fixed: all(protected, policy+"MinimumLength",
		policy+"RequireSymbols"), left: all(threat), says: "PLUS", moves: all("UserPoolTier"),
		pool: alsoUnprotected("UserPoolTier", nil, threat, "OFF",
			"UserPoolAddOns.AdvancedSecurityAdditionalFlows", nil),
		rule: deletionProtection + "\n" + enforced +
			"\nPolicies: {PasswordPolicy: {MinimumLength: 20, RequireSymbols: false}}",
		faults: []cognitotest.Fault{lostWrite(1, false)}},
	// Turning MFA on without the SMS block takes the pool's sender, which the next write brings back, in the next try, or
	// once the event is delivered again; where it cannot be brought back, that is said.
	"the sender is taken": takesSender(outcome.Remediated, ""),
	"the sender is taken, and its write is throttled once": takesSender(outcome.Remediated, "",
		times(1, skips(1, refusedWrite(throttled, "")))),
	"the sender is taken, and its write is lost":          takesSender(outcome.Remediated, "", lostWrite(2, false)),
	"the sender is taken, and its write's answer is lost": takesSender(outcome.Remediated, "", lostWrite(1, true)),
	"the sender is taken, and its write is throttled for good": takesSender(outcome.Deferred, throttled,
		skips(1, refusedWrite(throttled, ""))),
	"the sender is taken, and its write is refused": takesSender(outcome.Unconverged, "SmsConfiguration",
		skips(1, refusedWrite("InvalidParameterException", "no"))),
	// No call is made that may take the sender where the pool cannot be updated, or without the ledger.
	"no update of the pool is taken": denied(totpOptional),
	"no update is taken, of something required, too": denied(deletionProtection + "\nUserPoolTags: {env: dev}\n" +
		totpOptional),
	"the ledger is down, and the sender may be taken": {pool: mfaOff, rule: totpOptional, change: noLedger, refused: true,
		outcome: outcome.Deferred, says: "needs the ledger"},
	"the ledger is down": {pool: unprotected, rule: deletionProtection, change: noLedger, fixed: all(protected),
		says: "the table is gone"},
	"the ledger is down, and nothing is to be written": {rule: deletionProtection, change: noLedger,
		says: "the table is gone"},
	"passkeys of a site that is none": {refused: true, pool: edits(totpOnly("OFF"), mfaOff), says: "Invalid parameter",
		rule:  totpOptional + "\nWebAuthnConfiguration: {RelyingPartyId: nobody.example}",
		fixed: all("MfaConfiguration", totp), left: all("WebAuthnConfiguration.RelyingPartyId")},
}

const (
	codesOff  = totpAlways + "\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD]}}"
	atLeast12 = "Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}"
)

func offWithCodes(pool, mfa map[string]any) {
	edits(totpOnly("OFF"), mfaOff, sets(factors, list("PASSWORD", "EMAIL_OTP")))(pool, mfa)
}

func takesSender(as outcome.Ending, says string, faults ...cognitotest.Fault) scenario {
	c := scenario{pool: mfaOff, rule: totpOptional, faults: append([]cognitotest.Fault{takesSMS}, faults...), outcome: as,
		says: says}
	switch mfa := all("MfaConfiguration", totp); as {
	case outcome.Remediated:
		c.fixed = mfa
	case outcome.Deferred:
		c.left, c.later = mfa, all("MfaConfiguration", "mfa:MfaConfiguration", "mfa:"+totp, "SmsConfiguration")
	default:
		c.fixed, c.left, c.moves = mfa, all("SmsConfiguration"), all("SmsConfiguration")
	}
	return c
}

// denied is a pool of which no update is taken.
func denied(rule string) scenario {
	c := scenario{pool: edits(mfaOff, unprotected), rule: rule, says: "iam:PassRole", left: all("MfaConfiguration", totp),
		faults: []cognitotest.Fault{takesSMS,
			refusedWrite("AccessDeniedException", "not authorized to perform: iam:PassRole")}}
	if strings.HasPrefix(rule, deletionProtection) {
		c.left = append(c.left, protected, "UserPoolTags.env")
	}
	return c
}

func noLedger(r *reconcile.Reconciler) { r.Ledger = unreachable(r.Ledger) }

// unreachable is a ledger that cannot be reached.
func unreachable(l reconcile.Ledger) reconcile.Ledger {
	return &process{Ledger: l, strike: func(string, int) wrong { return errored("the table is gone", 0, false) }}
}

// tooLong has the service refuse a minimum length of 20, in words that name nothing.
var tooLong = []cognitotest.Fault{{Operation: "UpdateUserPool", Error: "InvalidParameterException", Message: "no",
	When: func(body map[string]any) bool { return fmt.Sprint(deep(body, policy+"MinimumLength")) == "20" }}}

func refusedByTheService(required, says, setting string) scenario {
	return scenario{refused: true, pool: unprotected, rule: deletionProtection + "\n" + required, says: says,
		fixed: all(protected), left: all(setting)}
}

// secondPass has a change come with each write of the pool that is accepted; another requirement is refused.
func secondPass(change func(pool, mfa map[string]any), says string, unheld []string) scenario {
	const level = "LogConfigurations.userAuthEvents.LogLevel"
	c := scenario{pool: alsoUnprotected(policy+"MinimumLength", json.Number("8")), live: list(level, "ERROR"),
		rule: deletionProtection + "\nPolicies: {PasswordPolicy: {MinimumLength: 20}}\n" +
			"LogConfigurations: {userAuthEvents: {LogLevel: INFO}}",
		faults:  append(slices.Clip(tooLong), cognitotest.Fault{Operation: "UpdateUserPool", Change: change}),
		outcome: outcome.Unconverged, says: says, left: append(unheld, policy+"MinimumLength"), fixed: all(level),
		writes: all("UpdateUserPool", "SetLogDeliveryConfiguration"), moves: all("UserPoolTags.meanwhile")}
	if unheld == nil {
		c.fixed = append(c.fixed, protected)
	}
	return c
}

// writtenLater has the other requirement of a second pass accepted after a later unit wrote.
func writtenLater(c scenario) scenario {
	c.faults[0].Times = 2 // beside the other setting, and alone
	c.left, c.fixed = nil, append(c.fixed, policy+"MinimumLength")
	c.writes = append(c.writes, "UpdateUserPool")
	return c
}

// TestFaults injects each class of error into a remediation, and has the service refuse some of it. Whatever happens,
// nothing moves but what was to be fixed; and once the fault is over, the event that is delivered again brings the pool
// to the baseline.
func TestFaults(t *testing.T) {
	t.Parallel()
	inBoth(t, faultCases, scenario.check)
}

// TestStaleVerification: a read shows the old state for a while after the write; that is no failure.
func TestStaleVerification(t *testing.T) {
	t.Parallel()
	b := withPool(t, cognitotest.Contract, unprotected)
	stale, _, _ := b.fake.Pool(poolID)
	b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 2, Times: 2,
		Body: marshal(t, map[string]any{"UserPool": stale})})
	if out := b.reconcile(t, require(t, deletionProtection)); out.Outcome != outcome.Remediated || len(out.Writes) != 1 {
		t.Errorf("%s (%s) with %v", out.Outcome, out.Reason, out.Writes)
	}
}

// TestDeadline: with too little time to write and to verify, nothing is written.
func TestDeadline(t *testing.T) {
	t.Parallel()
	b := withPool(t, cognitotest.Contract, unprotected)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	out, err := b.reconciler(require(t, deletionProtection)).Reconcile(ctx, onPool(event.Cause{}))
	if out.Outcome != outcome.Deferred || err == nil || len(b.writes()) != 0 ||
		!strings.Contains(err.Error(), "too little time") {
		t.Errorf("%s: %v, writes %v", out.Outcome, err, b.writes())
	}
}

// TestCalls counts the calls of an event to Cognito and to the ledger: two reads and a query where nothing is to be
// done, else two more reads under the lease, a write, and two to verify it; and of the ledger no more than seven, which
// leaves one for the note of a message.
func TestCalls(t *testing.T) {
	t.Parallel()
	for want, c := range map[int]struct {
		tamper func(pool, mfa map[string]any)
		most   int // of the ledger
	}{2: {nil, 1}, 7: {unprotected, 7}} {
		b := withPool(t, cognitotest.Contract, c.tamper)
		p := &process{Ledger: b.ledger, strike: func(string, int) wrong { return wrong{} }}
		r := b.reconciler(require(t, deletionProtection))
		r.Ledger = p
		out, err := deliver(t.Context(), r, onPool(event.Cause{}))
		ofLedger := 0
		for _, n := range p.met {
			ofLedger += n
		}
		if got := len(b.fake.Calls()); got != want || ofLedger > c.most || err != nil {
			t.Errorf("%s: %d calls, want %d; %v of the ledger: %v", out.Outcome, got, want, p.met, err)
		}
	}
}

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
	each(t, forgeries(), func(payload string, t *testing.T) {
		b := withPool(t, cognitotest.Contract, unprotected)
		before := b.snapshot(t)
		must(handle(t.Context(), b.reconciler(require(t, deletionProtection)), []byte(payload), home))(t)
		for _, call := range b.fake.Calls() {
			if bytes.Contains(call.Body, []byte("FORGED")) {
				t.Errorf("%s was sent what the event holds", call.Operation)
			}
		}
		if moved := difference(before, b.snapshot(t)); len(moved) > 0 && !slices.Equal(moved, all(protected)) {
			t.Errorf("it moved %v", moved)
		}
		if len(b.writes()) > 0 && b.snapshot(t)[protected] != `"ACTIVE"` {
			t.Error("it wrote, and not the baseline")
		}
	})
}

// TestForgedOwnRole: an event that claims to be of our own write is not answered with a write, and is reported; the
// true event still puts the pool right.
func TestForgedOwnRole(t *testing.T) {
	t.Parallel()
	b := withPool(t, cognitotest.Contract, unprotected)
	r := b.reconciler(require(t, deletionProtection))
	by := func(role string) outcome.Outcome {
		payload := forged("UpdateUserPool", `{"userPoolId":"`+poolID+`"}`, role)
		return must(handle(t.Context(), r, []byte(payload), home))(t)
	}
	if out := by(ownRole); out.Outcome != outcome.Drifted || len(b.writes()) > 0 {
		t.Errorf("first: %s, wrote %v", out.Outcome, b.writes())
	}
	if out := by("arn:aws:iam::111122223333:role/AppAdmin"); out.Outcome != outcome.Remediated {
		t.Errorf("then: %s", out.Outcome)
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
	inBoth(t, every, scenario.check)
}

// TestPlantedTexts: whoever may change a pool can plant what they like in its texts. It hinders no remediation, and
// goes back as it came.
func TestPlantedTexts(t *testing.T) {
	t.Parallel()
	for _, nasty := range []string{"\n\r\t\x1b[2J", "\u202e\u2028\ufeff", `"},"DeletionProtection":"INACTIVE","x":{"`,
		"\\ud83d", "\U0001f600\ufffd", "%n%s${jndi:ldap://x}", "<script>&amp;", "a.b.c", "aws", "*", "Clients[x].y",
		"UserPoolTags.x"} {
		b := withPool(t, cognitotest.Contract, alsoUnprotected("Name", "pool "+nasty,
			"UserPoolTags", map[string]any{nasty: nasty, "z": nasty + " "}, "EmailVerificationMessage", nasty+" {####} ",
			"VerificationMessageTemplate.EmailMessage", nasty+" {####} ",
			"AdminCreateUserConfig.InviteMessageTemplate.SMSMessage", nasty+"{username} {####}"))
		before := b.snapshot(t)
		// The fake checks texts as the API does, which would refuse some of these.
		out := b.reconcile(t, require(t, deletionProtection))
		moved := difference(before, b.snapshot(t))
		switch {
		case out.Outcome == outcome.Remediated && slices.Equal(moved, all(protected)):
		case out.Outcome == outcome.Unfixable && len(moved) == 0 && strings.Contains(out.Reason, "InvalidParameter"):
		default:
			t.Errorf("%q: %s (%s), moved %v", nasty, out.Outcome, out.Reason, moved)
		}
		marshal(t, out)
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
		b := withPool(t, cognitotest.Contract, alsoUnprotected("Name", "customers", "UserPoolTags.env", "prod"))
		required := parse(t, oneRule("pools: "+pools, protects))
		if out := b.reconcile(t, required); out.Outcome != outcome.Remediated {
			t.Errorf("%s: %s before the attack", pools, out.Outcome)
		}
		b.fake.Edit(poolID, alsoUnprotected("Name", "sandbox", "UserPoolTags.env", "dev"))
		escaped := b.reconcile(t, required).Outcome != outcome.Remediated
		warned := slices.ContainsFunc(required.Lint(clock), func(l baseline.Lint) bool { return l.ID == "mutable-selection" })
		if escaped != escapes || warned != escapes {
			t.Errorf("%s: escaped %t, warned %t", pools, escaped, warned)
		}
	}
}

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"poolkeeper/lambda/mototest"
)

// TestBootstrapRemembers runs the built binary with a ledger: what it writes is recorded, an event that comes again to
// another process costs two reads, and a ledger that cannot be reached is logged and counted, and stops no remediation.
func TestBootstrapRemembers(t *testing.T) {
	t.Parallel()
	fake, cognito := served(t)
	weaken(fake)
	moto := mototest.Start(t)
	mototest.Table(t, moto, "ledger")
	environment := []string{ofCognito(cognito), "AWS_ENDPOINT_URL_DYNAMODB=" + moto,
		"LEDGER_TABLE=ledger", "AWS_LAMBDA_FUNCTION_NAME=keeper"}
	// The first call to an emulator that has just started may take longer than the ledger is waited for.
	var first struct{ Outcome, Record string }
	f := startFunction(t, environment...)
	if err := json.Unmarshal(f.invoke(t, payload(t, "update-user-pool")).Payload, &first); err != nil ||
		first.Outcome != "remediated" || !strings.HasPrefix(first.Record, "eu-west-1_AbCdEf123.") {
		t.Errorf("%v: %+v\n%s", err, first, f.stop())
	}
	f.stop()
	fake.ResetCalls()
	again := startFunction(t, environment...)
	var second struct{ Outcome, Reason string }
	if err := json.Unmarshal(again.invoke(t, payload(t, "update-user-pool")).Payload, &second); err != nil ||
		second.Outcome != "unchanged" {
		t.Errorf("%v: %+v", err, second)
	}
	again.stop()
	if calls := fake.Calls(); len(calls) != 2 {
		t.Errorf("%d calls to Cognito, want two reads", len(calls))
	}
	weaken(fake)
	lost := startFunction(t, append(environment[:1:1], "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:9",
		"LEDGER_TABLE=ledger", "AWS_LAMBDA_FUNCTION_NAME=keeper")...)
	if got := ended(t, lost.invoke(t, payload(t, "update-user-pool"))); got != "remediated" {
		t.Errorf("without its ledger: %s", got)
	}
	if output := lost.stop(); !strings.Contains(output, `"ledger_error":"reading the records: `) ||
		!strings.Contains(output, `"LedgerFailed":1`) {
		t.Errorf("the failed ledger is not reported:\n%s", output)
	}
}

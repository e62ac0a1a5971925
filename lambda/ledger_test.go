package main

import (
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
	f := start(t, bootstrap, environment...)
	if answer := f.ends(t, "update-user-pool", "remediated"); !strings.Contains(answer, `"record":"eu-west-1_AbCdEf123.`) {
		t.Errorf("%s\n%s", answer, f.stop())
	}
	f.stop()
	fake.ResetCalls()
	start(t, bootstrap, environment...).ends(t, "update-user-pool", "unchanged")
	if calls := fake.Calls(); len(calls) != 2 {
		t.Errorf("%d calls to Cognito, want two reads", len(calls))
	}
	weaken(fake)
	lost := start(t, bootstrap, append(environment[:1:1], "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:9",
		"LEDGER_TABLE=ledger", "AWS_LAMBDA_FUNCTION_NAME=keeper")...)
	lost.ends(t, "update-user-pool", "remediated")
	if output := lost.stop(); !strings.Contains(output, `"ledger_error":"reading the records: `) ||
		!strings.Contains(output, `"LedgerFailed":1`) {
		t.Errorf("the failed ledger is not reported:\n%s", output)
	}
}

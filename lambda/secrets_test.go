package main

import (
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// TestBootstrapKeepsClientSecrets runs the built binary over clients that are weak, with its log at its most
// talkative: neither the log, nor an answer, nor a message holds the secret of a client.
func TestBootstrapKeepsClientSecrets(t *testing.T) {
	t.Parallel()
	const secret = "CANARYclientsecret0123456789"
	fake, url := served(t)
	file := written(t, "version: 1\nrules:\n  - {name: names, mode: audit, require: {PoolName: customers}}\n"+
		"  - name: clients\n    clients: [{require: {PreventUserExistenceErrors: ENABLED, "+
		"AllowedOAuthFlows: {without: [implicit]}}}]\n    watch: [clients]\n")
	var all strings.Builder // everything that leaves the function
	sns := &topic{}
	f := start(t, bootstrap, append(serveTopic(t, sns), ofCognito(url), "AWS_LAMBDA_LOG_LEVEL=DEBUG",
		"BASELINE_FILE="+file, "AWS_LAMBDA_FUNCTION_NAME=keeper")...)
	const updates, write, read = "update-user-pool-client", "UpdateUserPoolClient", "DescribeUserPoolClient"
	for _, step := range []struct {
		fixture string
		fault   cognitotest.Fault
		want    string // in the answer
	}{
		{updates, cognitotest.Fault{}, `"outcome":"remediated"`},
		{"create-user-pool-client", cognitotest.Fault{}, `"outcome":"drifted"`},
		{"add-user-pool-client-secret", cognitotest.Fault{}, `"outcome":"drifted"`},
		{"sweep", cognitotest.Fault{}, `"outcome":"scanned"`},
		{updates, cognitotest.Fault{Operation: write, Error: "InvalidParameterException", Message: "no"},
			`"outcome":"unfixable"`},
		{updates, cognitotest.Fault{Operation: write, Error: "InvalidParameterException",
			Message: "this is no text: Your code is {####} CANARY-sms-verification , nor is " + secret}, "(hidden)"},
		{updates, cognitotest.Fault{Operation: read, Skip: 2, Status: 500, Error: "InternalFailure",
			Message: "dump: " + secret}, ""},
		{updates, cognitotest.Fault{Operation: read, Body: []byte(`{"UserPoolClient":{"ClientId":"other","ClientSecret":"` +
			secret + `"}}`)}, "for another client"},
		{updates, cognitotest.Fault{Operation: read, Body: []byte(`{"UserPoolClient":{"ClientSecret":"` + secret + `"`)},
			"not a JSON object"},
	} {
		fake.PutRich(poolID)
		fake.Edit(poolID, func(pool, _ map[string]any) { pool["Name"] = "evil\u202egpj" })
		client := fake.Client(poolID, cognitotest.RichClient)
		client["PreventUserExistenceErrors"], client["AllowedOAuthFlows"], client["ClientSecret"] = "LEGACY",
			[]any{"code", "implicit"}, secret
		fake.PutClient(poolID, cognitotest.RichClient, client)
		fake.ClearFaults()
		if step.fault.Operation != "" {
			fake.Inject(step.fault)
		}
		answer := string(f.invoke(t, payload(t, step.fixture)).Payload)
		all.WriteString(answer)
		if !strings.Contains(answer, step.want) {
			t.Errorf("%s: %s, want %s", step.fixture, strings.ReplaceAll(answer, secret, "(secret)"), step.want)
		}
	}
	log := f.stop()
	all.WriteString(log)
	for _, message := range sns.published {
		all.WriteString(message.Encode() + message.Get("Message"))
	}
	if strings.Contains(all.String(), "\u202e") || !strings.Contains(all.String(), `evil\u202egpj`) {
		t.Error("the name of the pool is not escaped")
	}
	if i := strings.Index(all.String(), "CANARY"); i >= 0 {
		t.Errorf("a planted secret leaked, at byte %d", i)
	}
	if len(sns.published) < 4 || !strings.Contains(log, "Clients["+cognitotest.RichClient+"].PreventUserExistenceErrors") {
		t.Errorf("%d messages were sent, and the log may name no client: nothing was tested", len(sns.published))
	}
}

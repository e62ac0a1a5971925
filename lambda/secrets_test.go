package main

import (
	"os"
	"path/filepath"
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
	const id = "eu-west-1_AbCdEf123"
	file := filepath.Join(t.TempDir(), "b.yaml")
	text := "version: 1\nrules:\n  - {name: names, mode: audit, require: {PoolName: customers}}\n" +
		"  - name: clients\n    clients: [{require: {PreventUserExistenceErrors: ENABLED, " +
		"AllowedOAuthFlows: {without: [implicit]}}}]\n    watch: [clients]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder // everything that leaves the function
	sns := &topic{}
	f := start(t, bootstrap, append(serveTopic(t, sns), ofCognito(url), "AWS_LAMBDA_LOG_LEVEL=DEBUG",
		"BASELINE_FILE="+file, "AWS_LAMBDA_FUNCTION_NAME=keeper")...)
	for _, step := range []struct {
		fixture string
		fault   cognitotest.Fault
		want    string // in the answer
	}{
		{"update-user-pool-client", cognitotest.Fault{}, `"outcome":"remediated"`},
		{"create-user-pool-client", cognitotest.Fault{}, `"outcome":"drifted"`},
		{"add-user-pool-client-secret", cognitotest.Fault{}, `"outcome":"drifted"`},
		{"sweep", cognitotest.Fault{}, `"outcome":"scanned"`},
		{"update-user-pool-client", cognitotest.Fault{Operation: "UpdateUserPoolClient", Error: "InvalidParameterException",
			Message: "no"}, `"outcome":"unfixable"`},
		{"update-user-pool-client", cognitotest.Fault{Operation: "UpdateUserPoolClient", Error: "InvalidParameterException",
			Message: "this is no text: Your code is {####} CANARY-sms-verification , nor is " + secret}, "(hidden)"},
		{"update-user-pool-client", cognitotest.Fault{Operation: "DescribeUserPoolClient", Skip: 2, Status: 500,
			Error: "InternalFailure", Message: "dump: " + secret}, ""},
		{"update-user-pool-client", cognitotest.Fault{Operation: "DescribeUserPoolClient",
			Body: []byte(`{"UserPoolClient":{"ClientId":"other","ClientSecret":"` + secret + `"}}`)}, "for another client"},
		{"update-user-pool-client", cognitotest.Fault{Operation: "DescribeUserPoolClient",
			Body: []byte(`{"UserPoolClient":{"ClientSecret":"` + secret + `"`)}, "not a JSON object"},
	} {
		fake.PutRich(id)
		fake.Edit(id, func(pool, _ map[string]any) { pool["Name"] = "evil\u202egpj" })
		client := fake.Client(id, cognitotest.RichClient)
		client["PreventUserExistenceErrors"], client["AllowedOAuthFlows"], client["ClientSecret"] = "LEGACY",
			[]any{"code", "implicit"}, secret
		fake.PutClient(id, cognitotest.RichClient, client)
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

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/rogpeppe/go-internal/testscript"

	"poolkeeper/baseline"
	"poolkeeper/lambda/mototest"
)

// motoServer is started for the first script that asks for a ledger.
var motoServer struct {
	once sync.Once
	url  string
}

// findRecord names to the script the first record that its last command printed.
func findRecord(ts *testscript.TestScript) {
	found := recordID.FindString(ts.ReadFile("stdout"))
	if found == "" {
		ts.Fatalf("no record was printed")
	}
	ts.Setenv("RECORD", found)
}

var recordID = regexp.MustCompile(`eu-west-1_\w+\.\d{8}T\d{6}\.\d{6}Z(-[0-9a-f]{8})?`)

// makeLedger makes a table as the deployment does, and names it to the script.
func makeLedger(t *testing.T, ts *testscript.TestScript) (table string) {
	motoServer.once.Do(func() { motoServer.url = mototest.Start(t) })
	url := motoServer.url
	name := fmt.Sprintf("ledger-%d", time.Now().UnixNano())
	mototest.Table(t, url, name)
	ts.Setenv("LEDGER_TABLE", name)
	for _, service := range []string{"DYNAMODB", "CLOUDFORMATION", "STS"} {
		ts.Setenv("AWS_ENDPOINT_URL_"+service, url)
	}
	return name
}

// deploy FILE makes the stack $STACK with a ledger and that baseline, or changes its baseline.
func deploy(t *testing.T, ts *testscript.TestScript, file string) {
	name, table := ts.Getenv("STACK"), ts.Getenv("TABLE")
	if name == "" {
		table = makeLedger(t, ts)
		name = "stack-" + table
		ts.Setenv("STACK", name)
		ts.Setenv("TABLE", table)
		ts.Setenv("LEDGER_TABLE", "")
	}
	publish(t, motoServer.url, name, table, file, ts.ReadFile(file))
}

// publish makes a stack in eu-west-1 that publishes a baseline and a ledger, or changes it.
func publish(t *testing.T, url, name, table, file, text string) {
	t.Helper()
	required, err := baseline.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	quoted := strconv.QuoteToASCII(text)
	template, err := json.Marshal(map[string]any{
		"Metadata": map[string]any{"poolkeeper": map[string]string{"file": file, "baseline": quoted[1 : len(quoted)-1],
			"digest": required.Digest, "mode": "enforce", "build": "1a2b3c4d5e6f"}},
		"Resources": map[string]any{"Topic": map[string]any{"Type": "AWS::SNS::Topic"}},
		"Outputs":   map[string]any{"LedgerTableName": map[string]string{"Value": table}},
	})
	if err != nil {
		t.Fatal(err)
	}
	loaded := aws.Config{Region: "eu-west-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})}
	client := cloudformation.NewFromConfig(loaded)
	_, err = client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name,
		TemplateBody: aws.String(string(template))})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		_, err = client.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: &name,
			TemplateBody: aws.String(string(template))})
	}
	if err != nil {
		t.Fatal(err)
	}
}

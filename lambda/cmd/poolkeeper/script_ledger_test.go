package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// moto is moto's server, started for the first script that asks for a ledger.
var moto struct {
	once    sync.Once
	url     string
	missing error
}

// startMoto starts moto's server on a free port: an emulator that nobody of this project wrote.
func startMoto(t *testing.T) (string, error) {
	moto.once.Do(func() {
		path, err := exec.LookPath("moto_server")
		if err != nil {
			moto.missing = err
			return
		}
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			moto.missing = err
			return
		}
		port := listener.Addr().(*net.TCPAddr).Port
		_ = listener.Close()
		command := exec.CommandContext(context.Background(), path, "-p", fmt.Sprint(port))
		output, err := command.StderrPipe()
		if err == nil {
			err = command.Start()
		}
		if err != nil {
			moto.missing = err
			return
		}
		go func() {
			for scanner := bufio.NewScanner(output); scanner.Scan(); {
			}
		}()
		t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
		moto.url = fmt.Sprintf("http://127.0.0.1:%d", port)
		for range 300 {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, moto.url+"/moto-api/data.json", http.NoBody)
			if err != nil {
				moto.missing = err
				return
			}
			if response, err := http.DefaultClient.Do(request); err == nil {
				_ = response.Body.Close()
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		moto.missing = fmt.Errorf("moto_server does not answer")
	})
	return moto.url, moto.missing
}

// findRecord names to the script the first record that its last command printed.
func findRecord(ts *testscript.TestScript) {
	found := recordID.FindString(ts.ReadFile("stdout"))
	if found == "" {
		ts.Fatalf("no record was printed")
	}
	ts.Setenv("RECORD", found)
}

var recordID = regexp.MustCompile(`eu-west-1_\w+\.\d{8}T\d{6}\.\d{6}Z`)

// makeLedger makes a table as the deployment does, and names it to the script.
func makeLedger(t *testing.T, ts *testscript.TestScript) {
	url, err := startMoto(t)
	ts.Check(err)
	client := dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
	})})
	name := "ledger-" + strings.ToLower(fmt.Sprint(time.Now().UnixNano()))
	_, err = client.CreateTable(context.Background(), &dynamodb.CreateTableInput{TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS}}})
	ts.Check(err)
	ts.Setenv("LEDGER_TABLE", name)
	ts.Setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
}

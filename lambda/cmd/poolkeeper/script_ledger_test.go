package main

import (
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/mototest"

	"github.com/rogpeppe/go-internal/testscript"
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

var recordID = regexp.MustCompile(`eu-west-1_\w+\.\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}`)

// makeLedger makes a table as the deployment does, and names it to the script.
func makeLedger(t *testing.T, ts *testscript.TestScript) {
	motoServer.once.Do(func() { motoServer.url = mototest.Start(t) })
	url := motoServer.url
	name := fmt.Sprintf("ledger-%d", time.Now().UnixNano())
	mototest.Table(t, url, name)
	ts.Setenv("LEDGER_TABLE", name)
	ts.Setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
}

package main

import (
	"encoding/json"
	"testing"
	"unicode"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"poolkeeper/lambda/outcome"
)

// TestSelf: the function is in the account and Region of its ARN, unless that is an emulator's.
func TestSelf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper":            "aws 111122223333 eu-west-1",
		"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper:live":       "aws 111122223333 eu-west-1",
		"arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:poolkeeper": "aws-us-gov 111122223333 us-gov-west-1",
		"arn:aws:lambda:us-east-1:012345678912:function:poolkeeper (emulated)": "  ",
		"arn:aws:sns:eu-west-1:111122223333:function:topic (another resource)": "  ",
		"poolkeeper (something else)":                                          "  ",
	} {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: text})
		if a := self(ctx); a.Partition+" "+a.AccountID+" "+a.Region != want {
			t.Errorf("%s: %+v, want %q", text, a, want)
		}
	}
	if a := self(t.Context()); a.Partition != "" {
		t.Errorf("without an invocation: %+v", a)
	}
}

// TestAnswersArePrintable: a text of a pool that would change what a terminal shows is escaped, and decodes to itself.
func TestAnswersArePrintable(t *testing.T) {
	t.Parallel()
	want := outcome.Outcome{Drifts: []outcome.Finding{{Setting: "PoolName", Have: "a\u202eb\u2028\u009bc\x1b"}}}
	raw, err := encoded(want)
	var got outcome.Outcome
	if err != nil || json.Unmarshal(raw, &got) != nil || got.Drifts[0].Have != want.Drifts[0].Have {
		t.Fatalf("%s, %v", raw, err)
	}
	for _, r := range string(raw) {
		if !unicode.IsPrint(r) {
			t.Errorf("%q in %q", r, raw)
		}
	}
}

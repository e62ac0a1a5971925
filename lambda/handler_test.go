package main

import (
	"encoding/json"
	"testing"
	"unicode"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

func TestHome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arn  string
		want event.Home
	}{
		"function": {"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper",
			event.Home{Account: "111122223333", Region: "eu-west-1"}},
		"alias": {"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper:live",
			event.Home{Account: "111122223333", Region: "eu-west-1"}},
		"other partition": {"arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:poolkeeper",
			event.Home{Account: "111122223333", Region: "us-gov-west-1"}},
		"local emulator":   {"arn:aws:lambda:us-east-1:012345678912:function:poolkeeper", event.Home{}},
		"something else":   {"poolkeeper", event.Home{}},
		"another resource": {"arn:aws:sns:eu-west-1:111122223333:function:topic", event.Home{}},
	} {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: c.arn})
		if diff := cmp.Diff(c.want, home(ctx)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if home(t.Context()) != (event.Home{}) {
		t.Error("without an invocation there is no home")
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

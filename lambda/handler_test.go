package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

func TestHome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arn  string
		want event.Home
	}{
		"function":         {"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper", event.Home{Account: "111122223333", Region: "eu-west-1"}},
		"alias":            {"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper:live", event.Home{Account: "111122223333", Region: "eu-west-1"}},
		"other partition":  {"arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:poolkeeper", event.Home{Account: "111122223333", Region: "us-gov-west-1"}},
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

// away is a channel of people that takes no digest.
type away struct{ reader }

func (*away) Digest(context.Context, report.Digest) error { return errors.New("out of order") }

// full is a bus that takes everything.
type full struct{}

func (full) Put(context.Context, []reconcile.Entry) ([]reconcile.Entry, error) { return nil, nil }

// TestSweepCounts: what a sweep costs by itself is counted, and a digest that cannot be sent as any other message, for there is an alarm on that.
func TestSweepCounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bus  reconcile.Bus
		want string
	}{
		"over a bus": {full{}, `{"ApiCalls":1,"Function":"keeper","Outcome":"swept","_aws"`},
		"by itself":  {nil, `{"Function":"keeper","NotificationsFailed":1,"Outcome":"swept","_aws"`},
	} {
		s := begin(t, ledger.NewMemory())
		s.reconciler.Bus, s.channels = c.bus, []notify.Channel{&away{}}
		s.length(6)
		if _, err := s.Invoke(t.Context(), payload(t, "sweep")); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(s.metrics.String()), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, c.want) {
			t.Errorf("%s: %s", name, last)
		}
	}
}

package userpool

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
)

// TestEveryClientMemberCanBeRequired: of whatever UpdateUserPoolClient takes, as the SDK has it, but for the ids of what it is about, a baseline can require something.
func TestEveryClientMemberCanBeRequired(t *testing.T) {
	t.Parallel()
	input := reflect.TypeFor[cognito.UpdateUserPoolClientInput]()
	members := 0
	for i := range input.NumField() {
		field := input.Field(i)
		if !field.IsExported() || field.Name == "UserPoolId" || field.Name == "ClientId" {
			continue
		}
		members++
		b, err := baseline.Parse("b.yaml", fmt.Appendf(nil, "version: 1\nrules: [{name: a, clients: [{require: {%s: {present: true}}}]}]", field.Name))
		if err != nil {
			t.Errorf("%s: %v", field.Name, err)
			continue
		}
		client := baseline.Identity{ID: pool, Clients: []baseline.ClientIdentity{{ID: "web"}}}
		if got := b.Policy(client, time.Now()).Requirements; len(got) != 1 || got[0].Setting != "Clients[web]."+field.Name {
			t.Errorf("%s: %v", field.Name, got)
		}
	}
	if members < 20 {
		t.Errorf("the SDK has %d members", members)
	}
}

// logsState is a pool whose logs are the entries given.
func logsState(t *testing.T, entries string) State {
	t.Helper()
	client, _ := answering(t, map[string][]byte{
		"DescribeUserPool":            []byte(`{"UserPool":{"Id":"` + pool + `","UserPoolTier":"PLUS"}}`),
		"GetLogDeliveryConfiguration": []byte(`{"LogDeliveryConfiguration":{"UserPoolId":"` + pool + `","LogConfigurations":` + entries + `}}`),
	})
	state, err := client.Read(t.Context(), pool, Want{Documents: []baseline.DocumentName{baseline.LogDelivery}})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestLogEntries: entries are the same in any order, all are sent, those of a source that nobody knows too if they may be, and those that cannot be told apart stop the write.
func TestLogEntries(t *testing.T) {
	t.Parallel()
	const (
		notes  = `{"EventSource":"userNotification","LogLevel":"ERROR","CloudWatchLogsConfiguration":{"LogGroupArn":"arn:aws:logs:eu-west-1:111122223333:log-group:a"}}`
		events = `{"EventSource":"userAuthEvents","LogLevel":"INFO"}`
		audits = `{"EventSource":"auditEvents","LogLevel":"INFO"}`
	)
	if diff := cmp.Diff(logsState(t, "["+notes+","+events+"]").Settings(), logsState(t, "["+events+","+notes+"]").Settings()); diff != "" {
		t.Errorf("the order of the entries counts:\n%s", diff)
	}
	fix := []baseline.Drift{{Setting: "LogConfigurations.userAuthEvents.FirehoseConfiguration.StreamArn", Action: baseline.Write, Value: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/a"}}
	fixed := strings.Replace(events, `"INFO"`, `"INFO","FirehoseConfiguration":{"StreamArn":"arn:aws:firehose:eu-west-1:111122223333:deliverystream/a"}`, 1)
	for name, c := range map[string]struct {
		entries string
		say     map[string]baseline.Unknown
		want    string // what is sent, "" if nothing is
	}{
		"two":                      {notes + "," + events, nil, fixed + "," + notes},
		"an unknown source":        {events + "," + audits, nil, ""},
		"one that may be echoed":   {events + "," + audits, map[string]baseline.Unknown{"LogConfigurations.auditEvents": baseline.EchoUnknown}, audits + "," + fixed},
		"one that may be left out": {events + "," + audits, map[string]baseline.Unknown{"*": baseline.OmitUnknown}, fixed},
		"one source twice":         {events + "," + events, map[string]baseline.Unknown{"*": baseline.EchoUnknown}, ""},
		"no source":                {events + `,{"LogLevel":"INFO"}`, map[string]baseline.Unknown{"*": baseline.EchoUnknown}, ""},
	} {
		plan, err := NewPlan(logsState(t, "["+c.entries+"]"), fix, Options{Unknown: c.say})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" {
			if len(plan.Writes) > 0 || len(plan.Left) != 1 || !strings.Contains(plan.Left[0].Reason, "unknown member LogConfigurations") {
				t.Errorf("%s: %d writes, %v", name, len(plan.Writes), plan.Left)
			}
			continue
		}
		if len(plan.Writes) != 1 {
			t.Errorf("%s: %d writes, %v", name, len(plan.Writes), plan.Left)
			continue
		}
		want, err := decode([]byte(`{"UserPoolId":"` + pool + `","LogConfigurations":[` + c.want + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(plan.Writes[0].Body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s (-want +sent) %v:\n%s", name, err, diff)
		}
	}
}

// TestReadGivesUp: after a read that failed, those that still wait for their turn are not begun.
func TestReadGivesUp(t *testing.T) {
	t.Parallel()
	list := strings.Builder{}
	for i := range 40 {
		fmt.Fprintf(&list, `{"ClientId":"c%d","ClientName":"a"},`, i)
	}
	client, _ := answering(t, map[string][]byte{
		"DescribeUserPool": []byte(`{"UserPool":{"Id":"` + pool + `"}}`), "ListUserPoolClients": []byte(`{"UserPoolClients":[` + strings.TrimSuffix(list.String(), ",") + `]}`),
		"DescribeUserPoolClient": []byte(`{"UserPoolClient":{"ClientId":"other"}}`),
	})
	var waited atomic.Int32
	client.Sleep = func(ctx context.Context, d time.Duration) error {
		if d <= 0 {
			return nil
		}
		waited.Add(1)
		<-ctx.Done() // their turn would come in the end
		return ctx.Err()
	}
	want := Want{Clients: func(baseline.Identity, baseline.ClientIdentity) []baseline.DocumentName {
		return []baseline.DocumentName{baseline.AppClient}
	}}
	_, err := client.Read(t.Context(), pool, want)
	if err == nil || !strings.Contains(err.Error(), "not this client's") || waited.Load() != 40-turnCalls {
		t.Errorf("%v, %d waited", err, waited.Load())
	}
}

package main

import (
	"slices"
	"testing"

	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/report"
)

// TestChannels: there is a channel for everything that is configured, and no other.
func TestChannels(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:eu-west-1:111122223333:topic"
	for name, c := range map[string]struct {
		environment map[string]string
		want        []string
	}{
		"nothing": {nil, nil},
		"off":     {map[string]string{"SECURITY_HUB": "off"}, nil},
		"a topic": {map[string]string{"TOPIC_ARN": topic}, []string{"SNS"}},
		"a bus":   {map[string]string{"EVENT_BUS": "audit"}, []string{"EventBridge"}},
		"a hub":   {map[string]string{"SECURITY_HUB": "on"}, []string{"Security Hub"}},
		"all": {map[string]string{"TOPIC_ARN": topic, "EVENT_BUS": "audit", "SECURITY_HUB": "on"},
			[]string{"SNS", "EventBridge", "Security Hub"}},
	} {
		config, err := ReadConfig(environment(c.environment), files(nil))
		if err != nil {
			t.Fatal(err)
		}
		a, err := newAccount(config)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, channel := range newChannels(a) {
			got = append(got, channel.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestCallsAreCounted: each attempt counts, and as throttled those that the service refused for their number.
func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	weaken(fake)
	transport, err := cognito.NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	counted := &calls{}
	a := account{transport: cognito.NewClock(transport), Config: Config{AWS: Access{Region: "eu-west-1",
		AccessKeyID: "AKIAEXAMPLE", SecretKey: "example", Endpoints: map[string]string{cognitoService: url}}}}
	client := cognito.New(newClient(a, counted), cognito.WithShare(1e6))
	for name, c := range map[string]struct {
		fault cognitotest.Fault
		want  report.Counts
	}{
		"throttled":  {cognitotest.Fault{Error: "TooManyRequestsException", Times: 1}, report.Counts{Calls: 2, Throttled: 1}},
		"its fault":  {cognitotest.Fault{Error: "InternalErrorException", Times: 1}, report.Counts{Calls: 2}},
		"no answer":  {cognitotest.Fault{Drop: true, Times: 1}, report.Counts{Calls: 2}},
		"refused":    {cognitotest.Fault{Error: "NotAuthorizedException"}, report.Counts{Calls: 1}},
		"all's well": {cognitotest.Fault{Operation: "another"}, report.Counts{Calls: 1}},
	} {
		fake.Inject(c.fault)
		_, _, _ = client.List(t.Context(), "")
		fake.ClearFaults()
		if got := counted.take(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

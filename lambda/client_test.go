package main

import (
	"testing"

	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/report"
)

// TestCallsAreCounted: each attempt counts, and as throttled those that the service refused for their number.
func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	weaken(fake)
	counted := &calls{}
	a, err := newAccount(Config{Env: environment(variables{"AWS_ENDPOINT_URL": url})})
	if err != nil {
		t.Fatal(err)
	}
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

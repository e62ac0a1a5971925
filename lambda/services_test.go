package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

// TestBootstrapNotifies runs the binary without Security Hub with a topic: people are notified once of what was done,
// and of nothing else. A topic that cannot be reached is logged and counted, and changes no outcome.
func TestBootstrapNotifies(t *testing.T) {
	t.Parallel()
	for name, reachable := range map[string]bool{"a topic": true, "a topic that cannot be reached": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, cognito := served(t)
			weaken(fake)
			sns, wantPublished, wantFailed := &topic{}, 2, 0
			environment := append(serveTopic(t, sns), ofCognito(cognito), "AWS_LAMBDA_FUNCTION_NAME=keeper")
			if !reachable {
				environment[0], wantPublished, wantFailed = "AWS_ENDPOINT_URL_SNS=http://127.0.0.1:9", 0, 2
			}
			f := start(t, withoutHub, append(environment, "SECURITY_HUB=off")...)
			f.ends(t, "update-user-pool", "remediated")
			f.ends(t, "update-user-pool", "unchanged")
			fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "AccessDeniedException"})
			f.ends(t, "update-user-pool", "unfixable")
			output := f.stop()
			published, failed := sns.published, strings.Count(output, "a message could not be sent")
			counted := strings.Count(output, `"NotificationsFailed":1`)
			restored := regexp.MustCompile(`"TimeToRestore":[0-9.]+[,}]`).FindAllString(output, -1)
			if len(published) != wantPublished || failed != wantFailed || counted != wantFailed || len(restored) != 1 {
				t.Errorf("%d messages, %d said not to be sent, %d counted, %d times to restore\n%s", len(published), failed,
					counted, len(restored), output)
			}
			if reachable && (published[0].Get("MessageStructure") != "json" ||
				!strings.HasPrefix(published[0].Get("Subject"), "[LOW] customers remediated: DeletionProtection") ||
				!strings.Contains(published[1].Get("Message"), "account 111122223333")) {
				t.Errorf("%v", published)
			}
		})
	}
}

// TestBootstrapReportsADeletedPool runs the built binary with Security Hub: that a pool which a rule names was
// deleted is a finding that fails, under the ARN that the pool had, which no read shows any more. Of a pool that no
// rule names there is none.
func TestBootstrapReportsADeletedPool(t *testing.T) {
	t.Parallel()
	_, cognito := served(t)
	moto := mototest.Start(t)
	hub := securityhub.NewFromConfig(mototest.Config(moto))
	for _, step := range []struct {
		id, outcome string
		findings    int
	}{{"eu-west-1_Another01", "ignored", 0}, {poolID, "drifted", 1}} {
		file := written(t, "version: 1\nrules: [{name: crown, pools: {ids: ["+step.id+
			"]}, require: {DeletionProtection: ACTIVE}}, {name: all, require: {DeletionProtection: ACTIVE}}]")
		f := start(t, bootstrap, ofCognito(cognito), "AWS_ENDPOINT_URL_SECURITYHUB="+moto,
			"SECURITY_HUB=on", "BASELINE_FILE="+file)
		f.ends(t, "delete-user-pool", step.outcome)
		output := f.stop()
		got, err := hub.GetFindings(t.Context(), &securityhub.GetFindingsInput{})
		if err != nil || len(got.Findings) != step.findings {
			t.Fatalf("%d findings, want %d: %v\n%s", len(got.Findings), step.findings, err, output)
		}
		for _, finding := range got.Findings {
			const arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/" + poolID
			if aws.ToString(finding.Resources[0].Id) != arn || finding.Severity.Label != "CRITICAL" ||
				finding.Compliance.Status != "FAILED" || finding.RecordState != "ACTIVE" ||
				!strings.Contains(aws.ToString(finding.Title), "was deleted") {
				t.Errorf("%+v", finding)
			}
		}
	}
}

// TestBootstrapKilledWhileNotifying kills the built binary when it has written and is about to notify people. The next
// delivery, once the lease has expired, writes nothing and notifies them of what was done.
func TestBootstrapKilledWhileNotifying(t *testing.T) {
	t.Parallel()
	fake, _ := served(t)
	weaken(fake)
	moto := mototest.Start(t)
	mototest.Table(t, moto, "ledger")
	target := must(url.Parse(moto))(t)
	var later atomic.Int64 // what the services' clocks are ahead, by which the function goes
	dated := func(service http.Handler) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			now := time.Now().Add(time.Duration(later.Load()))
			w.Header().Set("Date", now.UTC().Format(http.TimeFormat)) // the first of two is the one that counts
			service.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	var answers atomic.Bool
	called, sns := make(chan struct{}, 10), &topic{}
	environment := append(serveTopic(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers.Load() {
			sns.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection would not be seen
		called <- struct{}{}
		<-r.Context().Done()
	})), ofCognito(dated(fake)),
		"AWS_ENDPOINT_URL_DYNAMODB="+dated(httputil.NewSingleHostReverseProxy(target)), "LEDGER_TABLE=ledger")
	killed := start(t, bootstrap, environment...)
	go func() {
		_, _ = killed.Invoke(t.Context(), "", payload(t, "update-user-pool"))
	}()
	<-called
	killed.stop()
	later.Store(int64(2 * time.Minute))
	answers.Store(true)
	fake.ResetCalls()
	retry := start(t, bootstrap, environment...)
	retry.ends(t, "update-user-pool", "remediated")
	output := retry.stop()
	for _, call := range fake.Calls() {
		if strings.HasPrefix(call.Operation, "Update") || strings.HasPrefix(call.Operation, "Set") {
			t.Errorf("the retry made a call of %s", call.Operation)
		}
	}
	if len(sns.published) != 1 {
		t.Fatalf("%d messages\n%s", len(sns.published), output)
	}
	if message := sns.published[0].Get("Message"); !strings.Contains(message,
		"DeletionProtection: was INACTIVE, required ACTIVE") || !strings.Contains(message, "interrupted") {
		t.Errorf("%s", message)
	}
}

// TestBootstrapRemembers runs the built binary with a ledger: what it writes is recorded, an event that comes again to
// another process costs two reads, and a ledger that cannot be reached is logged and counted, and stops no remediation.
func TestBootstrapRemembers(t *testing.T) {
	t.Parallel()
	fake, cognito := served(t)
	weaken(fake)
	moto := mototest.Start(t)
	mototest.Table(t, moto, "ledger")
	environment := []string{ofCognito(cognito), "AWS_ENDPOINT_URL_DYNAMODB=" + moto,
		"LEDGER_TABLE=ledger", "AWS_LAMBDA_FUNCTION_NAME=keeper"}
	f := start(t, bootstrap, environment...)
	answer := f.ends(t, "update-user-pool", "remediated")
	if output := f.stop(); !strings.Contains(answer, `"record":"`+poolID+".") {
		t.Errorf("%s\n%s", answer, output)
	}
	fake.ResetCalls()
	start(t, bootstrap, environment...).ends(t, "update-user-pool", "unchanged")
	if calls := fake.Calls(); len(calls) != 2 {
		t.Errorf("%d calls to Cognito, want two reads", len(calls))
	}
	weaken(fake)
	lost := start(t, bootstrap, append(environment[:1:1], "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:9",
		"LEDGER_TABLE=ledger", "AWS_LAMBDA_FUNCTION_NAME=keeper")...)
	lost.ends(t, "update-user-pool", "remediated")
	if output := lost.stop(); !strings.Contains(output, `"ledger_error":"reading the records: `) ||
		!strings.Contains(output, `"LedgerFailed":1`) {
		t.Errorf("the failed ledger is not reported:\n%s", output)
	}
}

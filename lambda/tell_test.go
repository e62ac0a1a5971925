package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// TestBootstrapTells runs the built binary with a topic: people are told once of what was done, and not of what was not. A topic that cannot be reached is logged and counted, and changes no outcome.
func TestBootstrapTells(t *testing.T) {
	t.Parallel()
	for name, reachable := range map[string]bool{"a topic": true, "a topic that cannot be reached": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := cognitotest.New(cognitotest.Contract)
			cognito, err := fake.Start()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = fake.Close() })
			pool, mfa := cognitotest.Rich()
			pool["DeletionProtection"] = "INACTIVE"
			fake.Put("eu-west-1_AbCdEf123", pool, mfa)
			var mutex sync.Mutex
			var published []url.Values
			topic := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				form, _ := url.ParseQuery(string(body))
				mutex.Lock()
				defer mutex.Unlock()
				published = append(published, form)
				_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
			}))
			t.Cleanup(topic.Close)
			at := topic.URL
			if !reachable {
				at = "http://127.0.0.1:9"
			}
			f := startFunction(t, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+cognito, "AWS_ENDPOINT_URL_SNS="+at, "TOPIC_ARN=arn:aws:sns:eu-west-1:111122223333:topic", "AWS_LAMBDA_FUNCTION_NAME=keeper")
			for _, want := range []string{"remediated", "unchanged"} {
				if got := outcome(t, f.invoke(t, payload(t, "update-user-pool"))); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
			output := f.stop()
			var failed, unsent, restored int
			for _, line := range strings.Split(strings.TrimSpace(output), "\n") {
				var record struct {
					Msg                 string
					NotificationsFailed int
					TimeToRestore       float64
					Metrics             any `json:"_aws"`
				}
				if err := json.Unmarshal([]byte(line), &record); err != nil {
					t.Fatalf("not JSON: %s", line)
				}
				if record.Msg == "a message could not be sent" {
					failed++
				}
				unsent += record.NotificationsFailed
				if record.TimeToRestore > 0 && record.Metrics != nil {
					restored++
				}
			}
			mutex.Lock()
			defer mutex.Unlock()
			wantPublished, wantFailed := 1, 0
			if !reachable {
				wantPublished, wantFailed = 0, 1
			}
			if len(published) != wantPublished || failed != wantFailed || unsent != wantFailed || restored != 1 {
				t.Errorf("%d messages, %d said not to be sent, %d counted, %d times to restore\n%s", len(published), failed, unsent, restored, output)
			}
			if reachable && (published[0].Get("MessageStructure") != "json" || !strings.HasPrefix(published[0].Get("Subject"), "[LOW] customers remediated: DeletionProtection")) {
				t.Errorf("%v", published[0].Get("Subject"))
			}
		})
	}
}

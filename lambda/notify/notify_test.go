package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bustypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// golden returns the report of an outcome in the goldens of package report, as if the run read the whole pool, and the
// outcome.
func golden(t *testing.T, name string) (report.Report, outcome.Outcome) {
	t.Helper()
	text, err := os.ReadFile("../report/testdata/" + name + ".txtar")
	_, section, _ := strings.Cut(string(text), "-- report.json --\n")
	section, _, _ = strings.Cut(section, "\n-- ")
	var r report.Report
	var out outcome.Outcome
	if err := errors.Join(err, json.Unmarshal([]byte(section), &r), json.Unmarshal([]byte(section), &out)); err != nil {
		t.Fatal(err)
	}
	out.Details.PoolName, out.Details.PoolARN = r.UserPool.Name, r.UserPool.ARN
	r.Notify, r.Whole = report.Notifies(out, false), true
	return r, out
}

// TestDelivery sends to a topic to which a queue is subscribed, and to a bus to which a rule of somebody else listens,
// and reads what came out of them: the report, by the attributes and the detail-type that they filter by.
func TestDelivery(t *testing.T) {
	t.Parallel()
	config := mototest.Config(mototest.Start(t))
	queues, topics, bus := sqs.NewFromConfig(config), sns.NewFromConfig(config), eventbridge.NewFromConfig(config)
	queue := func(name string) (url, arn string) {
		made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(made.QueueUrl), "arn:aws:sqs:eu-west-1:123456789012:" + name
	}
	subscribed, ofTopic := queue("subscribed")
	matched, ofRule := queue("matched")
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	_, subscribing := topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn,
		Protocol: aws.String("sqs"), Endpoint: aws.String(ofTopic),
		Attributes: map[string]string{"FilterPolicy": `{"severity":["HIGH","CRITICAL"],"rule":["every-pool"]}`}})
	_, rule := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"),
		EventPattern: aws.String(`{"source":["poolkeeper"],"detail-type":["User Pool Remediated"]}`)})
	_, target := bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("r"),
		Targets: []bustypes.Target{{Id: aws.String("q"), Arn: aws.String(ofRule)}}})
	if err := errors.Join(subscribing, rule, target); err != nil {
		t.Fatal(err)
	}
	channels := []notify.Channel{notify.Topic(topics, aws.ToString(topic.TopicArn)), notify.Bus(bus, "default")}
	for name, want := range map[string]bool{"unchanged": false, "exempted": false, "remediated": true, "unfixable": true} {
		r, _ := golden(t, name)
		if notified, failed := notify.Send(t.Context(), channels, r); notified != want || failed != nil {
			t.Errorf("%s: notified %v, %v", name, notified, failed)
		}
	}
	var envelope struct{ Message, Subject string }
	var e struct {
		Source     string
		DetailType string `json:"detail-type"`
		Detail     report.Report
		Resources  []string
	}
	for url, into := range map[string]any{subscribed: &envelope, matched: &e} {
		got, err := queues.ReceiveMessage(t.Context(),
			&sqs.ReceiveMessageInput{QueueUrl: aws.String(url), MaxNumberOfMessages: 10})
		if err != nil || len(got.Messages) != 1 {
			t.Fatalf("%d messages passed the filter, want one: %v", len(got.Messages), err)
		}
		if err := json.Unmarshal([]byte(aws.ToString(got.Messages[0].Body)), into); err != nil {
			t.Fatal(err)
		}
	}
	var r report.Report
	if err := json.Unmarshal([]byte(envelope.Message), &r); err != nil || r.Outcome != outcome.Unfixable ||
		r.Schema != report.SchemaName ||
		envelope.Subject != "[HIGH] customers unfixable: AdvancedSecurityMode, after a call by AppAdmin/mallory" {
		t.Errorf("%+v: %v", envelope, err)
	}
	if e.Source != event.Source || e.DetailType != "User Pool Remediated" || len(e.Resources) != 1 ||
		e.Detail.Outcome != outcome.Remediated {
		t.Errorf("%+v", e)
	}
}

// TestPublishOnce: an outcome is one publish with a text for each protocol, and stays within what SNS takes, whatever
// its rules are called.
func TestPublishOnce(t *testing.T) {
	t.Parallel()
	var published []url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		published = append(published, form)
		_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>`+
			`<MessageId>1</MessageId></PublishResult></PublishResponse>`)
	}))
	t.Cleanup(server.Close)
	_, out := golden(t, "unfixable")
	for i := range 4000 {
		out.Drifts = append(out.Drifts, outcome.Finding{Setting: fmt.Sprintf("UserPoolTags.%d", i), Want: "x",
			Rule: fmt.Sprintf("rule-%d-\U0001f512", i), State: outcome.StateUnfixable})
	}
	topic := notify.Topic(sns.NewFromConfig(mototest.Config(server.URL)), "arn:aws:sns:eu-west-1:123456789012:t")
	if err := topic.Send(t.Context(), report.New(out, "test", "")); err != nil {
		t.Fatal(err)
	}
	if len(published) != 1 || published[0].Get("MessageStructure") != "json" {
		t.Fatalf("%d publishes", len(published))
	}
	size, names := 0, map[string]string{}
	for key := range published[0] {
		if strings.HasPrefix(key, "Message") || key == "Subject" {
			size += len(published[0].Get(key))
		}
		if strings.HasSuffix(key, ".Name") {
			names[published[0].Get(key)] = published[0].Get(strings.TrimSuffix(key, "Name") + "Value.StringValue")
		}
	}
	if size > 256*1024 {
		t.Errorf("%d bytes", size)
	}
	if names["outcome"] != "unfixable" || names["severity"] != "HIGH" || names["pool"] != "eu-west-1_AbCdEf123" ||
		!strings.HasPrefix(names["rule"], `["every-pool","rule-0-`) {
		t.Errorf("the attributes are %.200v", names)
	}
}

// TestUnclearAnswers: a success that does not say that the event was accepted counts as a failure.
func TestUnclearAnswers(t *testing.T) {
	t.Parallel()
	accepts(t, func(c aws.Config) notify.Channel { return notify.Bus(eventbridge.NewFromConfig(c), "default") },
		map[string]bool{
			`{}`: false, `{"FailedEntryCount":0,"Entries":[]}`: false, `{"Entries":[{}]}`: false,
			`{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"slow"}]}`: false,
			`{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`:                                           true,
		})
}

// accepts checks which answers a channel takes for a success.
func accepts(t *testing.T, channel func(aws.Config) notify.Channel, answers map[string]bool) {
	t.Helper()
	r, _ := golden(t, "unfixable")
	for answer, accepted := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, answer)
		}))
		t.Cleanup(server.Close)
		if err := channel(mototest.Config(server.URL)).Send(t.Context(), r); (err == nil) != accepted {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestNotified: people are notified if there is a channel that they read and none of those failed, whatever happened to
// the other channels, which get every report. A channel that fails is named. One that hangs is given up long before
// Lambda ends the invocation, and the next one is still sent to.
func TestNotified(t *testing.T) {
	t.Parallel()
	type kind struct{ people, fails, hangs bool }
	for name, c := range map[string]struct {
		channels []kind
		quiet    bool // people are not notified of the report
		want     bool
		fails    string
		sent     int
	}{
		"no channel":        {},
		"machines":          {channels: []kind{{}}, sent: 1},
		"people":            {channels: []kind{{people: true}}, want: true, sent: 1},
		"a broken machine":  {[]kind{{fails: true}, {people: true}}, false, true, "sending to Fake: broken", 2},
		"one of two failed": {[]kind{{true, true, false}, {people: true}, {}}, false, false, "to Fake: broken", 3},
		"one hangs":         {[]kind{{true, false, true}, {people: true}}, false, false, "deadline exceeded", 2},
		"nothing to notify": {channels: []kind{{people: true}, {}}, quiet: true, sent: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, sent := time.Now(), 0
			var channels []notify.Channel
			for _, k := range c.channels {
				send := func(ctx context.Context, _ report.Report) error {
					sent++
					if k.hangs {
						<-ctx.Done()
					}
					if k.fails {
						return errors.New("broken")
					}
					return ctx.Err()
				}
				channels = append(channels, notify.Channel{Name: "Fake", ToPeople: k.people, Send: send})
			}
			got, failed := notify.Send(t.Context(), channels, report.Report{Notify: !c.quiet})
			if err := errors.Join(failed...); got != c.want || sent != c.sent || (err == nil) != (c.fails == "") ||
				err != nil && !strings.Contains(err.Error(), c.fails) || time.Since(began) > notify.Timeout {
				t.Errorf("%s: notified %v, %d sent after %s: %v", name, got, sent, time.Since(began), err)
			}
		})
	}
}

// TestSuppressed: what people were notified of is suppressed for the repeat interval, as long as nothing was written
// and the finding, its requirement, the live value and its state are the same.
func TestSuppressed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	one := func(change func(d *outcome.Finding)) func(*outcome.Outcome) {
		return func(o *outcome.Outcome) { change(&o.Drifts[0]) }
	}
	event := func(o *outcome.Outcome) { o.Cause.EventID = "another" }
	exempted := outcome.Finding{Setting: "MfaConfiguration", State: outcome.StateExempted}
	for _, c := range []struct {
		before string                   // a golden: the first time
		what   string                   // is different the second time
		then   func(o *outcome.Outcome) // makes it so
		want   bool
	}{
		{"drifted", "nothing", func(*outcome.Outcome) {}, true},
		{"partial", "one finding is gone", func(o *outcome.Outcome) { o.Drifts = o.Drifts[1:] }, true},
		{"drifted", "one more", func(o *outcome.Outcome) {
			o.Drifts = append(o.Drifts, outcome.Finding{Setting: "UserPoolTier", State: outcome.StateReported})
		}, false},
		{"drifted", "one more, exempted", func(o *outcome.Outcome) { o.Drifts = append(o.Drifts, exempted) }, true},
		{"exempted", "the first finding", one(func(d *outcome.Finding) { d.State = outcome.StateUnfixable }), false},
		{"lost-update", "nothing", func(*outcome.Outcome) {}, true},
		{"lost-update", "the record", one(func(d *outcome.Finding) { d.Reason = "record b" }), false},
		{"drifted", "the value", one(func(d *outcome.Finding) { d.Have = "SOON" }), false},
		{"drifted", "the rule", one(func(d *outcome.Finding) { d.Rule = "new" }), false},
		{"drifted", "the state", one(func(d *outcome.Finding) { d.State = outcome.StateUnfixable }), false},
		{"watched", "nothing", func(*outcome.Outcome) {}, true},
		{"watched", "the call", event, false},
		{"drifted", "the call", event, true},
		{"unreadable", "nothing", func(*outcome.Outcome) {}, true},
		{"drifted", "it was written", func(o *outcome.Outcome) { o.Record = "r" }, false},
		{"drifted", "the pool", func(o *outcome.Outcome) { o.UserPoolID = "eu-west-1_Other" }, false},
	} {
		_, out := golden(t, c.before)
		out.Writes, out.Record, out.Details.Notified = nil, "", map[string]time.Time{}
		for _, fingerprint := range notify.Fingerprints(out) {
			out.Details.Notified[fingerprint] = now.Add(notify.RepeatInterval)
		}
		c.then(&out)
		if got := notify.Suppressed(out, now); got != c.want {
			t.Errorf("%s, and then %s: suppressed %v", c.before, c.what, got)
		}
		if notify.Suppressed(out, now.Add(notify.RepeatInterval)) {
			t.Errorf("%s, and then %s: suppressed after the repeat interval", c.before, c.what)
		}
	}
}

// TestFingerprints: each finding has one name, and an outcome without findings has one too.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	_, partial := golden(t, "partial")
	_, ignored := golden(t, "ignored")
	names := append(notify.Fingerprints(partial), notify.Fingerprints(ignored)...)
	slices.Sort(names)
	if got := len(slices.Compact(names)); got != 3 {
		t.Errorf("%d names, want 3: %v", got, names)
	}
}

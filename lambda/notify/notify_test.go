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

// at is how the service at a URL is called.
func at(url string) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})}
}

const queueARN = "arn:aws:sqs:eu-west-1:123456789012:q"

// queued makes the queue of queueARN, and returns how to read the one message that it has to have then.
func queued(t *testing.T, config aws.Config) (read func(into any)) {
	t.Helper()
	queues := sqs.NewFromConfig(config)
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	return func(into any) {
		t.Helper()
		got, err := queues.ReceiveMessage(t.Context(),
			&sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil || len(got.Messages) != 1 {
			t.Fatalf("%d messages passed the filter, want one: %v", len(got.Messages), err)
		}
		if err := json.Unmarshal([]byte(aws.ToString(got.Messages[0].Body)), into); err != nil {
			t.Fatal(err)
		}
	}
}

// deleted names the outcome of an event about the deletion of a pool that a rule names. Its ending is Drifted.
const deleted outcome.Ending = "deleted"

// The findings of the outcomes.
var (
	fixed = outcome.Finding{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: outcome.StateFixed}
	unfixable = outcome.Finding{Setting: "UserPoolAddOns.AdvancedSecurityMode", Rule: "every-pool", Want: "ENFORCED",
		State: outcome.StateUnfixable, Reason: "needs PLUS"}
	audited = outcome.Finding{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: outcome.StateReported, Reason: "the rule only audits", Code: outcome.CodeAudited}
	gone = outcome.Finding{Setting: "UserPool", Rule: "crown", Want: "a pool that a rule names", Have: "deleted",
		State: outcome.StateReported, Code: outcome.CodeDeleted,
		Reason: "deleted by arn:aws:sts::123456789012:assumed-role/AppAdmin/mallory"}
)

func ended(ending outcome.Ending) outcome.Outcome {
	out := outcome.Outcome{Outcome: ending, UserPoolID: "eu-west-1_AbCdEf123", Baseline: "sha256:ab",
		Cause: event.Cause{EventID: "0c0f7a3e", EventName: "UpdateUserPool",
			Actor: "arn:aws:sts::123456789012:assumed-role/AppAdmin/mallory"},
		Drifts: []outcome.Finding{}, Writes: []string{}, Details: outcome.Details{PoolName: "customers",
			PoolARN: "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123"}}
	switch ending {
	case outcome.Remediated:
		out.Writes, out.Drifts = []string{"UpdateUserPool"}, []outcome.Finding{fixed}
	case outcome.Unconverged:
		out.Writes = []string{"UpdateUserPool"}
		out.Reason = "settings changed that no write should have changed: UserPoolTags.team"
	case outcome.Partial:
		out.Writes, out.Reason = []string{"UpdateUserPool"}, unfixable.Reason
		out.Drifts = []outcome.Finding{fixed, unfixable}
	case outcome.Drifted:
		out.Reason, out.Drifts = audited.Reason, []outcome.Finding{audited}
	case deleted:
		out.Outcome, out.Critical, out.Reason = outcome.Drifted, true, "the user pool was deleted"
		out.Details.PoolName, out.Cause.EventName = "", "DeleteUserPool"
		out.Drifts = []outcome.Finding{gone}
	case outcome.Ignored:
		out.Reason = outcome.GoneReason
	case outcome.Unfixable:
		out.Reason, out.Drifts = unfixable.Reason, []outcome.Finding{unfixable}
	}
	return out
}

// reportOf is the report of a run that read all of the pool, of which people are notified where it matters.
func reportOf(ending outcome.Ending) report.Report {
	out := ended(ending)
	r := report.New(out, "test", "")
	r.Notify, r.Whole = report.Notifies(out, false), true
	return r
}

// TestTopic publishes to a topic with a queue, and reads what came out of it: the report, with the attributes that a
// subscription filters by.
func TestTopic(t *testing.T) {
	t.Parallel()
	config := at(mototest.Start(t))
	read, topics := queued(t, config), sns.NewFromConfig(config)
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"),
		Endpoint:   aws.String(queueARN),
		Attributes: map[string]string{"FilterPolicy": `{"severity":["HIGH","CRITICAL"],"rule":["every-pool"]}`}})
	if err != nil {
		t.Fatal(err)
	}
	channels := []notify.Channel{notify.Topic{Client: topics, ARN: aws.ToString(topic.TopicArn)}}
	for ending, want := range map[outcome.Ending]bool{outcome.Unchanged: false, outcome.Exempted: false,
		outcome.Remediated: true, outcome.Unfixable: true} {
		if notified, failed := notify.Send(t.Context(), channels, reportOf(ending)); notified != want || failed != nil {
			t.Errorf("%s: notified %v, %v", ending, notified, failed)
		}
	}
	var envelope struct{ Message, Subject string }
	var r report.Report
	read(&envelope)
	if err := json.Unmarshal([]byte(envelope.Message), &r); err != nil {
		t.Fatalf("%v: %s", err, envelope.Message)
	}
	subject := "[HIGH] customers unfixable: AdvancedSecurityMode, after a call by mallory"
	if r.Outcome != outcome.Unfixable || r.Schema != report.SchemaName || envelope.Subject != subject {
		t.Errorf("%+v %q", r, envelope.Subject)
	}
}

// TestBus puts events on a bus to which a rule of somebody else listens.
func TestBus(t *testing.T) {
	t.Parallel()
	config := at(mototest.Start(t))
	read, bus := queued(t, config), eventbridge.NewFromConfig(config)
	_, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"),
		EventPattern: aws.String(`{"source":["poolkeeper"],"detail-type":["User Pool Remediated"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []bustypes.Target{
		{Id: aws.String("q"), Arn: aws.String(queueARN)}}})
	if err != nil {
		t.Fatal(err)
	}
	channel := notify.Bus{Client: bus, Bus: "default"}
	for _, ending := range []outcome.Ending{outcome.Unfixable, outcome.Remediated} {
		if err := channel.Send(t.Context(), reportOf(ending)); err != nil {
			t.Fatal(err)
		}
	}
	var e struct {
		Source     string
		DetailType string `json:"detail-type"`
		Detail     report.Report
		Resources  []string
	}
	read(&e)
	if e.Source != notify.Source || e.DetailType != "User Pool Remediated" || len(e.Resources) != 1 ||
		e.Detail.Outcome != outcome.Remediated {
		t.Errorf("%+v", e)
	}
}

// A fake is a channel that keeps count of what it was sent.
type fake struct {
	people, hangs bool
	fails         error
	got           int
}

func (*fake) Name() string     { return "Fake" }
func (f *fake) ToPeople() bool { return f.people }
func (f *fake) Send(ctx context.Context, _ report.Report) error {
	f.got++
	if f.hangs {
		<-ctx.Done()
	}
	return errors.Join(f.fails, ctx.Err())
}

// TestTimeout: a channel that hangs is given up long before Lambda ends the invocation, and the next one is still sent
// to.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next := &fake{people: true}
		began := time.Now()
		notified, failed := notify.Send(t.Context(), []notify.Channel{&fake{people: true, hangs: true}, next},
			report.Report{Notify: true})
		if notified || len(failed) != 1 || !errors.Is(failed[0], context.DeadlineExceeded) {
			t.Errorf("notified %v, %v", notified, failed)
		}
		if took := time.Since(began); next.got != 1 || took != notify.Timeout {
			t.Errorf("%d sent, after %s", next.got, took)
		}
	})
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
	out := ended(outcome.Unfixable)
	for i := range 4000 {
		out.Drifts = append(out.Drifts, outcome.Finding{Setting: fmt.Sprintf("UserPoolTags.%d", i), Want: "x",
			Rule: fmt.Sprintf("rule-%d-\U0001f512", i), State: outcome.StateUnfixable})
	}
	topic := notify.Topic{Client: sns.NewFromConfig(at(server.URL)), ARN: "arn:aws:sns:eu-west-1:123456789012:t"}
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
	accepts(t, func(url string) notify.Channel {
		return notify.Bus{Client: eventbridge.NewFromConfig(at(url)), Bus: "default"}
	}, map[string]bool{
		`{}`: false, `{"FailedEntryCount":0,"Entries":[]}`: false, `{"Entries":[{}]}`: false,
		`{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"slow"}]}`: false,
		`{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`:                                           true,
	})
}

// accepts checks which answers a channel takes for a success.
func accepts(t *testing.T, channel func(url string) notify.Channel, answers map[string]bool) {
	t.Helper()
	for answer, accepted := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, answer)
		}))
		t.Cleanup(server.Close)
		if err := channel(server.URL).Send(t.Context(), reportOf(outcome.Unfixable)); (err == nil) != accepted {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestNotified: people are notified if there is a channel that they read and none of those failed, whatever happened to
// the other channels, which get every report. A channel that fails is named.
func TestNotified(t *testing.T) {
	t.Parallel()
	out := errors.New("out of order")
	for name, c := range map[string]struct {
		channels []fake
		notify   bool
		want     bool
		sent     []int
	}{
		"no channel":        {nil, true, false, nil},
		"machines":          {[]fake{{}}, true, false, []int{1}},
		"people":            {[]fake{{people: true}}, true, true, []int{1}},
		"a broken machine":  {[]fake{{fails: out}, {people: true}}, true, true, []int{1, 1}},
		"one of two failed": {[]fake{{people: true, fails: out}, {people: true}, {}}, true, false, []int{1, 1, 1}},
		"nothing to notify": {[]fake{{people: true}, {}}, false, false, []int{0, 1}},
	} {
		var channels []notify.Channel
		for i := range c.channels {
			channels = append(channels, &c.channels[i])
		}
		got, failed := notify.Send(t.Context(), channels, report.Report{Notify: c.notify})
		if got != c.want || len(failed) > 0 && failed[0].Error() != "sending to Fake: out of order" {
			t.Errorf("%s: notified %v, %v", name, got, failed)
		}
		for i, want := range c.sent {
			if got := c.channels[i].got; got != want {
				t.Errorf("%s: %d reports to channel %d, want %d", name, got, i, want)
			}
		}
	}
}

// TestSuppressed: what people were notified of is suppressed for the repeat interval, as long as nothing was written
// and the finding, its requirement, the live value and its state are the same.
func TestSuppressed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	type findings = []outcome.Finding
	lost := outcome.Finding{Setting: "UserPool", Want: "the changes of the call", State: outcome.StateReported,
		Code: outcome.CodeLostUpdate, Reason: "record a"}
	added := outcome.Finding{Setting: "groups[admins]", Want: "no change", Have: "added", State: outcome.StateReported}
	exempted := outcome.Finding{Setting: "MfaConfiguration", State: outcome.StateExempted}
	for name, c := range map[string]struct {
		before findings
		then   func(o *outcome.Outcome) // what is different the second time
		want   bool
	}{
		"the same": {findings{audited}, func(*outcome.Outcome) {}, true},
		"fewer":    {findings{audited, unfixable}, func(o *outcome.Outcome) { o.Drifts = o.Drifts[1:] }, true},
		"one more": {findings{audited}, func(o *outcome.Outcome) { o.Drifts = findings{audited, unfixable} },
			false},
		"one exempted": {findings{audited}, func(o *outcome.Outcome) { o.Drifts = findings{audited, exempted} },
			true},
		"never before":        {nil, func(o *outcome.Outcome) { o.Drifts = findings{audited} }, false},
		"a lost update":       {findings{lost}, func(*outcome.Outcome) {}, true},
		"another lost update": {findings{lost}, func(o *outcome.Outcome) { o.Drifts[0].Reason = "record b" }, false},
		"another value":       {findings{audited}, func(o *outcome.Outcome) { o.Drifts[0].Have = "SOON" }, false},
		"another requirement": {findings{audited}, func(o *outcome.Outcome) { o.Drifts[0].Rule = "new" }, false},
		"another state": {findings{audited}, func(o *outcome.Outcome) { o.Drifts[0].State = outcome.StateUnfixable },
			false},
		"the same event again":  {findings{added}, func(*outcome.Outcome) {}, true},
		"the same change again": {findings{added}, func(o *outcome.Outcome) { o.Cause.EventID = "another" }, false},
		"the same drift again":  {findings{audited}, func(o *outcome.Outcome) { o.Cause.EventID = "another" }, true},
		"still unreadable":      {nil, func(*outcome.Outcome) {}, true},
		"written":               {findings{audited}, func(o *outcome.Outcome) { o.Record = "r" }, false},
		"another pool":          {findings{audited}, func(o *outcome.Outcome) { o.UserPoolID = "eu-west-1_Other" }, false},
	} {
		out := ended(outcome.Ignored)
		out.Outcome, out.Drifts = outcome.Unfixable, c.before
		out.Details.Notified = map[string]time.Time{}
		for _, fingerprint := range notify.Fingerprints(out) {
			out.Details.Notified[fingerprint] = now.Add(notify.RepeatInterval)
		}
		c.then(&out)
		if got := notify.Suppressed(out, now); got != c.want {
			t.Errorf("%s: suppressed %v", name, got)
		}
		if notify.Suppressed(out, now.Add(notify.RepeatInterval)) {
			t.Errorf("%s: suppressed after the repeat interval", name)
		}
	}
}

// TestFingerprints: each finding has one name, and an outcome without findings has one too.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	names := notify.Fingerprints(ended(outcome.Partial))
	names = append(names, notify.Fingerprints(ended(outcome.Ignored))...)
	slices.Sort(names)
	if got := len(slices.Compact(names)); got != 3 {
		t.Errorf("%d names, want 3: %v", got, names)
	}
}

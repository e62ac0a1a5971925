package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

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

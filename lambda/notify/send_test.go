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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// hanging never answers.
type hanging struct{}

func (hanging) Name() string                                      { return "Hanging" }
func (hanging) Send(ctx context.Context, _ report.Report) error   { <-ctx.Done(); return ctx.Err() }
func (hanging) Digest(ctx context.Context, _ report.Digest) error { <-ctx.Done(); return ctx.Err() }

// prompt keeps what it is sent.
type prompt struct{ got *int }

func (prompt) Name() string                                        { return "Prompt" }
func (p prompt) Send(ctx context.Context, _ report.Report) error   { *p.got++; return ctx.Err() }
func (p prompt) Digest(ctx context.Context, _ report.Digest) error { *p.got++; return ctx.Err() }

// TestPatience: a channel that hangs is given up long before Lambda ends the invocation, and the next is still told.
func TestPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := 0
		channels := []notify.Channel{hanging{}, prompt{&got}}
		began := time.Now()
		failed, heard := notify.Send(t.Context(), channels, report.Report{})
		if heard {
			t.Error("people do not know what a channel did not take")
		}
		for _, errs := range [][]error{failed, notify.SendDigest(t.Context(), channels, report.Digest{})} {
			if len(errs) != 1 || !errors.Is(errs[0], context.DeadlineExceeded) || !strings.HasPrefix(errs[0].Error(), "telling Hanging: ") {
				t.Errorf("%v", errs)
			}
		}
		if took := time.Since(began); got != 2 || took != 2*notify.Patience || took > time.Minute {
			t.Errorf("%d sent, after %s", got, took)
		}
	})
}

// TestPublishOnce: an outcome is one publish with a text for each protocol, and stays within what SNS takes whatever its rules are called.
func TestPublishOnce(t *testing.T) {
	t.Parallel()
	var published []url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		published = append(published, form)
		_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	}))
	t.Cleanup(server.Close)
	out := outcome(reconcile.Unfixable)
	for i := range 4000 {
		out.Drifts = append(out.Drifts, reconcile.Drift{Setting: fmt.Sprintf("UserPoolTags.%d", i), Rule: fmt.Sprintf("rule-%d-\U0001f512", i), Want: "x", State: reconcile.NotFixable})
	}
	topic := notify.Topic{Client: sns.New(sns.Options{Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials}), ARN: "arn:aws:sns:eu-west-1:123456789012:t"}
	if err := topic.Send(t.Context(), report.New(out, "test")); err != nil {
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
	if names["outcome"] != "unfixable" || names["severity"] != "HIGH" || names["pool"] != "eu-west-1_AbCdEf123" || !strings.HasPrefix(names["rule"], `["every-pool","rule-0-`) {
		t.Errorf("the attributes are %.200v", names)
	}
}

// TestUnclearAnswers: a success that does not say that the event was taken counts as not taken.
func TestUnclearAnswers(t *testing.T) {
	t.Parallel()
	believes(t, func(url string) notify.Channel {
		return notify.Bus{Client: eventbridge.New(eventbridge.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials}), Bus: "default"}
	}, map[string]bool{
		`{}`: false, `{"FailedEntryCount":0,"Entries":[]}`: false, `{"Entries":[{}]}`: false, `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"slow"}]}`: false,
		`{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`: true,
	})
}

// believes holds a channel to take a report for told by some answers, and not by others.
func believes(t *testing.T, channel func(url string) notify.Channel, answers map[string]bool) {
	t.Helper()
	for answer, told := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
		t.Cleanup(server.Close)
		if err := channel(server.URL).Send(t.Context(), report.New(outcome(reconcile.Unfixable), "test")); (err == nil) != told {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestHeard: people know of a report if there is a channel that they listen to and none of those failed, whatever became of the channels of machines.
func TestHeard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		channels []notify.Channel
		heard    bool
	}{
		"nobody":            {nil, false},
		"machines":          {[]notify.Channel{machine{}}, false},
		"people":            {[]notify.Channel{prompt{new(int)}}, true},
		"a broken machine":  {[]notify.Channel{machine{broken: true}, prompt{new(int)}}, true},
		"one of two failed": {[]notify.Channel{broken{}, prompt{new(int)}, machine{}}, false},
	} {
		if _, heard := notify.Send(t.Context(), c.channels, report.Report{}); heard != c.heard {
			t.Errorf("%s: heard %v", name, heard)
		}
	}
}

type machine struct{ broken bool }

func (machine) Name() string { return "Machine" }

func (m machine) Send(context.Context, report.Report) error {
	if m.broken {
		return errors.New("out of order")
	}
	return nil
}

type broken struct{ prompt }

func (broken) Send(context.Context, report.Report) error { return errors.New("out of order") }

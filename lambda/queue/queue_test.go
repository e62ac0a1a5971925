package queue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/queue"
)

func client(url string) *sqs.Client { return sqs.NewFromConfig(mototest.Config(url)) }

func noSleep(context.Context, time.Duration) error { return nil }

// TestQueue sends messages to a server that is not ours, and puts one off.
func TestQueue(t *testing.T) {
	t.Parallel()
	api := client(mototest.Start(t))
	made, err := api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("Scans"),
		Attributes: map[string]string{"VisibilityTimeout": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	q := queue.Queue{Client: api, URL: aws.ToString(made.QueueUrl), Sleep: noSleep}
	receive := func() (bodies []string, handle string) {
		in := &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, MaxNumberOfMessages: 10}
		for range 5 {
			out, err := api.ReceiveMessage(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range out.Messages {
				bodies, handle = append(bodies, aws.ToString(m.Body)), aws.ToString(m.ReceiptHandle)
			}
		}
		slices.Sort(bodies)
		return bodies, handle
	}
	var want []string
	for i := range 23 {
		want = append(want, fmt.Sprintf(`{"n": %02d}`, i))
	}
	if err := q.Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, handle := receive()
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if err := q.PutOff(t.Context(), handle, 3); err != nil {
		t.Error(err)
	}
	time.Sleep(3 * time.Second) // the queue's own timeout is over for the others
	if got, _ = receive(); len(got) != 22 {
		t.Errorf("%d messages came back, want all but the one that was put off", len(got))
	}

	gone := queue.Queue{Client: api, URL: q.URL + "-gone", Sleep: noSleep}
	if err := gone.PutOff(t.Context(), handle, 1); err == nil || !strings.Contains(err.Error(), "delaying a message of") {
		t.Errorf("%v", err)
	}
	if err := gone.Send(t.Context(), want[:1]); err == nil || !strings.Contains(err.Error(), "sending 1 of 1 messages") {
		t.Errorf("%v", err)
	}
}

// A lossy server of SQS accepts a message unless loses says that it is to be lost.
type lossy struct {
	calls    int
	accepted string
	loses    func(call int, body string) bool
	silent   bool // what is lost is not in the answer at all
}

func (l *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Entries []struct{ ID, MessageBody string }
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	good, bad := []map[string]any{}, []map[string]any{}
	for _, e := range in.Entries {
		switch {
		case !l.loses(l.calls, e.MessageBody):
			l.accepted += e.MessageBody
			good = append(good, map[string]any{"Id": e.ID, "MessageId": e.ID})
		case !l.silent:
			bad = append(bad, map[string]any{"Id": e.ID, "Code": "Busy", "Message": "later", "SenderFault": false})
		}
	}
	l.calls++
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(map[string]any{"Successful": good, "Failed": bad})
}

// TestSendAgain: what the queue did not accept is sent again, and nothing else.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		loses  func(call int, body string) bool
		silent bool
		want   string
		says   string
	}{
		"nothing":           {func(int, string) bool { return false }, false, "abc", ""},
		"the second, once":  {func(call int, body string) bool { return call == 0 && body == "b" }, false, "acb", ""},
		"all but the third": {func(call int, body string) bool { return call == 0 && body != "c" }, false, "cab", ""},
		"one, silently":     {func(call int, body string) bool { return call < 3 && body == "a" }, true, "bca", ""},
		"one for good":      {func(_ int, body string) bool { return body == "b" }, false, "ac", "Busy: later"},
		"one, never said":   {func(_ int, body string) bool { return body == "b" }, true, "ac", "does not confirm"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &lossy{loses: c.loses, silent: c.silent}
			server := httptest.NewServer(l)
			defer server.Close()
			q := queue.Queue{Client: client(server.URL), URL: server.URL + "/111122223333/Scans", Sleep: noSleep}
			err := q.Send(t.Context(), []string{"a", "b", "c"})
			says := fmt.Sprint(err)
			if l.accepted != c.want || (err == nil) != (c.says == "") || err != nil &&
				(!strings.Contains(says, "sending 1 of 3 messages to") || !strings.Contains(says, c.says)) {
				t.Errorf("accepted %q, want %q: %v, want %q", l.accepted, c.want, err, c.says)
			}
		})
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	for receives, want := range map[int]time.Duration{0: 15 * time.Second, 1: 15 * time.Second, 2: 30 * time.Second,
		5: 4 * time.Minute, 6: 5 * time.Minute, 1000: 5 * time.Minute} {
		if got := queue.Delay(receives); got != want {
			t.Errorf("after %d receives: %s, want %s", receives, got, want)
		}
	}
	total := time.Duration(0)
	for receives := 1; receives < 20; receives++ {
		total += queue.Delay(receives)
	}
	if total < time.Hour {
		t.Errorf("a message is tried for %s", total)
	}
}

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

func at(url, name string) queue.Queue {
	return queue.Queue{Client: sqs.NewFromConfig(mototest.Config(url)), URL: url + "/123456789012/" + name,
		Sleep: func(context.Context, time.Duration) error { return nil }}
}

// TestQueue sends messages to a server that is not ours, and puts one off.
func TestQueue(t *testing.T) {
	t.Parallel()
	url := mototest.Start(t)
	q, gone := at(url, "Scans"), at(url, "gone")
	if _, err := q.Client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("Scans"),
		Attributes: map[string]string{"VisibilityTimeout": "2"}}); err != nil {
		t.Fatal(err)
	}
	receive := func() (bodies []string, handle string) {
		for range 5 {
			out, err := q.Client.ReceiveMessage(t.Context(),
				&sqs.ReceiveMessageInput{QueueUrl: aws.String(q.URL), MaxNumberOfMessages: 10})
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
	sending := q.Send(t.Context(), want)
	got, handle := receive()
	if sending != nil || !slices.Equal(got, want) {
		t.Errorf("%v, want %v: %v", got, want, sending)
	}
	if err := q.PutOff(t.Context(), handle, 3); err != nil {
		t.Error(err)
	}
	time.Sleep(3 * time.Second) // the queue's own timeout is over for the others
	if got, _ = receive(); len(got) != 22 {
		t.Errorf("%d messages came back, want all but the one that was put off", len(got))
	}
	for err, says := range map[error]string{gone.PutOff(t.Context(), handle, 1): "delaying a message of",
		gone.Send(t.Context(), want[:1]): "sending 1 of 1 messages"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestSendAgain: what the queue did not accept is sent again, and nothing else.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		loses  func(call int, body string) bool
		silent bool // what is lost is not in the answer at all
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
			calls, accepted := 0, ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var in struct {
					Entries []struct{ ID, MessageBody string }
				}
				_ = json.NewDecoder(r.Body).Decode(&in)
				good, bad := []map[string]any{}, []map[string]any{}
				for _, e := range in.Entries {
					if !c.loses(calls, e.MessageBody) {
						accepted += e.MessageBody
						good = append(good, map[string]any{"Id": e.ID, "MessageId": e.ID})
					} else if !c.silent {
						bad = append(bad, map[string]any{"Id": e.ID, "Code": "Busy", "Message": "later", "SenderFault": false})
					}
				}
				calls++
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				_ = json.NewEncoder(w).Encode(map[string]any{"Successful": good, "Failed": bad})
			}))
			defer server.Close()
			err := at(server.URL, "Scans").Send(t.Context(), []string{"a", "b", "c"})
			says := fmt.Sprint(err)
			if accepted != c.want || (err == nil) != (c.says == "") || err != nil &&
				(!strings.Contains(says, "sending 1 of 3 messages to") || !strings.Contains(says, c.says)) {
				t.Errorf("accepted %q, want %q: %v, want %q", accepted, c.want, err, c.says)
			}
		})
	}
}

// TestDelay: the delay doubles up to five minutes, and a message is tried for more than an hour.
func TestDelay(t *testing.T) {
	t.Parallel()
	total := time.Duration(0)
	for receives, want := range []time.Duration{15, 15, 30, 60, 120, 240, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300,
		300, 300, 300, 300} {
		total += want * time.Second
		if got := queue.Delay(receives); got != want*time.Second {
			t.Errorf("after %d receives: %s, want %d s", receives, got, want)
		}
	}
	if total < time.Hour || queue.Delay(1000) != 5*time.Minute {
		t.Errorf("a message is tried for %s", total)
	}
}

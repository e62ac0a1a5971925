package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
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
		gone.Send(t.Context(), want[:1]): "sending 1 messages"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestSendAgain: a batch that the queue did not accept completely is sent again.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		loses  func(call int, body string) bool
		silent bool // what is lost is not in the answer at all
		want   string
		says   string
	}{
		"nothing":           {func(int, string) bool { return false }, false, "abc", ""},
		"the second, once":  {func(call int, body string) bool { return call == 0 && body == "b" }, false, "acabc", ""},
		"all but the third": {func(call int, body string) bool { return call == 0 && body != "c" }, false, "cabc", ""},
		"one, silently":     {func(call int, body string) bool { return call < 3 && body == "a" }, true, "bcbcbcabc", ""},
		"one for good":      {func(_ int, body string) bool { return body == "b" }, false, "acacacac", "Busy: later"},
		"one, never said":   {func(_ int, body string) bool { return body == "b" }, true, "acacacac", "does not confirm"},
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
				(!strings.Contains(says, "sending 3 messages to") || !strings.Contains(says, c.says)) {
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

const ownRole = "arn:aws:iam::111122223333:role/poolkeeper"

// pages lists pools, 60 a page. The token is the number of the page.
type pages struct {
	pools   int
	takes   time.Duration     // of one call
	refuses string            // a token that is refused
	next    map[string]string // tokens that are returned in place of the right ones
	listed  int
}

func (p *pages) List(ctx context.Context, token string) (ids []string, next string, err error) {
	p.listed++
	if err := cognito.Sleep(ctx, p.takes); err != nil {
		return nil, "", err
	}
	if token != "" && token == p.refuses {
		return nil, "", &cognito.Error{Call: "ListUserPools", Class: cognito.ClassRefused, Message: "Invalid token"}
	}
	page := 0
	_, _ = fmt.Sscan(token, &page)
	for i := page * 60; i < min(p.pools, page*60+60); i++ {
		ids = append(ids, fmt.Sprintf("eu-west-1_Pool%05d", i))
	}
	if page*60+60 < p.pools {
		next = fmt.Sprint(page + 1)
	}
	if other, ok := p.next[token]; ok {
		next = other
	}
	return ids, next, nil
}

// An outbox keeps what is sent. It refuses what comes after the first messages, if most is not 0.
type outbox struct {
	sent []string
	most int
}

func (o *outbox) send(_ context.Context, bodies []string) error {
	if o.most > 0 && len(o.sent)+len(bodies) > o.most {
		return errors.New("the queue is not there")
	}
	o.sent = append(o.sent, bodies...)
	return nil
}

func parse(t *testing.T, rule string) *baseline.Baseline {
	t.Helper()
	required, err := baseline.Parse("a.yaml", []byte("version: 1\nrules: ["+rule+"]"))
	if err != nil {
		t.Fatal(err)
	}
	return required
}

// scanner sends to the outbox.
func scanner(t *testing.T, p *pages, o *outbox) queue.Scanner {
	t.Helper()
	required := parse(t, "{name: a, require: {DeletionProtection: ACTIVE}}")
	return queue.Scanner{Pools: p, Baseline: required, Ledger: ledger.NewMemory(), OwnRole: ownRole, Now: time.Now,
		Send: o.send}
}

// leftOut is the request of a call of which CloudTrail left out the pool.
func leftOut(at time.Time, issuer string) event.Request {
	return event.Request{Kind: event.All, Reason: event.RequestLeftOut, Cause: event.Cause{Time: at, Issuer: issuer}}
}

// TestScan follows a scan through all its messages, with time for a few pages each: every pool is sent once, with the
// start of the scan and that the schedule asked for it. A token that has expired begins the scan again.
func TestScan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		o := &outbox{}
		s := scanner(t, &pages{pools: 1000, takes: 2 * time.Second, refuses: "expired"}, o)
		scan := event.Request{Kind: event.All, Scan: event.Scan{Scheduled: true, Started: began, Token: "expired"}}
		counts, messages := map[string]int{}, 0
		for ; scan.Kind == event.All; messages++ {
			ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
			result, err := s.Scan(ctx, scan)
			stop()
			if err != nil || result.Outcome != outcome.Scanned || result.Pools == 0 {
				t.Fatalf("%+v: %v", result, err)
			}
			scan = event.Request{}
			for _, body := range o.sent {
				switch r := event.Decode([]byte(body), event.Home{}); {
				case r.Kind == event.All:
					scan = r
				case !r.Scan.Scheduled || !r.Scan.Started.Equal(began):
					t.Errorf("%s is %+v", body, r)
				default:
					counts[r.UserPoolID]++
				}
			}
			o.sent = nil
		}
		if len(counts) != 1000 || messages < 3 || messages > 7 {
			t.Errorf("%d pools were sent in %d messages", len(counts), messages)
		}
		for id, n := range counts {
			if n > 1 {
				t.Errorf("%s was sent %d times", id, n)
			}
		}
	})
}

// TestScanFails: a scan that cannot be finished is deferred, after a bounded number of pages.
func TestScanFails(t *testing.T) {
	t.Parallel()
	type next map[string]string
	for name, c := range map[string]struct {
		pages   pages
		request event.Scan
		time    time.Duration
		says    string
	}{
		"the same token":     {pages{next: next{"": "1", "1": "1"}}, event.Scan{}, time.Hour, "earlier page"},
		"tokens in a circle": {pages{next: next{"": "1", "1": "2", "2": "1"}}, event.Scan{}, time.Hour, "earlier page"},
		"no end":             {pages{pools: 1e6}, event.Scan{}, time.Hour, "no end after 2000 pages"},
		"no end, later":      {pages{pools: 1e6}, event.Scan{Token: "3", Pages: 1999}, time.Hour, "no end after 2000 pages"},
		"no queue":           {pages{pools: 200}, event.Scan{}, time.Hour, "the queue is not there"},
		"a list too slow":    {pages{takes: time.Hour}, event.Scan{}, time.Minute, "listing the pools: context deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := &outbox{}
				if strings.Contains(c.says, "queue") {
					o.most = 100
				}
				ctx, stop := context.WithTimeout(t.Context(), c.time)
				defer stop()
				result, err := scanner(t, &c.pages, o).Scan(ctx, event.Request{Kind: event.All, Scan: c.request})
				var later *outcome.DeferredError
				if !errors.As(err, &later) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want %q", err, c.says)
				}
				if result.Outcome != outcome.Deferred || c.pages.listed > 2000 {
					t.Errorf("%+v after %d pages", result, c.pages.listed)
				}
			})
		})
	}
}

// TestScanThatAnEventAsksFor: a scan is skipped where another one started after the call, and for calls of our own.
func TestScanThatAnEventAsksFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scanner(t, &pages{pools: 10}, &outbox{})
		time.Sleep(time.Hour)
		noon := time.Now()
		for i, c := range []struct {
			request event.Request
			want    outcome.Ending
		}{
			{leftOut(noon.Add(-time.Minute), ownRole), outcome.Ignored},
			{leftOut(noon.Add(-time.Minute), ""), outcome.Scanned},
			{leftOut(noon.Add(-time.Minute), ""), outcome.Ignored},
			{leftOut(noon.Add(-2*time.Second), ""), outcome.Scanned}, // a read may have shown the state before the call
			{leftOut(time.Time{}, ""), outcome.Scanned},
			{event.Request{Kind: event.All, Scan: event.Scan{Scheduled: true}}, outcome.Scanned},
			// A start in the future is forged. No event may rely on it.
			{event.Request{Kind: event.All, Scan: event.Scan{Started: noon.Add(time.Hour), Token: "0"}}, outcome.Scanned},
			{leftOut(noon.Add(time.Minute), ""), outcome.Scanned},
		} {
			if got, err := s.Scan(t.Context(), c.request); err != nil || got.Outcome != c.want {
				t.Errorf("%d: %+v, want %s: %v", i, got, c.want, err)
			}
		}
	})
}

// TestFailedScanIsRepeated: no event relies on a scan that failed, nor does the event that asked for it. Only pools
// that a rule may select are sent.
func TestFailedScanIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{most: 100}
		s := scanner(t, &pages{pools: 200}, o)
		call := leftOut(time.Now(), "")
		time.Sleep(time.Minute)
		if _, err := s.Scan(t.Context(), call); err == nil {
			t.Fatal("the queue took more than it takes")
		}
		o.most, o.sent = 0, nil
		s.Baseline = parse(t, "{name: a, pools: {ids: [eu-west-1_Pool00065]}, require: {DeletionProtection: ACTIVE}}")
		result, err := s.Scan(t.Context(), call)
		if err != nil || result.Pools != 1 || len(o.sent) != 1 || !strings.Contains(o.sent[0], "eu-west-1_Pool00065") {
			t.Errorf("%+v, %q: %v", result, o.sent, err)
		}
	})
}

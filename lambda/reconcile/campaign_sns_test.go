package reconcile_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// A topic is a fake of SNS whose answers go wrong as the cell says.
type topic struct {
	arena  *arena
	server *httptest.Server
	client *sns.Client

	mutex     sync.Mutex
	armed     bool
	met       int
	published int
	verified  int  // messages that say what was written and that it is verified
	leaked    bool // a planted secret was published
}

func newTopic(a *arena) *topic {
	f := &topic{arena: a}
	f.server = httptest.NewServer(http.HandlerFunc(f.publish))
	f.client = sns.New(sns.Options{Region: "eu-west-1", BaseEndpoint: aws.String(f.server.URL), Retryer: fastRetry{}, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
	})})
	return f
}

func (f *topic) reset() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.armed, f.met, f.published, f.verified, f.leaked = false, 0, 0, 0, false
}

// take returns whether a secret was published, and the number of messages, and of those that say what is verified.
func (f *topic) take() (leaked bool, published, verified int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.leaked, f.published, f.verified
}

// tell tells people of an outcome, and returns how many messages were not sent. It is where a process dies whose cell says so.
func (f *topic) tell(ctx context.Context, out reconcile.Outcome) (untold int) {
	w := wrongs[f.arena.cell.wrong]
	dies := f.armed && f.arena.cell.place == atSNS && w.kills && report.Told(out)
	if dies && !w.Apply {
		f.arena.strike(wrong{}, true)
		panic(death{})
	}
	failed, _ := notify.Send(ctx, []notify.Channel{notify.Topic{Client: f.client, ARN: "arn:aws:sns:eu-west-1:111122223333:topic"}}, report.New(out, "build"))
	if dies {
		f.arena.strike(wrong{}, true)
		panic(death{})
	}
	return len(failed)
}

func (f *topic) publish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	c := f.arena.cell
	f.mutex.Lock()
	strikes := f.armed && c.place == atSNS && !wrongs[c.wrong].kills && (c.times == 0 || f.met < c.times)
	f.met++
	f.mutex.Unlock()
	fault := wrong{}
	if strikes {
		fault = wrongs[c.wrong]
		f.arena.strike(fault, true)
		time.Sleep(fault.Delay)
	}
	if fault.Apply || fault.Error == "" && !fault.Drop {
		f.mutex.Lock()
		f.published, f.leaked = f.published+1, f.leaked || bytes.Contains(body, []byte("CANARY"))
		if bytes.Contains(body, []byte("are+exactly+what+they+were")) {
			f.verified++
		}
		f.mutex.Unlock()
	}
	switch {
	case fault.Drop:
		if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = connection.Close()
		}
	case fault.Error != "":
		w.WriteHeader(max(fault.Status, http.StatusBadRequest))
		_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, fault.Error)
	case fault.Body != nil:
		_, _ = w.Write(fault.Body)
	default:
		_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

type handler struct {
	config     *Config
	reconciler *reconcile.Reconciler
	scanner    queue.Scanner
	queues     []queue.Queue // the queues whose messages can be delayed
	log        *slog.Logger
	metrics    io.Writer // where the metrics go: the log
	calls      *calls
	channels   []notify.Channel
}

// Invoke handles an SQS event, and returns the messages to deliver again, or a raw event, and returns its outcome. It
// implements lambda.Handler, so that any payload reaches event.Decode.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		h.log = h.log.With("invocation_id", invocation.AwsRequestID)
	}
	var answer any
	var err error
	if records, ok := event.Records(payload); ok {
		answer = map[string]any{"batchItemFailures": h.batch(ctx, records)}
	} else if answer, err = h.handle(ctx, payload); err != nil {
		// Lambda uses the Go type of an error as its errorType. The name of this type is meant for alarms.
		return nil, messages.InvokeResponse_Error{Type: "Deferred", Message: err.Error()}
	}
	var encoded bytes.Buffer
	err = report.Encode(&encoded, answer)
	return bytes.TrimSpace(encoded.Bytes()), err
}

// batch handles each message separately, and returns those that Lambda leaves in their queue. They are delayed.
func (h handler) batch(ctx context.Context, records []event.Record) []map[string]string {
	failures := []map[string]string{}
	for _, r := range records {
		if _, err := h.handle(ctx, r.Body); err != nil {
			failures = append(failures, map[string]string{"itemIdentifier": r.MessageID})
			// Otherwise it is delivered again after the queue's visibility timeout.
			h.warn(ctx, slog.LevelWarn, "a message could not be put off", h.putOff(ctx, r))
		}
	}
	return failures
}

func (h handler) putOff(ctx context.Context, r event.Record) error {
	name := r.Queue[strings.LastIndexByte(r.Queue, ':')+1:]
	for _, q := range h.queues {
		if name != "" && strings.HasSuffix(q.URL, "/"+name) {
			return q.PutOff(ctx, r.ReceiptHandle, r.Receives)
		}
	}
	return errors.New("neither QUEUE_URL nor SCAN_QUEUE_URL is the URL of queue " + r.Queue)
}

// handle handles one event. The result is an outcome.Outcome or an outcome.ScanResult; an error defers the event.
func (h handler) handle(ctx context.Context, payload []byte) (any, error) {
	home := self(ctx)
	request := event.Decode(payload, event.Home{Region: home.Region, Account: home.AccountID})
	if request.Kind != event.All {
		return h.one(ctx, request)
	}
	scanner := h.scanner
	scanner.Send = h.send
	result, err := scanner.Scan(ctx, request)
	report.LogScan(ctx, h.log, result)
	return result, err
}

// one reconciles one pool, if the event is not ignored, notifies people and closes the records, in this order. If the
// process is killed in between, the next run reports the writes of this one.
func (h handler) one(ctx context.Context, request event.Request) (outcome.Outcome, error) {
	out, err := h.reconciler.Reconcile(ctx, request)
	if pool := self(ctx); out.Details.PoolARN == "" && out.Outcome != outcome.Ignored && pool.Partition != "" {
		pool.Service, pool.Resource = "cognito-idp", "userpool/"+out.UserPoolID
		out.Details.PoolARN = pool.String() // a pool that is gone or cannot be read does not return it
	}
	unsent := h.notify(ctx, request, out)
	if closed := h.reconciler.Close(ctx, out); closed != nil && out.Details.LedgerError == "" {
		out.Details.LedgerError = "closing the record: " + closed.Error()
	}
	report.Log(ctx, h.log, out)
	counts := h.calls.take() // those of a scan count with the outcome that comes next
	counts.Unsent = unsent
	h.warn(ctx, slog.LevelError, "the metrics could not be written",
		report.Metrics(h.metrics, h.config.Function, h.reconciler.Now(), out, counts))
	if err != nil {
		return out, err
	}
	// Send the clients that are too many for one run after closing: other runs take an open record as interrupted.
	var bodies []string
	for some := range slices.Chunk(out.Details.Clients, event.MaxClients) {
		bodies = append(bodies, event.Message(event.ReconcilePool, event.Member{UserPoolID: out.UserPoolID,
			Clients: some, Scan: request.Scan.Started, Scheduled: request.Scan.Scheduled}))
	}
	return out, h.send(ctx, bodies)
}

// notify sends the report of an outcome, and returns how many messages could not be sent. After sending, it records
// which findings people were notified of.
func (h handler) notify(ctx context.Context, request event.Request, out outcome.Outcome) (unsent int) {
	now := h.reconciler.Now()
	r := report.New(out, version+", "+runtime.Version(), h.config.Stack)
	r.Whole = request.Call.Name == "" && len(request.Clients) == 0
	r.Notify = report.Notifies(out, !request.Scan.Started.IsZero()) && !notify.Suppressed(out, now)
	notified, failed := notify.Send(ctx, h.channels, r)
	for _, err := range failed {
		h.warn(ctx, slog.LevelError, "a message could not be sent", err, slog.String("user_pool_id", out.UserPoolID),
			slog.String("event_id", out.Cause.EventID))
	}
	notes := map[string]time.Time{}
	for _, fingerprint := range notify.Fingerprints(out) {
		if r.Notify && notified {
			notes[fingerprint] = now.Add(notify.RepeatInterval)
		}
		if out.Undetected > 0 {
			notes[outcome.CountedNote+fingerprint] = now.Add(notify.RepeatInterval)
		}
	}
	h.warn(ctx, slog.LevelWarn, "the message may be repeated", h.reconciler.Ledger.Note(ctx, out.UserPoolID, notes))
	return len(failed)
}

// send sends messages to the scan queue. Without one it handles them, and a deferred one does not stop the others.
func (h handler) send(ctx context.Context, bodies []string) error {
	if h.scanner.Send != nil {
		return h.scanner.Send(ctx, bodies)
	}
	var failed error
	for _, body := range bodies {
		if queue.Late(ctx) {
			return errors.Join(failed, errors.New("the time is used up; not every pool was reconciled"))
		}
		_, err := h.handle(ctx, []byte(body))
		failed = errors.Join(failed, err)
	}
	return failed
}

// warn logs an error, if there is one.
func (h handler) warn(ctx context.Context, level slog.Level, message string, err error, more ...slog.Attr) {
	if err != nil {
		h.log.LogAttrs(ctx, level, message, append(more, slog.String("error", err.Error()))...)
	}
}

// self returns the ARN of the invoked function. An empty one, as in a local emulator, means to use the event's values.
func self(ctx context.Context) arn.ARN {
	const emulated = "012345678912" // the account in the function ARNs of emulators
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		a, err := arn.Parse(invocation.InvokedFunctionArn)
		if err == nil && a.Service == "lambda" && a.AccountID != emulated {
			return a
		}
	}
	return arn.ARN{}
}

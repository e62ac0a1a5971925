package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// A handler is what Lambda invokes.
type handler struct {
	reconciler *reconcile.Reconciler
	log        *slog.Logger
	metrics    io.Writer // where the metrics go: the log
	function   string
	region     string
	build      string
	calls      *calls
	channels   []notify.Channel
}

// Invoke takes the bytes of an event and returns those of the outcome. It implements lambda.Handler, so that any payload, even one that is no JSON
// object, reaches event.Decode.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	log, keeper := h.log, *h.reconciler
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("invocation_id", invocation.AwsRequestID)
	}
	request := event.Decode(payload, home(ctx))
	sweeping := request.Kind == event.All || !request.Sweep.Started.IsZero()
	unsent := 0
	keeper.Tell = func(ctx context.Context, out reconcile.Outcome) bool {
		failed, told := h.tell(ctx, log, out, sweeping)
		unsent += failed
		return told
	}
	result, err := keeper.Do(ctx, request, func(out reconcile.Outcome) {
		h.count(ctx, log, out, unsent)
		unsent = 0
	})
	if sweep, ok := result.(reconcile.Sweeping); ok {
		report.LogSweep(ctx, log, sweep)
		if d, worth := report.NewDigest(sweep, h.region, h.build); worth {
			unsent = h.unsent(ctx, log, "", "", notify.SendDigest(ctx, h.channels, d))
		}
		h.unmeasured(ctx, log, report.SweepMetrics(h.metrics, h.function, h.reconciler.Now(), sweep, h.cost(unsent)))
	}
	if err != nil {
		// Lambda shows the Go type of an error as its errorType; this one has a name to alarm on.
		return nil, messages.InvokeResponse_Error{Type: "Deferred", Message: err.Error()}
	}
	return json.Marshal(result)
}

// tell tells whoever is configured to be told, and returns how many messages could not be sent, and whether people were to be told and were. What could not be sent is logged, and changes nothing else: the
// pool is right.
func (h handler) tell(ctx context.Context, log *slog.Logger, out reconcile.Outcome, sweeping bool) (unsent int, told bool) {
	if out.PoolARN == "" && out.Critical {
		out.PoolARN = poolARN(ctx, out.UserPoolID) // of a pool that is gone nobody else tells it
	}
	r := report.New(out, h.build)
	r.Told = r.Told && (!sweeping || report.ToldAlone(out))
	failed, heard := notify.Send(ctx, h.channels, r)
	return h.unsent(ctx, log, out.UserPoolID, out.Cause.EventID, failed), r.Told && heard
}

// count logs an outcome and counts it.
func (h handler) count(ctx context.Context, log *slog.Logger, out reconcile.Outcome, unsent int) {
	report.Log(ctx, log, out)
	h.unmeasured(ctx, log, report.Metrics(h.metrics, h.function, h.reconciler.Now(), out, h.cost(unsent)))
}

// cost counts what was spent since it was last asked, and the messages that could not be sent.
func (h handler) cost(unsent int) report.Counts {
	counts := h.calls.take()
	counts.Unsent = unsent
	return counts
}

// unmeasured logs that metrics could not be written, if there is an error.
func (h handler) unmeasured(ctx context.Context, log *slog.Logger, err error) {
	if err != nil {
		log.LogAttrs(ctx, slog.LevelError, "the metrics could not be written", slog.String("fault", err.Error()))
	}
}

// unsent logs the messages that could not be sent, and returns their number.
func (h handler) unsent(ctx context.Context, log *slog.Logger, pool, id string, failed []error) int {
	for _, err := range failed {
		log.LogAttrs(ctx, slog.LevelError, "a message could not be sent", slog.String("fault", err.Error()), slog.String("user_pool_id", pool), slog.String("event_id", id))
	}
	return len(failed)
}

// standIn is the account that local emulators put into a function's ARN.
const standIn = "012345678912"

// home returns the account and Region of the invoked function's ARN, or nothing where there is none or a stand-in: then the event's own count.
func home(ctx context.Context) event.Home {
	_, home := place(ctx)
	return home
}

// place returns the partition of the invoked function's ARN, and home.
func place(ctx context.Context) (partition string, home event.Home) {
	invocation, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return "", event.Home{}
	}
	// arn:aws:lambda:REGION:ACCOUNT:function:NAME
	parts := strings.Split(invocation.InvokedFunctionArn, ":")
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "lambda" || parts[4] == standIn {
		return "", event.Home{}
	}
	return parts[1], event.Home{Region: parts[3], Account: parts[4]}
}

// poolARN returns the ARN of a pool beside the invoked function, or "" where nobody knows where that is.
func poolARN(ctx context.Context, id string) string {
	partition, home := place(ctx)
	if partition == "" {
		return ""
	}
	return strings.Join([]string{"arn", partition, "cognito-idp", home.Region, home.Account, "userpool/" + id}, ":")
}

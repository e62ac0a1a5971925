// Command lambda is the Lambda function. It gets an event, directly or in a queue message, brings the pool in it to the
// baseline, and reports the outcome. main.go wires it, config.go reads the environment once, and client.go builds the
// SDK clients. Everything else is in the packages below.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
)

func main() {
	readRootsOnce(os.Getenv, os.Stat, os.Setenv)
	config, errs := ReadConfig(os.Getenv, os.ReadFile)
	log := logger(config.LogLevel)
	// The Lambda runtime logs failed invocations with package log. Write them as errors in JSON like all other lines.
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelError)
	if len(errs) == 0 {
		h, err := newHandler(config, log)
		if err == nil {
			lambda.Start(h)
			return
		}
		errs = append(errs, err)
	}
	for _, err := range errs {
		log.Error("cannot start", slog.String("error", err.Error()))
	}
	os.Exit(1)
}

func newHandler(config Config, log *slog.Logger) (handler, error) {
	a, err := newAccount(config)
	if err != nil {
		return handler{}, err
	}
	counted := &calls{}
	pools := cognito.New(newClient(a, counted))
	reconciler := reconcile.New(pools, config.Baseline, newLedger(a))
	reconciler.OwnRole, reconciler.MostClients, reconciler.Now = config.OwnRole, event.MaxClients, a.transport.Now
	changes := queue.Queue{Client: sqs.NewFromConfig(a.config("SQS")), URL: config.QueueURL, Sleep: cognito.Sleep}
	scans := changes
	scans.URL = config.ScanQueueURL
	scanner := queue.Scanner{Pools: pools, Baseline: config.Baseline, Ledger: reconciler.Ledger,
		OwnRole: config.OwnRole, Now: reconciler.Now}
	if scans.URL != "" {
		scanner.Send = scans.Send
	}
	return handler{config: &config, reconciler: reconciler, scanner: scanner, queues: []queue.Queue{changes, scans},
		log: log, metrics: os.Stdout, calls: counted, channels: newChannels(a)}, nil
}

// version is the version of a release, set with -ldflags=-X.
var version = "unreleased"

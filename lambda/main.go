package main

import (
	"cmp"
	"log/slog"
	"os"
	"runtime"

	"github.com/aws/aws-lambda-go/lambda"

	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

func main() {
	readRootsOnce(os.Getenv, readHead, os.Setenv)
	config, err := ReadConfig(os.Getenv, os.ReadFile)
	log := logger(config.LogLevel)
	// The runtime reports a failed invocation through package log: as an error, and as JSON like the rest.
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelError)
	if err == nil {
		var h handler
		if h, err = newHandler(config, log); err == nil {
			lambda.Start(h)
			return
		}
	}
	for _, fault := range split(err) {
		log.Error("cannot start", slog.String("fault", fault.Error()))
	}
	os.Exit(1)
}

func newHandler(config Config, log *slog.Logger) (handler, error) {
	a, err := newAccount(config)
	if err != nil {
		return handler{}, err
	}
	counted := &calls{}
	keeper := reconcile.New(userpool.New(newClient(a, counted)), config.Baseline, config.OwnRole)
	keeper.Now, keeper.Ledger, keeper.Bus, keeper.Function, keeper.Patience = a.transport.Now, newLedger(a), newSweepBus(a), config.Function, reconcile.Unattended
	return handler{log: log, metrics: os.Stdout, function: cmp.Or(config.Function, "poolkeeper"), region: config.Region, build: build(), calls: counted, channels: newChannels(a),
		reconciler: keeper}, nil
}

// version is that of a release, given at the build with -ldflags=-X.
var version = "unreleased"

// build names the build in reports.
func build() string { return version + ", " + runtime.Version() }

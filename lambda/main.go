package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

func main() {
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
	client, err := newClient(config)
	if err != nil {
		return handler{}, err
	}
	return handler{log: log, reconciler: reconcile.New(userpool.New(client), config.Baseline, config.OwnRole)}, nil
}

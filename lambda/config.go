package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report"
)

// A Config is the function's environment, read once and validated.
type Config struct {
	Env      func(string) string // for the settings of calls to AWS services, such as AWS_REGION
	CABundle []byte              // the content of AWS_CA_BUNDLE; nil for the system's

	Baseline *baseline.Baseline
	OwnRole  string // ROLE_ARN
	LogLevel slog.Level
	Function string // AWS_LAMBDA_FUNCTION_NAME, a dimension of the metrics
	Stack    string // STACK_NAME, for the commands in messages

	// The channels for outcomes. An empty or false one is not configured.
	TopicARN    string // TOPIC_ARN
	EventBus    string // EVENT_BUS: name or ARN
	SecurityHub bool   // SECURITY_HUB

	LedgerTable  string // LEDGER_TABLE: name or ARN of the DynamoDB table; "" means a ledger in memory
	QueueURL     string // QUEUE_URL: the changes queue
	ScanQueueURL string // SCAN_QUEUE_URL: the queue for the pools of a scan; if "", they are handled in process
}

type reader struct {
	getenv   func(string) string
	readFile func(string) ([]byte, error)
	errs     []error
}

func (r *reader) fail(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}

// checked returns the variable. It is an error if it is neither empty nor valid.
func (r *reader) checked(name string, valid func(string) bool, isNot string) string {
	value := r.getenv(name)
	if value != "" && !valid(value) {
		r.fail("%s is %q, which is not %s", name, value, isNot)
	}
	return value
}

// ReadConfig reads the environment. It returns every error of the environment and of the baseline.
func ReadConfig(getenv func(string) string, readFile func(string) ([]byte, error)) (Config, []error) {
	r := &reader{getenv: getenv, readFile: readFile}
	const queueURL = "the URL of an SQS queue: https, or http on localhost"
	c := Config{
		Env:      getenv,
		CABundle: r.access(),
		Function: cmp.Or(getenv("AWS_LAMBDA_FUNCTION_NAME"), "poolkeeper"),
		Stack:    getenv("STACK_NAME"),
		OwnRole:  r.checked("ROLE_ARN", isRole, "the ARN of an IAM role"),
		TopicARN: r.checked("TOPIC_ARN", isTopic, "the ARN of an SNS topic (a FIFO topic has no e-mail)"),
		EventBus: r.checked("EVENT_BUS", isBus, "the name or the ARN of an event bus"),
		LedgerTable: r.checked("LEDGER_TABLE", isTable,
			"the name (3 to 255 letters, digits and -_.) or the ARN of a DynamoDB table"),
		QueueURL:     r.checked("QUEUE_URL", isQueueURL, queueURL),
		ScanQueueURL: r.checked("SCAN_QUEUE_URL", isQueueURL, queueURL),
		SecurityHub:  r.securityHub(),
		LogLevel:     r.logLevel(),
		Baseline:     r.baseline(),
	}
	return c, r.errs
}

// access checks what calls to AWS services need, and returns the certificates.
func (r *reader) access() []byte {
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if r.getenv(name) == "" {
			r.fail("%s is not set: Lambda sets it, and a local invocation has to", name)
		}
	}
	path := r.getenv("AWS_CA_BUNDLE")
	if path == "" {
		return nil
	}
	pem, err := r.readFile(path)
	if err != nil {
		r.fail("AWS_CA_BUNDLE: %w", err)
	}
	return pem
}

func (r *reader) securityHub() bool {
	on := r.getenv("SECURITY_HUB")
	switch {
	case on == "on" && newHub == nil:
		r.fail("SECURITY_HUB is on, but the function was built without it: deploy with -c securityHub=true, which builds " +
			"it without the tag nosecurityhub, or set it to off")
	case on != "" && on != "on" && on != "off":
		r.fail("SECURITY_HUB is %q: set it to on or off", on)
	}
	return on == "on"
}

// levels are the levels of Lambda's logging controls.
var levels = map[string]slog.Level{"": slog.LevelInfo, "TRACE": slog.LevelDebug, "DEBUG": slog.LevelDebug,
	"INFO": slog.LevelInfo, "WARN": slog.LevelWarn, "ERROR": slog.LevelError, "FATAL": slog.LevelError}

func (r *reader) logLevel() slog.Level {
	text := r.getenv("AWS_LAMBDA_LOG_LEVEL")
	level, ok := levels[strings.ToUpper(text)]
	if !ok {
		r.fail("AWS_LAMBDA_LOG_LEVEL is %q: say TRACE, DEBUG, INFO, WARN, ERROR or FATAL", text)
	}
	return level
}

// baseline reads the baseline and applies MODE: audit sets every rule to audit.
func (r *reader) baseline() *baseline.Baseline {
	data, err := baseline.Default(), error(nil)
	file := r.getenv("BASELINE_FILE")
	if file != "" {
		data, err = r.readFile(file)
	}
	var b *baseline.Baseline
	var faults baseline.Errors
	if err != nil {
		r.fail("BASELINE_FILE: %w", err)
	} else if b, err = baseline.Parse(cmp.Or(file, baseline.DefaultFile), data); errors.As(err, &faults) {
		for _, fault := range faults {
			r.errs = append(r.errs, fault)
		}
	}
	switch mode := r.getenv("MODE"); {
	case mode == string(baseline.Audit) && err == nil:
		b = b.InMode(baseline.Audit)
	case mode != "" && mode != string(baseline.Audit) && mode != string(baseline.Enforce):
		r.fail("MODE is %q: say audit, or leave it out to let the baseline decide", mode)
	}
	return b
}

func logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(report.Printable(os.Stdout), &slog.HandlerOptions{Level: level}))
}

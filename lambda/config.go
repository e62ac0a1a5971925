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

// A Config is the function's environment, read once and found without fault.
type Config struct {
	Baseline *baseline.Baseline
	OwnRole  string // ROLE_ARN
	LogLevel slog.Level

	// Who is told of outcomes; what is empty or false is not told.
	TopicARN    string // TOPIC_ARN
	EventBus    string // EVENT_BUS: name or ARN
	SecurityHub bool   // SECURITY_HUB
	LedgerTable string // LEDGER_TABLE: name of the DynamoDB table that remembers between invocations, or ""
	Function    string // AWS_LAMBDA_FUNCTION_NAME, a dimension of the metrics

	// SweepBus is where a sweep puts an event for each pool; without one it looks at the pools in process.
	SweepBus string // SWEEP_BUS: name or ARN

	Region       string
	AccessKeyID  string
	SecretKey    string
	SessionToken string
	Endpoints    map[string]string // by the name of the service in AWS_ENDPOINT_URL_…; what is missing or empty is the service's own
	FIPS         bool
	DualStack    bool
	CABundle     []byte // PEM, nil for the system's
}

// levels are the levels that Lambda's logging controls know.
var levels = map[string]slog.Level{
	"": slog.LevelInfo, "TRACE": slog.LevelDebug, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn,
	"ERROR": slog.LevelError, "FATAL": slog.LevelError,
}

// ReadConfig reads the environment. The error joins every fault of the environment and of the baseline; each fault is one error of the join.
func ReadConfig(getenv func(string) string, readFile func(string) ([]byte, error)) (Config, error) {
	c := Config{
		OwnRole:      getenv("ROLE_ARN"),
		Region:       getenv("AWS_REGION"),
		AccessKeyID:  getenv("AWS_ACCESS_KEY_ID"),
		SecretKey:    getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"),
		Endpoints:    endpoints(getenv),
		TopicARN:     getenv("TOPIC_ARN"),
		EventBus:     getenv("EVENT_BUS"),
		LedgerTable:  getenv("LEDGER_TABLE"),
		SweepBus:     getenv("SWEEP_BUS"),
		Function:     getenv("AWS_LAMBDA_FUNCTION_NAME"),
		FIPS:         strings.EqualFold(getenv("AWS_USE_FIPS_ENDPOINT"), "true"),
		DualStack:    strings.EqualFold(getenv("AWS_USE_DUALSTACK_ENDPOINT"), "true"),
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if getenv(name) == "" {
			fault("%s is not set: Lambda sets it, and a local invocation has to", name)
		}
	}
	if c.OwnRole != "" && !isRole(c.OwnRole) {
		fault("ROLE_ARN is %q, which is not the ARN of an IAM role", c.OwnRole)
	}
	c.channels(getenv, fault)
	if c.LedgerTable != "" && !isTable(c.LedgerTable) {
		fault("LEDGER_TABLE is %q, which is neither the name (3 to 255 letters, digits and -_.) nor the ARN of a DynamoDB table", c.LedgerTable)
	}
	level, ok := levels[strings.ToUpper(getenv("AWS_LAMBDA_LOG_LEVEL"))]
	if !ok {
		fault("AWS_LAMBDA_LOG_LEVEL is %q: say TRACE, DEBUG, INFO, WARN, ERROR or FATAL", getenv("AWS_LAMBDA_LOG_LEVEL"))
	}
	c.LogLevel = level
	if path := getenv("AWS_CA_BUNDLE"); path != "" {
		pem, err := readFile(path)
		if err != nil {
			fault("AWS_CA_BUNDLE: %w", err)
		}
		c.CABundle = pem
	}
	required, err := readBaseline(getenv("BASELINE_FILE"), readFile)
	faults = append(faults, split(err)...)
	if c.Baseline, err = inMode(required, getenv("MODE")); err != nil {
		faults = append(faults, err)
	}
	return c, errors.Join(faults...)
}

// The services that the function talks to, as the SDKs name them in AWS_ENDPOINT_URL_….
const (
	cognitoService = "COGNITO_IDENTITY_PROVIDER"
	snsService     = "SNS"
	tableService   = "DYNAMODB"
	busService     = "EVENTBRIDGE"
	hubService     = "SECURITYHUB"
)

// endpoints follows the SDKs: a service's own variable beats the general one.
func endpoints(getenv func(string) string) map[string]string {
	urls := map[string]string{}
	if strings.EqualFold(getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return urls
	}
	for _, service := range []string{cognitoService, snsService, busService, hubService, tableService} {
		urls[service] = cmp.Or(getenv("AWS_ENDPOINT_URL_"+service), getenv("AWS_ENDPOINT_URL"))
	}
	return urls
}

// channels checks who is to be told, and where sweeps go.
func (c *Config) channels(getenv func(string) string, fault func(format string, args ...any)) {
	if c.TopicARN != "" && !isTopic(c.TopicARN) {
		fault("TOPIC_ARN is %q, which is not the ARN of an SNS topic (a FIFO topic has no e-mail)", c.TopicARN)
	}
	if c.EventBus != "" && !isBus(c.EventBus) {
		fault("EVENT_BUS is %q, which is neither the name nor the ARN of an event bus", c.EventBus)
	}
	if c.SweepBus != "" && !isBus(c.SweepBus) {
		fault("SWEEP_BUS is %q, which is neither the name nor the ARN of an event bus", c.SweepBus)
	}
	switch on := getenv("SECURITY_HUB"); on {
	case "", "off":
	case "on":
		c.SecurityHub = true
		if !hubLinked {
			fault("SECURITY_HUB is on, but the function was built without it: build it without the tag nosecurityhub, as deploying with -c securityHub=true does, or say off")
		}
	default:
		fault("SECURITY_HUB is %q: say on or off", on)
	}
}

func readBaseline(path string, readFile func(string) ([]byte, error)) (*baseline.Baseline, error) {
	if path == "" {
		return baseline.Parse(baseline.DefaultFile, baseline.Default())
	}
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("BASELINE_FILE: %w", err)
	}
	return baseline.Parse(path, data)
}

// inMode applies MODE: audit turns every rule to audit; enforce, like nothing, leaves it to the baseline.
func inMode(b *baseline.Baseline, mode string) (*baseline.Baseline, error) {
	switch baseline.Mode(mode) {
	case "", baseline.Enforce:
		return b, nil
	case baseline.Audit:
		if b == nil {
			return nil, nil
		}
		return b.InMode(baseline.Audit), nil
	default:
		return b, fmt.Errorf("MODE is %q: say audit, or leave it out to let the baseline decide", mode)
	}
}

// split returns the faults that err is made of.
func split(err error) []error {
	var faults baseline.Faults
	if errors.As(err, &faults) {
		all := make([]error, len(faults))
		for i, f := range faults {
			all[i] = f
		}
		return all
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// logger writes JSON lines at the level of the environment.
func logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(report.Printable(os.Stdout), &slog.HandlerOptions{Level: level}))
}

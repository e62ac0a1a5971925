package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"poolkeeper/baseline"
)

// A Config is the function's environment, read once and found without fault.
type Config struct {
	Baseline *baseline.Baseline
	OwnRole  string // ROLE_ARN
	LogLevel slog.Level

	Region       string
	AccessKeyID  string
	SecretKey    string
	SessionToken string
	Endpoint     string // of Cognito, "" for the service's own
	FIPS         bool
	DualStack    bool
	CABundle     []byte // PEM, nil for the system's
}

// levels are the levels that Lambda's logging controls know.
var levels = map[string]slog.Level{
	"": slog.LevelInfo, "TRACE": slog.LevelDebug, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn,
	"ERROR": slog.LevelError, "FATAL": slog.LevelError,
}

var roleARN = regexp.MustCompile(`^arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)

// ReadConfig reads the environment. The error joins every fault of the environment and of the baseline; each fault is one error of the join.
func ReadConfig(getenv func(string) string, readFile func(string) ([]byte, error)) (Config, error) {
	c := Config{
		OwnRole:      getenv("ROLE_ARN"),
		Region:       getenv("AWS_REGION"),
		AccessKeyID:  getenv("AWS_ACCESS_KEY_ID"),
		SecretKey:    getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"),
		Endpoint:     endpoint(getenv),
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
	if c.OwnRole != "" && !roleARN.MatchString(c.OwnRole) {
		fault("ROLE_ARN is %q, which is not the ARN of an IAM role", c.OwnRole)
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

// endpoint follows the SDKs: the service's own variable beats the general one.
func endpoint(getenv func(string) string) string {
	if strings.EqualFold(getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return ""
	}
	if url := getenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"); url != "" {
		return url
	}
	return getenv("AWS_ENDPOINT_URL")
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
	return slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
}

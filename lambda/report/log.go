package report

import (
	"context"
	"log/slog"

	"poolkeeper/lambda/outcome"
)

// Log writes the one summary line of a run. Its level is ERROR where people have to act, WARN where drift was found,
// INFO otherwise.
func Log(ctx context.Context, logger *slog.Logger, out outcome.Outcome) {
	out = Legible(out)
	drifts := make([]any, len(out.Drifts))
	for i, d := range out.Drifts {
		drifts[i] = d
	}
	attributes := []slog.Attr{
		slog.String("outcome", string(out.Outcome)),
		slog.String("user_pool_id", out.UserPoolID),
		slog.String("user_pool_name", out.Details.PoolName),
		slog.String("baseline", out.Baseline),
		slog.String("reason", out.Reason),
		slog.Group("cause",
			slog.String("event_id", out.Cause.EventID),
			slog.String("event_name", out.Cause.EventName),
			slog.String("actor", out.Cause.Actor),
			slog.String("issuer", out.Cause.Issuer),
			slog.String("invoked_by", out.Cause.InvokedBy),
			slog.Bool("console", out.Cause.Console),
			slog.String("mfa", out.Cause.MFA),
			slog.String("source_ip", out.Cause.SourceIP),
			slog.String("user_agent", out.Cause.UserAgent),
			slog.String("request_id", out.Cause.RequestID),
			slog.Time("time", out.Cause.Time),
		),
		slog.Any("drifts", drifts),
		slog.Any("writes", out.Writes),
		slog.Any("write_request_ids", out.Details.RequestIDs),
		slog.Int("verified_owned", out.Verified.Owned),
		slog.Int("verified_unmanaged_unchanged", out.Verified.UnmanagedUnchanged),
		slog.Float64("total_ms", milliseconds(out.Details.Duration)),
	}
	if out.Record != "" {
		attributes = append(attributes, slog.String("record", out.Record))
	}
	if out.Undetected > 0 {
		attributes = append(attributes, slog.Int("undetected", out.Undetected))
	}
	if failed := out.Details.LedgerError; failed != "" {
		attributes = append(attributes, slog.String("ledger_error", failed))
	}
	times := out.Details.Times
	for _, at := range []slog.Attr{slog.Time("seen", times.Seen), slog.Time("written", times.Written),
		slog.Time("verified", times.Verified)} {
		if !at.Value.Time().IsZero() {
			attributes = append(attributes, at)
		}
	}
	level := Level(out.Outcome)
	if out.Critical {
		level = slog.LevelError
		attributes = append(attributes, slog.Bool("critical", true))
	}
	logger.LogAttrs(ctx, level, "reconciled", attributes...)
}

// LogScan writes the summary line of a scan, after those of its pools.
func LogScan(ctx context.Context, logger *slog.Logger, scan outcome.ScanResult) {
	level := slog.LevelInfo
	if len(scan.Failed) > 0 || scan.Outcome == outcome.Deferred {
		level = slog.LevelError
	}
	logger.LogAttrs(ctx, level, "scanned", slog.String("outcome", string(scan.Outcome)), slog.Int("pools", scan.Pools),
		slog.Int("sent", scan.Sent), slog.Any("outcomes", scan.Outcomes), slog.Any("failed", scan.Failed),
		slog.String("reason", scan.Reason))
}

// Level returns the log level of an ending.
func Level(ending outcome.Ending) slog.Level {
	switch ending {
	case outcome.Unconverged, outcome.Partial, outcome.Unfixable, outcome.Deferred:
		return slog.LevelError
	case outcome.Remediated, outcome.Drifted:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

package report

import (
	"context"
	"log/slog"
	"reflect"

	"poolkeeper/lambda/outcome"
)

// Log writes the summary line of a run. Its level is ERROR if people must act, WARN if drift was found, and INFO
// otherwise.
func Log(ctx context.Context, logger *slog.Logger, out outcome.Outcome) {
	out = Legible(out)
	c, times := out.Cause, out.Details.Times
	attributes := []slog.Attr{
		slog.String("outcome", string(out.Outcome)),
		slog.String("user_pool_id", out.UserPoolID),
		slog.String("user_pool_name", out.Details.PoolName),
		slog.String("baseline", out.Baseline),
		slog.String("reason", out.Reason),
		slog.Group("cause", "event_id", c.EventID, "event_name", c.EventName, "actor", c.Actor, "issuer", c.Issuer,
			"invoked_by", c.InvokedBy, "console", c.Console, "mfa", c.MFA, "source_ip", c.SourceIP,
			"user_agent", c.UserAgent, "request_id", c.RequestID, "time", c.Time),
		slog.Any("drifts", append([]outcome.Finding{}, out.Drifts...)),
		slog.Any("writes", out.Writes),
		slog.Any("write_request_ids", out.Details.RequestIDs),
		slog.Int("verified_owned", out.Verified.Owned),
		slog.Int("verified_unmanaged_unchanged", out.Verified.UnmanagedUnchanged),
		slog.Float64("total_ms", float64(out.Details.Duration.Microseconds())/1000),
	}
	for _, more := range []slog.Attr{slog.String("record", out.Record), slog.Int("undetected", out.Undetected),
		slog.String("ledger_error", out.Details.LedgerError), slog.Time("seen", times.Seen),
		slog.Time("written", times.Written), slog.Time("verified", times.Verified), slog.Bool("critical", out.Critical)} {
		if !reflect.ValueOf(more.Value.Any()).IsZero() {
			attributes = append(attributes, more)
		}
	}
	level := meanings[out.Outcome].level
	if out.Critical {
		level = slog.LevelError
	}
	logger.LogAttrs(ctx, level, "reconciled", attributes...)
}

// LogScan writes the summary line of a scan, after the lines of its pools.
func LogScan(ctx context.Context, logger *slog.Logger, scan outcome.ScanResult) {
	level := slog.LevelInfo
	if scan.Outcome == outcome.Deferred {
		level = slog.LevelError
	}
	logger.LogAttrs(ctx, level, "scanned", slog.String("outcome", string(scan.Outcome)), slog.Int("pools", scan.Pools),
		slog.String("reason", scan.Reason))
}

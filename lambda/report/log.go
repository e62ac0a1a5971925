package report

import (
	"context"
	"log/slog"

	"poolkeeper/lambda/reconcile"
)

// Log writes the one summary line of a reconcile, and nothing else. Its level is ERROR where people have to act, WARN where drift was found,
// INFO otherwise.
func Log(ctx context.Context, logger *slog.Logger, out reconcile.Outcome) {
	out = Legible(out)
	drifts := make([]any, len(out.Drifts))
	for i, d := range out.Drifts {
		drifts[i] = d
	}
	attributes := []slog.Attr{
		slog.String("outcome", string(out.Outcome)),
		slog.String("user_pool_id", out.UserPoolID),
		slog.String("user_pool_name", out.PoolName),
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
		slog.Any("write_request_ids", out.RequestIDs),
		slog.Int("verified_owned", out.Verified.Owned),
		slog.Int("verified_unmanaged_unchanged", out.Verified.UnmanagedUnchanged),
		slog.Float64("read_ms", milliseconds(out.Durations.Read)),
		slog.Float64("write_ms", milliseconds(out.Durations.Write)),
		slog.Float64("verify_ms", milliseconds(out.Durations.Verify)),
		slog.Float64("total_ms", milliseconds(out.Durations.Total)),
	}
	if out.Record != "" {
		attributes = append(attributes, slog.String("record", out.Record))
	}
	if out.Missed != nil {
		attributes = append(attributes, slog.Any("missed", out.Missed))
	}
	if len(out.Overwritten) > 0 {
		attributes = append(attributes, slog.Any("overwritten", out.Overwritten))
	}
	if out.Repeated {
		attributes = append(attributes, slog.Bool("repeated", true))
	}
	if len(out.LedgerFaults) > 0 {
		attributes = append(attributes, slog.Any("ledger_faults", out.LedgerFaults))
	}
	for _, at := range []slog.Attr{slog.Time("seen", out.Times.Seen), slog.Time("written", out.Times.Written), slog.Time("verified", out.Times.Verified)} {
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

// LogSweep writes the summary line of a sweep, after those of its pools.
func LogSweep(ctx context.Context, logger *slog.Logger, sweep reconcile.Sweeping) {
	level := slog.LevelInfo
	if len(sweep.Failed) > 0 || sweep.Outcome == reconcile.Deferred {
		level = slog.LevelError
	}
	attributes := []slog.Attr{slog.String("outcome", string(sweep.Outcome)), slog.Int("pools", sweep.Pools),
		slog.Int("dispatched", sweep.Dispatched), slog.Any("outcomes", sweep.Outcomes), slog.Any("failed", sweep.Failed), slog.String("reason", sweep.Reason)}
	if len(sweep.LedgerFaults) > 0 {
		attributes = append(attributes, slog.Any("ledger_faults", sweep.LedgerFaults))
	}
	logger.LogAttrs(ctx, level, "swept", attributes...)
}

// Level returns the log level of an outcome.
func Level(outcome reconcile.Word) slog.Level {
	switch outcome {
	case reconcile.Unconverged, reconcile.Partial, reconcile.Unfixable, reconcile.Deferred:
		return slog.LevelError
	case reconcile.Remediated, reconcile.Drifted:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

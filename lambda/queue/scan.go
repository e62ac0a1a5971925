package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
)

// A Scanner scans all pools: it lists them and sends a message for each.
type Scanner struct {
	Pools interface {
		List(ctx context.Context, token string) (ids []string, next string, err error)
	}
	Baseline *baseline.Baseline
	Ledger   reconcile.Ledger
	OwnRole  string
	Send     func(ctx context.Context, bodies []string) error
	Now      func() time.Time
}

// Late reports whether less time is left than a page, or a pool in process, may need.
func Late(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < 30*time.Second
}

// Scan handles a request for all pools. The error is nil or a *outcome.DeferredError.
func (s Scanner) Scan(ctx context.Context, request event.Request) (outcome.ScanResult, error) {
	result := outcome.ScanResult{Outcome: outcome.Scanned, Reason: request.Detail}
	if reason := s.skip(ctx, request); reason != "" {
		result.Outcome, result.Reason = outcome.Ignored, reason
		return result, nil
	}
	scan := request.Scan
	if now := s.Now().UTC().Truncate(time.Second); scan.Started.IsZero() || scan.Started.After(now) {
		scan.Started = now
	}
	if err := s.pages(ctx, scan, &result); err != nil {
		result.Outcome, result.Reason = outcome.Deferred, err.Error()
		return result, &outcome.DeferredError{Reason: err.Error(), Cause: err}
	}
	// Record the scan only after all its messages are in the queue. If a scan fails halfway, the event must scan again
	// when it is redelivered. If the note fails, the only effect is another scan.
	_ = s.Ledger.Note(ctx, scansKey, map[string]time.Time{startedNote: scan.Started.Add(noteLife)})
	return result, nil
}

// A note in the ledger has the start of the last scan: it expires noteLife after that time.
const (
	scansKey    = "scans"
	startedNote = "started"
	noteLife    = 24 * time.Hour
	// readDelay is how long a read may return the state before a call.
	readDelay = 3 * time.Second
)

// skip returns why a scan for an event that did not name its pool is not needed, or "".
func (s Scanner) skip(ctx context.Context, request event.Request) string {
	if request.Reason != event.RequestLeftOut {
		return ""
	}
	if s.OwnRole != "" && request.Cause.Issuer == s.OwnRole {
		return "poolkeeper made this call, and its own calls never start a scan"
	}
	history, err := s.Ledger.History(ctx, scansKey, s.Now(), true)
	started := history.Notes[startedNote].Add(-noteLife)
	if err != nil || request.Cause.Time.IsZero() || !started.After(request.Cause.Time.Add(readDelay)) {
		return ""
	}
	return "a scan started after this call, at " + started.UTC().Format(time.RFC3339)
}

// pages sends those pools that a rule may select, from the token of the scan on. If the time is used up, it sends a
// message that continues the scan at the next page. A page whose messages cannot be sent does not stop the others.
func (s Scanner) pages(ctx context.Context, scan event.Scan, result *outcome.ScanResult) error {
	var failed error
	for pages := (cognito.Pages{Count: scan.Pages}); ; {
		ids, next, err := s.Pools.List(ctx, scan.Token)
		if scan.Token != "" && cognito.ClassOf(err) == cognito.ClassRefused { // the token expired: begin again
			scan.Token = ""
			continue
		}
		if err == nil {
			err = pages.Next(next)
		}
		if err != nil {
			return errors.Join(failed, fmt.Errorf("listing the pools: %w", err))
		}
		var bodies []string
		for _, pool := range ids {
			if s.Baseline.MaySelect(pool) {
				bodies = append(bodies, event.Message(event.ReconcilePool,
					event.Member{UserPoolID: pool, Scan: scan.Started, Scheduled: scan.Scheduled}))
			}
		}
		result.Pools += len(bodies)
		failed = errors.Join(failed, s.Send(ctx, bodies))
		if scan.Token, scan.Pages = next, pages.Count; next == "" || Late(ctx) {
			break
		}
	}
	if failed != nil || scan.Token == "" {
		return failed
	}
	if err := s.Send(ctx, []string{event.Message(event.ScanPools, scan)}); err != nil {
		return fmt.Errorf("continuing the scan: %w", err)
	}
	result.Reason = fmt.Sprintf("%d pages of pools were listed so far; the scan continues in another message", scan.Pages)
	return nil
}

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

// A Scanner scans all pools: it lists them and sends a message for each to the scan queue. Without a queue it handles
// one pool after the other in process.
type Scanner struct {
	Pools interface {
		List(ctx context.Context, token string) (ids []string, next string, err error)
	}
	Baseline *baseline.Baseline
	Ledger   reconcile.Ledger
	OwnRole  string
	Send     func(ctx context.Context, bodies []string) error                          // nil: handle pools in process
	Handle   func(ctx context.Context, request event.Request) (outcome.Outcome, error) // used if Send is nil
	Now      func() time.Time
}

// reserve is the time that a page, or a pool in process, may need. If less is left, the scan continues in another
// message.
const reserve = 30 * time.Second

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
	if len(result.Failed) == 0 {
		_ = s.Ledger.Note(ctx, scansKey, map[string]time.Time{startedNote: scan.Started.Add(noteLife)})
	}
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

// pages handles the pages of the list, starting at the token of the scan. If the time is used up, it sends a message
// that continues the scan at the next page.
func (s Scanner) pages(ctx context.Context, scan event.Scan, result *outcome.ScanResult) error {
	for pages := (cognito.Pages{Count: scan.Pages}); ; {
		ids, next, err := s.Pools.List(ctx, scan.Token)
		if err == nil {
			err = pages.Next(next)
		}
		if err != nil {
			return fmt.Errorf("listing the pools: %w", err)
		}
		if err := s.page(ctx, scan, ids, result); err != nil || next == "" {
			return err
		}
		if scan.Token, scan.Pages = next, pages.Count; s.Send != nil && late(ctx) {
			break
		}
	}
	if err := s.Send(ctx, []string{event.Message(event.ScanPools, scan)}); err != nil {
		return fmt.Errorf("continuing the scan: %w", err)
	}
	result.Reason = fmt.Sprintf("%d pages of pools were listed so far; the scan continues in another message", scan.Pages)
	return nil
}

func late(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < reserve
}

// page sends or handles those pools of one page that a rule may select.
func (s Scanner) page(ctx context.Context, scan event.Scan, ids []string, result *outcome.ScanResult) error {
	var bodies []string
	for _, id := range ids {
		switch {
		case !s.Baseline.MaySelect(id):
		case s.Send != nil:
			bodies = append(bodies, event.Message(event.ReconcilePool,
				event.Member{UserPoolID: id, Scan: scan.Started, Scheduled: scan.Scheduled}))
		case late(ctx):
			return errors.New("the time is used up; not every pool was reconciled")
		default:
			s.handle(ctx, scan, id, result)
		}
	}
	if len(bodies) == 0 {
		return nil
	}
	if err := s.Send(ctx, bodies); err != nil {
		return err
	}
	result.Pools += len(bodies)
	result.Sent += len(bodies)
	return nil
}

// handle handles one pool in process. A deferred pool does not end the scan.
func (s Scanner) handle(ctx context.Context, scan event.Scan, id string, result *outcome.ScanResult) {
	out, err := s.Handle(ctx, event.Request{Kind: event.One, UserPoolID: id,
		Scan:  event.Scan{Started: scan.Started, Scheduled: scan.Scheduled},
		Cause: event.Cause{EventName: event.ScanPools, Time: scan.Started}})
	result.Pools++
	if result.Outcomes == nil {
		result.Outcomes = map[outcome.Ending]int{}
	}
	result.Outcomes[out.Outcome]++
	if err != nil {
		result.Failed = append(result.Failed,
			outcome.Failure{UserPoolID: id, Outcome: out.Outcome, Reason: err.Error()})
	}
}

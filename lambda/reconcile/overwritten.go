package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
)

// longest is how long a reconcile can have been at work when it made its last write.
const longest = 15 * time.Minute

// An overlap is a write of ours during which the event's call was made: what the call set may be lost.
type overlap struct {
	record   Record
	sent     Sent
	settings []string
}

// findOverwritten finds the writes of ours that were planned before the event's call was made and sent after it. A write sends a whole document as it was read, so what the call
// set in between is gone if Cognito took both.
func (r *run) findOverwritten(ctx context.Context) {
	call, at := r.request.Call, r.cause.Time
	if r.sought || len(call.Changes) == 0 || at.IsZero() || r.ownWrite() || at.After(r.known.Wrote) && len(r.known.Open) == 0 {
		return
	}
	r.sought = true
	for _, rec := range r.recent(ctx, at.Add(-longest), "looking for writes that the call may have been lost to") {
		if rec.Cause.EventID == r.cause.EventID {
			continue // the write answers this very call
		}
		for _, s := range rec.Sent {
			if s.RequestID != "" && s.RequestID == r.cause.RequestID {
				r.overwritten = nil // the event is of this write
				return
			}
			// CloudTrail gives whole seconds: the call was made within one second from there.
			if !at.Add(time.Second).After(s.Read) || at.After(rec.until(s)) || !slices.Contains(call.Changes, string(s.Document.Kind())) {
				continue
			}
			if o := (overlap{rec, s, r.inQuestion(s.Document)}); len(o.settings) > 0 {
				r.overwritten = append(r.overwritten, o)
			}
		}
	}
}

// inQuestion returns the settings of a document that the event's call set, by the names of its request's parameters; where CloudTrail left these out, the document as a whole.
func (r *run) inQuestion(name baseline.DocumentName) []string {
	if r.request.ClientID != "" && name.Client() != "" && r.request.ClientID != name.Client() {
		return nil
	}
	if len(r.request.Named) == 0 {
		return []string{string(name)}
	}
	table, _ := name.Table()
	var settings []string
	for _, m := range table.Members {
		if slices.ContainsFunc(r.request.Named, func(named string) bool { return strings.EqualFold(named, m.Name) }) {
			settings = append(settings, name.Prefix()+m.Name)
		}
	}
	return settings
}

// lostUpdates reports the settings that a call may have set in vain. Those that this run puts right, or is to and cannot, are none: they are told as such, and have to be as required whatever the call
// set.
func (r *run) lostUpdates(settings map[string]any, fixable []baseline.Drift, report []Drift) []Drift {
	told := map[string]bool{}
	for _, d := range append(slices.Clone(r.sentFixes), fixable...) {
		told[d.Setting] = true
	}
	for _, d := range report {
		told[d.Setting] = told[d.Setting] || d.State == NotFixable
	}
	var drifts []Drift
	for _, o := range r.overwritten {
		for _, setting := range o.settings {
			if told[setting] {
				continue
			}
			told[setting] = true
			rule := ""
			if len(o.record.Drifts) > 0 {
				rule = o.record.Drifts[0].Rule
			}
			made := "(when it was made is not known, nor whether it was)"
			if !o.sent.At.IsZero() {
				made = "at " + o.sent.At.UTC().Format(time.RFC3339)
			}
			drifts = append(drifts, Drift{Setting: setting, Rule: rule, Want: "what " + writer(r.cause) + " set", Have: baseline.Shown(settings, setting), State: Reported,
				Reason: fmt.Sprintf("%s set it at %s, between our read and our %s %s, which sent it as it was before: it may be lost (%s)", writer(r.cause),
					r.cause.Time.UTC().Format(time.RFC3339), o.sent.Call, made, r.named(o.record))})
		}
	}
	return drifts
}

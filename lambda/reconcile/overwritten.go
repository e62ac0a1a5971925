package reconcile

import (
	"context"
	"fmt"
	"slices"
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

// What a run has found to overlap with its event's call.
type overlaps struct {
	sought      bool      // lost updates were looked for
	overwritten []overlap // and found
}

// findOverwritten finds the writes of ours that were planned before the event's call was made and sent after it. A write sends a whole document as it was read, so what the call
// set in between is gone if Cognito took both.
func (r *run) findOverwritten(ctx context.Context) {
	call, at := r.request.Call, r.cause.Time
	if r.sought || len(call.Changes) == 0 || call.New || at.IsZero() || r.ownWrite() || at.After(r.known.Wrote) && len(r.known.Open) == 0 {
		return
	}
	r.sought = true
	for _, rec := range r.recent(ctx, at.Add(-longest), "looking for writes that the call may have been lost to") {
		if rec.Cause.EventID == r.cause.EventID {
			continue // the write answers this very call
		}
		for i, s := range rec.Sent {
			if s.RequestID != "" && s.RequestID == r.cause.RequestID {
				r.overwritten = nil // the event is of this write
				return
			}
			// CloudTrail gives whole seconds: the call was made within one second from there.
			if !at.Add(time.Second).After(s.Read) || at.After(rec.until(s)) || !slices.Contains(call.Changes, string(s.Document.Kind())) {
				continue
			}
			if o := (overlap{rec, s, r.inQuestion(ctx, rec, i)}); len(o.settings) > 0 {
				r.overwritten = append(r.overwritten, o)
			}
		}
	}
}

// lostUpdates reports the settings that a call may have set in vain. Those that this run puts right, or is to and cannot, are none: they are told as such, and have to be as required whatever the call
// set.
func (r *run) lostUpdates(settings map[string]any, fixable []baseline.Drift, report []Drift) []Drift {
	var told []string // and whatever stands below them, or is the same fact under another name
	for _, d := range append(slices.Clone(r.sentFixes), fixable...) {
		told = append(told, d.Setting)
	}
	for _, d := range report {
		if d.State == NotFixable {
			told = append(told, d.Setting)
		}
	}
	var drifts []Drift
	for _, l := range r.lost() {
		if slices.ContainsFunc(told, func(above string) bool { return baseline.Concerns(above, l.setting) }) {
			continue
		}
		told = append(told, l.setting)
		rule := ""
		if len(l.record.Drifts) > 0 {
			rule = l.record.Drifts[0].Rule
		}
		made := "(when it was made is not known, nor whether it was)"
		if !l.sent.At.IsZero() {
			made = "at " + l.sent.At.UTC().Format(time.RFC3339)
		}
		drifts = append(drifts, Drift{Setting: l.setting, Rule: rule, Want: "what " + writer(r.cause) + " set", Have: baseline.Shown(settings, l.setting), State: Reported,
			Reason: fmt.Sprintf("%s set it at %s, between our read and our %s %s, which sent it as it was before: it may be lost (%s)", writer(r.cause),
				r.cause.Time.UTC().Format(time.RFC3339), l.sent.Call, made, r.named(l.record))})
	}
	return drifts
}

// A loss is one setting of an overlap.
type loss struct {
	overlap
	setting string
}

// lost returns the settings of all overlaps, those last that are also a part of another setting, under its name: so that a fact is told once, and as part of the larger one where both are in question.
func (r *run) lost() []loss {
	var all []loss
	for _, o := range r.overwritten {
		for _, setting := range o.settings {
			all = append(all, loss{o, setting})
		}
	}
	slices.SortStableFunc(all, func(a, b loss) int {
		_, left := baseline.TwinOf(a.setting)
		_, right := baseline.TwinOf(b.setting)
		switch {
		case left == right:
			return 0
		case left:
			return 1
		default:
			return -1
		}
	})
	return all
}

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
)

// A Severity says how much an outcome matters, in the words of Security Hub.
type Severity string

// The severities, the least first.
const (
	Informational Severity = "INFORMATIONAL"
	Low           Severity = "LOW"
	Medium        Severity = "MEDIUM"
	High          Severity = "HIGH"
	Critical      Severity = "CRITICAL"
)

// SeverityOf returns the severity of an outcome.
func SeverityOf(out reconcile.Outcome) Severity {
	switch {
	case out.Critical || out.Outcome == reconcile.Unconverged:
		return Critical
	case out.Outcome == reconcile.Partial || out.Outcome == reconcile.Unfixable:
		return High
	case out.Outcome == reconcile.Drifted || out.Outcome == reconcile.Deferred:
		return Medium
	case out.Outcome == reconcile.Remediated:
		return Low
	default:
		return Informational
	}
}

// Told says whether people are told of an outcome.
func Told(out reconcile.Outcome) bool {
	switch {
	case SeverityOf(out) == Informational, out.Repeated:
		return false
	default:
		return out.Outcome != reconcile.Deferred // it is tried again, and what is given up on lies in a queue with an alarm
	}
}

// A Report is everything that there is to tell of one event, for people and for machines. Schema.json describes its JSON. It is made of an outcome, and so holds no message
// text and no secret.
type Report struct {
	Schema   string             `json:"schema"` // SchemaName
	Outcome  reconcile.Word     `json:"outcome"`
	Severity Severity           `json:"severity"`
	Critical bool               `json:"critical"`
	UserPool Pool               `json:"userPool"`
	Who      Who                `json:"who"`
	When     When               `json:"when"`
	Why      Why                `json:"why"`
	Drifts   []Drift            `json:"drifts"`
	Verified reconcile.Verified `json:"verified"`
	Writes   []string           `json:"writes"`
	Reason   string             `json:"reason"`
	Next     []string           `json:"next"` // what a person should do, in order
	Baseline string             `json:"baseline"`
	Build    string             `json:"build"`
	Omitted  int                `json:"omitted,omitempty"` // drifts that were left out for want of room

	// Told says whether people are to be told.
	Told bool `json:"-"`
}

// Rules returns the names of the rules of the drifts, each once.
func (r Report) Rules() []string {
	var rules []string
	for _, d := range r.Drifts {
		if d.Rule != "" && !slices.Contains(rules, d.Rule) {
			rules = append(rules, d.Rule)
		}
	}
	return rules
}

// SchemaName is the name and version of the schema of a report.
const SchemaName = "poolkeeper/report/1"

// A Pool says which user pool.
type Pool struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	ARN     string `json:"arn,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
}

// Who says whose call it was, as CloudTrail tells it.
type Who struct {
	Principal string `json:"principal,omitempty"` // ARN
	Session   string `json:"session,omitempty"`   // its last part: the session or user name
	Role      string `json:"role,omitempty"`      // ARN of the role that was assumed
	SourceIP  string `json:"sourceIp,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	Console   bool   `json:"console"`
	MFA       string `json:"mfa,omitempty"` // "true", "false" or unknown
	InvokedBy string `json:"invokedBy,omitempty"`
}

// When says when what happened. Seconds are from the event; they are left out where the event tells no time.
type When struct {
	Event            time.Time `json:"event,omitzero"`
	Seen             time.Time `json:"seen,omitzero"`
	Written          time.Time `json:"written,omitzero"`
	Verified         time.Time `json:"verified,omitzero"`
	SecondsToDetect  *float64  `json:"secondsToDetect,omitempty"`
	SecondsToRestore *float64  `json:"secondsToRestore,omitempty"`
}

// Why says which call it was, and which calls were made for it, so that CloudTrail can be asked.
type Why struct {
	EventName       string   `json:"eventName,omitempty"`
	EventID         string   `json:"eventId,omitempty"`
	RequestID       string   `json:"requestId,omitempty"`
	WriteRequestIDs []string `json:"writeRequestIds,omitempty"`
}

// A Drift is one owned setting that was not as required, or one watched thing that changed.
type Drift struct {
	reconcile.Drift
	Source string   `json:"source,omitempty"` // file:line:column of the requirement
	Checks []string `json:"checks,omitempty"` // who else checks the setting
}

// New makes the report of an outcome by a build.
func New(out reconcile.Outcome, build string) Report {
	r := Report{
		Schema: SchemaName, Told: Told(out), Outcome: out.Outcome, Severity: SeverityOf(out), Critical: out.Critical, Verified: out.Verified, Writes: append([]string{}, out.Writes...), Reason: cut(out.Reason, 4000),
		Baseline: out.Baseline, Build: build, Drifts: []Drift{}, UserPool: poolOf(out), Who: whoOf(out), When: whenOf(out),
		Why: Why{EventName: out.Cause.EventName, EventID: out.Cause.EventID, RequestID: out.Cause.RequestID, WriteRequestIDs: out.RequestIDs},
	}
	for _, d := range out.Drifts {
		checks := []string{}
		for _, control := range baseline.ControlsOf(d.Setting) {
			checks = append(checks, control.Checks()...)
		}
		d.Reason = cut(d.Reason, 1000)
		r.Drifts = append(r.Drifts, Drift{d, d.Source.String(), checks})
	}
	r.Next = append([]string{}, next(r)...)
	return r
}

// cut returns no more than so many characters of a text.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

func poolOf(out reconcile.Outcome) Pool {
	p := Pool{ID: out.UserPoolID, Name: out.PoolName, ARN: out.PoolARN}
	if parts := strings.Split(out.PoolARN, ":"); len(parts) == 6 {
		p.Region, p.Account = parts[3], parts[4]
	}
	if p.Region == "" {
		p.Region, _, _ = strings.Cut(out.UserPoolID, "_")
	}
	return p
}

func whoOf(out reconcile.Outcome) Who {
	c := out.Cause
	return Who{Principal: c.Actor, Session: c.Actor[strings.LastIndexAny(c.Actor, "/:")+1:], Role: c.Issuer, SourceIP: c.SourceIP, UserAgent: c.UserAgent,
		Console: c.Console, MFA: c.MFA, InvokedBy: c.InvokedBy}
}

func whenOf(out reconcile.Outcome) When {
	w := When{Event: out.Cause.Time, Seen: out.Times.Seen, Written: out.Times.Written, Verified: out.Times.Verified}
	since := func(t time.Time) *float64 {
		// Only a call has a time from which somebody waits: that of a sweep is its turn.
		if out.Cause.RequestID == "" || w.Event.IsZero() || t.IsZero() || t.Before(w.Event) {
			return nil
		}
		seconds := t.Sub(w.Event).Seconds()
		return &seconds
	}
	w.SecondsToDetect, w.SecondsToRestore = since(w.Seen), since(w.Verified)
	return w
}

// short returns the report with no more than so many drifts, the gravest first.
func (r Report) short(most int) Report {
	if len(r.Drifts) <= most {
		return r
	}
	var kept []Drift
	for _, state := range []reconcile.DriftState{reconcile.NotFixable, reconcile.Fixed, reconcile.Reported, reconcile.Planned, reconcile.Exempted} {
		for _, d := range r.Drifts {
			if d.State == state && len(kept) < most {
				kept = append(kept, d)
			}
		}
	}
	r.Omitted += len(r.Drifts) - len(kept)
	r.Drifts = kept
	return r
}

// of returns the drifts in one of the states.
func (r Report) of(states ...reconcile.DriftState) []Drift {
	var some []Drift
	for _, d := range r.Drifts {
		for _, s := range states {
			if d.State == s {
				some = append(some, d)
			}
		}
	}
	return some
}

// actor names who did it, shortly.
func (r Report) actor() string {
	switch {
	case r.Who.Session != "" && r.Who.Role != "":
		return r.Who.Role[strings.LastIndexByte(r.Who.Role, '/')+1:] + "/" + r.Who.Session
	case r.Who.Session != "":
		return r.Who.Session
	default:
		return "somebody unknown"
	}
}

// title names the pool.
func (p Pool) title() string {
	if p.Name == "" {
		return p.ID
	}
	return Value(p.Name) + " (" + p.ID + ")"
}

// next returns what a person should do about the outcome.
func next(r Report) []string {
	var steps []string
	say := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	pool := fmt.Sprintf("--pool %s --region %s", r.UserPool.ID, r.UserPool.Region)
	if r.Critical {
		say("Find out whether %s was meant to delete the pool; its users cannot sign in.", r.actor())
		say("Nothing brings the users back but an export of yours. The settings can be put onto a new pool from a backup file.")
	}
	switch r.Outcome {
	case reconcile.Remediated:
		say("Find out why %s made the call. If the change was meant, put it into the baseline, or add an exemption with an end; or else it will be undone again.", r.actor())
	case reconcile.Partial, reconcile.Unfixable:
		say("Remove what stands in the way, as the reason says, or exempt the settings with an end.")
		say("See what is left: poolkeeper plan %s", pool)
		say("Write it: poolkeeper apply %s", pool)
	case reconcile.Unconverged:
		say("Look at the pool now: poolkeeper plan %s", pool)
		say("Find out who else writes to it at the same time; two writers take turns until one of them stops.")
	case reconcile.Drifted:
		if !r.Critical {
			say("See what would be written: poolkeeper plan %s", pool)
			say("Write it: poolkeeper apply %s; or let the rule enforce.", pool)
		}
	}
	if r.Why.EventID != "" && r.Outcome != reconcile.Unchanged && r.Outcome != reconcile.Ignored {
		say("The call itself: aws cloudtrail lookup-events --region %s --lookup-attributes AttributeKey=EventId,AttributeValue=%s", r.UserPool.Region, r.Why.EventID)
	}
	return steps
}

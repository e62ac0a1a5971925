package report

import (
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
	// Record is the id of the ledger's record of the writes; Missed is drift that no event told of; Overwritten are settings of the call that a write of ours may have undone.
	Record      string            `json:"record,omitempty"`
	Missed      *reconcile.Missed `json:"missed,omitempty"`
	Overwritten []string          `json:"overwritten,omitempty"`

	Omitted int `json:"omitted,omitempty"` // drifts that were left out for want of room

	// Told says whether people are to be told.
	Told bool `json:"-"`
	// Elsewhere are settings that were not as required when they were last looked at, which was before; Narrow says that of what was not looked at now nothing is known.
	Elsewhere []string `json:"-"`
	Narrow    bool     `json:"-"`
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
	// CloudFormation says that a stack's template made the call: it will make it again.
	CloudFormation bool `json:"cloudFormation"`
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
	out = Legible(out)
	r := Report{
		Schema: SchemaName, Told: Told(out), Outcome: out.Outcome, Severity: SeverityOf(out), Critical: out.Critical, Verified: out.Verified, Writes: append([]string{}, out.Writes...), Reason: cut(out.Reason, 2000),
		Baseline: out.Baseline, Build: build, Record: out.Record, Missed: out.Missed, Overwritten: out.Overwritten, Elsewhere: out.Elsewhere, Narrow: out.Narrow, Drifts: []Drift{}, UserPool: poolOf(out), Who: whoOf(out), When: whenOf(out),
		Why: Why{EventName: out.Cause.EventName, EventID: out.Cause.EventID, RequestID: out.Cause.RequestID, WriteRequestIDs: out.RequestIDs},
	}
	for _, d := range out.Drifts {
		d.Reason = cut(d.Reason, 1000)
		r.Drifts = append(r.Drifts, Drift{d, d.Source.String(), ChecksOf(d.Setting)})
	}
	r.Next = append([]string{}, next(r)...)
	if r.Missed != nil { // all are in the log; Legible has made it a copy
		r.Missed.Settings = r.Missed.Settings[:min(len(r.Missed.Settings), mostMissed)]
		for i := range r.Missed.Settings {
			r.Missed.Settings[i] = cut(r.Missed.Settings[i], 200)
		}
	}
	return r
}

// ChecksOf names the checks of others that look at the setting.
func ChecksOf(setting string) []string {
	checks := []string{}
	for _, control := range baseline.ControlsOf(setting) {
		checks = append(checks, control.Checks()...)
	}
	return checks
}

// mostMissed is how many settings a report names of which no event told.
const mostMissed = 20

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
		Console: c.Console, MFA: c.MFA, InvokedBy: c.InvokedBy, CloudFormation: c.InvokedBy == cloudFormation || c.SourceIP == cloudFormation}
}

// cloudFormation is how CloudTrail names the service, as the caller and as the place that the call came from.
const cloudFormation = "cloudformation.amazonaws.com"

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
	w.SecondsToDetect = since(w.Seen)
	if out.Outcome == reconcile.Remediated || out.Outcome == reconcile.Partial {
		w.SecondsToRestore = since(w.Verified) // anything else was read again, but not restored
	}
	return w
}

// mostActor is room for the longest role and session that IAM takes.
const mostActor = 64 + 1 + 64

// actor names who did it, shortly.
func (r Report) actor() string {
	switch {
	case r.Who.Session != "" && r.Who.Role != "":
		return cut(r.Who.Role[strings.LastIndexByte(r.Who.Role, '/')+1:]+"/"+r.Who.Session, mostActor)
	case r.Who.Session != "":
		return cut(r.Who.Session, mostActor)
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

// Package report turns an outcome into what people and machines read: the log line, text for a terminal, mail, chat,
// JSON, findings and metrics. It decides nothing about a pool, and it sees no value that the outcome does not hold: so
// message texts and secrets cannot pass through it.
package report

import (
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
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
func SeverityOf(out outcome.Outcome) Severity {
	switch {
	case out.Critical || out.Outcome == outcome.Unconverged:
		return Critical
	case out.Outcome == outcome.Partial || out.Outcome == outcome.Unfixable:
		return High
	case out.Outcome == outcome.Drifted || out.Outcome == outcome.Deferred:
		return Medium
	case out.Outcome == outcome.Remediated:
		return Low
	default:
		return Informational
	}
}

// Wrote reports whether the run wrote to the pool.
func Wrote(out outcome.Outcome) bool { return out.Record != "" || len(out.Writes) > 0 }

// Notifies reports whether people are notified of an outcome, unless it is suppressed as a repeat. What a scan found
// and did not write is in the metrics and in "poolkeeper plan --all". An interrupted run wrote and notified nobody, so
// the run that finds it always notifies.
func Notifies(out outcome.Outcome, scan bool) bool {
	interrupted := func(d outcome.Finding) bool { return d.Code == outcome.CodeInterrupted }
	if Wrote(out) || slices.ContainsFunc(out.Drifts, interrupted) {
		return true
	}
	switch out.Outcome {
	case outcome.Unconverged, outcome.Partial, outcome.Unfixable, outcome.Remediated, outcome.Drifted:
		return !scan
	default:
		return false
	}
}

// A Report is everything that there is to say about one run, for people and for machines. schema.json describes its
// JSON, which has the members of the outcome too. It holds no message text and no secret.
type Report struct {
	run
	Schema          string   `json:"schema"` // SchemaName
	Severity        Severity `json:"severity"`
	UserPool        Pool     `json:"userPool"`
	When            When     `json:"when"`
	WriteRequestIDs []string `json:"writeRequestIds,omitempty"` // with which CloudTrail has the writes
	Drifts          []Drift  `json:"drifts"`
	Next            []string `json:"next"` // what a person should do, in order
	Build           string   `json:"build"`
	Omitted         int      `json:"omitted,omitempty"` // drifts that were left out to fit into a message

	stack string // that deployed the function, for the commands
	// Notify reports whether people are notified. New leaves it false.
	Notify bool `json:"-"`
	// Whole says that the run read all of the pool. Only such a run can say that the pool is at its baseline. New
	// leaves it false.
	Whole bool `json:"-"`
}

type run = outcome.Outcome

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
const SchemaName = "poolkeeper/report/2"

// A Pool says which user pool.
type Pool struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	ARN     string `json:"arn,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
}

// When says when what happened. The seconds count from the event; they are left out where its time is not known.
type When struct {
	Seen             time.Time `json:"seen,omitzero"`
	Written          time.Time `json:"written,omitzero"`
	Verified         time.Time `json:"verified,omitzero"`
	SecondsToDetect  *float64  `json:"secondsToDetect,omitempty"`
	SecondsToRestore *float64  `json:"secondsToRestore,omitempty"`
}

// A Drift is one finding.
type Drift struct {
	outcome.Finding
	Source string   `json:"source,omitempty"` // file:line:column of the requirement
	Checks []string `json:"checks,omitempty"` // other tools' checks of the setting
}

// New makes the report of an outcome by a build that a stack deployed.
func New(out outcome.Outcome, build, stack string) Report {
	out = Legible(out)
	out.Reason, out.Writes = cut(out.Reason, 2000), append([]string{}, out.Writes...)
	r := Report{run: out, Schema: SchemaName, Severity: SeverityOf(out), UserPool: PoolOf(out), When: whenOf(out),
		WriteRequestIDs: out.Details.RequestIDs, Drifts: []Drift{}, Build: build, stack: stack}
	for _, d := range out.Drifts {
		d.Reason = cut(d.Reason, 1000)
		r.Drifts = append(r.Drifts, Drift{d, d.Source.String(), ChecksOf(d.Setting)})
	}
	r.Next = append([]string{}, next(r)...)
	return r
}

// ChecksOf names the checks of other tools that cover the setting.
func ChecksOf(setting string) []string {
	checks := []string{}
	for _, control := range baseline.ControlsOf(setting) {
		checks = append(checks, control.Checks()...)
	}
	return checks
}

// Title is a word with a capital letter: "Remediated", "High".
func Title(word string) string { return strings.ToUpper(word[:1]) + strings.ToLower(word[1:]) }

// cut returns at most so many characters of a text.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// PoolOf returns the pool that an outcome is about.
func PoolOf(out outcome.Outcome) Pool {
	p := Pool{ID: out.UserPoolID, Name: out.Details.PoolName, ARN: out.Details.PoolARN}
	if parts := strings.Split(p.ARN, ":"); len(parts) == 6 {
		p.Region, p.Account = parts[3], parts[4]
	}
	if p.Region == "" {
		p.Region, _, _ = strings.Cut(out.UserPoolID, "_")
	}
	return p
}

// session is the last part of the caller's ARN: the name of the session or user.
func (r Report) session() string { return r.Cause.Actor[strings.LastIndexAny(r.Cause.Actor, "/:")+1:] }

// byCloudFormation says that a stack made the call: its next deployment will make it again. CloudTrail names the
// service as the caller and as the source address.
func (r Report) byCloudFormation() bool {
	const service = "cloudformation.amazonaws.com"
	return r.Cause.InvokedBy == service || r.Cause.SourceIP == service
}

func whenOf(out outcome.Outcome) When {
	times := out.Details.Times
	w := When{Seen: times.Seen, Written: times.Written, Verified: times.Verified}
	since := func(t time.Time) *float64 {
		// Only a call has a time from which somebody waits.
		if out.Cause.RequestID == "" || out.Cause.Time.IsZero() || t.IsZero() || t.Before(out.Cause.Time) {
			return nil
		}
		seconds := t.Sub(out.Cause.Time).Seconds()
		return &seconds
	}
	w.SecondsToDetect = since(w.Seen)
	if out.Outcome == outcome.Remediated || out.Outcome == outcome.Partial {
		w.SecondsToRestore = since(w.Verified)
	}
	return w
}

// mostActor is room for the longest role and session names of IAM.
const mostActor = 64 + 1 + 64

// actor names who made the call, shortly.
func (r Report) actor() string {
	switch {
	case r.session() != "" && r.Cause.Issuer != "":
		return cut(r.Cause.Issuer[strings.LastIndexByte(r.Cause.Issuer, '/')+1:]+"/"+r.session(), mostActor)
	case r.session() != "":
		return cut(r.session(), mostActor)
	default:
		return "an unknown caller"
	}
}

// title names the pool.
func (p Pool) title() string {
	if p.Name == "" {
		return p.ID
	}
	return Value(p.Name) + " (" + p.ID + ")"
}

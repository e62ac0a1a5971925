// Package report converts an outcome to output for people and machines: the log line, e-mail, chat messages, JSON,
// findings and metrics. Package stream writes it for a terminal. It makes no decisions about a pool. It has no access
// to sensitive values, because the outcome does not contain any.
package report

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// A Severity is the severity of an outcome, in the terms of Security Hub.
type Severity string

// The severities, the lowest first.
const (
	Informational Severity = "INFORMATIONAL"
	Low           Severity = "LOW"
	Medium        Severity = "MEDIUM"
	High          Severity = "HIGH"
	Critical      Severity = "CRITICAL"
)

// Endings are the endings of a run, in order of precedence.
var Endings = []outcome.Ending{outcome.Deferred, outcome.Unconverged, outcome.Partial, outcome.Unfixable,
	outcome.Remediated, outcome.Drifted, outcome.Exempted, outcome.Unchanged, outcome.Ignored}

// meanings are what the endings mean to people and to collectors.
var meanings = map[outcome.Ending]struct {
	severity Severity
	level    slog.Level
	text     string
}{
	outcome.Deferred: {Medium, slog.LevelError, "The run could not finish. It will be retried."},
	outcome.Unconverged: {Critical, slog.LevelError,
		"After a write by poolkeeper, a value did not last or another setting changed."},
	outcome.Partial:    {High, slog.LevelError, "Some drift was fixed, some was not."},
	outcome.Unfixable:  {High, slog.LevelError, "No drift could be fixed."},
	outcome.Remediated: {Low, slog.LevelWarn, "All drift was fixed and verified."},
	outcome.Drifted:    {Medium, slog.LevelWarn, "poolkeeper found something that it did not change."},
	outcome.Exempted:   {Informational, slog.LevelInfo, "All drift is exempted."},
	outcome.Unchanged:  {Informational, slog.LevelInfo, "The user pool is compliant."},
	outcome.Ignored:    {Informational, slog.LevelInfo, "There was nothing to do."},
}

// Wrote reports whether the run wrote to the pool.
func Wrote(out outcome.Outcome) bool { return out.Record != "" || len(out.Writes) > 0 }

// Notifies reports whether people are notified of an outcome, unless it is suppressed as a repeat. They are not
// notified of a deferred run without a write, or of drift that a scan found but did not fix: the metrics and
// "poolkeeper plan --all" have it. The run that finds an interrupted run notifies, because that one may not have.
func Notifies(out outcome.Outcome, scan bool) bool {
	interrupted := func(d outcome.Finding) bool { return d.Code == outcome.CodeInterrupted }
	return Wrote(out) || slices.ContainsFunc(out.Drifts, interrupted) ||
		!scan && !quiet(out.Outcome) && out.Outcome != outcome.Deferred
}

// quiet reports whether an ending needs no attention. One without a row in meanings, such as Scanned, is quiet.
func quiet(ending outcome.Ending) bool { return meanings[ending].level == slog.LevelInfo }

// A Report is the full report of one run, for people and machines. schema.json describes its JSON, which includes the
// members of the outcome. It has no sensitive values.
type Report struct {
	run
	Schema          string   `json:"schema"` // SchemaName
	Severity        Severity `json:"severity"`
	UserPool        Pool     `json:"userPool"`
	When            When     `json:"when"`
	WriteRequestIDs []string `json:"writeRequestIds,omitempty"` // to find the writes in CloudTrail
	Drifts          []Drift  `json:"drifts"`
	Next            []string `json:"next"` // recommended actions, in order
	Build           string   `json:"build"`
	Omitted         int      `json:"omitted,omitempty"` // number of drifts left out to fit into a message

	stack  string // stack of the function, for commands
	Notify bool   `json:"-"` // whether people are notified; New leaves it false
	Whole  bool   `json:"-"` // whether the run read the whole pool, so that its finding may pass; New leaves it false
}

type run = outcome.Outcome

// Rules returns the names of the rules of the drifts, each once.
func (r Report) Rules() []string {
	var rules []string
	for _, d := range r.Drifts {
		rules = append(rules, d.Rule)
	}
	return distinct(rules)
}

// SchemaName is the name and version of the schema of a report.
const SchemaName = "poolkeeper/report/2"

// A Pool identifies a user pool.
type Pool struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	ARN     string `json:"arn,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`

	Partition string `json:"-"` // of the ARN
}

// When has the times of the run. The seconds count from the event; they are omitted if its time is unknown.
type When struct {
	outcome.Times
	SecondsToDetect  *float64 `json:"secondsToDetect,omitempty"`
	SecondsToRestore *float64 `json:"secondsToRestore,omitempty"`
}

// A Drift is one finding.
type Drift struct {
	outcome.Finding
	Source string   `json:"source,omitempty"` // file:line:column of the requirement
	Checks []string `json:"checks,omitempty"` // checks of other tools that cover the setting
}

// New returns the report of an outcome. stack is the stack of the function, for commands.
func New(out outcome.Outcome, build, stack string) Report {
	out = Legible(out)
	out.Reason, out.Writes = baseline.Cut(out.Reason, 2000), append([]string{}, out.Writes...)
	r := Report{run: out, Schema: SchemaName, Severity: meanings[out.Outcome].severity, UserPool: PoolOf(out),
		When: whenOf(out), WriteRequestIDs: out.Details.RequestIDs, Drifts: []Drift{}, Build: build, stack: stack}
	if out.Critical {
		r.Severity = Critical
	}
	for _, d := range out.Drifts {
		d.Reason = baseline.Cut(d.Reason, 1000)
		r.Drifts = append(r.Drifts, Drift{d, d.Source.String(), ChecksOf(d.Setting)})
	}
	r.Next = next(r)
	return r
}

// ChecksOf names the checks of other tools that cover the setting.
func ChecksOf(setting string) []string {
	var checks []string
	for _, control := range baseline.ControlsOf(setting) {
		checks = append(checks, control.Checks()...)
	}
	return append([]string{}, distinct(checks)...) // an object has the checks of all its members
}

// Title returns a word with an initial capital: "Remediated", "High".
func Title(word string) string { return strings.ToUpper(word[:1]) + strings.ToLower(word[1:]) }

// PoolOf returns the pool that an outcome is about.
func PoolOf(out outcome.Outcome) Pool {
	p := Pool{ID: out.UserPoolID, Name: out.Details.PoolName, ARN: out.Details.PoolARN}
	if parts := strings.Split(p.ARN, ":"); len(parts) == 6 {
		p.Partition, p.Region, p.Account = parts[1], parts[3], parts[4]
	}
	if p.Region == "" {
		p.Region, _, _ = strings.Cut(out.UserPoolID, "_")
	}
	return p
}

// session is the last part of the caller's ARN: the name of the session or user.
func (r Report) session() string { return r.Cause.Actor[strings.LastIndexAny(r.Cause.Actor, "/:")+1:] }

// byCloudFormation is whether a stack made the call. Then its next deployment will make the call again. CloudTrail
// names the service as the caller and as the source address.
func (r Report) byCloudFormation() bool {
	return slices.Contains([]string{r.Cause.InvokedBy, r.Cause.SourceIP}, "cloudformation.amazonaws.com")
}

// whenOf returns the times of a run. Only a call has a time to measure delays from.
func whenOf(out outcome.Outcome) When {
	times, call := out.Details.Times, out.Cause.Time
	since := func(t time.Time, known bool) *float64 {
		if !known || out.Cause.RequestID == "" || call.IsZero() || t.Before(call) {
			return nil
		}
		return new(t.Sub(call).Seconds())
	}
	restored := out.Outcome == outcome.Remediated || out.Outcome == outcome.Partial
	return When{times, since(times.Seen, true), since(times.Verified, restored)}
}

// actor returns the short name of the caller: the role and the session, or the user.
func (r Report) actor() string {
	name := r.session()
	if name == "" {
		return "an unknown caller"
	}
	if r.Cause.Issuer != "" {
		name = r.Cause.Issuer[strings.LastIndexByte(r.Cause.Issuer, '/')+1:] + "/" + name
	}
	return baseline.Cut(name, 64+1+64) // the longest names of a role and a session in IAM
}

func (p Pool) title() string {
	if p.Name == "" {
		return p.ID
	}
	return Value(p.Name) + " (" + p.ID + ")"
}

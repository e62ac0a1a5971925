package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/lambda/reconcile"
)

// Counts are what an event cost.
type Counts struct {
	Calls     int // attempts of calls to Cognito
	Throttled int // those that were answered with too many requests
	Unsent    int // notifications that could not be sent
}

// Namespace is that of the metrics.
const Namespace = "poolkeeper"

// Metrics writes the metrics of an outcome in CloudWatch's embedded metric format: lines of JSON of which CloudWatch Logs makes metrics by itself. The dimensions are the function,
// the outcome and the rule, which do not grow with the pools; which pool it was stands beside them.
func Metrics(w io.Writer, function string, now time.Time, out reconcile.Outcome, counts Counts) error {
	when := whenOf(out)
	of := func(word reconcile.Word) int {
		if out.Outcome == word {
			return 1
		}
		return 0
	}
	values := slices.Concat([]metric{
		{"Events", count, 1}, {"Ignored", count, of(reconcile.Ignored)}, {"Drifted", count, of(reconcile.Drifted)}, {"Remediated", count, of(reconcile.Remediated)},
		{"Unfixable", count, of(reconcile.Unfixable)}, {"Unconverged", count, of(reconcile.Unconverged)}, {"Partial", count, of(reconcile.Partial)},
		{"Deferred", count, of(reconcile.Deferred)}, {"Drifts", count, len(out.Drifts)},
	}, costs(counts, out.LedgerFaults), []metric{{"LostUpdates", count, len(out.Overwritten)}, {"MissedEvents", count, missed(out)}})
	if when.SecondsToDetect != nil {
		values = append(values, metric{"TimeToDetect", seconds, *when.SecondsToDetect})
	}
	if when.SecondsToRestore != nil && slices.ContainsFunc(out.Drifts, func(d reconcile.Drift) bool { return d.State == reconcile.Fixed }) {
		values = append(values, metric{"TimeToRestore", seconds, *when.SecondsToRestore})
	}
	values = some(values) // and only the events are counted by outcome
	line := map[string]any{"Function": function, "Outcome": string(out.Outcome), "userPoolId": out.UserPoolID, "eventId": out.Cause.EventID}
	if _, err := fmt.Fprintln(w, embedded(now, line, directive{[]string{"Function"}, values}, directive{[]string{"Function", "Outcome"}, values[:1]})); err != nil {
		return err
	}
	byRule := map[string]int{}
	for _, d := range out.Drifts {
		if rule := dimension(d.Rule); rule != "" {
			byRule[rule]++
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		line := map[string]any{"Function": function, "Rule": rule, "userPoolId": out.UserPoolID, "eventId": out.Cause.EventID}
		if _, err := fmt.Fprintln(w, embedded(now, line, directive{[]string{"Function", "Rule"}, []metric{{"Drifts", count, byRule[rule]}}})); err != nil {
			return err
		}
	}
	return nil
}

// costs are the metrics of what an event cost, and of what failed beside it.
func costs(counts Counts, ledgerFaults []string) []metric {
	return []metric{{"ApiCalls", count, counts.Calls}, {"Throttled", count, counts.Throttled}, {"NotificationsFailed", count, counts.Unsent}, {"LedgerFailed", count, len(ledgerFaults)}}
}

// some leaves out what is nothing: a metric costs for every hour in which it has a value.
func some(values []metric) []metric {
	return slices.DeleteFunc(values, func(m metric) bool { return m.value == 0 })
}

// SweepMetrics writes what a sweep itself cost, as one line, or nothing: each of its pools has metrics of its own.
func SweepMetrics(w io.Writer, function string, now time.Time, sweep reconcile.Sweeping, counts Counts) error {
	values := some(costs(counts, sweep.LedgerFaults))
	if len(values) == 0 {
		return nil
	}
	line := map[string]any{"Function": function, "Outcome": string(sweep.Outcome)}
	_, err := fmt.Fprintln(w, embedded(now, line, directive{[]string{"Function"}, values}))
	return err
}

// mostOfDimension is how long the value of a dimension may be.
const mostOfDimension = 1024

// dimension is a text as CloudWatch takes it for the value of a dimension: of ASCII, and not blank. It is "" where there is none.
func dimension(text string) string {
	text = strings.TrimSpace(ascii(text))
	return text[:min(len(text), mostOfDimension)]
}

// missed counts the settings that no event told of.
func missed(out reconcile.Outcome) int {
	if out.Missed == nil {
		return 0
	}
	return len(out.Missed.Settings)
}

const (
	count   = "Count"
	seconds = "Seconds"
)

type metric struct {
	name, unit string
	value      any
}

// A directive makes metrics of a line, under some dimensions.
type directive struct {
	dimensions []string
	metrics    []metric
}

// What is told of the metrics of a line, as the format has it.
type (
	definition struct{ Name, Unit string }
	told       struct {
		Dimensions [][]string
		Metrics    []definition
		Namespace  string
	}
	metadata struct {
		CloudWatchMetrics []told
		Timestamp         int64 // milliseconds since 1970
	}
)

// embedded is one line of the format.
func embedded(now time.Time, line map[string]any, directives ...directive) string {
	about := metadata{Timestamp: now.UnixMilli()}
	for _, d := range directives {
		definitions := make([]definition, 0, len(d.metrics))
		for _, m := range d.metrics {
			definitions = append(definitions, definition{m.name, m.unit})
			line[m.name] = m.value
		}
		about.CloudWatchMetrics = append(about.CloudWatchMetrics, told{[][]string{d.dimensions}, definitions, Namespace})
	}
	line["_aws"] = about
	return encode(line)
}

package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/lambda/outcome"
)

// Counts are what an event cost.
type Counts struct {
	Calls     int // attempts of calls to Cognito
	Throttled int // those that were answered with too many requests
	Unsent    int // notifications that could not be sent
}

// Namespace is that of the metrics.
const Namespace = "poolkeeper"

// Metrics writes the metrics of an outcome in CloudWatch's embedded metric format: lines of JSON that CloudWatch Logs
// turns into metrics. The dimensions are the function, the outcome and the rule, which do not grow with the number of
// pools; the pool stands beside them.
func Metrics(w io.Writer, function string, now time.Time, out outcome.Outcome, counts Counts) error {
	values := []metric{{"Events", count, 1}}
	if out.Outcome != outcome.Unchanged {
		values = append(values, metric{Title(string(out.Outcome)), count, 1})
	}
	lost, ledger := 0, 0
	byRule := map[string]int{}
	for _, d := range out.Drifts {
		if d.Code == outcome.CodeLostUpdate {
			lost++
		}
		if rule := dimension(d.Rule); rule != "" {
			byRule[rule]++
		}
	}
	if out.Details.LedgerError != "" {
		ledger = 1
	}
	values = append(append(values, costs(counts)...), metric{"Drifts", count, len(out.Drifts)},
		metric{"LostUpdates", count, lost}, metric{"UndetectedDrift", count, out.Undetected},
		metric{"LedgerFailed", count, ledger})
	values = some(append(values, durations(out)...))
	line := map[string]any{"Function": function, "Outcome": string(out.Outcome), "userPoolId": out.UserPoolID,
		"eventId": out.Cause.EventID}
	_, err := fmt.Fprintln(w, embedded(now, line, directive{[]string{"Function"}, values},
		directive{[]string{"Function", "Outcome"}, values[:1]})) // only the events are counted by outcome
	if err != nil {
		return err
	}
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		line := map[string]any{"Function": function, "Rule": rule, "userPoolId": out.UserPoolID,
			"eventId": out.Cause.EventID}
		drifts := directive{[]string{"Function", "Rule"}, []metric{{"Drifts", count, byRule[rule]}}}
		if _, err := fmt.Fprintln(w, embedded(now, line, drifts)); err != nil {
			return err
		}
	}
	return nil
}

// durations are the times from the call to its detection, and to the end of what was fixed.
func durations(out outcome.Outcome) []metric {
	var values []metric
	when := whenOf(out)
	if when.SecondsToDetect != nil {
		values = append(values, metric{"TimeToDetect", seconds, *when.SecondsToDetect})
	}
	fixed := func(d outcome.Finding) bool { return d.State == outcome.StateFixed }
	if when.SecondsToRestore != nil && slices.ContainsFunc(out.Drifts, fixed) {
		values = append(values, metric{"TimeToRestore", seconds, *when.SecondsToRestore})
	}
	return values
}

// costs are the metrics of what an event cost.
func costs(counts Counts) []metric {
	return []metric{{"ApiCalls", count, counts.Calls}, {"Throttled", count, counts.Throttled},
		{"NotificationsFailed", count, counts.Unsent}}
}

// some leaves out the zeros: a metric costs money for every hour in which it has a value.
func some(values []metric) []metric {
	return slices.DeleteFunc(values, func(m metric) bool { return m.value == 0 })
}

// ScanMetrics writes what a scan itself cost, as one line, or nothing: each of its pools has metrics of its own.
func ScanMetrics(w io.Writer, function string, now time.Time, scan outcome.ScanResult, counts Counts) error {
	values := some(costs(counts))
	if len(values) == 0 {
		return nil
	}
	line := map[string]any{"Function": function, "Outcome": string(scan.Outcome)}
	_, err := fmt.Fprintln(w, embedded(now, line, directive{[]string{"Function"}, values}))
	return err
}

// mostOfDimension is how long the value of a dimension may be.
const mostOfDimension = 1024

// dimension is a text as CloudWatch takes it for the value of a dimension: ASCII and not blank. It is "" where nothing
// is left.
func dimension(text string) string {
	text = strings.TrimSpace(ascii(text))
	return text[:min(len(text), mostOfDimension)]
}

const (
	count   = "Count"
	seconds = "Seconds"
)

// A metric has the names of the format; its value is a member of the line.
type metric struct {
	Name, Unit string
	value      any
}

// A directive turns values of a line into metrics, under some dimensions.
type directive struct {
	dimensions []string
	metrics    []metric
}

// embedded is one line of the format.
func embedded(now time.Time, line map[string]any, directives ...directive) string {
	type set struct {
		Dimensions [][]string
		Metrics    []metric
		Namespace  string
	}
	var about struct {
		CloudWatchMetrics []set
		Timestamp         int64 // milliseconds since 1970
	}
	about.Timestamp = now.UnixMilli()
	for _, d := range directives {
		about.CloudWatchMetrics = append(about.CloudWatchMetrics, set{[][]string{d.dimensions}, d.metrics, Namespace})
		for _, m := range d.metrics {
			line[m.Name] = m.value
		}
	}
	line["_aws"] = about
	return encode(line)
}

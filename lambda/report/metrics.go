package report

import (
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/lambda/outcome"
)

// Counts are the resources that were used since the last line of metrics.
type Counts struct {
	Calls     int // attempted calls to Cognito
	Throttled int // calls that were throttled
	Unsent    int // notifications that could not be sent
}

// Namespace is the CloudWatch namespace of the metrics.
const Namespace = "poolkeeper"

// Metrics writes the metrics of an outcome in CloudWatch's embedded metric format: lines of JSON that CloudWatch Logs
// converts to metrics. The dimensions are the function, the outcome and the rule, whose number does not grow with the
// number of pools. The pool is a property of the line, not a dimension.
func Metrics(w io.Writer, function string, now time.Time, out outcome.Outcome, counts Counts) error {
	events := []metric{{"Events", count, 1}}
	values := events
	if out.Outcome != outcome.Unchanged {
		values = append(values, metric{Title(string(out.Outcome)), count, 1})
	}
	lost, ledger, restored := 0, 0, false
	byRule := map[string]int{}
	for _, d := range out.Drifts {
		if d.Code == outcome.CodeLostUpdate {
			lost++
		}
		if rule := dimension(d.Rule); rule != "" {
			byRule[rule]++
		}
		restored = restored || d.State == outcome.StateFixed
	}
	if out.Details.LedgerError != "" {
		ledger = 1
	}
	values = append(values, metric{"ApiCalls", count, counts.Calls}, metric{"Throttled", count, counts.Throttled},
		metric{"NotificationsFailed", count, counts.Unsent}, metric{"Drifts", count, len(out.Drifts)},
		metric{"LostUpdates", count, lost}, metric{"UndetectedDrift", count, out.Undetected},
		metric{"LedgerFailed", count, ledger})
	when := whenOf(out)
	if when.SecondsToDetect != nil {
		values = append(values, metric{"TimeToDetect", seconds, *when.SecondsToDetect})
	}
	if when.SecondsToRestore != nil && restored {
		values = append(values, metric{"TimeToRestore", seconds, *when.SecondsToRestore})
	}
	// A metric costs money for every hour in which it has a value, zero too.
	values = slices.DeleteFunc(values, func(m metric) bool { return m.value == 0 })
	line := func(name, value string, directives ...directive) string {
		return embedded(now, map[string]any{"Function": function, name: value, "userPoolId": out.UserPoolID,
			"eventId": out.Cause.EventID}, directives)
	}
	lines := line("Outcome", string(out.Outcome), directive{[][]string{{"Function"}}, values, Namespace},
		directive{[][]string{{"Function", "Outcome"}}, events, Namespace}) // only events are counted by outcome
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		drifts := []metric{{"Drifts", count, byRule[rule]}}
		lines += line("Rule", rule, directive{[][]string{{"Function", "Rule"}}, drifts, Namespace})
	}
	_, err := io.WriteString(w, lines)
	return err
}

// dimension converts a text to a valid dimension value for CloudWatch: ASCII, not blank, and at most 1,024 characters.
// It returns "" if nothing remains.
func dimension(text string) string {
	text = strings.TrimSpace(ascii(text))
	return text[:min(len(text), 1024)]
}

const (
	count   = "Count"
	seconds = "Seconds"
)

// A metric is a metric definition of the format. Its value is a member of the line.
type metric struct {
	Name, Unit string
	value      any
}

// A directive defines which values of a line are metrics, and their dimensions.
type directive struct {
	Dimensions [][]string
	Metrics    []metric
	Namespace  string
}

// embedded adds metrics to a log line in CloudWatch's embedded metric format.
func embedded(now time.Time, line map[string]any, directives []directive) string {
	for _, d := range directives {
		for _, m := range d.Metrics {
			line[m.Name] = m.value
		}
	}
	line["_aws"] = struct { // a map would allocate more
		CloudWatchMetrics []directive
		Timestamp         int64 // milliseconds since 1970
	}{directives, now.UnixMilli()}
	return encode(line) + "\n"
}

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
	lost, byRule, when := 0, map[string]int{}, whenOf(out)
	for _, d := range out.Drifts {
		if d.Code == outcome.CodeLostUpdate {
			lost++
		}
		// CloudWatch takes ASCII that is not blank, of at most 1,024 characters.
		if rule := strings.TrimSpace(ascii(d.Rule)); rule != "" {
			byRule[rule[:min(len(rule), 1024)]]++
		}
	}
	if !slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool { return d.State == outcome.StateFixed }) {
		when.SecondsToRestore = nil
	}
	events := metric{"Events", count, 1}
	values := []metric{events, {Title(string(out.Outcome)), count, 1}, {"ApiCalls", count, counts.Calls},
		{"Throttled", count, counts.Throttled}, {"NotificationsFailed", count, counts.Unsent},
		{"Drifts", count, len(out.Drifts)}, {"LostUpdates", count, lost}, {"UndetectedDrift", count, out.Undetected},
		{"LedgerFailed", count, min(len(out.Details.LedgerError), 1)}, {"TimeToDetect", seconds, when.SecondsToDetect},
		{"TimeToRestore", seconds, when.SecondsToRestore}}
	// A metric costs money for every hour in which it has a value, zero too.
	values = slices.DeleteFunc(values, func(m metric) bool {
		return m.value == 0 || m.value == (*float64)(nil) || m.Name == "Unchanged"
	})
	// line has the values of the metrics of the first directive, which include those of all others.
	line := func(name, value string, directives ...directive) string {
		members := map[string]any{"Function": function, name: value, "userPoolId": out.UserPoolID,
			"eventId": out.Cause.EventID, "_aws": struct { // a map would allocate more
				CloudWatchMetrics []directive
				Timestamp         int64 // milliseconds since 1970
			}{directives, now.UnixMilli()}}
		for _, m := range directives[0].Metrics {
			members[m.Name] = m.value
		}
		return encode(members) + "\n"
	}
	lines := line("Outcome", string(out.Outcome), directive{[][]string{{"Function"}}, values, Namespace},
		directive{[][]string{{"Function", "Outcome"}}, []metric{events}, Namespace}) // only events are counted by outcome
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		drifts := []metric{{"Drifts", count, byRule[rule]}}
		lines += line("Rule", rule, directive{[][]string{{"Function", "Rule"}}, drifts, Namespace})
	}
	_, err := io.WriteString(w, lines)
	return err
}

// The units.
const count, seconds = "Count", "Seconds"

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

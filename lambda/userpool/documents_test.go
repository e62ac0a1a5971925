package userpool

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
)

// logsState is a pool whose logs are the entries given.
func logsState(t *testing.T, entries string) State {
	t.Helper()
	document := tree(t, `{"UserPoolId":"`+pool+`","LogConfigurations":`+entries+`}`)
	table, _ := baseline.LogDelivery.Table()
	KeyLists(table.Members, document)
	return State{ID: pool, Documents: map[baseline.DocumentName]map[string]any{
		baseline.UserPool: tree(t, `{"Id":"`+pool+`","UserPoolTier":"PLUS"}`), baseline.LogDelivery: document}}
}

// TestLogEntries: the order of entries does not count, and all are sent. One of an unknown source is sent if the
// baseline says so. Entries with the same source, or none, stop the write.
func TestLogEntries(t *testing.T) {
	t.Parallel()
	const (
		group  = "arn:aws:logs:eu-west-1:111122223333:log-group:a"
		stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/a"
		notes  = `{"EventSource":"userNotification","LogLevel":"ERROR",` +
			`"CloudWatchLogsConfiguration":{"LogGroupArn":"` + group + `"}}`
		events = `{"EventSource":"userAuthEvents","LogLevel":"INFO"}`
		audits = `{"EventSource":"auditEvents","LogLevel":"INFO"}`
	)
	one, other := logsState(t, "["+notes+","+events+"]"), logsState(t, "["+events+","+notes+"]")
	if diff := cmp.Diff(one.Settings(), other.Settings()); diff != "" {
		t.Errorf("the order of the entries counts:\n%s", diff)
	}
	fix := []baseline.Drift{write("LogConfigurations.userAuthEvents.FirehoseConfiguration.StreamArn", stream)}
	fixed := strings.Replace(events, `"INFO"`, `"INFO","FirehoseConfiguration":{"StreamArn":"`+stream+`"}`, 1)
	all := func(say baseline.Unknown) map[string]baseline.Unknown { return map[string]baseline.Unknown{"*": say} }
	for name, c := range map[string]struct {
		entries string
		say     map[string]baseline.Unknown
		want    string // what is sent, "" if nothing is
	}{
		"two":               {notes + "," + events, nil, fixed + "," + notes},
		"an unknown source": {events + "," + audits, nil, audits + "," + fixed},
		"one that may be echoed": {events + "," + audits,
			map[string]baseline.Unknown{"LogConfigurations.auditEvents": baseline.EchoUnknown}, audits + "," + fixed},
		"one that may be left out": {events + "," + audits, all(baseline.OmitUnknown), fixed},
		"one source twice":         {events + "," + events, all(baseline.EchoUnknown), ""},
		"no source":                {events + `,{"LogLevel":"INFO"}`, all(baseline.EchoUnknown), ""},
	} {
		plan, err := NewPlan(logsState(t, "["+c.entries+"]"), fix, Options{Unknown: c.say})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" {
			const reason = "unknown member LogConfigurations (LogDelivery)"
			if len(plan.Writes) > 0 || len(plan.Skipped) != 1 || !strings.Contains(plan.Skipped[0].Reason, reason) {
				t.Errorf("%s: %d writes, %v", name, len(plan.Writes), plan.Skipped)
			}
			continue
		}
		if len(plan.Writes) != 1 {
			t.Errorf("%s: %d writes, %v", name, len(plan.Writes), plan.Skipped)
			continue
		}
		want, err := DecodeObject([]byte(`{"UserPoolId":"` + pool + `","LogConfigurations":[` + c.want + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeObject(plan.Writes[0].Body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s (-want +sent) %v:\n%s", name, err, diff)
		}
	}
}

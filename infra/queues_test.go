package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// TestQueues: the queues are encrypted, keep messages for two weeks and refuse what is not TLS. A message is hidden for
// six times as long as the function may run, and goes to the one dead-letter queue after 20 tries. Each of the two
// starts the function, at most twice at a time, on one message.
func TestQueues(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	incoming := map[string]bool{}
	for _, m := range tpl.of("AWS::Lambda::EventSourceMapping") {
		incoming[strings.TrimSuffix(strings.TrimPrefix(written(m.Properties["EventSourceArn"]), "${"), ".Arn}")] = true
		if fmt.Sprint(m.Properties["BatchSize"], m.Properties["FunctionResponseTypes"], m.Properties["ScalingConfig"]) !=
			"1 [ReportBatchItemFailures] map[MaximumConcurrency:2]" {
			t.Errorf("the function is started by %v", m.Properties)
		}
	}
	for id, q := range tpl.of("AWS::SQS::Queue") {
		for _, f := range tpl.of("AWS::Lambda::Function") {
			hidden, _ := q.Properties["VisibilityTimeout"].(float64)
			if incoming[plain(id)] && hidden < 6*f.Properties["Timeout"].(float64) {
				t.Errorf("a message of %s is hidden for %v s", id, hidden)
			}
		}
		redrive := fmt.Sprint(written(at(q.Properties, "RedrivePolicy", "deadLetterTargetArn")),
			at(q.Properties, "RedrivePolicy", "maxReceiveCount"))
		if incoming[plain(id)] != (redrive == "${QueuesDeadLetter.Arn}20") {
			t.Errorf("what %s cannot deliver goes to %s", id, redrive)
		}
		tls := slices.ContainsFunc(queuePolicy(tpl, plain(id)), func(s any) bool {
			return at(s, "Effect") == "Deny" && at(s, "Condition", "Bool", "aws:SecureTransport") == "false"
		})
		if !tls || q.Properties["SqsManagedSseEnabled"] != true || q.Properties["MessageRetentionPeriod"] != 1209600.0 {
			t.Errorf("%s is %v, with TLS: %v", id, q.Properties, tls)
		}
	}
	if len(incoming) != 2 {
		t.Errorf("the function is started by %v", incoming)
	}
}

// idOf returns the logical id without its hash as the template has it.
func idOf(t *testing.T, tpl template, id string) string {
	t.Helper()
	for full := range tpl.Resources {
		if plain(full) == id {
			return full
		}
	}
	t.Fatalf("there is no %s", id)
	return ""
}

// queuePolicy returns the statements of the policies of a queue.
func queuePolicy(tpl template, queue string) []any {
	var statements []any
	for _, p := range tpl.of("AWS::SQS::QueuePolicy") {
		for _, to := range at(p.Properties, "Queues").([]any) {
			if strings.HasPrefix(written(to), "${"+queue) {
				statements = append(statements, at(p.Properties, "PolicyDocument", "Statement").([]any)...)
			}
		}
	}
	return statements
}

// TestDelivery: each rule may send to its target, gives up to the dead-letter queue and may send there too; so does the
// schedule.
func TestDelivery(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	targets := map[string]string{"Changes": "QueuesChanges", "Deployment": "QueuesScans"}
	for id, r := range tpl.of("AWS::Events::Rule") {
		for _, target := range at(r.Properties, "Targets").([]any) {
			if got := written(at(target, "DeadLetterConfig", "Arn")); got != "${QueuesDeadLetter.Arn}" {
				t.Errorf("what %s cannot deliver goes to %s", id, got)
			}
			queue := targets[plain(id)]
			if queue == "" {
				continue
			}
			if got := written(at(target, "Arn")); got != "${"+queue+".Arn}" {
				t.Errorf("%s sends to %s", id, got)
			}
			rule := map[string]any{"ArnEquals": map[string]any{
				"aws:SourceArn": map[string]any{"Fn::GetAtt": []any{id, "Arn"}},
			}}
			expectAllowed(t, queuePolicy(tpl, queue), "events.amazonaws.com", rule, "sqs:SendMessage")
			expectAllowed(t, queuePolicy(tpl, "QueuesDeadLetter"), "events.amazonaws.com", rule, "sqs:SendMessage")
		}
	}
	tamper := from(tpl.ruleARNs("TamperAlertDeployed", "TamperAlertFooting", "TamperAlertReports", "TamperAlertWiring"))
	expectAllowed(t, queuePolicy(tpl, "QueuesDeadLetter"), "events.amazonaws.com", tamper, "sqs:SendMessage")
	for id, s := range tpl.of("AWS::Scheduler::Schedule") {
		target := at(s.Properties, "Target")
		got := written(at(target, "Arn")) + written(at(target, "DeadLetterConfig", "Arn"))
		if got != "${QueuesScans.Arn}${QueuesDeadLetter.Arn}" {
			t.Errorf("%s sends to %s", id, got)
		}
		if at(s.Properties, "ScheduleExpression") != "rate(6 hours)" || at(s.Properties, "State") == "DISABLED" {
			t.Errorf("%s: %v", id, s.Properties)
		}
	}
}

// TestScheduleRole: Scheduler may send to its queues, and do nothing else.
func TestScheduleRole(t *testing.T) {
	t.Parallel()
	for id, p := range templateOf(t, "", nil).of("AWS::IAM::Policy") {
		var got []string
		for _, s := range at(p.Properties, "PolicyDocument", "Statement").([]any) {
			for _, resource := range every(at(s, "Resource")) {
				got = append(got, fmt.Sprint(at(s, "Action"), " ", written(resource)))
			}
		}
		slices.Sort(got)
		const want = "[sqs:SendMessage ${QueuesDeadLetter.Arn} sqs:SendMessage ${QueuesScans.Arn}]"
		if strings.HasPrefix(id, "SchedulerRole") && fmt.Sprint(got) != want {
			t.Errorf("it may %v", got)
		}
	}
}

// ruleARNs returns the ARNs of rules as the template has them.
func (tpl template) ruleARNs(ids ...string) []any {
	var arns []any
	for _, id := range ids {
		arns = append(arns, map[string]any{"Fn::GetAtt": []any{id, "Arn"}})
	}
	for full := range tpl.of("AWS::Events::Rule") {
		for i, id := range ids {
			if plain(full) == plain(id) {
				arns[i] = map[string]any{"Fn::GetAtt": []any{full, "Arn"}}
			}
		}
	}
	return arns
}

// expectAllowed fails where no statement allows a service the actions under exactly that condition.
func expectAllowed(t *testing.T, statements any, service string, condition map[string]any, actions ...string) {
	t.Helper()
	all, _ := statements.([]any)
	for _, s := range all {
		have := every(at(s, "Action"))
		lacks := func(action string) bool { return !slices.Contains(have, any(action)) }
		same := condition == nil && at(s, "Condition") == nil || cmp.Equal(any(condition), at(s, "Condition"))
		of := at(s, "Effect") == "Allow" && at(s, "Principal", "Service") == service
		if of && same && !slices.ContainsFunc(actions, lacks) {
			return
		}
	}
	t.Errorf("%s may not %v under %v: %v", service, actions, condition, statements)
}

// TestNoLoop: no rule matches what the function reports on a bus, whatever bus that is, so that no outcome starts it
// again.
func TestNoLoop(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, ownsAll, everything)
	out := outcome.Outcome{UserPoolID: "eu-west-1_AbCdEf123", Cause: event.Cause{EventName: "UpdateUserPool"}}
	for _, out.Outcome = range listOf(outcome.Deferred, outcome.Unconverged, outcome.Partial,
		outcome.Unfixable, outcome.Remediated, outcome.Drifted, outcome.Unchanged) {
		payload := []byte(fmt.Sprintf(`{"version":"0","id":"1","source":%q,"detail-type":%q,"account":"111122223333",
			"region":"eu-west-1","time":"2026-10-01T09:15:40Z","resources":[],"detail":%s}`,
			notify.Source, notify.DetailType(out.Outcome), report.JSON(report.New(out, "test", ""))))
		object := decoded(payload)
		for id, rule := range tpl.of("AWS::Events::Rule") {
			if object == nil || matches(t, at(rule.Properties, "EventPattern").(map[string]any), object) {
				t.Errorf("%s matches %s", id, out.Outcome)
			}
		}
		if got := event.Decode(payload, event.Home{}); got.Kind != event.Ignored {
			t.Errorf("sent to the function all the same, the event of %s is taken for %s", out.Outcome, got.Kind)
		}
	}
	for id, rule := range tpl.of("AWS::Events::Rule") {
		if source, _ := at(rule.Properties, "EventPattern", "source").([]any); len(source) == 0 {
			t.Errorf("%s matches every source", id)
		}
	}
	if n := len(tpl.of("AWS::Events::Rule")); n != 6 {
		t.Errorf("%d rules", n)
	}
}

func listOf[T any](all ...T) []T { return all }

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// matches reports whether an event matches a pattern, as EventBridge does for what the stack's patterns use: exact
// values, null, exists, prefix, wildcard, $or. It fails for anything else, so that a pattern never passes for being
// misread.
func matches(t *testing.T, pattern, object map[string]any) bool {
	t.Helper()
	for key, want := range pattern {
		have, there := object[key]
		switch want := want.(type) {
		case map[string]any:
			below, _ := have.(map[string]any)
			if !matches(t, want, below) {
				return false
			}
		case []any:
			if key == "$or" {
				found := false
				for _, alternative := range want {
					found = matches(t, alternative.(map[string]any), object) || found
				}
				if !found {
					return false
				}
			} else if !matchesAny(t, want, have, there) {
				return false
			}
		default:
			t.Fatalf("a pattern holds %v", want)
		}
	}
	return true
}

func matchesAny(t *testing.T, wants []any, have any, there bool) bool {
	t.Helper()
	if all, ok := have.([]any); ok { // any element of an array may match
		for _, one := range all {
			if matchesAny(t, wants, one, true) {
				return true
			}
		}
		return false
	}
	for _, want := range wants {
		rule, isRule := want.(map[string]any)
		if !isRule && there && want == have || isRule && matchesRule(t, rule, have, there) {
			return true
		}
	}
	return false
}

func matchesRule(t *testing.T, rule map[string]any, have any, there bool) bool {
	t.Helper()
	text, isText := have.(string)
	for kind, value := range rule {
		switch kind {
		case "exists":
			return value == there
		case "anything-but":
			for _, one := range value.([]any) {
				other, known := one.(string)
				if !known {
					other = located(written(one))
				}
				if !isText || text == other {
					return false
				}
			}
			return there
		case "prefix":
			return isText && strings.HasPrefix(text, value.(string))
		case "wildcard":
			return isText && wild(value.(string), text)
		case "Ref", "Fn::GetAtt": // stands for a value that only the deployment knows
			return isText && text == located(written(rule))
		default:
			t.Fatalf("a pattern uses %q, which is not known here", kind)
		}
	}
	return false
}

// located inserts the fixtures' account and Region.
func located(reference string) string {
	return strings.NewReplacer("${AccountId}", "111122223333", "${Region}", "eu-west-1").Replace(reference)
}

func wild(pattern, text string) bool {
	head, tail, more := strings.Cut(pattern, "*")
	if !more {
		return pattern == text
	}
	if !strings.HasPrefix(text, head) {
		return false
	}
	for rest := text[len(head):]; ; rest = rest[1:] {
		if wild(tail, rest) {
			return true
		}
		if rest == "" {
			return false
		}
	}
}

// patternOf returns the event pattern of the rule whose logical id without its hash is this.
func patternOf(t *testing.T, tpl template, id string) map[string]any {
	t.Helper()
	return at(tpl.one(t, id).Properties, "EventPattern").(map[string]any)
}

// matched are the fixtures that the rule matches; all others cost no invocation. event.Decode judges what matches, so
// the rule may match too much, such as what EventBridge cannot tell apart, but never too little.
var matched = map[string]string{
	"update-user-pool": "", "mfa-off-console": "", "own-write": "", "root-user": "", "cloudformation": "",
	"empty-error-code": "", "no-event-type": "", "tag-resource": "", "untag-resource": "", "create-user-pool": "",
	"pool-id-in-capitals": "", "pool-id-twice-same": "", "number-too-large": "", "event-type-null": "",
	"time-before-year-zero": "", "request-null": "", "request-hidden": "", "request-without-id": "",
	"request-missing": "", "pool-id-hidden": "", "create-user-pool-without-id": "", "tag-without-arn": "",

	"envelope-and-detail-disagree": "the envelope is the bus's",
	"tag-identity-pool":            "the ARN is not parsed",
	"tag-other-account":            "nor its account",
	"tag-other-region":             "nor its Region",
	"tag-path-like":                "nor its id",
	"replica-secondary":            "the id is not parsed",
	"pool-id-path-like":            "", "pool-id-too-long": "", "pool-id-with-newline": "", "pool-id-number": "",
	"pool-id-object": "", "pool-id-empty": "", "pool-id-twice-different": "",
}

// TestPatternOnEveryFixture: the rule matches every event that the function would act on.
func TestPatternOnEveryFixture(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"the one that ships": "", "everything": ownsAll} {
		t.Run(name, func(t *testing.T) { testPattern(t, text, name == "everything") })
	}
}

// ownsAll is a baseline that requires something of every document, and watches everything.
const ownsAll = `version: 1
rules:
  - name: all
    pools: {ids: [eu-west-1_AbCdEf123]}
    require:
      DeletionProtection: ACTIVE
      MfaConfiguration: "ON"
      SoftwareTokenMfaConfiguration: {Enabled: true}
      RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
      LogConfigurations: {userAuthEvents: {LogLevel: INFO, S3Configuration: {BucketArn: "arn:aws:s3:::logs"}}}
    clients:
      - require:
          PreventUserExistenceErrors: ENABLED
          RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {absent: true}}}
    watch: [clients, identityProviders, domains, resourceServers, groups, triggers]
`

// fixtures returns every event of the testdata, by name.
func fixtures(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../lambda/event/testdata/*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = payload
	}
	return all
}

// decoded returns the object that an event is, nil where it is none.
func decoded(payload []byte) map[string]any {
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if decoder.Decode(&object) != nil {
		return nil
	}
	return object
}

// ofEverything are the fixtures that match a baseline that requires and watches everything, beside the others.
var ofEverything = regexp.MustCompile(
	"set-(risk|log)-|-client|delete-user-pool|-identity-provider|-domain|-resource-server|-group")

func testPattern(t *testing.T, text string, everything bool) {
	s := read(t, text, nil)
	pattern := patternOf(t, templateOf(t, text, nil), "Changes")
	if at(pattern, "detail", "userIdentity") != nil {
		t.Error("whoever the pattern leaves out could change pools unnoticed")
	}
	for name, payload := range fixtures(t) {
		object := decoded(payload)
		got := object != nil && matches(t, pattern, object)
		reason, want := matched[name]
		ofUs := strings.HasPrefix(name, "reconcile-")
		if got != (want || everything && !ofUs && ofEverything.MatchString(name)) {
			t.Errorf("%s: matched %v %s", name, got, reason)
		}
		request := event.Decode(payload, event.Home{Account: "111122223333", Region: "eu-west-1"})
		acts := request.Kind == event.All || request.Kind == event.One && s.Baseline.Concerns("", request.Call.Change())
		if ours := object["source"] == "poolkeeper" || object["source"] == "aws.events"; acts && !ours && !got {
			t.Errorf("%s: the function would act on it, and never receives it", name)
		}
	}
}

// TestDeploymentPattern: the rule matches the end of a deployment of its own stack, and nothing else.
func TestDeploymentPattern(t *testing.T) {
	t.Parallel()
	pattern := patternOf(t, templateOf(t, "", nil), "Deployment")
	ended := func(source, stack, status string) map[string]any {
		return map[string]any{
			"source": source, "detail-type": "CloudFormation Stack Status Change",
			"detail": map[string]any{"stack-id": stack, "status-details": map[string]any{"status": status}},
		}
	}
	const ours = "${StackId}"
	for _, status := range strings.Fields("CREATE_COMPLETE UPDATE_COMPLETE UPDATE_ROLLBACK_COMPLETE UPDATE_IN_PROGRESS") {
		want := status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE"
		if matches(t, pattern, ended("aws.cloudformation", ours, status)) != want {
			t.Errorf("it matches %s: %v", status, !want)
		}
		if matches(t, pattern, ended("aws.cloudformation", "arn:aws:cloudformation:x:stack/shop/0a1b", status)) ||
			matches(t, pattern, ended("my.app", ours, status)) {
			t.Errorf("it matches %s of another stack or source", status)
		}
	}
	for name, payload := range fixtures(t) {
		if object := decoded(payload); object != nil && matches(t, pattern, object) {
			t.Errorf("it matches %s", name)
		}
	}
}

// TestNoLoop: no rule matches what the function reports on a bus, whatever bus that is, so that no outcome starts it
// again.
func TestNoLoop(t *testing.T) {
	t.Parallel()
	rules := templateOf(t, ownsAll, everything).of("AWS::Events::Rule")
	out := outcome.Outcome{UserPoolID: "eu-west-1_AbCdEf123", Cause: event.Cause{EventName: "UpdateUserPool"}}
	for _, out.Outcome = range []outcome.Ending{outcome.Deferred, outcome.Unconverged, outcome.Partial, outcome.Unfixable,
		outcome.Remediated, outcome.Drifted, outcome.Unchanged} {
		payload := fmt.Appendf(nil, `{"version":"0","id":"1","source":%q,"detail-type":%q,"account":"111122223333",
			"region":"eu-west-1","time":"2026-10-01T09:15:40Z","resources":[],"detail":%s}`,
			event.Source, notify.DetailType(out.Outcome), report.JSON(report.New(out, "test", "")))
		object := decoded(payload)
		for id, rule := range rules {
			if object == nil || matches(t, at(rule.Properties, "EventPattern").(map[string]any), object) {
				t.Errorf("%s matches %s", id, out.Outcome)
			}
		}
		if got := event.Decode(payload, event.Home{}); got.Kind != event.Ignored {
			t.Errorf("sent to the function all the same, the event of %s is taken for %s", out.Outcome, got.Kind)
		}
	}
}

const riskRule = "{RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}}"

// TestCallsOfBaseline: the rule matches the calls that can change what the baseline requires or watches, and no other.
func TestCallsOfBaseline(t *testing.T) {
	t.Parallel()
	for name, c := range rows[map[string]struct{ Rule, Want string }](t, "calls.json") {
		s := read(t, fmt.Sprintf("version: 1\nrules: [{name: a, %s}]", c.Rule), nil)
		if got := strings.Join(callsOf(s.Baseline), " "); got != c.Want {
			t.Errorf("%s: %s, want %s", name, got, c.Want)
		}
	}
	var names []string
	for _, call := range event.Table() {
		names = append(names, call.Name)
	}
	if diff := cmp.Diff(names, callsOf(read(t, ownsAll, nil).Baseline)); diff != "" {
		t.Errorf("a baseline that requires and watches everything (-want +got):\n%s", diff)
	}
}

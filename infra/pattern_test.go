package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
)

// matches says whether an event matches a pattern, as EventBridge does for what the stack's patterns use: exact values, null, exists, prefix, wildcard, $or.
// It fails for anything else, so that a pattern never passes for being read wrongly.
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
	if all, ok := have.([]any); ok { // of an array any element will do
		for _, one := range all {
			if matchesAny(t, wants, one, true) {
				return true
			}
		}
		return false
	}
	for _, want := range wants {
		rule, isRule := want.(map[string]any)
		text, isText := have.(string)
		if !isRule {
			if there && want == have {
				return true
			}
			continue
		}
		if len(rule) != 1 {
			t.Fatalf("a rule of %d parts", len(rule))
		}
		for kind, value := range rule {
			switch kind {
			case "exists":
				if value == there {
					return true
				}
			case "prefix":
				if isText && strings.HasPrefix(text, value.(string)) {
					return true
				}
			case "wildcard":
				if isText && wild(value.(string), text) {
					return true
				}
			case "Ref", "Fn::GetAtt": // stands for a value that only the deployment knows
				if isText && text == deployed(written(rule)) {
					return true
				}
			default:
				t.Fatalf("a pattern uses %q, which is not known here", kind)
			}
		}
	}
	return false
}

// deployed fills in what the fixtures' account and Region are.
func deployed(reference string) string {
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

// patternOf returns the event pattern of the rule whose logical id starts so.
func patternOf(t *testing.T, tpl template, id string) map[string]any {
	t.Helper()
	for name, r := range tpl.of("AWS::Events::Rule") {
		if strings.HasPrefix(name, id) {
			if at(r.Properties, "State") != "ENABLED" || at(r.Properties, "EventBusName") != nil {
				t.Errorf("%s is not in force on the default bus", name)
			}
			return at(r.Properties, "EventPattern").(map[string]any)
		}
	}
	t.Fatalf("there is no rule %s", id)
	return nil
}

// reach are the fixtures that the rule lets through; all others it keeps back, before they cost an invocation. What gets through is judged again by
// event.Decode, so the rule may let through too much, such as what EventBridge cannot tell apart, but never too little.
var reach = map[string]string{
	"update-user-pool": "", "mfa-off-console": "", "own-write": "", "root-user": "", "cloudformation": "", "empty-error-code": "", "no-event-type": "",
	"tag-resource": "", "untag-resource": "", "create-user-pool": "", "pool-id-in-capitals": "", "pool-id-twice-same": "", "number-too-large": "", "event-type-null": "",
	"time-before-year-zero": "", "request-null": "", "request-hidden": "", "request-without-id": "", "request-missing": "", "pool-id-hidden": "",
	"create-user-pool-without-id": "", "tag-without-arn": "",

	"envelope-and-detail-disagree": "the envelope is the bus's",
	"tag-identity-pool":            "the ARN is not looked into",
	"tag-other-account":            "nor its account",
	"tag-other-region":             "nor its Region",
	"tag-path-like":                "nor its id",
	"replica-secondary":            "the id is not looked into",
	"pool-id-path-like":            "", "pool-id-too-long": "", "pool-id-with-newline": "", "pool-id-number": "", "pool-id-object": "", "pool-id-empty": "", "pool-id-twice-different": "",
}

// TestPatternOnEveryFixture holds the rule against every event that there is: what the function would act on must get through.
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
    clients: [{require: {PreventUserExistenceErrors: ENABLED, RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {absent: true}}}}}]
    watch: [clients, identityProviders, domains, resourceServers, groups, triggers]
`

// fixtures returns every event that there is, by name.
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

func testPattern(t *testing.T, text string, everything bool) {
	s := read(t, text, nil)
	pattern := patternOf(t, templateOf(t, text, nil), "Changes")
	for name, payload := range fixtures(t) {
		object := decoded(payload)
		got := object != nil && matches(t, pattern, object)
		reason, want := reach[name]
		if about := []string{"set-risk-", "set-log-", "-client", "delete-user-pool", "-identity-provider", "-domain", "-resource-server", "-group"}; everything {
			want = want || slices.ContainsFunc(about, func(part string) bool { return strings.Contains(name, part) })
		}
		if got != want {
			t.Errorf("%s: matched %v, want %v %s", name, got, want, reason)
		}
		request := event.Decode(payload, event.Home{Account: "111122223333", Region: "eu-west-1"})
		if ours := object["source"] == "poolkeeper" || object["source"] == "aws.events"; request.Kind == event.All && !ours && !got || request.Kind == event.One && !ours && !got && concerns(s.Baseline, request.Call) {
			t.Errorf("%s: the function would act on it, and never sees it", name)
		}
	}
}

// TestPatternNeverAsksForTheCaller: whose call it was is the function's business.
func TestPatternNeverAsksForTheCaller(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(patternOf(t, templateOf(t, "", nil), "Changes"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "userIdentity") {
		t.Error("whoever the pattern leaves out could change pools unseen")
	}
	var pattern map[string]any
	if err := json.Unmarshal(raw, &pattern); err != nil {
		t.Fatal(err)
	}
	names := at(pattern, "detail", "eventName").([]any)
	if got := fmt.Sprint(names); got != "[CreateUserPool SetUserPoolMfaConfig TagResource UntagResource UpdateUserPool]" {
		t.Errorf("the baseline that ships listens to %s", got)
	}
	names = at(any(patternOf(t, templateOf(t, ownsAll, nil), "Changes")), "detail", "eventName").([]any)
	if len(names) != len(event.Names()) {
		t.Errorf("the pattern has %d names, the event table %d", len(names), len(event.Names()))
	}
}

// TestRequestsPattern: of every event that there is, the second rule takes what the function asks itself for, of its own account, Region and deployment, and nothing else. What it takes, the function handles.
func TestRequestsPattern(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	pattern := patternOf(t, tpl, "Requests")
	for name, payload := range fixtures(t) {
		object := decoded(payload)
		got := object != nil && matches(t, pattern, object)
		if want := name == "reconcile-of-sweep" || name == "sweep-goes-on"; got != want {
			t.Errorf("%s: matched %v, want %v", name, got, want)
		}
		if request := event.Decode(payload, event.Home{Account: "111122223333", Region: "eu-west-1"}); got && request.Kind == event.Ignored {
			t.Errorf("%s gets through and is ignored: %s", name, request.Detail)
		}
	}
	ours := map[string]any{"source": "poolkeeper", "detail-type": "Sweep", "account": "111122223333", "region": "eu-west-1", "detail": map[string]any{}}
	for key, theirs := range map[string]string{"source": "my.app", "detail-type": "User Pool Remediated", "account": "444455556666", "region": "us-east-1"} {
		other := maps.Clone(ours)
		other[key] = theirs
		if !matches(t, pattern, ours) || matches(t, pattern, other) {
			t.Errorf("an event of %s %s gets through, or no other does", key, theirs)
		}
	}
	// Whoever asks by hand names no function; what another deployment in the account asks itself for is not for this one.
	for function, want := range map[string]bool{"${KeeperFunction7330A899}": true, "poolkeeper-test-KeeperFunction7330A899-1ABC": false} {
		asked := maps.Clone(ours)
		asked["detail"] = map[string]any{"function": function}
		if got := matches(t, pattern, asked); got != want {
			t.Errorf("an event for the function %s gets through: %v", function, got)
		}
	}
	for id, r := range tpl.of("AWS::Events::Rule") {
		if !strings.HasPrefix(id, "Requests") {
			continue
		}
		targets := at(r.Properties, "Targets").([]any)
		want := map[string]any{"MaximumEventAgeInSeconds": 86400.0, "MaximumRetryAttempts": 185.0}
		if len(targets) != 1 || written(at(targets[0], "Arn")) != "${KeeperFunction.Arn}" || !cmp.Equal(any(want), at(targets[0], "RetryPolicy")) {
			t.Errorf("%s hands its events to %v", id, targets)
		}
	}
}

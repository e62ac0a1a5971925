package event

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var ours = Home{Account: "111122223333", Region: "eu-west-1"}

const thePool = "eu-west-1_AbCdEf123"

// want is what a fixture has to be decoded to; Detail and the cause's ids are looked at elsewhere.
type want struct {
	kind   Kind
	pool   string
	reason Reason
}

var (
	reconciled = want{kind: One, pool: thePool}
	everyPool  = want{kind: All, reason: RequestLeftOut}
)

func ignoredFor(reason Reason) want { return want{kind: Ignored, reason: reason} }

var fixtures = map[string]want{
	"update-user-pool":                    reconciled,
	"mfa-off-console":                     reconciled,
	"own-write":                           reconciled, // whose write it was is not the decoder's business
	"root-user":                           reconciled,
	"cloudformation":                      reconciled,
	"empty-error-code":                    reconciled,
	"no-event-type":                       reconciled,
	"tag-resource":                        reconciled,
	"untag-resource":                      reconciled,
	"create-user-pool":                    reconciled,
	"pool-id-in-capitals":                 reconciled,
	"pool-id-twice-same":                  reconciled,
	"reconcile-user-pool":                 reconciled,
	"request-null":                        everyPool,
	"request-hidden":                      everyPool,
	"request-without-id":                  everyPool,
	"request-missing":                     everyPool,
	"pool-id-hidden":                      everyPool,
	"create-user-pool-without-id":         everyPool,
	"scheduled-event":                     {kind: All},
	"sweep":                               {kind: All},
	"failed-call":                         ignoredFor(FailedCall),
	"failed-call-access-denied":           ignoredFor(FailedCall),
	"create-user-pool-failed":             ignoredFor(FailedCall),
	"hosted-ui":                           ignoredFor(ServiceEvent),
	"hosted-ui-service-event":             ignoredFor(ServiceEvent),
	"read-only":                           ignoredFor(ReadOnly),
	"user-level-call":                     ignoredFor(NotInTable),
	"identity-pool":                       ignoredFor(IdentityPool),
	"identity-pool-in-user-pool-envelope": ignoredFor(IdentityPool),
	"other-event-source":                  ignoredFor(UnknownSource),
	"tag-identity-pool":                   ignoredFor(OtherResource),
	"tag-other-account":                   ignoredFor(OtherAccount),
	"tag-other-region":                    ignoredFor(OtherRegion),
	"tag-path-like":                       ignoredFor(BadPoolID),
	"tag-without-arn":                     ignoredFor(NoPoolID),
	"other-account":                       ignoredFor(OtherAccount),
	"other-region":                        ignoredFor(OtherRegion),
	"envelope-and-detail-disagree":        ignoredFor(OtherAccount),
	"replica-secondary":                   {kind: Ignored, pool: "us-east-1_AbCdEf123", reason: Replica},
	"pool-id-path-like":                   ignoredFor(BadPoolID),
	"pool-id-too-long":                    ignoredFor(BadPoolID),
	"pool-id-with-newline":                ignoredFor(BadPoolID),
	"pool-id-number":                      ignoredFor(BadPoolID),
	"pool-id-object":                      ignoredFor(BadPoolID),
	"pool-id-empty":                       ignoredFor(BadPoolID),
	"pool-id-twice-different":             ignoredFor(BadPoolID),
	"reconcile-without-id":                ignoredFor(NoPoolID),
	"unknown-detail-type":                 ignoredFor(UnknownDetailType),
	"unknown-source":                      ignoredFor(UnknownSource),
	"detail-not-an-object":                ignoredFor(Malformed),
	"not-an-object":                       ignoredFor(Malformed),
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestDecodeFixtures(t *testing.T) {
	t.Parallel()
	for name, w := range fixtures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Decode(fixture(t, name), ours)
			if diff := cmp.Diff(w, want{got.Kind, got.UserPoolID, got.Reason}, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, got.Detail)
			}
			if (got.Detail == "") != (got.Reason == "") {
				t.Errorf("reason %q with detail %q: the one explains the other", got.Reason, got.Detail)
			}
		})
	}
}

func TestEveryFixtureHasARow(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != len(fixtures) {
		t.Fatalf("%d files, %d rows, %v", len(files), len(fixtures), err)
	}
	for _, file := range files {
		if _, ok := fixtures[strings.TrimSuffix(filepath.Base(file), ".json")]; !ok {
			t.Errorf("%s has no row", file)
		}
	}
}

func TestCause(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]Cause{
		"update-user-pool": {EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory", Issuer: "arn:aws:iam::111122223333:role/AppAdmin",
			SourceIP: "198.51.100.23", UserAgent: "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux lang/python#3.13", Time: time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)},
		"mfa-off-console": {EventName: "SetUserPoolMfaConfig", Actor: "arn:aws:iam::111122223333:user/console-user", SourceIP: "203.0.113.7",
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Time: time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)},
		"cloudformation": {EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory", Issuer: "arn:aws:iam::111122223333:role/AppAdmin",
			SourceIP: "cloudformation.amazonaws.com", UserAgent: "cloudformation.amazonaws.com", InvokedBy: "cloudformation.amazonaws.com", Time: time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)},
		"scheduled-event": {EventID: "89d1a02d-5ec7-412e-82f5-13505f849b41", EventName: "Scheduled Event", Time: time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)},
	} {
		got := Decode(fixture(t, name), ours).Cause
		if name != "scheduled-event" {
			if !strings.HasPrefix(got.EventID, "0c0f7a3e-") || !strings.HasPrefix(got.RequestID, "5d4c2a6e-") {
				t.Errorf("%s: ids %q and %q", name, got.EventID, got.RequestID)
			}
			got.EventID, got.RequestID = "", ""
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestHomeOfTheEvent: without a home of its own, as in a local invocation, the decoder takes the event's.
func TestHomeOfTheEvent(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]Kind{"update-user-pool": One, "other-account": One, "other-region": One, "envelope-and-detail-disagree": Ignored, "replica-secondary": Ignored} {
		if got := Decode(fixture(t, name), Home{}); got.Kind != w {
			t.Errorf("%s: %s (%s), want %s", name, got.Kind, got.Detail, w)
		}
	}
}

// TestLenient replaces each member of a good event, at every depth, by every other shape. The decoder believes the rest.
func TestLenient(t *testing.T) {
	t.Parallel()
	var good map[string]any
	if err := json.Unmarshal(fixture(t, "update-user-pool"), &good); err != nil {
		t.Fatal(err)
	}
	matters := []string{"source", "detail-type", "detail", "detail.eventSource", "detail.eventName", "detail.requestParameters", "detail.requestParameters.userPoolId",
		"detail.eventType", "detail.readOnly", "detail.errorCode", "detail.recipientAccountId", "detail.awsRegion", "account", "region"}
	for _, path := range paths(good, "") {
		for _, shape := range []any{nil, json.Number("7"), "HIDDEN_DUE_TO_SECURITY_REASONS", []any{}, map[string]any{"a": 1}, true} {
			payload, err := json.Marshal(replaced(good, strings.Split(path, "."), shape))
			if err != nil {
				t.Fatal(err)
			}
			got := Decode(payload, ours)
			if got.Kind != One && !slices.Contains(matters, path) {
				t.Errorf("%s as %v: %s (%s)", path, shape, got.Kind, got.Detail)
			}
		}
	}
}

func paths(object map[string]any, prefix string) []string {
	var all []string
	for name, v := range object {
		all = append(all, prefix+name)
		if inner, ok := v.(map[string]any); ok {
			all = append(all, paths(inner, prefix+name+".")...)
		}
	}
	return all
}

func replaced(object map[string]any, path []string, v any) map[string]any {
	c := map[string]any{}
	for k, e := range object {
		c[k] = e
	}
	if len(path) == 1 {
		c[path[0]] = v
	} else {
		c[path[0]] = replaced(c[path[0]].(map[string]any), path[1:], v)
	}
	return c
}

func TestCauseIsFitForALog(t *testing.T) {
	t.Parallel()
	payload := strings.Replace(string(fixture(t, "update-user-pool")), `"sourceIPAddress": "198.51.100.23"`,
		`"sourceIPAddress": "1.2.3.4\n{\"level\":\"INFO\"}\u0000\u001b[31m\u202e`+strings.Repeat("x", 5000)+`"`, 1)
	got := Decode([]byte(payload), ours).Cause.SourceIP
	if strings.ContainsAny(got, "\n\x00\x1b\u202e") || len(got) > maxText*4 || !strings.HasPrefix(got, "1.2.3.4\uFFFD") {
		t.Errorf("%q", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"CreateUserPool", "SetUserPoolMfaConfig", "TagResource", "UntagResource", "UpdateUserPool"}, Names()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.IsSorted(Names()) {
		t.Error("the names are not sorted")
	}
}

func TestDeepAndBroken(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "null", "7", `"x"`, "{", "{} {}", strings.Repeat("[", 100000), strings.Repeat(`{"a":`, 20000), "\xff\xfe", `{"source":"aws.cognito-idp","source":7}`} {
		if got := Decode([]byte(payload), ours); got.Kind != Ignored || got.Reason == "" {
			t.Errorf("%.40q: %v", payload, got)
		}
	}
}

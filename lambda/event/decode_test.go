package event

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

var ours = Home{Account: "111122223333", Region: "eu-west-1"}

const thePool = "eu-west-1_AbCdEf123"

// want is what a fixture has to be decoded to. Other tests check Detail and the cause's ids.
type want struct {
	kind   Kind
	pool   string
	reason Reason
}

var (
	reconciled = want{kind: One, pool: thePool}
	everyPool  = want{kind: All, reason: RequestLeftOut}
	virginia   = want{kind: One, pool: "us-east-1_AbCdEf123"}
	replica    = want{kind: Ignored, pool: "us-east-1_AbCdEf123", reason: Replica}
)

func ignoredFor(reason Reason) want { return want{kind: Ignored, reason: reason} }

// fixtures are the names of the fixtures by what they have to be decoded to.
var fixtures = map[want]string{
	reconciled: `
		update-user-pool mfa-off-console own-write root-user cloudformation empty-error-code no-event-type
		tag-resource untag-resource create-user-pool pool-id-in-capitals pool-id-twice-same
		reconcile-user-pool number-too-large event-type-null time-before-year-zero reconcile-of-scan
		reconcile-of-sweep reconcile-clients set-risk-configuration set-risk-configuration-of-client
		set-log-delivery-configuration create-user-pool-client update-user-pool-client
		update-user-pool-client-hidden delete-user-pool-client add-user-pool-client-secret delete-user-pool
		create-identity-provider update-identity-provider delete-identity-provider create-user-pool-domain
		update-user-pool-domain delete-user-pool-domain create-resource-server update-resource-server
		delete-resource-server create-group update-group delete-group`,
	everyPool: `
		request-null request-hidden request-without-id request-missing pool-id-hidden
		create-user-pool-without-id tag-without-arn pool-id-twice-different`,
	{kind: All}:               "scheduled-event scan scan-continued sweep sweep-goes-on",
	ignoredFor(FailedCall):    "failed-call failed-call-access-denied create-user-pool-failed",
	ignoredFor(ServiceEvent):  "hosted-ui hosted-ui-service-event",
	ignoredFor(ReadOnly):      "read-only",
	ignoredFor(NotInTable):    "user-level-call",
	ignoredFor(IdentityPool):  "identity-pool identity-pool-in-user-pool-envelope",
	ignoredFor(UnknownSource): "other-event-source unknown-source",
	ignoredFor(OtherResource): "tag-identity-pool",
	ignoredFor(OtherAccount):  "tag-other-account other-account envelope-and-detail-disagree",
	ignoredFor(OtherRegion):   "tag-other-region other-region",
	ignoredFor(BadPoolID): `
		tag-path-like pool-id-path-like pool-id-too-long pool-id-with-newline pool-id-number pool-id-object
		pool-id-empty`,
	replica:                       "replica-secondary",
	ignoredFor(NoPoolID):          "reconcile-without-id",
	ignoredFor(UnknownDetailType): "unknown-detail-type",
	ignoredFor(Malformed):         "detail-not-an-object not-an-object",
}

// alone are those with another result without a home of our own, as in a local invocation.
var alone = map[string]want{"other-account": reconciled, "other-region": virginia}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// TestDecodeFixtures decodes every fixture with our account and Region, and without.
func TestDecodeFixtures(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	left := len(files)
	for expected, names := range fixtures {
		for name := range strings.FieldsSeq(names) {
			left--
			for home, w := range map[Home]want{ours: expected, {}: cmp.Or(alone[name], expected)} {
				got := Decode(fixture(t, name), home)
				if diff := gocmp.Diff(w, want{got.Kind, got.UserPoolID, got.Reason}, gocmp.AllowUnexported(want{})); diff != "" {
					t.Errorf("%s at %v (-want +got):\n%s%s", name, home, diff, got.Detail)
				}
				if (got.Detail == "") != (got.Reason == "") {
					t.Errorf("%s: reason %q with detail %q: the one explains the other", name, got.Reason, got.Detail)
				}
				if _, err := json.Marshal(got.Cause); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if left != 0 {
		t.Errorf("%d more files than names", left)
	}
}

func TestCause(t *testing.T) {
	t.Parallel()
	const (
		mallory  = "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory"
		appAdmin = "arn:aws:iam::111122223333:role/AppAdmin"
		service  = "cloudformation.amazonaws.com"
	)
	at := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	for name, w := range map[string]Cause{
		"update-user-pool": {EventName: "UpdateUserPool", Actor: mallory, Issuer: appAdmin, SourceIP: "198.51.100.23",
			UserAgent: "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux lang/python#3.13", MFA: "false", Time: at},
		"mfa-off-console": {EventName: "SetUserPoolMfaConfig", Actor: "arn:aws:iam::111122223333:user/console-user",
			SourceIP: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Console: true, MFA: "true", Time: at},
		"cloudformation": {EventName: "UpdateUserPool", Actor: mallory, Issuer: appAdmin, SourceIP: service,
			UserAgent: service, InvokedBy: service, MFA: "false", Time: at},
		"scheduled-event": {EventID: "89d1a02d-5ec7-412e-82f5-13505f849b41", EventName: "Scheduled Event",
			Time: time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)},
	} {
		got := Decode(fixture(t, name), ours).Cause
		if name != "scheduled-event" {
			if !strings.HasPrefix(got.EventID, "0c0f7a3e-") || !strings.HasPrefix(got.RequestID, "5d4c2a6e-") {
				t.Errorf("%s: ids %q and %q", name, got.EventID, got.RequestID)
			}
			got.EventID, got.RequestID = "", ""
		}
		if diff := gocmp.Diff(w, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestLenient replaces each member of a good event, at every depth, by every other shape. The pool is found all the
// same, unless the member is the id or one that is checked. Then the table has the result.
func TestLenient(t *testing.T) {
	t.Parallel()
	var good map[string]any
	if err := json.Unmarshal(fixture(t, "update-user-pool"), &good); err != nil {
		t.Fatal(err)
	}
	const redacted = "HIDDEN_DUE_TO_SECURITY_REASONS"
	shapes := map[string]any{"null": nil, "number": 7, "text": redacted, "array": []any{},
		"object": map[string]any{"a": 1}, "true": true}
	checked := map[string]struct {
		why   string
		shape map[string]Kind // the others give the fallback
		other Kind
	}{
		"source":                              {"no source, no event", nil, Ignored},
		"detail-type":                         {"no type, no event", nil, Ignored},
		"detail":                              {"nothing to read", nil, Ignored},
		"detail.eventSource":                  {"a call to an unknown service", nil, Ignored},
		"detail.eventName":                    {"an unknown call", nil, Ignored},
		"detail.eventType":                    {"another type is no API call", map[string]Kind{"null": One}, Ignored},
		"detail.readOnly":                     {"only true says that nothing changed", map[string]Kind{"true": Ignored}, One},
		"detail.recipientAccountId":           {"another text is another account", map[string]Kind{"text": Ignored}, One},
		"account":                             {"another text is another account", map[string]Kind{"text": Ignored}, One},
		"detail.awsRegion":                    {"another text is another Region", map[string]Kind{"text": Ignored}, One},
		"region":                              {"another text is another Region", map[string]Kind{"text": Ignored}, One},
		"detail.requestParameters":            {"the request was left out", nil, All},
		"detail.requestParameters.userPoolId": {"left out, or no id", map[string]Kind{"null": All, "text": All}, Ignored},
	}
	all := paths(good, "")
	for path := range checked {
		if !slices.Contains(all, path) {
			t.Errorf("%s is checked, but the good event has no such member", path)
		}
	}
	for _, path := range all {
		for name, shape := range shapes {
			payload := encode(replaced(good, strings.Split(path, "."), shape))
			expected := One
			c, ok := checked[path]
			if ok {
				expected = c.other
			}
			if kind, ok := c.shape[name]; ok {
				expected = kind
			}
			if got := Decode(payload, ours); got.Kind != expected || (got.Kind == One && got.UserPoolID != thePool) {
				t.Errorf("%s as %s: %s %s (%s), want %s: %s", path, name, got.Kind, got.UserPoolID, got.Detail, expected, c.why)
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
	c := maps.Clone(object)
	if len(path) == 1 {
		c[path[0]] = v
	} else {
		c[path[0]] = replaced(c[path[0]].(map[string]any), path[1:], v)
	}
	return c
}

func TestClean(t *testing.T) {
	t.Parallel()
	for why, c := range map[string][2]string{
		"a plain text stays":           {"aws-cli/2.31.0 (Linux) é 日本", "aws-cli/2.31.0 (Linux) é 日本"},
		"no second line in a log":      {"a\nb\r\tc", "a\uFFFDb\uFFFD\uFFFDc"},
		"no colors on a terminal":      {"\x1b[31m\x00\x7f\u0085", "\uFFFD[31m\uFFFD\uFFFD\uFFFD"},
		"no text that reads backwards": {"a\u202eb\u2028c\u200bd", "a\uFFFDb\uFFFDc\uFFFDd"},
		"bytes that are no UTF-8 go":   {"a\xff\xfeb\xc3", "ab"},
		"the limit itself is not cut":  {strings.Repeat("x", maxText), strings.Repeat("x", maxText)},
		"one more is cut and says so":  {strings.Repeat("x", maxText+1), strings.Repeat("x", maxText) + "…"},
		"no half of a character stays": {strings.Repeat("x", maxText-1) + "日本", strings.Repeat("x", maxText-1) + "…"},
	} {
		if got := clean(c[0]); got != c[1] {
			t.Errorf("%s: %q, want %q", why, got, c[1])
		}
	}
}

// TestCauseIsFitForALog: every text of the cause goes through clean, of an event by CloudTrail and of our own.
func TestCauseIsFitForALog(t *testing.T) {
	t.Parallel()
	nasty := "x\n\x00\x1b[31m\u202e" + strings.Repeat("y", 2*maxText)
	w := clean(nasty)
	var event map[string]any
	if err := json.Unmarshal(fixture(t, "cloudformation"), &event); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"eventID", "userIdentity.arn", "userIdentity.sessionContext.sessionIssuer.arn",
		"userIdentity.invokedBy", "sourceIPAddress", "userAgent", "requestID", "eventName"} {
		event = replaced(event, strings.Split("detail."+path, "."), nasty)
	}
	event = replaced(event, []string{"detail", "eventTime"}, "yesterday")
	want := Cause{EventID: w, EventName: w, Actor: w, Issuer: w, SourceIP: w, UserAgent: w, InvokedBy: w, RequestID: w,
		MFA: "false"}
	if diff := gocmp.Diff(want, Decode(encode(event), ours).Cause); diff != "" {
		t.Errorf("CloudTrail's (-want +got):\n%s", diff)
	}
	payload := encode(map[string]any{"source": "poolkeeper", "detail-type": "Scan", "id": nasty})
	if diff := gocmp.Diff(Cause{EventID: w, EventName: "Scan"}, Decode(payload, ours).Cause); diff != "" {
		t.Errorf("our own (-want +got):\n%s", diff)
	}
	raw := strings.Replace(string(fixture(t, "update-user-pool")), "198.51.100.23", "198\xff\xc3", 1)
	if got := Decode([]byte(raw), ours); got.Kind != One || got.Cause.SourceIP != "198\uFFFD\uFFFD" {
		t.Errorf("bytes that are no UTF-8: %s, %q", got.Kind, got.Cause.SourceIP)
	}
}

// TestInstant: a time is read in UTC. What is none, or what JSON cannot hold in UTC, is the zero time.
func TestInstant(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	for text, want := range map[string]time.Time{"2026-10-01T09:15:40Z": at, "2026-10-01T11:15:40+02:00": at,
		"yesterday": {}, "": {}, "0000-01-01T00:00:00+23:00": {}, "9999-12-31T23:59:59-23:00": {}} {
		if got := instant(text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// TestNames: the calls are sorted by name, none occurs twice, and each changes something, or is watched, or ends the
// pool.
func TestNames(t *testing.T) {
	t.Parallel()
	if names := Names(); !slices.IsSorted(names) || len(slices.Compact(names)) != 24 {
		t.Errorf("%d names: %q", len(names), names)
	}
	for _, n := range Table() {
		hasUse := len(n.Changes) > 0 || n.Happened != "" || n.Name == DeleteUserPool
		if !hasUse || (n.Happened == "") != (n.Subject == "") || n.Happened != "" && n.Watched == "" {
			t.Errorf("%+v", n)
		}
	}
}

// TestAbout: a request says which app client and which part of a pool its call is about, unless CloudTrail hides them.
func TestAbout(t *testing.T) {
	t.Parallel()
	const web = "4rich2client8of0web"
	type about struct{ client, happened, watched, subject string }
	for name, want := range map[string]about{
		"set-risk-configuration":           {},
		"set-risk-configuration-of-client": {client: web},
		"create-user-pool-client":          {"7rogue7client", "added", "clients", "rogue"},
		"update-user-pool-client":          {client: web},
		"update-user-pool-client-hidden":   {},
		"delete-user-pool-client":          {web, "removed", "clients", web},
		"add-user-pool-client-secret":      {web, "given a new secret", "clients", web},
		"create-identity-provider":         {"", "added", "identityProviders", "Rogue"},
		"update-identity-provider":         {"", "changed", "identityProviders", "Corporate"},
		"delete-user-pool-domain":          {"", "removed", "domains", "customers-example"},
		"create-resource-server":           {"", "added", "resourceServers", "https://api.example.com"},
		"update-group":                     {"", "changed", "groups", "admins"},
		"delete-user-pool":                 {},
	} {
		got := Decode(fixture(t, name), ours)
		is := about{got.ClientID, got.Call.Happened, got.Call.Watched, got.Subject}
		if diff := gocmp.Diff(want, is, gocmp.AllowUnexported(about{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDeepAndBroken(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "null", "7", `"x"`, "{", "{} {}", "{} x", "{}]", strings.Repeat("[", 100000),
		strings.Repeat(`{"a":`, 20000), "\xff\xfe", `{"source":"aws.cognito-idp","source":7}`} {
		if got := Decode([]byte(payload), ours); got.Kind != Ignored || got.Reason == "" {
			t.Errorf("%.40q: %v", payload, got)
		}
	}
}

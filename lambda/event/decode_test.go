package event

import (
	"encoding/json"
	"fmt"
	"maps"
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

// A row is what a fixture has to be decoded to, and why. Alone is the result without a home of our own, as in a local
// invocation, where that differs.
type row struct {
	want  want
	why   string
	alone *want
}

var fixtures = map[string]row{
	"update-user-pool":                    {want: reconciled, why: "the plain case"},
	"mfa-off-console":                     {want: reconciled, why: "an IAM user has no session issuer"},
	"own-write":                           {want: reconciled, why: "whose write it was is not the decoder's business"},
	"root-user":                           {want: reconciled, why: "the root user has neither name nor session"},
	"cloudformation":                      {want: reconciled, why: "a service calls for an actor"},
	"empty-error-code":                    {want: reconciled, why: "an empty error code is no failure"},
	"no-event-type":                       {want: reconciled, why: "only another type is refused, not none"},
	"tag-resource":                        {want: reconciled, why: "tags select rules; the pool is in the ARN"},
	"untag-resource":                      {want: reconciled, why: "as with a tag set"},
	"create-user-pool":                    {want: reconciled, why: "the id is in the response"},
	"pool-id-in-capitals":                 {want: reconciled, why: "the casing of CloudTrail's members is not documented"},
	"pool-id-twice-same":                  {want: reconciled, why: "two casings that agree name one pool"},
	"reconcile-user-pool":                 {want: reconciled, why: "our own event"},
	"number-too-large":                    {want: reconciled, why: "a number elsewhere does not hide the pool"},
	"event-type-null":                     {want: reconciled, why: "null is as good as missing"},
	"time-before-year-zero":               {want: reconciled, why: "a time that JSON cannot hold is left out"},
	"request-null":                        {want: everyPool, why: "CloudTrail leaves out large requests"},
	"request-hidden":                      {want: everyPool, why: "a whole object can be redacted"},
	"request-without-id":                  {want: everyPool, why: "a request cut short"},
	"request-missing":                     {want: everyPool, why: "as with null"},
	"pool-id-hidden":                      {want: everyPool, why: "the id alone can be redacted"},
	"create-user-pool-without-id":         {want: everyPool, why: "a pool was made, we know not which"},
	"scheduled-event":                     {want: want{kind: All}, why: "the schedule"},
	"scan":                                {want: want{kind: All}, why: "the schedule's own input"},
	"scan-continued":                      {want: want{kind: All}, why: "the same scan in another invocation"},
	"sweep":                               {want: want{kind: All}, why: "the older name of a scan"},
	"sweep-goes-on":                       {want: want{kind: All}, why: "the older name of a scan"},
	"reconcile-of-scan":                   {want: reconciled, why: "what a scan sends"},
	"reconcile-of-sweep":                  {want: reconciled, why: "what a scan sent under its older name"},
	"reconcile-clients":                   {want: reconciled, why: "some of the app clients of a pool"},
	"failed-call":                         {want: ignoredFor(FailedCall), why: "refused, so nothing changed"},
	"failed-call-access-denied":           {want: ignoredFor(FailedCall), why: "denied, so nothing changed"},
	"create-user-pool-failed":             {want: ignoredFor(FailedCall), why: "no pool was made"},
	"hosted-ui":                           {want: ignoredFor(ServiceEvent), why: "a login, by its event type"},
	"hosted-ui-service-event":             {want: ignoredFor(ServiceEvent), why: "a login, by its envelope"},
	"read-only":                           {want: ignoredFor(ReadOnly), why: "a description changes nothing"},
	"user-level-call":                     {want: ignoredFor(NotInTable), why: "a user is not a setting of the pool"},
	"identity-pool":                       {want: ignoredFor(IdentityPool), why: "another service"},
	"identity-pool-in-user-pool-envelope": {want: ignoredFor(IdentityPool), why: "the detail says what was called"},
	"other-event-source": {want: ignoredFor(UnknownSource),
		why: "the envelope of Cognito, a call to another service"},
	"tag-identity-pool":            {want: ignoredFor(OtherResource), why: "the ARN is of another service"},
	"tag-other-account":            {want: ignoredFor(OtherAccount), why: "the ARN counts as well as the event"},
	"tag-other-region":             {want: ignoredFor(OtherRegion), why: "the ARN counts as well as the event"},
	"tag-path-like":                {want: ignoredFor(BadPoolID), why: "the ARN's id is held to the same form"},
	"tag-without-arn":              {want: everyPool, why: "the resource was left out, and tags select pools"},
	"other-account":                {want: ignoredFor(OtherAccount), why: "not ours", alone: &reconciled},
	"other-region":                 {want: ignoredFor(OtherRegion), why: "not ours", alone: &virginia},
	"envelope-and-detail-disagree": {want: ignoredFor(OtherAccount), why: "both have to be ours"},
	"replica-secondary":            {want: replica, why: "it is reconciled in its primary Region"},
	"pool-id-path-like":            {want: ignoredFor(BadPoolID), why: "no path as an id"},
	"pool-id-too-long":             {want: ignoredFor(BadPoolID), why: "Cognito's own limit is 55"},
	"pool-id-with-newline":         {want: ignoredFor(BadPoolID), why: "the form is matched to its very end"},
	"pool-id-number":               {want: ignoredFor(BadPoolID), why: "an id is a text"},
	"pool-id-object":               {want: ignoredFor(BadPoolID), why: "an id is a text"},
	"pool-id-empty":                {want: ignoredFor(BadPoolID), why: "an empty id is not a missing one"},
	"pool-id-twice-different":      {want: everyPool, why: "it does not say which of them"},
	"reconcile-without-id":         {want: ignoredFor(NoPoolID), why: "our own event has to name a pool"},
	"unknown-detail-type":          {want: ignoredFor(UnknownDetailType), why: "a known source, an unknown kind"},
	"unknown-source":               {want: ignoredFor(UnknownSource), why: "an event of SNS"},
	"detail-not-an-object":         {want: ignoredFor(Malformed), why: "nothing to read"},
	"not-an-object":                {want: ignoredFor(Malformed), why: "an event is an object"},
}

// plain are the fixtures of calls that name their pool, in which nothing is odd.
var plain = strings.Fields(`
	set-risk-configuration set-risk-configuration-of-client set-log-delivery-configuration
	create-user-pool-client update-user-pool-client update-user-pool-client-hidden
	delete-user-pool-client add-user-pool-client-secret delete-user-pool create-identity-provider
	update-identity-provider delete-identity-provider create-user-pool-domain update-user-pool-domain
	delete-user-pool-domain create-resource-server update-resource-server delete-resource-server
	create-group update-group delete-group`)

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
	all := maps.Clone(fixtures)
	for _, name := range plain {
		all[name] = row{want: reconciled, why: "the pool is named"}
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != len(all) {
		t.Fatalf("%d files, %d rows, %v", len(files), len(all), err)
	}
	for name, r := range all {
		alone := r.want
		if r.alone != nil {
			alone = *r.alone
		}
		for place, c := range map[string]struct {
			home Home
			want want
		}{"at home": {ours, r.want}, "without a home": {Home{}, alone}} {
			t.Run(name+" "+place, func(t *testing.T) {
				t.Parallel()
				got := Decode(fixture(t, name), c.home)
				if diff := cmp.Diff(c.want, want{got.Kind, got.UserPoolID, got.Reason}, cmp.AllowUnexported(want{})); diff != "" {
					t.Errorf("%s (-want +got):\n%s%s", r.why, diff, got.Detail)
				}
				if (got.Detail == "") != (got.Reason == "") {
					t.Errorf("reason %q with detail %q: the one explains the other", got.Reason, got.Detail)
				}
				if _, err := json.Marshal(got.Cause); err != nil {
					t.Error(err)
				}
			})
		}
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
		if diff := cmp.Diff(w, got); diff != "" {
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
	if diff := cmp.Diff(want, Decode(encode(event), ours).Cause); diff != "" {
		t.Errorf("CloudTrail's (-want +got):\n%s", diff)
	}
	payload := encode(map[string]any{"source": "poolkeeper", "detail-type": "Scan", "id": nasty})
	if diff := cmp.Diff(Cause{EventID: w, EventName: "Scan"}, Decode(payload, ours).Cause); diff != "" {
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
		"add-user-pool-client-secret":      {web, "given another secret", "clients", web},
		"create-identity-provider":         {"", "added", "identityProviders", "Rogue"},
		"update-identity-provider":         {"", "changed", "identityProviders", "Corporate"},
		"delete-user-pool-domain":          {"", "removed", "domains", "customers-example"},
		"create-resource-server":           {"", "added", "resourceServers", "https://api.example.com"},
		"update-group":                     {"", "changed", "groups", "admins"},
		"delete-user-pool":                 {},
	} {
		got := Decode(fixture(t, name), ours)
		is := about{got.ClientID, got.Call.Happened, got.Call.Watched, got.Subject}
		if diff := cmp.Diff(want, is, cmp.AllowUnexported(about{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTooManyParameters: of more parameters than any call has, the first are named.
func TestTooManyParameters(t *testing.T) {
	t.Parallel()
	parameters := object{"userPoolId": "eu-west-1_AbCdEf123"}
	for i := range 200 {
		parameters[fmt.Sprintf("p%03d", i)] = i
	}
	if got := namesOf(parameters); len(got) != maxNamed || got[0] != "p000" || got[maxNamed-1] != "p063" {
		t.Errorf("%q", got)
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

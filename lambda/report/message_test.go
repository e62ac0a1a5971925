package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

const testBuild = "v1.2.3, go1.26"

// TestMessages has every text for every outcome.
func TestMessages(t *testing.T) {
	t.Parallel()
	for name, out := range outcomes() {
		r := New(out, testBuild)
		golden(t, name+".mail.txt", []byte("Subject: "+Subject(r)+"\n\n"+Mail(r)))
		golden(t, name+".chat.json", indented(t, Chat(r)))
		golden(t, name+".report.json", indented(t, JSON(r)))
		if f, ok := FindingOf(r, cause.Time); ok {
			golden(t, name+".ocsf.json", indented(t, encode(OCSF(f))))
		}
	}
}

func indented(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return append(b.Bytes(), '\n')
}

// TestReportSchema: every report is as schema.json says.
func TestReportSchema(t *testing.T) {
	t.Parallel()
	compiled, err := jsonschema.NewCompiler().Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range outcomes() {
		valid(t, name, compiled, JSON(New(out, testBuild)))
	}
	valid(t, "much", compiled, JSON(New(much(2000, 100), testBuild)))
	valid(t, "nothing", compiled, JSON(New(reconcile.Outcome{Outcome: reconcile.Ignored, Drifts: []reconcile.Drift{}, Writes: []string{}}, testBuild)))
}

func valid(t *testing.T, name string, schema *jsonschema.Schema, text string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// much is an outcome with so many drifts, each with values of so many characters.
func much(drifts, characters int) reconcile.Outcome {
	out := outcome(reconcile.Partial, strings.Repeat("because ", characters))
	for i := range drifts {
		d := fixed
		d.Setting, d.Have, d.Want = fmt.Sprintf("UserPoolTags.%d", i), strings.Repeat("\"<&\u00e9", characters), strings.Repeat("x", characters)
		if i == drifts-1 {
			d = unfixable
		}
		out.Drifts = append(out.Drifts, d)
	}
	return out
}

// TestMessagesFit: whatever the outcome, a message stays within what SNS takes, each of its texts is still there and readable, and what could not be fixed is in it.
func TestMessagesFit(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.SampledFrom([]string{"x", "\"", "\\", "<&>", "\u00e9", "\U0001f512", "\u2028", "\x01", "\xff", "\n"}).Draw(t, "text")
		drifts, characters, calls := rapid.SampledFrom([]int{0, 1, 2, 50, 50, 50, 50, 50, 3000}).Draw(t, "drifts"), rapid.SampledFrom([]int{0, 10, 300, 5000}).Draw(t, "characters"), rapid.SampledFrom([]int{1, 3000}).Draw(t, "calls")
		if drifts*characters > 500000 {
			characters = 300
		}
		out := outcome(reconcile.Partial, strings.Repeat(nasty, characters))
		for i := range drifts {
			d := fixed
			d.Setting, d.Reason = fmt.Sprintf("UserPoolTags.%d%s", i, strings.Repeat(nasty, min(characters, 128))), strings.Repeat(nasty, characters)
			d.Have, d.Want = strings.Repeat(nasty, characters), strings.Repeat("x", characters)
			out.Drifts = append(out.Drifts, d)
		}
		out.Missed = &reconcile.Missed{Since: cause.Time, Settings: []string{"DeletionProtection"}}
		for _, d := range out.Drifts {
			out.Missed.Settings = append(out.Missed.Settings, d.Setting)
		}
		out.Drifts = append(out.Drifts, unfixable)
		for i := range calls {
			out.Writes, out.RequestIDs = append(out.Writes, "UpdateUserPoolClient"), append(out.RequestIDs, fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", i))
		}
		out.PoolName, out.Cause.Actor, out.Cause.UserAgent = strings.Repeat(nasty, 128), strings.Repeat(nasty, 512), strings.Repeat(nasty, 512)
		r := New(out, testBuild)
		message := Message(r)
		if len(message) > 240*1024 {
			t.Fatalf("%d bytes", len(message))
		}
		if subject := Subject(r); len(subject) >= 100 {
			t.Fatalf("a subject of %d: %q", len(subject), subject)
		}
		var texts map[string]string
		if err := json.Unmarshal([]byte(message), &texts); err != nil || len(texts) != 3 {
			t.Fatalf("%v: %d texts", err, len(texts))
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(texts["default"]))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil || !json.Valid([]byte(texts["https"])) {
			t.Fatalf("no report any more: %v", err)
		}
		for protocol, text := range texts {
			if !strings.Contains(text, "UserPoolAddOns.AdvancedSecurityMode") {
				t.Fatalf("%s: what could not be fixed is missing", protocol)
			}
		}
		if drifts >= 3000 && !strings.Contains(texts["email"], "more, left out for want of room") {
			t.Fatal("nothing says that something is missing")
		}
		if len(texts["https"]) > 8000 && drifts > 0 && characters <= 300 {
			t.Fatalf("a chat message of %d bytes", len(texts["https"]))
		}
	})
}

// TestEveryOutcomeHasItsTexts: for each outcome that there is, the goldens hold each text, and no golden is left of one that is not.
func TestEveryOutcomeHasItsTexts(t *testing.T) {
	t.Parallel()
	have := map[reconcile.Word]bool{}
	kinds := []string{"mail.txt", "chat.json", "report.json", "metrics.json", "txt", "json"}
	want := map[string]bool{"sweep.txt": true, "sweep.mail.txt": true, "sweep.chat.json": true, "sweep.report.json": true, "sweep-broken.mail.txt": true, "sweep-unsent.mail.txt": true, "plan.txt": true, "plan-painted.txt": true, "emf.schema.json": true, "ocsf.schema.json": true}
	for name, out := range outcomes() {
		have[out.Outcome] = true
		for _, kind := range kinds {
			want[name+"."+kind] = true
		}
		if _, ok := FindingOf(New(out, testBuild), cause.Time); ok {
			want[name+".ocsf.json"] = true
		}
	}
	for _, word := range words {
		if !have[word] {
			t.Errorf("no golden is of the outcome %s", word)
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		if !want[f.Name()] {
			t.Errorf("%s is of no outcome", f.Name())
		}
		delete(want, f.Name())
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// TestWho: what CloudTrail tells of a caller is in the report, for every kind of caller that there is an event of.
func TestWho(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Who{
		"cloudformation": {CloudFormation: true, InvokedBy: cloudFormation}, "mfa-off-console": {Console: true}, "root-user": {Session: "root"}, "update-user-pool": {},
	} {
		payload, err := os.ReadFile("../event/testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		c := event.Decode(payload, event.Home{}).Cause
		got := New(reconcile.Outcome{Outcome: reconcile.Remediated, Cause: c}, testBuild).Who
		if got.CloudFormation != want.CloudFormation || got.Console != want.Console || got.InvokedBy != want.InvokedBy || want.Session != "" && got.Session != want.Session {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Principal != c.Actor || got.Role != c.Issuer || got.SourceIP != c.SourceIP || got.UserAgent != c.UserAgent || got.MFA != c.MFA || got.Principal == "" || got.Session == "" {
			t.Errorf("%s: %+v of %+v", name, got, c)
		}
	}
}

// TestStrangersTexts: what a stranger chose, the name of a pool, a tag, a session, cannot break out of a subject or a chat message.
func TestStrangersTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.String().Draw(t, "text") + rapid.SampledFrom([]string{"<!channel>", "@here", "<http://evil|click>", "*bold*", "`code`", "\r\nBcc: x", "\x1b[2J", "é"}).Draw(t, "worse")
		out := outcome(reconcile.Remediated, nasty, reconcile.Drift{Setting: "UserPoolTags." + nasty, Rule: nasty, Want: nasty, Have: nasty, State: reconcile.Fixed, Reason: nasty})
		out.PoolName, out.Cause, out.Missed = nasty, event.Cause{EventName: "UpdateUserPool", Actor: nasty}, &reconcile.Missed{Settings: []string{"UserPoolTags." + nasty}}
		r := New(out, testBuild)
		subject := Subject(r)
		if len(subject) > 100 || strings.ContainsFunc(subject, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsPrint(c) }) || subject[0] != '[' {
			t.Fatalf("%q", subject)
		}
		var chat struct {
			Content struct {
				Title, Description string
				NextSteps          []string
			}
		}
		if err := json.Unmarshal([]byte(Chat(r)), &chat); err != nil {
			t.Fatal(err)
		}
		for _, text := range append(chat.Content.NextSteps, chat.Content.Title, chat.Content.Description) {
			for _, bad := range []string{"<!", "<http", "@here"} {
				if strings.Contains(text, bad) {
					t.Fatalf("%q stands in %q", bad, text)
				}
			}
		}
	})
}

// TestFindingsOfALook: what a look did not show does not pass by it.
func TestFindingsOfALook(t *testing.T) {
	t.Parallel()
	narrow, elsewhere, wrong := outcomes()["remediated"], outcomes()["remediated"], outcomes()["drifted"]
	narrow.Narrow, elsewhere.Elsewhere = true, []string{"DeletionProtection"}
	wrong.Narrow, wrong.Elsewhere = true, elsewhere.Elsewhere
	if f, ok := FindingOf(New(narrow, testBuild), cause.Time); ok {
		t.Errorf("nothing is known of the rest, and %s", f.Description)
	}
	f, ok := FindingOf(New(elsewhere, testBuild), cause.Time)
	if !ok || !f.Failed || f.Severity != Medium || f.Description != "Not as required: DeletionProtection." || len(f.Requirements) == 0 ||
		f.Remediation != "See what is not as required: poolkeeper plan --pool eu-west-1_AbCdEf123 --region eu-west-1" {
		t.Errorf("%v %+v", ok, f)
	}
	if f, ok := FindingOf(New(wrong, testBuild), cause.Time); !ok || f.Description != "Not as required: Policies.PasswordPolicy.MinimumLength, DeletionProtection. the rule only audits" {
		t.Errorf("%v %+v", ok, f)
	}
}

// TestShortKeepsWhatIsNew: where there is no room for all that is wrong, what people were told before is left out first.
func TestShortKeepsWhatIsNew(t *testing.T) {
	t.Parallel()
	out := outcomes()["drifted"]
	for i := range 300 {
		d := unfixable
		d.Setting, d.Told = fmt.Sprintf("UserPoolTags.tag%d", i), cause.Time
		out.Drifts = append(out.Drifts, d)
	}
	out.Drifts = append(out.Drifts, reconcile.Drift{Setting: "DeletionProtection", Rule: "every-pool", State: reconcile.Reported, Left: reconcile.LeftAudited})
	r := New(out, testBuild)
	for name, text := range map[string]string{"mail": Mail(r), "chat": Chat(r), "report": JSON(r)} {
		if !strings.Contains(text, "MinimumLength") || !strings.Contains(text, "DeletionProtection") || strings.Contains(text, "tag299") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if s := Subject(r); s != "[MEDIUM] customers drifted: MinimumLength and 301 more, by AppAdmin/mallory" {
		t.Error(s)
	}
}

// TestFindings: what passes and what fails.
func TestFindings(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"remediated": "passed", "unchanged": "passed", "partial": "failed", "unfixable": "failed", "unconverged": "failed", "drifted": "failed", "ignored": "none",
		"deferred": "none"} {
		f, ok := FindingOf(New(outcomes()[name], testBuild), time.Now())
		got := "none"
		if ok && f.Failed {
			got = "failed"
		} else if ok {
			got = "passed"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestMetrics: each line is of the format, its metrics and dimensions are there, and the dimensions do not grow with the pools.
func TestMetrics(t *testing.T) {
	t.Parallel()
	compiled, err := jsonschema.NewCompiler().Compile("testdata/emf.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	made, known := map[string]string{}, map[string]bool{"[Function]": true, "[Function Outcome]": true, "[Function Rule]": true}
	for name, out := range outcomes() {
		var b bytes.Buffer
		if err := Metrics(&b, "keeper", cause.Time, out, Counts{Calls: 4, Throttled: 1, Unsent: 0}); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".metrics.json", b.Bytes())
		for line := range strings.Lines(b.String()) {
			valid(t, name, compiled, line)
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			for _, directive := range record["_aws"].(map[string]any)["CloudWatchMetrics"].([]any) {
				d := directive.(map[string]any)
				for _, m := range d["Metrics"].([]any) {
					made[m.(map[string]any)["Name"].(string)], _ = m.(map[string]any)["Unit"].(string)
					if _, ok := record[m.(map[string]any)["Name"].(string)].(float64); !ok {
						t.Errorf("%s: %v is no number of the line", name, m)
					}
				}
				for _, set := range d["Dimensions"].([]any) {
					if !known[fmt.Sprint(set)] {
						t.Errorf("%s: the dimensions %v", name, set)
					}
					for _, dimension := range set.([]any) {
						if v, ok := record[dimension.(string)].(string); !ok || v == "" || dimension == "userPoolId" {
							t.Errorf("%s: the dimension %v is %q", name, dimension, v)
						}
					}
				}
			}
		}
	}
	want := map[string]string{"Events": count, "Ignored": count, "Drifts": count, "Drifted": count, "Remediated": count, "Unfixable": count, "Unconverged": count, "Partial": count, "Deferred": count,
		"LostUpdates": count, "MissedEvents": count, "ApiCalls": count, "Throttled": count, "TimeToDetect": seconds, "TimeToRestore": seconds}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("the metrics (-want +got):\n%s", diff)
	}
}

// TestMetricsOfAnyRule: whatever a rule is called, each drift is counted, and under a name that CloudWatch takes for a dimension: printable ASCII, not blank, of no more than 1,024 characters.
func TestMetricsOfAnyRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		out := outcome(reconcile.Drifted, "")
		named := 0
		for _, rule := range rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", "größe", "größe", "grÖße", "\u2028", strings.Repeat("long ", 300)})), 0, 5).Draw(t, "rules") {
			out.Drifts = append(out.Drifts, reconcile.Drift{Setting: "DeletionProtection", Rule: rule, State: reconcile.Reported})
			if strings.TrimSpace(rule) != "" {
				named++
			}
		}
		var b bytes.Buffer
		if err := Metrics(&b, "keeper", cause.Time, out, Counts{}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			var record struct {
				Rule   *string
				Drifts int
			}
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			if record.Rule == nil {
				continue
			}
			named -= record.Drifts
			if rule := *record.Rule; len(rule) > 1024 || strings.TrimSpace(rule) == "" || strings.ContainsFunc(rule, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("the dimension %q", rule)
			}
		}
		if named > 0 {
			t.Fatalf("%d drifts are not counted by their rules", named)
		}
	})
}

// TestOCSF: each finding is a Compliance Finding of OCSF 1.3.0, and its words go with its numbers.
func TestOCSF(t *testing.T) {
	t.Parallel()
	compiled, err := jsonschema.NewCompiler().Compile("testdata/ocsf.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	findings := 0
	for name, out := range outcomes() {
		if f, ok := FindingOf(New(out, testBuild), cause.Time); ok {
			findings++
			valid(t, name, compiled, encode(OCSF(f)))
		}
	}
	bare := outcome(reconcile.Unfixable, "")
	f, ok := FindingOf(New(bare, testBuild), cause.Time)
	if valid(t, "bare", compiled, encode(OCSF(f))); !ok || findings < 7 || f.Description != "It is unfixable." {
		t.Errorf("%d findings, %v %q", findings, ok, f.Description)
	}
}

// TestReadmeMessages: the e-mail and the chat message that the README shows are real ones.
func TestReadmeMessages(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"partial.mail.txt", "partial.chat.json"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(readme), "\n"+string(text)+"```") {
			t.Errorf("the README does not show %s", name)
		}
	}
}

// TestDigestsFit: whatever a sweep failed at, its digest stays within what SNS takes, as one message of its three texts.
func TestDigestsFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		long := strings.Repeat(rapid.SampledFrom([]string{"x", "\"", "\\", "<&>", "\U0001f512", "\u2028", "\x01", "\xff", "\n"}).Draw(t, "text"), rapid.SampledFrom([]int{1, 300, 4500}).Draw(t, "characters"))
		sweep := reconcile.Sweeping{Outcome: reconcile.Deferred, Pools: 100000, Outcomes: map[reconcile.Word]int{}, Reason: long}
		for _, word := range words {
			sweep.Outcomes[word] = 1000000
		}
		for i := range rapid.IntRange(0, 100).Draw(t, "failed") {
			sweep.Failed = append(sweep.Failed, reconcile.Failure{UserPoolID: fmt.Sprintf("eu-west-1_%045d", i), Outcome: reconcile.Deferred, Reason: long})
		}
		d, _ := NewDigest(sweep, "eu-west-1", testBuild)
		var texts map[string]string
		if message := DigestMessage(d); len(message) > MaxMessage || json.Unmarshal([]byte(message), &texts) != nil || len(texts) != 3 {
			t.Fatalf("%d bytes, %d texts", len(message), len(texts))
		}
		if subject := DigestSubject(d); len(subject) >= 100 || len(subject) != len(ascii(subject)) {
			t.Fatalf("a subject of %d: %q", len(subject), subject)
		}
	})
}

// TestDigest: what a sweep finds and leaves is told once, not for every pool; what it put right was told already.
func TestDigest(t *testing.T) {
	t.Parallel()
	sweep := reconcile.Sweeping{Outcome: reconcile.Swept, Pools: 12, Outcomes: map[reconcile.Word]int{reconcile.Unchanged: 8, reconcile.Remediated: 1, reconcile.Drifted: 2, reconcile.Unfixable: 1}}
	d, worth := NewDigest(sweep, "eu-west-1", testBuild)
	if !worth || d.Severity != High {
		t.Errorf("%v %s", worth, d.Severity)
	}
	golden(t, "sweep.mail.txt", []byte("Subject: "+DigestSubject(d)+"\n\n"+DigestMail(d)))
	golden(t, "sweep.chat.json", indented(t, DigestChat(d)))
	golden(t, "sweep.report.json", indented(t, DigestJSON(d)))
	quiet := sweep
	quiet.Outcomes = map[reconcile.Word]int{reconcile.Unchanged: 11, reconcile.Remediated: 1}
	if _, worth := NewDigest(quiet, "eu-west-1", testBuild); worth {
		t.Error("a sweep that left nothing is told")
	}
	if _, worth := NewDigest(reconcile.Sweeping{Outcome: reconcile.Ignored, Reason: "the event was handled before"}, "eu-west-1", testBuild); worth {
		t.Error("a duplicate is told")
	}
	quiet.Outcome, quiet.Reason = reconcile.Deferred, "the time is used up"
	quiet.Failed = []reconcile.Failure{{UserPoolID: "eu-west-1_AbCdEf123", Outcome: reconcile.Deferred, Reason: "throttled"}}
	broken, worth := NewDigest(quiet, "eu-west-1", testBuild)
	if !worth || broken.Severity != High || len(DigestSubject(broken)) > 100 {
		t.Errorf("%v %s", worth, DigestSubject(broken))
	}
	golden(t, "sweep-broken.mail.txt", []byte(DigestMail(broken)))
	// A sweep over a bus sees no outcomes: only that it failed is told.
	sent := reconcile.Sweeping{Outcome: reconcile.Swept, Outcomes: map[reconcile.Word]int{}, Failed: []reconcile.Failure{}, Dispatched: 3900, Reason: "3900 pools were sent so far; the sweep goes on in another invocation"}
	if _, worth := NewDigest(sent, "eu-west-1", testBuild); worth {
		t.Error("a sweep that sent its pools is told")
	}
	sent.Outcome, sent.Reason = reconcile.Deferred, "60 pools of this page could not be sent, nor were those of the pages after it: putting 5 events onto the bus default: InternalFailure: not now"
	stuck, worth := NewDigest(sent, "eu-west-1", testBuild)
	if !worth || stuck.Severity != High {
		t.Errorf("%v %s", worth, stuck.Severity)
	}
	golden(t, "sweep-unsent.mail.txt", []byte("Subject: "+DigestSubject(stuck)+"\n\n"+DigestMail(stuck)))
	for name, want := range map[string]bool{"remediated": true, "partial": true, "drifted": false, "unfixable": false, "deleted": true, "unchanged": false} {
		if got := ToldAlone(outcomes()[name]); got != want {
			t.Errorf("in a sweep, %s is told alone: %v", name, got)
		}
	}
}

// TestUnjudgedIsNotVerified: after a write to a pool that no rule selects any more there is nothing by which to judge it, and no mail says that something was verified.
func TestUnjudgedIsNotVerified(t *testing.T) {
	t.Parallel()
	out := outcomes()["remediated"]
	out.Outcome, out.Verified, out.Drifts = reconcile.Drifted, reconcile.Verified{}, out.Drifts[:1]
	out.Drifts[0].State = reconcile.Reported
	if head, says := New(out, testBuild).safe(); head != "NOT VERIFIED" || strings.Contains(says, "0 required settings hold") {
		t.Errorf("%s: %s", head, says)
	}
}

// TestUnreadableAtLast: a pool that was read once, and could not be any more when it was to be planned again, is not as it was found as far as anybody knows; one whose drifts have no room is.
func TestUnreadableAtLast(t *testing.T) {
	t.Parallel()
	out := outcomes()["unreadable"]
	out.PoolName, out.PoolARN = outcomes()["unfixable"].PoolName, outcomes()["unfixable"].PoolARN
	if _, says := New(out, testBuild).safe(); !strings.Contains(says, "could not be read") {
		t.Error(says)
	}
	if _, says := New(outcomes()["unfixable"], testBuild).short(0).safe(); strings.Contains(says, "could not be read") {
		t.Error(says)
	}
}

// TestSkew: an event that was seen before its time, by the clocks, and put right after it has its message all the same.
func TestSkew(t *testing.T) {
	t.Parallel()
	out := outcomes()["partial"]
	out.Times.Seen, out.Times.Verified = out.Cause.Time.Add(-time.Second), out.Cause.Time.Add(time.Second)
	if text := Mail(New(out, testBuild)); !strings.Contains(text, "\n  restored after 1.0 s\n") {
		t.Errorf("%s", text)
	}
}

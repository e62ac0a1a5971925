package baseline

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"
)

// Update is also for the tests outside the package.
var Update = flag.Bool("update", false, "write the goldens anew")

// TestPublishedSecrets: a requirement on ClientSecretArn is one on the member that it shows.
func TestPublishedSecrets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"ClientSecretArn: {present: true}": true,
		"ClientSecretArn: {absent: true}": false, "PublishSecretsInAWSSecretsManager: false": false} {
		b, err := Parse("b.yaml", []byte("version: 1\nrules: [{name: a, clients: [{require: {"+text+"}}]}]"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		r := b.Rules[0].Clients[0].Require
		if len(r) != 1 || r[0].Setting != Clients+".PublishSecretsInAWSSecretsManager" || r[0].Value != want {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

// TestErrors holds every way to get a file wrong to the words that a person reads.
func TestErrors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b, err := Parse(name, data)
			if err == nil || b != nil {
				t.Fatal("no error was found")
			}
			checkGolden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
			if strings.Contains(err.Error(), "CANARY") {
				t.Error("a sensitive text stands in an error")
			}
		})
	}
}

// checkGolden holds a text to the one in a file, or writes it there.
func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *Update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func mustParse(t testing.TB, text string) *Baseline {
	t.Helper()
	b, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return b
}

// TestAccepted holds good files to what they require, by rule, and to the warnings about them.
func TestAccepted(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile("testdata/accepted.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, file := range archive.Files {
		fmt.Fprintln(&got, file.Name)
		b := mustParse(t, string(file.Data))
		for _, rule := range b.Rules {
			for _, r := range rule.all() {
				fmt.Fprintf(&got, "  rule %s, line %d: %s %s %s", rule.Name, r.Line, r.Setting, r.Op, canonical(r.Value))
				if r.Set != nil {
					fmt.Fprintf(&got, ", set %s", canonical(r.Set))
				}
				got.WriteByte('\n')
			}
		}
		for _, l := range b.Lint(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) {
			fmt.Fprintf(&got, "  warning %s, line %d: %s: %s\n", l.ID, l.Position.Line, l.Path, l.Message)
		}
	}
	checkGolden(t, "testdata/accepted.txt", got.String())
}

func TestParseWhole(t *testing.T) {
	t.Parallel()
	b := mustParse(t, `
version: 1
mode: audit
rules:
  - name: every-pool
    require: {DeletionProtection: ACTIVE}
  - name: some
    mode: enforce
    pools:
      ids: [eu-west-1_AbCdEf123]
      names: ["prod-*"]
      tags: {env: [prod, live]}
      except: {names: ["*-sandbox"]}
    require: {DeletionProtection: ACTIVE}
exemptions:
  - pools: {ids: [eu-west-1_Legacy01]}
    settings: [UserPoolAddOns, UserPoolTags.env]
    until: 2027-01-31T00:00:00Z
    reason: waiting
    owner: identity-team
unknownMembers: {FutureThing: echo, Other: stop, "*": omit}
flapBudget: {times: 3}
`)
	ignore := cmpopts.IgnoreTypes(Position{})
	want := []Rule{
		{Name: "every-pool", Mode: Audit, Require: []Requirement{{Setting: "DeletionProtection", Op: Equal,
			Value: "ACTIVE"}}},
		{Name: "some", Mode: Enforce, Require: []Requirement{{Setting: "DeletionProtection", Op: Equal, Value: "ACTIVE"}},
			Pools: &Selector{IDs: []string{"eu-west-1_AbCdEf123"}, Names: []string{"prod-*"},
				Tags: map[string][]string{"env": {"prod", "live"}}, Except: &Selector{Names: []string{"*-sandbox"}}}},
	}
	if diff := cmp.Diff(want, b.Rules, ignore); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	exemptions := []Exemption{{Pools: &Selector{IDs: []string{"eu-west-1_Legacy01"}},
		Settings: []string{"UserPoolAddOns", "UserPoolTags.env"},
		Until:    time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Reason: "waiting", Owner: "identity-team"}}
	if diff := cmp.Diff(exemptions, b.Exemptions, ignore); diff != "" {
		t.Errorf("exemptions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]Unknown{"FutureThing": EchoUnknown, "Other": StopUnknown, "*": OmitUnknown},
		b.Unknown); diff != "" {
		t.Errorf("unknown members (-want +got):\n%s", diff)
	}
	if want := (FlapBudget{Times: 3, Within: time.Hour}); b.Flap != want || b.InMode(Audit).Flap != want ||
		mustParse(t, string(Default())).Flap != DefaultFlapBudget {
		t.Errorf("flap budget %v, want %v", b.Flap, want)
	}
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(b.Digest) ||
		b.Digest == mustParse(t, string(Default())).Digest {
		t.Errorf("digest %s", b.Digest)
	}
}

// TestUnknownMembersOfDocuments: an entry may name a document, or a member there that only another document has.
func TestUnknownMembersOfDocuments(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"UserPool": true, "RiskConfiguration": true, "AppClient": true, "UserPool.FutureThing": true,
		"UserPool.SoftwareTokenMfaConfiguration": true, "UserPool.DeletionProtection": false,
		"MfaConfig.SoftwareTokenMfaConfiguration": false, "RiskConfiguration.FutureThing": true,
		"RiskConfiguration.RiskExceptionConfiguration": false, "AppClient.CallbackURLs": false,
		"DeletionProtection": false, "UserPool.Id": false, "Userpool": false, "userPool.FutureThing": false, "''": false,
		"UserPool.": false, ".FutureThing": false, "Future Thing": false, "UserPool.*": false, "'*'": true,
		"'Clients[].FutureThing'": true, "'Clients[a1b2].FutureThing'": true, "'Clients[].RiskConfiguration.Future'": true,
	} {
		_, err := Parse("b.yaml", []byte("version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}}]\n"+
			"unknownMembers: {"+name+": stop}\n"))
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDefaultSatisfiesControls holds the baseline that ships to the controls that it is meant to satisfy.
func TestDefaultSatisfiesControls(t *testing.T) {
	t.Parallel()
	policy := mustParse(t, string(Default())).Policy(Identity{ID: "eu-west-1_Any"}, time.Now())
	required := map[string]Requirement{}
	for _, r := range policy.Requirements {
		required[r.Setting] = r.Requirement
	}
	const p = "Policies.PasswordPolicy."
	for control, want := range map[string][]Requirement{
		"Cognito.1": {{Setting: "UserPoolAddOns.AdvancedSecurityMode", Op: Equal, Value: "ENFORCED"}},
		"Cognito.6": {{Setting: "DeletionProtection", Op: Equal, Value: "ACTIVE"}},
		"Cognito.3": {{Setting: p + "MinimumLength", Op: AtLeast, Value: json.Number("12")},
			{Setting: p + "RequireLowercase", Op: Equal, Value: true}, {Setting: p + "RequireUppercase", Op: Equal, Value: true},
			{Setting: p + "RequireNumbers", Op: Equal, Value: true}, {Setting: p + "RequireSymbols", Op: Equal, Value: true},
			{Setting: p + "TemporaryPasswordValidityDays", Op: AtMost, Value: json.Number("7")}},
	} {
		for _, r := range want {
			if diff := cmp.Diff(r, required[r.Setting], cmpopts.IgnoreFields(Requirement{}, "Position")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", control, diff)
			}
		}
	}
}

// seeds are the files of the tests.
func seeds(t interface{ Fatal(...any) }) [][]byte {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := [][]byte{Default()}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// FuzzParse: no file makes the parser panic or waver, and it answers with a baseline or with errors that have places.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParse(t, data) })
}

func checkParse(t interface{ Fatalf(string, ...any) }, data []byte) {
	b, err := Parse("fuzz.yaml", data)
	if (b == nil) == (err == nil) {
		t.Fatalf("baseline %v with error %v", b, err)
	}
	if again, err2 := Parse("fuzz.yaml", data); (again == nil) != (b == nil) || err != nil && err.Error() != err2.Error() {
		t.Fatalf("the same file is read in two ways: %v and %v", err, err2)
	}
	if err != nil {
		found, ok := err.(Errors) //nolint:errorlint // the very type is promised
		if !ok || len(found) == 0 {
			t.Fatalf("%T without an error", err)
		}
		for _, one := range found {
			if one.Position.Line < 1 || one.Position.Column < 1 || one.Message == "" {
				t.Fatalf("%+v stands nowhere or says nothing", one)
			}
		}
		return
	}
	b.Lint(time.Unix(0, 0))
	Compare(b.Policy(Identity{ID: "eu-west-1_a"}, time.Unix(0, 0)), map[string]any{})
}

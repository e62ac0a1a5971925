package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/conformance"
	"poolkeeper/lambda/mototest"
)

var everything = map[string]string{"plus": "", "sms": "arn:aws:iam::111122223333:role/sms",
	"ses":    "arn:aws:ses:us-east-1:111122223333:identity/example.com",
	"lambda": "arn:aws:lambda:us-east-1:111122223333:function:trigger"}

func run(url string) conformance.Run { return conformance.NewRun(mototest.Config(url)) }

// ask asks a server for all facts.
func ask(t *testing.T, url string) []conformance.Result {
	t.Helper()
	facts, err := conformance.Facts(everything)
	if err != nil {
		t.Fatal(err)
	}
	results, err := run(url).Ask(t.Context(), facts, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestFakeHolds: the fake answers as the API reference says in one mode, and as was last measured in the other. Each
// pool is deleted.
func TestFakeHolds(t *testing.T) {
	t.Parallel()
	for mode, as := range map[cognitotest.Mode]func(conformance.Result) bool{
		cognitotest.Contract: func(r conformance.Result) bool { return r.AsDocumented || r.Documented == "unknown" },
		cognitotest.Measured: func(r conformance.Result) bool { return r.AsMeasured || r.Measured == "unknown" },
	} {
		_, url := cognitotest.Serve(t, mode)
		results := ask(t, url)
		count := map[conformance.Status]int{}
		for _, r := range results {
			count[r.Status]++
			if !as(r) || strings.HasPrefix(r.Observed, "could not") {
				t.Errorf("%v %s: documented %s, measured %s, observed %s", mode, r.ID, r.Documented, r.Measured, r.Observed)
			}
		}
		t.Logf("%v: %d facts: %v", mode, len(results), count)
		if n, err := run(url).Clean(t.Context()); n != 0 || err != nil {
			t.Errorf("%d pools were left behind (%v)", n, err)
		}
	}
}

var update = flag.Bool("update", false, "write the goldens anew")

// TestEmulators: where other emulators of AWS differ from the facts is known, so that a test against one claims nothing
// that does not hold.
func TestEmulators(t *testing.T) {
	t.Parallel()
	emulators := map[string]func(testing.TB) string{"moto": mototest.Start, "ministack": mototest.Ministack}
	for server, start := range emulators {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			compare(t, server, ask(t, start(t)))
		})
	}
}

// compare holds what differs against the list of a server's known differences.
func compare(t *testing.T, server string, results []conformance.Result) {
	t.Helper()
	count := map[conformance.Status]int{}
	var got strings.Builder
	for _, r := range results {
		count[r.Status]++
		if r.Status == conformance.Differs || strings.HasPrefix(r.Observed, "could not") {
			fmt.Fprintf(&got, "%s %s\n", r.Status, r.ID)
		}
	}
	t.Logf("%s: %d facts: %v", server, len(results), count)
	path := "testdata/" + server + ".txt"
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs in other facts than %s says (-want +got):\n%s", server, path, diff)
	}
}

// TestMutantsAreFound: whatever one thing the service did otherwise, some fact would show it.
func TestMutantsAreFound(t *testing.T) {
	t.Parallel()
	edits := func(operation string, change func(pool, mfa map[string]any)) cognitotest.Fault {
		return cognitotest.Fault{Operation: operation, Change: change}
	}
	keeps := func(operation, member string, value any) cognitotest.Fault {
		return edits(operation, func(pool, _ map[string]any) {
			if pool[member] == nil {
				pool[member] = value
			}
		})
	}
	becomes := func(operation, member string, value any) cognitotest.Fault {
		return edits(operation, func(pool, _ map[string]any) { pool[member] = value })
	}
	loses := func(operation, member string) cognitotest.Fault {
		return edits(operation, func(pool, mfa map[string]any) {
			if operation == "SetUserPoolMfaConfig" {
				pool = mfa
			}
			delete(pool, member)
		})
	}
	refuses := func(operation, member, name string) cognitotest.Fault {
		return cognitotest.Fault{Operation: operation, Error: name, Message: "no", When: func(body map[string]any) bool {
			_, given := body[member]
			return given
		}}
	}
	const pool, mfa, client = "UpdateUserPool", "SetUserPoolMfaConfig", "UpdateUserPoolClient"
	for name, mutant := range map[string]cognitotest.Fault{
		"AutoVerifiedAttributes is kept":     keeps(pool, "AutoVerifiedAttributes", []any{"email"}),
		"DeviceConfiguration is kept":        keeps(pool, "DeviceConfiguration", map[string]any{}),
		"AccountRecoverySetting is made up":  keeps(pool, "AccountRecoverySetting", map[string]any{"a": "b"}),
		"SmsAuthenticationMessage is kept":   keeps(pool, "SmsAuthenticationMessage", "Sign in with {####}."),
		"a verification text is made up":     keeps(pool, "EmailVerificationMessage", "Your code is {####}."),
		"the tags are lost":                  loses(pool, "UserPoolTags"),
		"the text has no legacy name":        loses(pool, "EmailVerificationMessage"),
		"the subject has no legacy name":     loses(pool, "EmailVerificationSubject"),
		"the name is lost":                   loses(pool, "Name"),
		"the policies are lost":              loses(pool, "Policies"),
		"the level names are lost":           loses(pool, "AcrConfiguration"),
		"the triggers are lost":              loses(pool, "LambdaConfig"),
		"deletion protection is never on":    becomes(pool, "DeletionProtection", "INACTIVE"),
		"the tier is always PLUS":            becomes(pool, "UserPoolTier", "PLUS"),
		"the sender stays without the block": keeps(mfa, "SmsConfiguration", map[string]any{"SnsCallerArn": "x"}),
		"the mode is not mirrored":           becomes(mfa, "MfaConfiguration", "OFF"),
		"passkey settings are dropped":       loses(mfa, "WebAuthnConfiguration"),
		"the authenticator app is dropped":   loses(mfa, "SoftwareTokenMfaConfiguration"),
		"a client cannot be renamed":         refuses(client, "ClientName", "InvalidParameterException"),
		"empty lists are refused":            refuses(client, "CallbackURLs", "InvalidParameterException"),
		"risk needs another error":           refuses("SetRiskConfiguration", "UserPoolId", "ResourceNotFoundException"),
		"log lists are refused": refuses("SetLogDeliveryConfiguration", "LogConfigurations",
			"InvalidParameterException"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, url := cognitotest.Serve(t, cognitotest.Measured)
			fake.Inject(mutant)
			if !slices.ContainsFunc(ask(t, url), func(r conformance.Result) bool {
				return !r.AsMeasured && r.Measured != "unknown"
			}) {
				t.Error("no fact shows it")
			}
		})
	}
}

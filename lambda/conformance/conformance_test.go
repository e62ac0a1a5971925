package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/conformance"
	"poolkeeper/lambda/mototest"
)

var everything = map[string]string{"plus": "", "sms": "arn:aws:iam::111122223333:role/sms",
	"ses":    "arn:aws:ses:us-east-1:111122223333:identity/example.com",
	"lambda": "arn:aws:lambda:us-east-1:111122223333:function:trigger"}

func run(url string) conformance.Run {
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})}
	return conformance.Run{Have: everything, API: conformance.NewAPI(config, rate.Inf)}
}

func facts(t *testing.T) []conformance.Fact {
	t.Helper()
	all, err := conformance.Facts()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func serve(t *testing.T, mode cognitotest.Mode) (*cognitotest.Server, string) {
	t.Helper()
	fake := cognitotest.New(mode)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	return fake, url
}

// TestFakeHolds: the fake answers as the API reference says in one mode, and as was last measured in the other. Each
// pool is deleted.
func TestFakeHolds(t *testing.T) {
	t.Parallel()
	for mode, as := range map[cognitotest.Mode]func(conformance.Result) bool{
		cognitotest.Contract: func(r conformance.Result) bool { return r.AsDocumented || r.Documented == "unknown" },
		cognitotest.Measured: func(r conformance.Result) bool { return r.AsMeasured || r.Measured == "unknown" },
	} {
		_, url := serve(t, mode)
		results, err := run(url).Ask(t.Context(), facts(t), nil)
		if err != nil {
			t.Fatal(err)
		}
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

// TestMoto: where moto differs from the facts is known, so that a test against moto claims nothing that does not hold.
func TestMoto(t *testing.T) {
	t.Parallel()
	r := run(mototest.Start(t))
	results, err := r.Ask(t.Context(), facts(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "moto", results)
}

// TestMinistack does the same with another emulator of AWS.
func TestMinistack(t *testing.T) {
	t.Parallel()
	r := run(mototest.Ministack(t))
	results, err := r.Ask(t.Context(), facts(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "ministack", results)
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
	keeps := func(operation, member string, value any) cognitotest.Fault {
		return cognitotest.Fault{Operation: operation, Change: func(pool, _ map[string]any) {
			if pool[member] == nil {
				pool[member] = value
			}
		}}
	}
	loses := func(operation, member string) cognitotest.Fault {
		return cognitotest.Fault{Operation: operation, Change: func(pool, _ map[string]any) { delete(pool, member) }}
	}
	losesMFA := func(operation, member string) cognitotest.Fault {
		return cognitotest.Fault{Operation: operation, Change: func(_, mfa map[string]any) { delete(mfa, member) }}
	}
	becomes := func(operation, member string, value any) cognitotest.Fault {
		return cognitotest.Fault{Operation: operation, Change: func(pool, _ map[string]any) { pool[member] = value }}
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
		"passkey settings are dropped":       losesMFA(mfa, "WebAuthnConfiguration"),
		"the authenticator app is dropped":   losesMFA(mfa, "SoftwareTokenMfaConfiguration"),
		"a client cannot be renamed":         refuses(client, "ClientName", "InvalidParameterException"),
		"empty lists are refused":            refuses(client, "CallbackURLs", "InvalidParameterException"),
		"risk needs another error":           refuses("SetRiskConfiguration", "UserPoolId", "ResourceNotFoundException"),
		"log lists are refused": refuses("SetLogDeliveryConfiguration", "LogConfigurations",
			"InvalidParameterException"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, url := serve(t, cognitotest.Measured)
			fake.Inject(mutant)
			results, err := run(url).Ask(t.Context(), facts(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(results, func(r conformance.Result) bool {
				return !r.AsMeasured && r.Measured != "unknown"
			}) {
				t.Error("no fact shows it")
			}
		})
	}
}

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/reconcile"
)

// planAll plans so many pools against a fake that enforces the documented rates, and returns the time that it took on
// the fake's clock, and the number of calls that share the narrowest rate, 15 a second. The clock of the fake and the
// pace run at twice the speed of the world.
func planAll(t testing.TB, pools int) (took time.Duration, calls int) {
	t.Helper()
	const speed = 2
	start := time.Now()
	now := func() time.Time { return start.Add(time.Since(start) * speed) }
	fake, url := cognitotest.Serve(t, cognitotest.Contract, cognitotest.WithRateLimits(now))
	pool, mfa := cognitotest.Rich()
	for i := range pools {
		fake.Put(fmt.Sprintf("eu-west-1_Pool%05d", i), pool, mfa)
	}
	transport, err := cognito.NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	// Without retries, so that a throttled call is a failed pool.
	sdk := idp.New(idp.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), HTTPClient: transport,
		Retryer: aws.NopRetryer{}, Credentials: aws.AnonymousCredentials{}})
	var output strings.Builder
	c := started(nil, &output, &output, "all")
	required, err := baseline.Parse(baseline.DefaultFile, baseline.Default())
	if err != nil {
		t.Fatal(err)
	}
	client := cognito.New(sdk)
	client.Share = share * speed
	r := reconcile.New(client, required, ledger.NewMemory())
	from := now()
	s := &results{}
	c.to = s
	err = c.plans(t.Context(), nil, always(r), func(poolPlan) error { return nil })
	if err != nil || s.Pools != pools || s.InSync != pools {
		t.Errorf("%+v %v\n%.2000s", s, err, output.String())
	}
	return now().Sub(from), len(fake.Calls()) - pools
}

// TestPlanAllIsNeverThrottled: not one call comes too early. The clock is slow enough for a loaded machine to reach the
// rates, and 300 pools are enough for calls that come a tenth too fast to use up the burst of a second.
// BenchmarkPlanAll does it with 1,000.
func TestPlanAllIsNeverThrottled(t *testing.T) {
	t.Parallel()
	planAll(t, 300)
}

// BenchmarkPlanAll reports the time that 1,000 pools take as a ratio to what the rates allow; the goal is 1.1. It fails
// where a call is throttled.
func BenchmarkPlanAll(b *testing.B) {
	for range b.N {
		took, calls := planAll(b, 1000)
		b.ReportMetric(took.Seconds()*15/float64(calls), "x-of-allowed")
	}
}

// TestUsesTheTimeOfResponses: where the answers are dated five minutes from now, the command line goes by that.
func TestUsesTheTimeOfResponses(t *testing.T) {
	const off = 5 * time.Minute
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, `{"UserPools":[]}`)
	}))
	t.Cleanup(server.Close)
	connected(t)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	c := started(nil, nil, nil)
	r, err := c.recording(t.Context(), &baseline.Baseline{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list(t.Context(), r.Pools); err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(r.Now()); (ahead - off).Abs() > 2*time.Second {
		t.Errorf("the clock is %s ahead, the service's %s", ahead, off)
	}
}

// TestAllRegions: --all-regions goes to every Region. One that the account has not enabled is no failure, one that
// fails stops no other, and one without a ledger has no history.
func TestAllRegions(t *testing.T) {
	through, err := url.Parse(mototest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	moto, signedFor := httputil.NewSingleHostReverseProxy(through), regexp.MustCompile(`/([\w-]+)/([\w-]+)/aws4_request`)
	refuse := func(w http.ResponseWriter, code string) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type": %q, "message": "no"}`, code)
	}
	enabled := []string{"eu-west-1", "eu-west-2", "us-east-1"}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := signedFor.FindStringSubmatch(r.Header.Get("Authorization"))
		switch region, service := signed[1], signed[2]; {
		case !slices.Contains(enabled, region) && service == "cloudformation":
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>")
		case !slices.Contains(enabled, region):
			refuse(w, "UnrecognizedClientException")
		case region == "eu-west-2" && service == "cognito-idp":
			refuse(w, "AccessDeniedException")
		default:
			moto.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	ids := manyPlaces(t, front.URL, "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n",
		[]string{"default"})
	mototest.Table(t, front.URL, "ledger")
	const required = "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]"
	publish(t, front.URL, "poolkeeper", "ledger", "b.yaml", required)
	t.Setenv("BASELINE_FILE", write(t, "b.yaml", required))
	for _, command := range []string{"plan", "plan --output json", "report", "report --output ocsf",
		"apply --yes --no-backup"} {
		expect(t, command+" --all --all-regions", exitError, append(ids, "123456789012", "eu-west-2", "AccessDenied",
			"skipped, not enabled: af-south-1, ")...)
	}
	expect(t, "history --all-regions", exitDone, ids[0]+".", "no ledger: af-south-1, ")
	expect(t, "plan --all --stack poolkeeper --all-regions", exitDone, "1 in sync",
		"skipped, no such stack: eu-west-2, us-east-1\n")
	enabled = nil // keys that no Region knows
	expect(t, "plan --all --all-regions", exitError, "UnrecognizedClientException")
}

// manyPlaces makes a pool in two Regions for each profile of the configuration.
func manyPlaces(t *testing.T, url, keys string, profiles []string) (ids []string) {
	t.Helper()
	for name, v := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_CONFIG_FILE": write(t, "config", keys),
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1"} {
		t.Setenv(name, v)
	}
	for _, profile := range profiles {
		for _, region := range []string{"eu-west-1", "us-east-1"} {
			loaded, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigProfile(profile),
				config.WithRegion(region))
			if err != nil {
				t.Fatal(err)
			}
			made, err := idp.NewFromConfig(loaded).CreateUserPool(t.Context(),
				&idp.CreateUserPoolInput{PoolName: aws.String("customers")})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, aws.ToString(made.UserPool.Id))
		}
	}
	return ids
}

// TestManyPlaces: two accounts and three Regions are in one plan and in one report, and a Region that cannot be read
// stops none of the others.
func TestManyPlaces(t *testing.T) {
	url := mototest.Start(t)
	other := keysOf(t, url, "222222222222")
	keys := "[profile one]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n" +
		"[profile two]\naws_access_key_id = " + *other.AccessKeyId + "\naws_secret_access_key = " + *other.SecretAccessKey +
		"\naws_session_token = " + *other.SessionToken + "\n"
	ids := manyPlaces(t, url, keys, []string{"one", "two"})
	file := write(t, "b.yaml", "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]")
	places := " --all --profile one,two --region eu-west-1,us-east-1,none-1 --baseline " + file
	words := append(ids, "123456789012", "222222222222", "profile two, none-1")
	for _, format := range forPools {
		expect(t, "plan --output "+format+places, exitError, words...)
	}
	expect(t, "report --output html"+places, exitError, words...)
	expect(t, "report --output ocsf"+places, exitError, words...)
	expect(t, "apply --yes --no-backup"+places, exitError, "Done: 4 remediated.")
	expect(t, "backup --all --out none --profile one,two", exitError, "backup takes one --profile and one --region\n")
}

// keysOf returns keys of an account, with which moto keeps its pools apart.
func keysOf(t *testing.T, url, account string) *types.Credentials {
	t.Helper()
	client := sts.NewFromConfig(mototest.Config(url))
	role := "arn:aws:iam::" + account + ":role/x"
	out, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("test")})
	if err != nil {
		t.Fatal(err)
	}
	return out.Credentials
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
)

const oneRule = "version: 1\nrules: [{name: a, require: {%s}}]"

func every(v any) []any {
	if all, ok := v.([]any); ok {
		return all
	}
	return []any{v}
}

// written writes a value with intrinsic functions as a text: ${Name} for a reference, ${Name.Attribute} for an
// attribute.
func written(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + plain(strings.TrimPrefix(ref, "AWS::")) + "}"
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", plain(get[0].(string)), get[1])
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			var text strings.Builder
			for _, part := range join[1].([]any) {
				text.WriteString(written(part))
			}
			return text.String()
		}
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// plain is a logical id without the hash at its end.
func plain(id string) string { return strings.TrimRight(id, "0123456789ABCDEF") }

// stated renders what the settings and their baseline make necessary, one "action resource [condition]" a line, with
// references to the location of the stack.
func stated(s Settings) []string {
	location := arn.ARN{Partition: "${Partition}", Region: "${Region}", AccountID: "${AccountId}"}
	if len(s.Regions) > 0 {
		location.Partition, location.Region = "aws", s.Regions[0]
	}
	var lines []string
	for _, statement := range Permissions(s, location) {
		condition := ""
		if statement.Key != "" {
			condition = fmt.Sprintf(` {"StringEquals":{%q:%q}}`, statement.Key, statement.Value)
		}
		for _, action := range statement.Actions {
			for _, resource := range statement.Resources {
				lines = append(lines, action+" "+resource+condition)
			}
		}
	}
	sort.Strings(lines)
	return lines
}

// namingPools is a baseline that requires something of every document of so many pools.
func namingPools(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("us-gov-west-1_AbCdEf%03d", i)
	}
	return strings.Replace(ownsAll, "eu-west-1_AbCdEf123", strings.Join(ids, ", "), 1)
}

// TestManyPools: a role has room for the pools that are named one by one, each policy within the limits of IAM, where
// the names are the longest and all else is asked for too, and the function waits for all these policies. Where more
// pools are named, the role may do as much with every pool.
func TestManyPools(t *testing.T) {
	t.Parallel()
	one := strings.Join(stated(read(t, namingPools(mostNamed+1), nil)), "\n")
	const all = "cognito-idp:UpdateUserPool arn:${Partition}:cognito-idp:${Region}:${AccountId}:userpool/*"
	if strings.Contains(one, "us-gov-west-1_") || !strings.Contains(one, all) {
		t.Errorf("one more than are named: %s", one)
	}
	pools, waits := 0, []string{}
	tpl := templateOf(t, namingPools(mostNamed), map[string]any{"securityHub": "true", "eventBus": "audit"})
	for id, r := range tpl.Resources {
		most := map[string]int{"AWS::IAM::Policy": 10240, "AWS::IAM::ManagedPolicy": 6144}[r.Type]
		if most == 0 || !strings.HasPrefix(id, "KeeperRole") {
			continue
		}
		waits = append(waits, id)
		if text := sized(at(r.Properties, "PolicyDocument")); len(text) > most {
			t.Errorf("%s has %d characters, and IAM allows %d", id, len(text), most)
		}
		for _, s := range at(r.Properties, "PolicyDocument", "Statement").([]any) {
			if slices.Contains(every(at(s, "Action")), any("cognito-idp:UpdateUserPool")) {
				pools += len(every(at(s, "Resource")))
			}
		}
	}
	if pools != mostNamed || len(waits) < 2 || len(waits) > 11 {
		t.Errorf("%d pools can be written, by %d policies", pools, len(waits))
	}
	slices.Sort(waits)
	for _, f := range tpl.of("AWS::Lambda::Function") {
		only := slices.DeleteFunc(slices.Sorted(slices.Values(f.DependsOn)), func(id string) bool {
			return tpl.Resources[id].Type == "AWS::IAM::Role"
		})
		if diff := cmp.Diff(waits, only); diff != "" {
			t.Errorf("what the function waits for (-want +got):\n%s", diff)
		}
	}
}

// sized is a policy document as IAM counts it, with references as long as they can become.
func sized(document any) string {
	known := strings.NewReplacer(
		"${Partition}", "aws-us-gov", "${Region}", "us-gov-west-1", "${AccountId}", "111122223333")
	text, _ := json.Marshal(replaced(document, func(function map[string]any) any {
		return known.Replace(written(function)) + strings.Repeat("x", 40)
	}))
	return string(text)
}

// replaced returns a value with others in place of intrinsic functions.
func replaced(v any, by func(function map[string]any) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			if name == "Ref" || strings.HasPrefix(name, "Fn::") {
				return by(v)
			}
			out[name] = replaced(e, by)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = replaced(e, by)
		}
		return out
	default:
		return v
	}
}

// A necessity is a baseline and settings, with what they make necessary beside listing the pools.
type necessity struct {
	Baseline, Context string
	Want              []string
}

// TestPermissions: the role gets exactly what is necessary.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range rows[map[string]necessity](t, "permissions.json") {
		t.Run(name, func(t *testing.T) {
			want := append(c.Want, "cognito-idp:ListUserPools *")
			sort.Strings(want)
			if diff := cmp.Diff(want, stated(read(t, c.Baseline, contextOf(c.Context)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// baselines have requirements of each document.
var baselines = map[string]string{
	"the one that ships": "",
	"the pool":           fmt.Sprintf(oneRule, "DeletionProtection: ACTIVE"),
	"tags":               fmt.Sprintf(oneRule, "UserPoolTags: {env: prod}"),
	"MFA":                fmt.Sprintf(oneRule, "SoftwareTokenMfaConfiguration: {Enabled: true}"),
	"the sender":         fmt.Sprintf(oneRule, "SmsConfiguration: {SnsRegion: eu-central-1}"),
	"risk":               "version: 1\nrules: [{name: a, require: " + riskRule + "}]",
	"logs": fmt.Sprintf(oneRule,
		"LogConfigurations: {userAuthEvents: {LogLevel: INFO, S3Configuration: {BucketArn: 'arn:aws:s3:::logs'}}}"),
	"clients":         "version: 1\nrules: [{name: a, clients: [{require: {PreventUserExistenceErrors: ENABLED}}]}]",
	"risk of clients": "version: 1\nrules: [{name: a, clients: [{require: " + riskRule + "}]}]",
	"all":             ownsAll,
}

// TestPermissionsSuffice: whatever a baseline requires, and in either mode, the function makes no call that its role
// may not make, from the scan to the write that fixes a pool. The calls that the role may make are all made by some
// baseline, but for those on tags, which Cognito may ask for within others.
func TestPermissionsSuffice(t *testing.T) {
	t.Parallel()
	given, made := map[string]bool{}, map[string]bool{}
	for name, text := range baselines {
		for _, mode := range []string{"enforce", "audit"} {
			s := read(t, text, map[string]any{"mode": mode})
			var may []string
			for _, line := range stated(s) {
				if action, ok := strings.CutPrefix(line, "cognito-idp:"); ok {
					may = append(may, action[:strings.IndexByte(action, ' ')])
				}
			}
			for _, action := range may {
				given[action] = true
			}
			for _, call := range callsMade(t, s) {
				made[call] = true
				if !slices.Contains(may, call) {
					t.Errorf("%s, %s: the function calls %s, and may only %v", name, mode, call, may)
				}
				if mode == "audit" && !reading.MatchString(call) {
					t.Errorf("%s: in audit mode the function calls %s", name, call)
				}
			}
		}
	}
	for action := range given {
		if !made[action] && action != "TagResource" && action != "UntagResource" {
			t.Errorf("no baseline makes the function call %s", action)
		}
	}
}

var reading = regexp.MustCompile("^(Describe|Get|List)")

// callsMade returns the calls to Cognito of a scan over a pool that is as weak as it can be, and of the event of its
// last change.
func callsMade(t *testing.T, s Settings) []string {
	t.Helper()
	fake, url := weakPool(t)
	pools := cognito.New(idp.New(idp.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: aws.AnonymousCredentials{},
	}))
	pools.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	r := reconcile.New(pools, s.Baseline, ledger.NewMemory())
	r.Sleep = pools.Sleep
	home := event.Home{Account: "111122223333", Region: "eu-west-1"}
	handle := func(ctx context.Context, request event.Request) (outcome.Outcome, error) {
		out, err := r.Reconcile(ctx, request)
		if out.Outcome == outcome.Unconverged {
			t.Errorf("the fake's pool is wrong: %s", out.Reason)
		}
		return out, err
	}
	scanner := queue.Scanner{Pools: pools, Baseline: s.Baseline, Ledger: r.Ledger, Now: r.Now,
		Send: func(ctx context.Context, bodies []string) (err error) {
			for _, body := range bodies {
				_, failed := handle(ctx, event.Decode([]byte(body), home))
				err = errors.Join(err, failed)
			}
			return err
		}}
	if _, err := scanner.Scan(t.Context(), event.Decode(fixtures(t)["scheduled-event"], home)); err != nil {
		t.Fatal(err)
	}
	if _, err := handle(t.Context(), event.Decode(fixtures(t)["update-user-pool"], home)); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, call := range fake.Calls() {
		calls = append(calls, call.Operation)
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}

// weakPool starts a fake with a pool that meets no requirement.
func weakPool(t *testing.T) (fake *cognitotest.Server, url string) {
	t.Helper()
	const pool, client = "eu-west-1_AbCdEf123", cognitotest.RichClient
	fake, url = cognitotest.Serve(t, cognitotest.Contract)
	fake.PutRich(pool)
	fake.Edit(pool, func(pool, mfa map[string]any) {
		pool["DeletionProtection"], pool["UserPoolTags"] = "INACTIVE", map[string]any{}
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
	})
	fake.PutLogs(pool, []any{})
	fake.PutRisk(pool, "", map[string]any{})
	fake.PutRisk(pool, client, map[string]any{})
	web := fake.Client(pool, client)
	web["PreventUserExistenceErrors"] = "LEGACY"
	fake.PutClient(pool, client, web)
	return fake, url
}

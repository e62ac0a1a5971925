package main

import (
	"context"
	_ "embed" // for the demo's baseline
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

//go:embed demo.yaml
var demoBaseline []byte

const (
	demoPool   = "eu-west-1_Customers"
	servedPool = "eu-west-1_AbCdEf123" // which the events in lambda/event/testdata name
)

var intruder = cognitotest.Actor{
	ARN:       "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory",
	IssuerARN: "arn:aws:iam::111122223333:role/AppAdmin", SourceIP: "198.51.100.23", UserAgent: "aws-cli/2.31.0",
}

func (c *cli) demo(ctx context.Context, _ []string) error {
	if address := c.text("serve"); address != "" {
		return c.serveDemo(ctx, address)
	}
	d, err := newDemo(ctx, cognitotest.Contract, "")
	if err != nil {
		return err
	}
	defer func() { _ = d.fake.Close() }()
	paint := c.paint()
	say := func(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

	say("A user pool with all of its %d settings set, on a fake of Cognito in which UpdateUserPool", len(d.healthy))
	say("resets settings that a caller leaves out, as the API reference says.\n")
	weakened := "threat protection off, deletion protection off, a trigger detached"
	say("1. An intruder calls UpdateUserPool: %s.", paint.Of(stream.Bad, weakened))
	say("   CloudTrail's event reaches the handler.\n")

	request := event.Decode(d.payload, event.Home{Account: "111122223333", Region: "eu-west-1"})
	result, err := d.reconciler.Reconcile(ctx, request)
	if err == nil {
		err = c.conclude(ctx, d.reconciler, result, false)
	}
	if err != nil {
		return err
	}
	fixed, wrong := len(moved(d.damaged, d.leaves())), moved(d.healthy, d.leaves())
	if result.Outcome != outcome.Remediated || fixed != 3 || len(wrong) > 0 {
		return fmt.Errorf("the demo failed: %d settings were restored, %v are wrong", fixed, wrong)
	}
	others := len(d.healthy) - fixed
	say("\n2. Read back from the fake itself: %s.", paint.Of(stream.Good, fmt.Sprintf(
		"%d required settings restored, %d of %d other settings unchanged", fixed, others, others)))

	d.fake.ResetCalls()
	again, err := d.reconciler.Reconcile(ctx, request)
	if calls := len(d.fake.Calls()); err != nil || again.Outcome != outcome.Unchanged || calls > 0 {
		return fmt.Errorf("the second delivery of the event led to %s and %d calls: %w", again.Outcome, calls, err)
	}
	ending := paint.Of(stream.Good, string(again.Outcome))
	say("\n3. The event is delivered a second time: %s, with 0 calls to Cognito.", ending)

	var lost []any
	for _, mode := range []cognitotest.Mode{cognitotest.Contract, cognitotest.Measured} {
		settings, err := naive(ctx, mode)
		if err != nil {
			return err
		}
		lost = append(lost, settings)
	}
	say("\n4. The same incident with a one-field fix, UpdateUserPool(DeletionProtection=ACTIVE): deletion\n"+
		"   protection is on, and %s.", paint.Of(stream.Bad, fmt.Sprintf(
		"%d other settings are lost as the API reference says, %d as last measured", lost...)))
	return nil
}

// moved returns the settings that differ, in the order of the member table.
func moved(before, now map[string]string) []string {
	all := maps.Clone(before)
	maps.Copy(all, now)
	maps.DeleteFunc(all, func(path, _ string) bool { return before[path] == now[path] })
	return slices.SortedFunc(maps.Keys(all), baseline.Order)
}

// naive fixes the incident with a single field on a new fake, and returns the number of lost settings. As measured, the
// service rejects the fix for a pool with UserAttributeUpdateSettings, so the pool has none.
func naive(ctx context.Context, mode cognitotest.Mode) (int, error) {
	d, err := newDemo(ctx, mode, "UserAttributeUpdateSettings")
	if err != nil {
		return 0, err
	}
	defer func() { _ = d.fake.Close() }()
	if _, err = d.sdk.UpdateUserPool(ctx, &idp.UpdateUserPoolInput{UserPoolId: aws.String(demoPool),
		DeletionProtection: types.DeletionProtectionTypeActive}); err != nil {
		return 0, fmt.Errorf("making the one-field fix: %w", err)
	}
	lost := slices.DeleteFunc(moved(d.damaged, d.leaves()), func(path string) bool {
		return path == "DeletionProtection" || d.damaged[path] == ""
	})
	return len(lost), nil
}

// A demo is a fake with one pool that an intruder has weakened.
type demo struct {
	fake             *cognitotest.Server
	sdk              *idp.Client
	reconciler       *reconcile.Reconciler
	healthy, damaged map[string]string // the settings before and after the intruder's call
	payload          []byte            // the event of the call
}

// newDemo puts a pool without one of its settings on a fake. Then it makes the intruder's call, a real UpdateUserPool,
// and keeps its event, with a delay like CloudTrail's. The intruder changes only three settings, so the call must send
// all others too: it is planned like our own writes.
func newDemo(ctx context.Context, mode cognitotest.Mode, without string) (*demo, error) {
	required, invalid := baseline.Parse("demo.yaml", demoBaseline)
	transport, failed := cognito.NewHTTPClient(nil)
	d := &demo{fake: cognitotest.New(mode)}
	pool, mfa := cognitotest.Rich()
	delete(pool, without)
	d.fake.Put(demoPool, pool, mfa)
	url, err := d.fake.Start("")
	if err = errors.Join(invalid, failed, err); err != nil {
		return nil, err
	}
	d.sdk = idp.New(idp.Options{Region: "eu-west-1", BaseEndpoint: &url, HTTPClient: transport,
		Credentials: aws.AnonymousCredentials{}})
	d.reconciler = reconcile.New(cognito.New(d.sdk), required, ledger.NewMemory())
	d.healthy = d.leaves()

	state, err := d.reconciler.Pools.Read(ctx, demoPool, userpool.Everything())
	if err != nil {
		return nil, err
	}
	plan := userpool.NewPlan(state, []baseline.Drift{
		{Setting: "DeletionProtection", Action: baseline.Write, Value: "INACTIVE"},
		{Setting: "LambdaConfig.PreSignUp", Action: baseline.LeaveOut},
		{Setting: "UserPoolAddOns.AdvancedSecurityMode", Action: baseline.Write, Value: "OFF"},
	}, userpool.Options{})
	for _, request := range plan.Writes {
		if _, err := d.reconciler.Pools.Write(ctx, demoPool, request); err != nil {
			return nil, err
		}
	}
	calls := d.fake.Calls()
	d.payload = d.fake.Event(calls[len(calls)-1], intruder, time.Now().Add(-time.Minute))
	d.damaged = d.leaves()
	return d, nil
}

// leaves reads the pool from the fake, not through the reconciler.
func (d *demo) leaves() map[string]string {
	pool, mfa, _ := d.fake.Pool(demoPool)
	documents := map[baseline.DocumentName]map[string]any{baseline.UserPool: pool, baseline.MfaConfig: mfa}
	return userpool.State{ID: demoPool, Documents: documents}.Leaves()
}

// serveDemo serves the fake, with one weakened pool, and prints each call, until the command is interrupted.
func (c *cli) serveDemo(ctx context.Context, address string) error {
	fake := cognitotest.New(cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	pool["UserPoolAddOns"] = map[string]any{"AdvancedSecurityMode": "OFF"}
	fake.Put(servedPool, pool, mfa)
	if _, err := fake.Start(address); err != nil {
		return err
	}
	defer func() { _ = fake.Close() }()
	fmt.Fprintf(c.out, "A fake of Cognito listens on %s.\n"+
		"Its pool %s has deletion protection and threat protection off.\n", address, servedPool)
	for printed := 0; ; {
		ended := cognito.Sleep(ctx, 50*time.Millisecond) != nil
		for calls := fake.Calls(); printed < len(calls); printed++ {
			fmt.Fprintf(c.out, "%s %s\n", calls[printed].Operation, calls[printed].PoolID)
		}
		if ended { // and the last calls are printed
			return nil
		}
	}
}

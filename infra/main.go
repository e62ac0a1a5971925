// Command infra is the CDK app that deploys poolkeeper: one stack per Region, one construct per file.
//
// Some parts are derived from the baseline: the event names of the EventBridge rule, and the role's actions for the
// settings that rules in enforce mode may write. The settings of a deployment come from the CDK context (-c key=value).
// All their errors are reported together, before anything is built or synthesized. The function is built for these
// settings and does not link services that they do not use.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	errs := run()
	jsii.Close()
	for _, err := range errs {
		fmt.Fprintln(os.Stderr, "poolkeeper:", err)
	}
	os.Exit(min(len(errs), 1))
}

func run() []error {
	app := awscdk.NewApp(nil)
	// The context comes from cdk.json, ~/.cdk.json and the command line.
	all, _ := app.Node().GetAllContext(nil).(map[string]any)
	environments, errs := ReadAll(all, os.Getenv, os.ReadFile)
	if len(errs) > 0 {
		return errs
	}
	for _, s := range environments {
		if err := buildFunction(context.Background(), &s, ".", ".build"); err != nil {
			return []error{err}
		}
		NewStacks(app, s, len(environments) > 1)
	}
	app.Synth(nil)
	return nil
}

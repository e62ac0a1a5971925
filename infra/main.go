// Command infra is the CDK app that deploys poolkeeper: one stack a Region, one construct a file.
//
// What depends on the baseline is derived from it: the event names of the rule come from the event table, the actions
// of the role from the settings that enforcing rules may write. The settings of a deployment come from the CDK context
// (-c key=value). All errors in them are reported at once, before anything is built or synthesized. The function is
// built for these settings: it links no service that they leave out.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	code := run()
	jsii.Close()
	os.Exit(code)
}

func run() int {
	app := awscdk.NewApp(nil)
	// The context is that of cdk.json, of ~/.cdk.json and of the command line.
	all, _ := app.Node().GetAllContext(nil).(map[string]any)
	environments, errs := ReadAll(all, os.Getenv, os.ReadFile)
	for i := range environments {
		s := &environments[i]
		if len(errs) > 0 {
			break
		}
		err := buildFunction(context.Background(), s, ".", buildDir)
		if err != nil {
			errs = append(errs, err)
			break
		}
		NewStacks(app, *s, len(environments) > 1)
	}
	if len(errs) == 0 {
		app.Synth(nil)
		return 0
	}
	for _, err := range errs {
		fmt.Fprintln(os.Stderr, "poolkeeper:", err)
	}
	return 1
}

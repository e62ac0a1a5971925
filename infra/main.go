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
	settings, errs := ReadSettings(all, os.Getenv, os.ReadFile)
	if len(errs) == 0 {
		err := buildFunction(context.Background(), settings, ".", buildDir)
		if err == nil {
			settings.Code, err = codeFor(settings, buildDir)
		}
		if err == nil {
			NewStacks(app, settings)
			app.Synth(nil)
			return 0
		}
		errs = []error{err}
	}
	for _, err := range errs {
		fmt.Fprintln(os.Stderr, "poolkeeper:", err)
	}
	return 1
}

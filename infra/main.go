package main

import (
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
	settings, faults := ReadSettings(contextOf(app), os.Getenv, os.ReadFile)
	if len(faults) == 0 {
		code, err := codeFor(settings, buildDir)
		if err == nil {
			settings.Code = code
			NewStacks(app, settings)
			app.Synth(nil)
			return 0
		}
		faults = []error{err}
	}
	for _, fault := range faults {
		fmt.Fprintln(os.Stderr, "poolkeeper:", fault)
	}
	return 1
}

// contextOf returns the whole context of the app: that of cdk.json, of ~/.cdk.json and of the command line.
func contextOf(app awscdk.App) map[string]any {
	all, _ := app.Node().GetAllContext(nil).(map[string]any)
	return all
}

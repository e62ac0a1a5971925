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
	settings, faults := ReadSettings(contextOf(app), os.Getenv, os.ReadFile)
	if len(faults) == 0 {
		var err error
		if settings.Code, err = built(settings); err == nil {
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

// built builds the function of the settings, and returns the folder to deploy.
func built(s Settings) (string, error) {
	if err := buildFunction(context.Background(), s, ".", buildDir); err != nil {
		return "", err
	}
	return codeFor(s, buildDir)
}

// contextOf returns the whole context of the app: that of cdk.json, of ~/.cdk.json and of the command line.
func contextOf(app awscdk.App) map[string]any {
	all, _ := app.Node().GetAllContext(nil).(map[string]any)
	return all
}

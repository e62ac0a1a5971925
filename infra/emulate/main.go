// Command emulate runs a built function once on an event, without a container: as a process with a Runtime API server,
// in the environment of the shell. The function's log is written to stderr and its response to stdout.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"poolkeeper/lambda/runtimeapi"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: emulate BOOTSTRAP EVENT.json")
		os.Exit(1)
	}
	answer, err := run(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulate:", err)
		os.Exit(1)
	}
	var shown bytes.Buffer
	if json.Indent(&shown, answer.Payload, "", "  ") != nil {
		shown.Write(answer.Payload)
	}
	fmt.Println(shown.String())
	if answer.IsError {
		os.Exit(1)
	}
}

func run(bootstrap, event string) (runtimeapi.Response, error) {
	payload, err := os.ReadFile(event)
	if err != nil {
		return runtimeapi.Response{}, fmt.Errorf("reading the event: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, bootstrap)
	command.Env = append(os.Environ(), "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_FUNCTION_NAME=Poolkeeper",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	function, err := runtimeapi.Start(command)
	if err != nil {
		return runtimeapi.Response{}, err
	}
	defer function.Stop()
	return function.Invoke(ctx, "arn:aws:lambda:"+os.Getenv("AWS_REGION")+":012345678912:function:Poolkeeper", payload)
}

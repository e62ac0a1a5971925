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
	failed, err := run(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulate:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

func run(bootstrap, event string) (failed bool, err error) {
	payload, err := os.ReadFile(event)
	if err != nil {
		return true, fmt.Errorf("reading the event: %w", err)
	}
	api, err := runtimeapi.New()
	if err != nil {
		return true, err
	}
	defer func() { _ = api.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	function := exec.CommandContext(ctx, bootstrap)
	function.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+api.Addr(), "AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_FUNCTION_NAME=Poolkeeper", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128")
	function.Stdout, function.Stderr = os.Stderr, os.Stderr
	if err := function.Start(); err != nil {
		return true, fmt.Errorf("starting the function: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = function.Wait()
		close(ended)
		cancel() // a function that has exited cannot respond
	}()
	deadline, _ := ctx.Deadline()
	arn := "arn:aws:lambda:" + os.Getenv("AWS_REGION") + ":012345678912:function:Poolkeeper"
	answer, err := api.Invoke(ctx, runtimeapi.Invocation{Payload: payload, FunctionARN: arn, Deadline: deadline})
	cancel()
	<-ended
	if err != nil {
		return true, fmt.Errorf("invoking the function: %w", err)
	}
	var shown bytes.Buffer
	if json.Indent(&shown, answer.Payload, "", "  ") != nil {
		shown.Write(answer.Payload)
	}
	fmt.Println(shown.String())
	return answer.IsError, nil
}

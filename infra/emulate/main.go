// Command emulate runs the function of a local template once on an event, without a container: its bootstrap as a
// process, with the environment that SAM would give it, behind a Runtime API server. The function's log goes to
// standard error, its answer to standard output.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"poolkeeper/infra/samlocal"
	"poolkeeper/lambda/runtimeapi"
)

func main() {
	template := flag.String("template", ".build/sam/poolkeeper.template.json", "the synthesized template")
	name := flag.String("function", "Poolkeeper", "the function's SamResourceId")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	failed, err := run(ctx, *template, *name, flag.Arg(0))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulate:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

func run(ctx context.Context, template, name, event string) (failed bool, err error) {
	payload, err := os.ReadFile(event)
	if err != nil {
		return true, fmt.Errorf("reading the event: %w", err)
	}
	function, err := samlocal.Load(template, name, os.Getenv)
	if err != nil {
		return true, err
	}
	api, err := runtimeapi.New()
	if err != nil {
		return true, err
	}
	defer func() { _ = api.Close() }()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(function.Timeout)*time.Second)
	defer cancel()
	environment := function.SAMEnvironment(os.Getenv)
	command := function.Command(ctx, environment, api.Addr())
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Start(); err != nil {
		return true, fmt.Errorf("starting the function: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
		cancel() // a function that ends by itself answers nothing more
	}()
	defer func() {
		cancel()
		<-ended
	}()
	deadline, _ := ctx.Deadline()
	answer, err := api.Invoke(ctx, runtimeapi.Invocation{
		Payload: payload, FunctionARN: function.ARN(environment["AWS_REGION"]), Deadline: deadline,
	})
	if err != nil {
		return true, fmt.Errorf("invoking %s: %w", name, err)
	}
	var shown bytes.Buffer
	if json.Indent(&shown, answer.Payload, "", "  ") != nil {
		shown.Write(answer.Payload)
	}
	fmt.Println(shown.String())
	return answer.IsError, nil
}

// Command poolkeeper is the command line for people and pipelines. It runs the very code that the function runs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A terminal that is closed interrupts as Ctrl-C does: the writes of a pool come to their end.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(code)
}

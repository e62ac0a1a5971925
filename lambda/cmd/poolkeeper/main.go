// Command poolkeeper is the command line for people and pipelines. It runs the same code as the function.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// Closing the terminal interrupts like Ctrl-C: the writes of the current pool are completed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	c := &cli{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

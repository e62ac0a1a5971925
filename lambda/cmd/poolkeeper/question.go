package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ask asks before anything is written.
func (a *applying) ask(ctx context.Context, pools int) error {
	if a.yes {
		return nil
	}
	return a.c.confirm(ctx, a.in, fmt.Sprintf("Write to %s?", counted(pools, "user pool")), "nothing was written")
}

// confirm asks a question and fails where the answer is not yes. Nothing says what was not done then.
func (c *cli) confirm(ctx context.Context, in io.Reader, question, nothing string) error {
	fmt.Fprint(c.err, question, " Type yes to continue: ")
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(in).ReadString('\n')
		answered <- line{text, err}
	}()
	var answer line
	select {
	case answer = <-answered:
	case <-ctx.Done():
		fmt.Fprintln(c.err)
		return errors.New("interrupted: " + nothing)
	}
	if answer.err != nil && !errors.Is(answer.err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", answer.err)
	}
	if strings.TrimSpace(answer.text) != "yes" {
		return errors.New(nothing + ": the answer was not yes (--yes does not ask)")
	}
	return nil
}

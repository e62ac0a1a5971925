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
func (a applying) ask(ctx context.Context, pools int) error {
	if a.yes {
		return nil
	}
	fmt.Fprintf(a.err, "Write to %s? Type yes to continue: ", counted(pools, "user pool"))
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(a.in).ReadString('\n')
		answered <- line{text, err}
	}()
	var answer line
	select {
	case answer = <-answered:
	case <-ctx.Done():
		fmt.Fprintln(a.err)
		return errors.New("interrupted: nothing was written")
	}
	if answer.err != nil && !errors.Is(answer.err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", answer.err)
	}
	if strings.TrimSpace(answer.text) != "yes" {
		return errors.New("nothing was written: the answer was not yes (--yes does not ask)")
	}
	return nil
}

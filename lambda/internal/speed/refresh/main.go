// Command refresh writes the numbers of a run of the benchmarks, whose output it reads, into the table of the file
// that it is given.
package main

import (
	"fmt"
	"io"
	"os"

	"poolkeeper/lambda/internal/speed"
)

func main() {
	if err := refresh(os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "refreshing the table of speeds:", err)
		os.Exit(1)
	}
}

func refresh(args []string, output io.Reader) error {
	if len(args) != 1 {
		return fmt.Errorf("say one file, which has the table")
	}
	measured, err := speed.Read(output)
	if err != nil {
		return err
	}
	if len(measured) == 0 {
		return fmt.Errorf("the output has no number of any target")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	replaced, err := speed.Replace(string(text), measured)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(args[0], []byte(replaced), 0o644)
}

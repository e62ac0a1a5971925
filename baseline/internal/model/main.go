// Command model writes the member table as JSON for check.py, which compares it with the API model that AWS publishes.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"poolkeeper/baseline"
)

func main() {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(baseline.Documents()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

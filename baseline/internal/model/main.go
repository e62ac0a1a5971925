// Command model writes the member table as JSON for check.py, which compares it with the API model that AWS publishes.
package main

import (
	"encoding/json"
	"os"

	"poolkeeper/baseline"
)

func main() {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(baseline.Documents()) != nil {
		os.Exit(1)
	}
}

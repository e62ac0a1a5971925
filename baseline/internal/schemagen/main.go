// Command schemagen generates schema.json, the JSON Schema of a baseline file for editors, and SETTINGS.md, the table
// of all settings, from the member table of package baseline. "go generate" runs it in the directory of that package.
package main

import (
	"fmt"
	"os"
)

func main() {
	for name, make := range map[string]func() ([]byte, error){"schema.json": Schema, "SETTINGS.md": Settings} {
		content, err := make()
		if err == nil {
			err = os.WriteFile(name, content, 0o600)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "schemagen:", err)
			os.Exit(1)
		}
	}
}

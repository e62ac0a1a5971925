package baseline_test

import (
	"fmt"

	"poolkeeper/baseline"
)

func ExampleParse() {
	_, err := baseline.Parse("team.yaml", []byte(`
version: 1
rules:
  - name: every-pool
    require:
      DeletionProtecton: ACTIVE
      MfaConfiguration: MAYBE
`))
	fmt.Println(err)
	// Output:
	// team.yaml:6:7: rules[0].require.DeletionProtecton: there is no such setting, did you mean DeletionProtection?
	// team.yaml:7:25: rules[0].require.MfaConfiguration: is "MAYBE": it must be one of OFF, ON, OPTIONAL
}

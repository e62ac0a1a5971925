package baseline_test

import (
	"fmt"
	"time"

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

func ExampleCompare() {
	required, err := baseline.Parse("team.yaml", []byte(`
version: 1
rules:
  - name: every-pool
    require:
      DeletionProtection: ACTIVE
      AutoVerifiedAttributes: {contains: [email]}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := required.Policy(baseline.Identity{ID: "eu-west-1_AbCdEf123"}, time.Now())
	found := baseline.Compare(policy, map[string]any{"AutoVerifiedAttributes": []any{"phone_number"}})
	for _, drift := range found.Drifts {
		fmt.Println(drift.Setting, "is", drift.Have, "and has to be", drift.Want)
	}
	// Output:
	// DeletionProtection is <nil> and has to be ACTIVE
	// AutoVerifiedAttributes is [phone_number] and has to be contains email
}

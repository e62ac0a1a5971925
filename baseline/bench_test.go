package baseline

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkCompare compares a whole pool with a policy that names every setting.
func BenchmarkCompare(b *testing.B) {
	b.ReportAllocs()
	var require []Requirement
	for _, p := range allPlaces() {
		if p.leaf() {
			require = append(require, say(p.path, Equal, sample(p.member, 0)))
		}
	}
	policy, pool := policyOf(require), fullPool()
	for b.Loop() {
		if c := Compare(policy, pool); len(c.Drifts) > 0 {
			b.Fatalf("%d drifts", len(c.Drifts))
		}
	}
}

// hundredRules is a baseline of many rules, each of its own settings and clients.
func hundredRules() []byte {
	var b strings.Builder
	b.WriteString("version: 1\nrules:\n")
	for i := range 100 {
		fmt.Fprintf(&b, `  - name: rule-%d
    pools: {names: ["team-%d-*"], tags: {env: [prod]}}
    require:
      DeletionProtection: ACTIVE
      MfaConfiguration: {oneOf: [ON, OPTIONAL], set: OPTIONAL}
      SoftwareTokenMfaConfiguration: {Enabled: true}
      Policies: {PasswordPolicy: {MinimumLength: {atLeast: %d}, RequireNumbers: true, RequireSymbols: true}}
      LambdaConfig: {exactly: {PreSignUp: "arn:aws:lambda:eu-west-1:111122223333:function:pre-%d"}}
    clients:
      - names: ["web-*"]
        require: {EnableTokenRevocation: true, CallbackURLs: ["https://%d.example.com/callback"]}
`, i, i, 8+i%20, i, i)
	}
	return []byte(b.String())
}

// BenchmarkParse reads the baseline of an organization with many teams, as every start of the function does.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	text := hundredRules()
	for b.Loop() {
		if _, err := Parse("b.yaml", text); err != nil {
			b.Fatal(err)
		}
	}
}

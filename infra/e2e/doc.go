// Package e2e tests the commands of a deployment: the CDK command line with moto's server, cfn-lint, and SAM with the
// templates. The tests need tools that a laptop may not have. Then they are skipped, but in CI a skipped test is a
// failure.
package e2e

// Package e2e runs the deployment's own commands: the command line of the CDK against moto's server, cfn-lint, and
// SAM's reading of the templates. Its tests need tools that a laptop may lack. There they are skipped; CI fails on a
// skipped test.
package e2e

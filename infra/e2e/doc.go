// Package e2e runs the deployment's own commands: the command line of the CDK against moto's server, cfn-lint, and SAM's reading of the local template. Its tests need
// tools that a laptop may lack; there they are skipped, and CI takes no skipped test.
package e2e

// Package cognitotest is a stateful fake of the Cognito control plane that is spoken to over HTTP, for tests and for the demo.
//
// It keeps pools as raw JSON, members that nobody knows included, and comes in two worlds. In Contract, every member that UpdateUserPool leaves
// out is reset to its default, as the API reference says. In Measured, the members stay of which that was measured. It refuses what the
// service is known to refuse, in the service's words, enforces the documented rates on request, and fails on demand.
//
// What it does not imitate, so that no test should rely on it:
//
//   - Defaults. What a reset member becomes is plausible, no more; a test asserts what was kept, never what was reset to what.
//   - Roles, keys, functions and e-mail identities: an ARN is taken for what it says.
//   - Authentication: the signature of a request is not looked at.
//   - Eventual consistency, unless a fault injects it.
//   - Users, clients, domains, identity providers, and every call that is not among its operations.
//   - Redaction in CloudTrail beyond message texts and secrets; which members are really hidden is not documented.
//   - What the service does where that is unknown. The choices are commented where they are made.
package cognitotest

// Package cognitotest is a stateful fake of the Cognito control plane that is spoken to over HTTP, for tests and for
// the demo.
//
// It keeps pools as raw JSON, members that nobody knows included, and comes in two worlds. In Contract, every member
// that UpdateUserPool leaves out is reset to its default, as the API reference says. In Measured, the members stay of
// which that was measured. It refuses what the service is known to refuse, in the service's words, enforces the
// documented rates on request, and fails on demand.
//
// No test should rely on what it does not imitate: what a reset member becomes (a test asserts what was kept), roles,
// keys, functions and identities (an ARN is taken for what it says, unless it says nobody), signatures, eventual
// consistency unless a fault injects it, which members CloudTrail hides beyond texts and secrets, the dates of later
// updates, which of several faults of a request is found first, and the filters and expiry of lists. Where it is not
// known what the service does, a comment says what was chosen.
package cognitotest

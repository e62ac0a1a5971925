// Package cognitotest is a stateful fake of the Cognito control plane that is spoken to over HTTP, for tests and for
// the demo.
//
// It keeps pools as raw JSON, members that nobody knows included, and comes in two worlds. In Contract, every member
// that UpdateUserPool leaves out is reset to its default, as the API reference says. In Measured, the members stay of
// which that was measured. It refuses what the service is known to refuse, in the service's words, enforces the
// documented rates on request, and fails on demand.
//
// What it does not imitate, so that no test should rely on it:
//
//   - Defaults. What a reset member becomes is plausible, no more; a test asserts what was kept, never what was reset
//     to what.
//   - Roles, keys, functions and e-mail identities: an ARN is taken for what it says, unless it says nobody.
//   - Authentication: the signature of a request is not looked at.
//   - Eventual consistency, unless a fault injects it.
//   - Tags by their own calls, users, domains, identity providers, and every other call that is not among its
//     operations.
//   - Redaction in CloudTrail beyond message texts and secrets; which members are really hidden is not documented.
//   - Dates: LastModifiedDate changes with the first update and not with later ones.
//   - Order: the service may find another fault first in a request that has several.
//   - Lists beyond ListUserPools, its filters, and tokens that expire.
//   - What the service does where that is unknown: which of two different twins wins, whether the older validity days
//     go on being shown (here they do, in both worlds, as those that count), what SetUserPoolMfaConfig without an SMS
//     block does to the pool's sender (here it goes where the block was there), and what a validity of 0 days becomes
//     (here 7). The choices are commented where they are made.
package cognitotest

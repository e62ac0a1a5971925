// Package cognitotest is a stateful HTTP fake of the Cognito control plane, for tests and for the demo.
//
// It stores pools as raw JSON, including unknown members, and has two modes. In Contract, UpdateUserPool resets every
// member that is left out to its default, as the API reference says. In Measured, members that were measured to stay
// unchanged do so. It rejects requests that the service is known to reject, with the service's messages. Rate limits
// and faults can be enabled.
//
// It does not imitate the following, so no test should rely on it: the value of a reset member (tests assert what was
// kept), the existence of roles, keys, functions and identities (an ARN is assumed to exist unless it contains
// "nobody"), signatures, eventual consistency (unless a fault injects it), which members CloudTrail hides besides texts
// and secrets, the dates of later updates, which of several errors in a request is reported first, and the filters and
// expiry of lists. If the behavior of the service is not known, a comment describes the choice.
package cognitotest

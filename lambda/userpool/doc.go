// Package userpool represents the state of a user pool and plans writes to it. It is pure: it makes no calls and
// imports no SDK.
//
// A pool consists of a few documents, each with one call that reads it and one call that writes it as a whole. They are
// stored as the raw JSON of the response, and a write sends raw JSON, so that unknown members are not lost.
//
// The member table of package baseline describes the members. The conflict table of this package lists the combinations
// of settings that the API rejects. The package never decides whether to write: it plans the writes for given drifts,
// and reports the drifts that it cannot fix, with reasons.
package userpool

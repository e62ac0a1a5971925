// Package userpool says what a user pool is, and plans what to write to it. It is pure: it makes no calls and imports
// no SDK.
//
// A pool is a few documents, each with one call that reads it and one that writes it whole. They are kept as the raw
// JSON of the answer, and a write sends raw JSON, so that nothing is lost that this build does not know.
//
// The member table of package baseline says what is known of the members. The conflict table of this package says what
// the API refuses to hold together. The package never decides whether to write: it plans the writes for the drifts
// that it is given, and says which of them it cannot end and why.
package userpool

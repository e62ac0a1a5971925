// Package userpool reads and writes Amazon Cognito user pools without losing anything, and is the only package that talks to
// Cognito.
//
// A pool is a few documents, each with one call that reads it and one that writes it whole. They are kept as the raw JSON
// of the answer, and a write sends raw JSON: the SDK's typed structs drop every member that they do not know, without a
// word, and cannot tell false from absent. The SDK client still signs, retries reads, resolves endpoints and types the errors.
//
// What is known of the members stands in the table of package baseline. What the API cannot hold together stands in
// the table of conflicts here. The package never decides whether to write: it plans what it is asked to plan, and says what
// cannot be had and why.
package userpool

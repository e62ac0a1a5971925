// Package cognito reads and writes user pools. It is the only package that talks to Amazon Cognito.
//
// Documents go in and out as raw JSON: the SDK's types drop every member that they do not know, without an error, and
// cannot tell false from absent. The SDK's client still signs, retries reads, resolves endpoints and types the errors.
package cognito

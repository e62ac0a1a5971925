// Package cognito reads and writes user pools. It is the only package that talks to Amazon Cognito.
//
// Documents are read and written as raw JSON, because the SDK's types silently drop unknown members and cannot
// distinguish false from absent. The SDK's client still signs requests, retries reads, resolves endpoints and decodes
// errors.
package cognito

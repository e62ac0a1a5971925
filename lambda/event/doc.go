// Package event turns the JSON of an event into a request: reconcile one pool, scan all pools, or ignore the event for
// a reason. The JSON comes from EventBridge, directly or in a message of an SQS queue.
//
// The only thing that is read strictly is which pool an event is about. Everything else may have any shape, be hidden
// or be missing: the settings of a pool are read from Cognito. Decoding never fails and never panics.
package event

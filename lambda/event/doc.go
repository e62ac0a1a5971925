// Package event turns the JSON that EventBridge delivers into a request to reconcile one pool, or all, or into the reason why it is
// ignored.
//
// An event is believed in one thing only: which pool it is about. That is read strictly. Everything else in it may be of any shape, hidden or
// missing: what the pool is like is asked of Cognito. Decoding never fails and never panics.
package event

// Package reconcile brings one pool to the baseline: read, compare, plan, write, verify, in that order and with no stage calling
// back. It is the one place that reads and plans again when the pool changed in the meantime, and the one that decides how a
// reconcile ended.
//
// It never writes without drift, never repeats a write without having read the pool again, never answers our own write with a
// write, and never starts a write that it has no time to verify.
//
// With a Ledger it remembers from one invocation to the next: which events were handled, who is at work on a pool, what was written and why. With a Bus it sweeps by
// sending an event for each pool. It does without either.
package reconcile

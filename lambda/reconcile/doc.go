// Package reconcile brings one user pool to the baseline: read, decide, write, verify, conclude, in that order.
//
// A first read without a lease ends most runs. What has to be written is written unit by unit, in the order in which
// one unit depends on another: the pool with its MFA configuration, the risk configuration, log delivery, then each
// app client. Decide and Conclude are pure. Read the files in this order: reconcile.go, scope.go, run.go, unit.go,
// decide.go, write.go, conclude.go.
//
// A run never writes without drift, never without having read the document again, never twice what did not hold, never
// in answer to our own write, and never without the time to verify it.
package reconcile

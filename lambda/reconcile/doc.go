// Package reconcile brings one user pool to the baseline, in these steps: read, decide, write, verify, conclude.
//
// Most runs end after a first read, without a lease. Otherwise the units are written one by one, in the order of their
// dependencies: the pool with its MFA configuration (only this unit takes the lease), the risk configuration, log
// delivery, and then each app client. Decide and Conclude are pure. Read the files in this order: reconcile.go,
// scope.go, run.go, unit.go, decide.go, write.go, conclude.go, ledger.go, preview.go.
//
// A run writes only if there is drift, if it has just read the document again, and if there is time to verify the
// write. It never repeats a write that had no lasting effect, and it never writes in reaction to our own write.
package reconcile

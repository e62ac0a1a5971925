// Package ledger stores leases, write-ahead records and notes of user pools: in a DynamoDB table, or in memory for the
// demo, tests and the command line. Package reconcile defines their meaning.
package ledger

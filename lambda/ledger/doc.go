// Package ledger keeps what poolkeeper remembers between invocations: in a DynamoDB table, or in memory for tests, the demo and single runs of the command line. What is remembered, and what for,
// package reconcile says; here it is only kept.
package ledger

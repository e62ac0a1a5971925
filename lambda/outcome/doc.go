// Package outcome holds what runs did: the findings and the ending of a run, the write-ahead record of its writes, and
// what the records of a pool say about the next run. Its functions are pure.
package outcome

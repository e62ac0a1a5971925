// Package outcome describes the results of runs: the findings and the ending of a run, the write-ahead record of its
// writes, and the conclusions from earlier records for the next run. Its functions are pure.
package outcome

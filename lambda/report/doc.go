// Package report turns an outcome into what people and machines read: the log line, and text for a terminal. It decides nothing
// and never sees a value that the outcome does not hold, so message texts and secrets cannot pass through it.
package report

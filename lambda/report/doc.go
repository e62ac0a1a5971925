// Package report turns an outcome into what people and machines read: the log line, text for a terminal, mail, chat,
// JSON, findings and metrics. It decides nothing about a pool, and it sees no value that the outcome does not hold: so
// message texts and secrets cannot pass through it.
package report

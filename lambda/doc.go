// Command lambda is the function: an event comes in, directly or in a message of a queue; the pool that it names is
// brought to the baseline; the outcome goes out. It is wired in main.go, reads its environment once in config.go and
// builds its SDK clients by hand in client.go. Everything else is in the packages below.
package main

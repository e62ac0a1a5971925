// Command lambda is the function: an EventBridge event comes in, the pool that it is about is brought to the baseline, and the outcome goes
// out. It is wired in main, reads its environment once in config.go and builds its SDK client by hand in client.go; all else stands in the
// packages below.
package main

// Command lambda is the Lambda function. It gets an event, directly or in a queue message, brings the pool in it to the
// baseline, and reports the outcome. main.go wires it, config.go reads the environment once, and client.go builds the
// SDK clients. Everything else is in the packages below.
package main

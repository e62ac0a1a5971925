// Package runtimeapi is a small server of Lambda's Runtime API, for tests and benchmarks that start the built function
// as Lambda does: the function polls for an invocation, and posts the response or the error.
package runtimeapi

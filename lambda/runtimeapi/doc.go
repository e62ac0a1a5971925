// Package runtimeapi is a small server for Lambda's Runtime API. Tests and benchmarks use it to run the built function
// as Lambda does: the function polls for an invocation, and posts the response or the error.
package runtimeapi

// Package coldstart holds the function to a quick start: it measures the built binary against a function that does
// nothing, and tests that nothing is linked that a function has no use for.
package coldstart

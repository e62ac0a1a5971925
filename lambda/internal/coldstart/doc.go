// Package coldstart tests that the function starts quickly: it compares the built binary with a function that does
// nothing, and checks that no unneeded packages are linked.
package coldstart

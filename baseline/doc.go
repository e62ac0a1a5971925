// Package baseline says what must be: it reads the checked-in file of required settings, knows what the Cognito API
// has to offer, and compares a pool with what is required of it.
//
// It is pure. It takes no context, makes no call, reads no file and no clock, and never changes a value that it is
// given.
package baseline

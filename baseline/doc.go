// Package baseline reads and validates the checked-in file of required settings, describes the settings of the Cognito
// API in a table, and compares the settings of a pool with the requirements.
//
// It is pure: it does no I/O, reads no clock, takes no context, and does not change its arguments.
package baseline

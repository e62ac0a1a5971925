// Package speed holds what poolkeeper is to be as fast and as small as: a table of targets, which tests hold where a
// number is always the same, and which the benchmarks report numbers for. The table in lambda/README.md is made of it
// and of the output of the benchmarks.
package speed

// Package oracle runs random baselines against random pools, each checked by an oracle that knows what the
// baseline's reference says of operators, twins and conflicts, and shares no code with the comparison that it checks.
package oracle

// Package oracle runs random baselines on random pools and checks the results with an independent oracle. The oracle
// implements operators, twins and conflicts as the baseline reference describes them, and shares no code with the
// comparison.
package oracle

package userpool

import (
	"time"

	"poolkeeper/baseline"
)

// A Rate is how often a category of calls may be made, in an account and Region.
type Rate struct {
	Category  string
	PerSecond float64
}

// Rates returns the rates that calls are kept to, by the name of the call: those that the API's documentation gives, less a little. A throttled call would come again, and take from what everybody
// else in the account has.
func Rates() map[string]Rate { return rates }

var rates = map[string]Rate{
	"DescribeUserPool":          {"UserPoolRead", 14.5},
	"ListUserPools":             {"UserPoolRead", 14.5},
	"UpdateUserPool":            {"UserPoolUpdate", 14.5},
	"GetUserPoolMfaConfig":      {"UserPoolResourceRead", 19.5},
	"DescribeRiskConfiguration": {"UserPoolResourceRead", 19.5},
	"SetUserPoolMfaConfig":      {"UserPoolResourceUpdate", 14.5},
	"SetRiskConfiguration":      {"UserPoolResourceUpdate", 14.5},
	"DescribeUserPoolClient":    {"UserPoolClientRead", 14.5},
	"ListUserPoolClients":       {"UserPoolClientRead", 14.5},
	"UpdateUserPoolClient":      {"UserPoolClientUpdate", 14.5},
	// No rate is documented for these two.
	"GetLogDeliveryConfiguration": {"LogDelivery", 14.5},
	"SetLogDeliveryConfiguration": {"LogDelivery", 14.5},
}

// Share returns for how long a read takes the whole of the category that it takes most of: reads that begin so long after one another stay within the rates. Clients count as one, for their number is
// not known before; their reads wait for their turn by themselves.
func (w Want) Share() time.Duration {
	took := map[string]float64{}
	calls := []string{"DescribeUserPool"}
	for _, name := range w.Documents {
		if d, ok := name.Table(); ok && name != baseline.UserPool {
			calls = append(calls, d.ReadCall)
		}
	}
	if w.Clients != nil {
		calls = append(calls, "ListUserPoolClients", "DescribeUserPoolClient")
	}
	var most float64
	for _, call := range calls {
		r := rates[call]
		took[r.Category] += 1 / r.PerSecond
		most = max(most, took[r.Category])
	}
	return time.Duration(most * float64(time.Second))
}

package baseline

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// mostPower is the largest exponent of a number. Without a limit, a number of a few bytes could use up all memory.
const mostPower = 1000

// number returns the exact value of a JSON number, and false for anything else.
func number(v any) (*big.Rat, bool) {
	switch v.(type) {
	case json.Number, int, int64, float64:
	default:
		return nil, false
	}
	text := strings.ToLower(fmt.Sprint(v))
	if _, exponent, ok := strings.Cut(text, "e"); ok {
		if power, err := strconv.Atoi(exponent); err != nil || power > mostPower || power < -mostPower {
			return nil, false
		}
	}
	if strings.Trim(text, "0123456789.e+-") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

func digits(n *big.Rat) string {
	places, _ := n.FloatPrec()
	return n.FloatString(places)
}

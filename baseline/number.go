package baseline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A decimal is a number with all its digits: 0.digits times ten to the power. Zero has no digits.
type decimal struct {
	negative bool
	digits   string // without zeros at either end
	power    int
}

// number returns the value of a JSON number, exactly, and false for anything else.
func number(v any) (decimal, bool) {
	switch v := v.(type) {
	case json.Number:
		return parseDecimal(v.String())
	case int, int64, float64:
		return parseDecimal(fmt.Sprint(v))
	}
	return decimal{}, false
}

func parseDecimal(text string) (decimal, bool) {
	mantissa, power := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		mantissa = text[:i]
		if power, err = strconv.Atoi(text[i+1:]); err != nil || power > 1<<30 || power < -1<<30 {
			return decimal{}, false
		}
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return decimal{}, false
	}
	significant := strings.TrimLeft(digits, "0")
	power += len(whole) - (len(digits) - len(significant))
	significant = strings.TrimRight(significant, "0")
	if significant == "" {
		return decimal{}, true
	}
	return decimal{negative: negative, digits: significant, power: power}, true
}

// String returns the shortest plain form of a whole number of reasonable length, and otherwise one with an exponent:
// one text for one value.
func (d decimal) String() string {
	sign := ""
	if d.negative {
		sign = "-"
	}
	zeros := d.power - len(d.digits)
	switch {
	case d.digits == "":
		return "0"
	case zeros >= 0 && zeros <= 20:
		return sign + d.digits + strings.Repeat("0", zeros)
	default:
		return sign + d.digits + "e" + strconv.Itoa(zeros)
	}
}

func (d decimal) zero() bool { return d.digits == "" }

func (d decimal) compare(e decimal) int {
	if d.sign() != e.sign() {
		return cmp.Compare(d.sign(), e.sign())
	}
	return d.sign() * cmp.Or(cmp.Compare(d.power, e.power), cmp.Compare(d.digits, e.digits))
}

func (d decimal) sign() int {
	switch {
	case d.zero():
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

package baseline

import (
	"fmt"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// A FlapBudget limits how often poolkeeper fixes one setting of one pool within a period. When it is used up, another
// automation is probably writing the setting too, and the two would never stop. poolkeeper then skips the setting and
// notifies people of both writers.
type FlapBudget struct {
	Times  int // how many remediations of a setting are allowed
	Within time.Duration
}

// DefaultFlapBudget applies if the file has no flap budget.
var DefaultFlapBudget = FlapBudget{Times: 5, Within: time.Hour}

// Limits of a flap budget. The ledger query does not go back further than the longest period.
const (
	MostFlaps       = 1000
	MostFlapMinutes = 24 * 60
)

// String returns the budget in words.
func (f FlapBudget) String() string {
	if f.Times == 1 {
		return fmt.Sprintf("once in %d minutes", int(f.Within.Minutes()))
	}
	return fmt.Sprintf("%d times in %d minutes", f.Times, int(f.Within.Minutes()))
}

func (p *parser) flapBudget(n *yaml.Node, path string) FlapBudget {
	budget := DefaultFlapBudget
	s := p.section(n, path, "times and minutes", "times", "minutes")
	s.notEmpty("set times, minutes or both, or leave the key out")
	minutes := int(budget.Within.Minutes())
	read(s, "times", &budget.Times, func(n *yaml.Node, path string) int { return p.count(n, path, MostFlaps) })
	read(s, "minutes", &minutes, func(n *yaml.Node, path string) int { return p.count(n, path, MostFlapMinutes) })
	budget.Within = time.Duration(minutes) * time.Minute
	return budget
}

func (p *parser) count(n *yaml.Node, path string, most int) int {
	if !p.digits(n, path, fmt.Sprintf("it must be a whole number from 1 to %d", most)) {
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < 1 || v > most {
		p.wrong(n, path, "is %s: it must be from 1 to %d", n.Value, most)
	}
	return v
}

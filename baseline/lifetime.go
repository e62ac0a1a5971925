package baseline

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// A Lifetime is the range of a duration that is a number with a separate unit.
type Lifetime struct {
	Unit               string // the name of the setting for the unit
	Usual, Least, Most time.Duration
	Words              string // "an access token is valid for 5 minutes to 1 day"
}

var secondsIn = map[string]int64{"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}

// secondsOf returns the length of a unit of time in seconds, or 0 for any other value.
func secondsOf(unit any) int64 {
	text, _ := unit.(string)
	return secondsIn[text]
}

func (l Lifetime) takes(v any, unit string) bool {
	n, ok := v.(json.Number)
	count, err := n.Int64()
	seconds := secondsOf(unit)
	if !ok || err != nil || seconds == 0 {
		return true
	}
	return count >= (int64(l.Least.Seconds())+seconds-1)/seconds && count <= int64(l.Most.Seconds())/seconds
}

// inUnit returns the number of a lifetime in the unit that the client is to have, for a requirement that leaves a
// choice: a bound or a list of values. An absent number means the usual lifetime. It also reports whether the number
// has to be written because its unit changes. For example, at most 45 is required, with the unit minutes. A client with
// 1 and hours has 60, which is too much. One with 2000 and seconds has 33, which has to be written with the new unit.
func (c comparer) inUnit(m Member, r Requirement, place string, have any) (number any, changes bool) {
	if m.Lifetime == nil || r.Op != AtLeast && r.Op != AtMost && r.Op != OneOf {
		return have, false
	}
	path := strings.TrimSuffix(place, m.Name) + m.Lifetime.Unit
	unit, _ := Lookup(path)
	now := effective(unit, c.at(path))
	next := c.nextUnit(unit, path, now)
	live, _ := have.(json.Number)
	count, err := live.Int64()
	seconds, per := count*secondsOf(now), secondsOf(next)
	switch {
	case Empty(have):
		seconds = int64(m.Lifetime.Usual.Seconds())
	case err != nil || now == next:
		return have, false
	}
	if seconds == 0 || per == 0 || r.Op == OneOf && seconds%per != 0 {
		return have, false
	}
	// A number that is written is rounded to what the bound allows. An absent one stays, so it must meet the bound itself.
	if count = seconds / per; seconds%per != 0 && (r.Op == AtLeast) != Empty(have) {
		count++
	}
	if count == 0 && !Empty(have) {
		count = 1 // the least that can be written
	}
	number = json.Number(strconv.FormatInt(count, 10))
	return number, !Empty(have) && number != have
}

// nextUnit returns the unit that the enforced requirements leave or write.
func (c comparer) nextUnit(unit Member, path string, now any) any {
	if c.policy.exemption(path) != nil {
		return now
	}
	for _, o := range c.policy.Requirements {
		if !Covers(o.Setting, path) || o.Mode == Audit {
			continue
		}
		switch below := Keys(path)[len(Keys(o.Setting)):]; {
		case o.Op == Absent:
			now = unit.Default
		case o.Op == Exactly:
			now = effective(unit, At(o.Value, below))
		case len(below) == 0 && !holds(unit, o.Requirement, now):
			if action, v := remedy(unit, o.Requirement, now); action == Write {
				now = v
			}
		}
	}
	return now
}

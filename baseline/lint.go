package baseline

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

var noTime time.Time

// A Lint is a warning: the file is valid, but perhaps not what its author meant.
type Lint struct {
	ID       string // stable
	Position Position
	Path     string // the setting, or "" for a lint about a whole rule or exemption
	Message  string
}

// longExemption is the longest duration of an exemption without a warning.
const longExemption = 180 * 24 * time.Hour

// Lint returns the warnings about a baseline at a time, in the order of the file.
func (b *Baseline) Lint(now time.Time) []Lint {
	var lints []Lint
	for _, rule := range b.Rules {
		if rule.Pools.mutable() {
			lints = append(lints, Lint{"mutable-selection", rule.Position, "", "rule " + rule.Name +
				" selects by name or tag, which the unwanted call can change too: select only by ids"})
		}
		for _, c := range rule.Clients {
			lints = append(lints, lintNames(c.Select.Names, c.Position, "rule "+rule.Name)...)
			if c.Select.mutable() {
				lints = append(lints, Lint{"mutable-selection", c.Position, "", "rule " + rule.Name +
					" selects clients by name, which the unwanted call can change too: select only by ids, or select all " +
					"of them"})
			}
		}
		lints = append(lints, lintSelector(rule.Pools, rule.Position, "rule "+rule.Name)...)
		lints = append(lints, lintRule(rule)...)
	}
	for _, x := range b.Exemptions {
		lints = append(lints, b.lintExemption(x)...)
		if x.Pools.mutable() {
			lints = append(lints, Lint{"mutable-selection", x.Position, "",
				"the exemption selects by name or tag, which anyone who can change the pool can set: select only by ids"})
		}
		switch {
		case !now.Before(x.Until):
			lints = append(lints, Lint{"expired-exemption", x.Position, "", "the exemption expired at " +
				x.Until.Format(time.RFC3339) + " and no longer applies: remove it"})
		case x.Until.Sub(now) > longExemption:
			lints = append(lints, Lint{"long-exemption", x.Position, "",
				"the exemption lasts more than 180 days: give it an earlier end"})
		}
	}
	for i := range lints {
		lints[i].Path, lints[i].Message = Legible(lints[i].Path), Legible(lints[i].Message)
	}
	slices.SortStableFunc(lints, func(a, b Lint) int { return a.Position.Line - b.Position.Line })
	return lints
}

// lintExemption finds exemptions that exempt nothing, and selectors that are probably wrong.
func (b *Baseline) lintExemption(x Exemption) []Lint {
	lints := lintSelector(x.Pools, x.Position, "the exemption")
	for _, setting := range x.Settings {
		required := slices.ContainsFunc(b.Rules, func(rule Rule) bool {
			return slices.ContainsFunc(rule.all(), func(r Requirement) bool {
				wide := AnyClient(setting)
				return Concerns(wide, r.Setting) || covers(r.Setting, wide) || covers(r.Setting, twinOr(wide))
			})
		})
		if !required {
			lints = append(lints, Lint{"exempts-nothing", x.Position, setting,
				"the exemption is for a setting that no rule requires: remove it, or name the right setting"})
		}
	}
	if x.Pools == nil {
		return lints
	}
	for _, id := range x.Pools.IDs {
		if !b.MaySelect(id) {
			lints = append(lints, Lint{"exempts-nothing", x.Position, "",
				"the exemption is for the pool " + id + ", which no rule selects: remove it, or name the right pool"})
		}
	}
	return lints
}

// twinOr returns the twin of a setting, or the setting itself if it has none.
func twinOr(setting string) string {
	if twin, ok := TwinOf(setting); ok {
		return twin
	}
	return setting
}

// lintSelector finds ids and names that are valid but probably wrong.
func lintSelector(s *Selector, at Position, of string) []Lint {
	if s == nil {
		return nil
	}
	lints := lintNames(s.Names, at, of)
	for _, id := range s.IDs {
		if likely := likelyRegion(id); likely != "" {
			lints = append(lints, Lint{"unknown-region", at, "", of + " selects " + id +
				", whose Region is not known: did you mean " + likely + "?"})
		}
	}
	return append(lints, lintSelector(s.Except, at, of)...)
}

func lintNames(globs []string, at Position, of string) []Lint {
	var lints []Lint
	for _, glob := range globs {
		if strings.Contains(glob, ".*") {
			lints = append(lints, Lint{"regular-expression", at, "", of + " selects by " + quoted(glob) +
				", where the dot is a literal dot: in a glob, * alone matches any text"})
		}
	}
	return lints
}

// mutable reports whether a call that changes a pool can change whether the selector matches it. A selector for
// everything always matches.
func (s *Selector) mutable() bool {
	return s != nil && (choosy(s.Names) || len(s.Tags) > 0 || s.Except.mutable())
}

func (s *ClientSelector) mutable() bool {
	return s != nil && (choosy(s.Names) || s.Except.mutable())
}

func choosy(globs []string) bool { return len(globs) > 0 && !slices.Contains(globs, "*") }

func lintRule(rule Rule) []Lint {
	var lints []Lint
	w := wantedOf(rule.Require)
	for _, r := range rule.all() {
		if checks := weaker(r); rule.Mode == Enforce && checks != "" {
			lints = append(lints, Lint{"weaker", r.Position, r.Setting, "writes a value that does not satisfy " + checks +
				", even over a value that does: this makes a pool weaker"})
		}
	}
	for _, r := range rule.Require {
		if m, ok := Lookup(r.Setting); ok && m.Deprecated != "" {
			lints = append(lints, Lint{"deprecated-setting", r.Position, r.Setting, "no longer used by the API: " +
				m.Deprecated})
		}
		if r.Op == OneOf {
			_, v := remedy(Member{}, r, nil) // the value written to a pool without any
			w.said[r.Setting] = Requirement{Setting: r.Setting, Op: Equal, Value: v}
		}
	}
	for _, l := range ruleLints {
		if path := l.found(w); path != "" {
			lints = append(lints, Lint{l.id, w.position(path), path, l.message})
		}
	}
	for _, c := range rule.Clients {
		lints = append(lints, lintClients(rule, c)...)
	}
	return lints
}

// lintClients finds durations that are required without their unit.
func lintClients(rule Rule, c ClientRule) []Lint {
	var lints []Lint
	for _, r := range c.Require {
		m, _ := Lookup(r.Setting)
		if m.Lifetime == nil || r.Op == Absent || r.Op == Present {
			continue
		}
		unit := Clients + "." + m.Lifetime.Unit
		if !slices.ContainsFunc(rule.all(), func(other Requirement) bool {
			return covers(other.Setting, unit) && other.Op != Absent
		}) {
			lints = append(lints, Lint{"validity-without-unit", r.Position, r.Setting,
				"is a number without a unit: anyone who can change the client can change its unit. Also require " + unit})
		}
	}
	return lints
}

// weaker returns the checks that the value written by a requirement does not satisfy. It returns "" if the requirement
// never replaces a value that satisfies them.
func weaker(r Requirement) string {
	m, _ := Lookup(r.Setting)
	action, value := remedy(m, r, nil)
	if action == Report {
		return ""
	}
	for _, c := range controls {
		if c.Setting != r.Setting || c.sound.Op == "" || holds(m, c.sound, value) {
			continue
		}
		if slices.ContainsFunc(valuesOf(m), func(v any) bool { return holds(m, c.sound, v) && !holds(m, r, v) }) {
			return strings.Join(c.Checks(), ", ")
		}
	}
	return ""
}

// valuesOf returns all values of a member with few values.
func valuesOf(m Member) []any {
	all := []any{true}
	for _, e := range m.Enum {
		all = append(all, e)
	}
	for i := m.Min; m.Kind == Integer && i <= m.Max; i++ {
		all = append(all, json.Number(strconv.FormatInt(i, 10)))
	}
	return all
}

var ruleLints = []struct {
	id      string
	found   func(w wanted) string
	message string
}{
	{"threat-protection-without-plus", func(w wanted) string {
		return when(w.text(modePath) != "" && w.text(modePath) != "OFF" && w.text(tierPath) != "PLUS", modePath)
	}, "needs UserPoolTier PLUS, which the rule does not require: on a pool of another tier it cannot be fixed, because " +
		"poolkeeper never raises the tier (and its cost) unless a rule requires it"},
	{"sms-only-recovery", func(w wanted) string {
		mechanisms := canonical(w.said[recoveryPath].Value)
		on := w.text(mfaPath) == "ON" || w.text(mfaPath) == "OPTIONAL"
		return when(on && w.given(recoveryPath) && strings.Contains(mechanisms, "verified_phone_number") &&
			!strings.Contains(mechanisms, "verified_email"), recoveryPath)
	}, "if both MFA and recovery use only text messages, the phone alone is enough to take over the account: allow " +
		"verified_email"},
	{"mfa-on-with-one-time-codes", func(w wanted) string {
		codes := slices.Contains(w.texts(factorsPath), "EMAIL_OTP") || slices.Contains(w.texts(factorsPath), "SMS_OTP")
		return when(w.text(mfaPath) == "ON" && codes, factorsPath)
	}, "the service refuses EMAIL_OTP and SMS_OTP as first factors while MfaConfiguration is ON: both settings will be " +
		"unfixable together"},
}

// InMode returns a copy of the baseline with every rule in the given mode.
func (b *Baseline) InMode(mode Mode) *Baseline {
	c := *b
	c.Rules = slices.Clone(b.Rules)
	for i := range c.Rules {
		c.Rules[i].Mode = mode
	}
	return &c
}

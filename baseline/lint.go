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

// Lint returns the warnings about a baseline at a time, in the order of the file.
func (b *Baseline) Lint(now time.Time) []Lint {
	var l linter
	for _, rule := range b.Rules {
		l.selector(rule.Pools, rule.Position, "rule "+rule.Name)
		for _, c := range rule.Clients {
			l.selector(c.Select, c.Position, "rule "+rule.Name)
		}
		l.rule(rule)
	}
	l.overruled(b.Rules)
	for _, x := range b.Exemptions {
		l.selector(x.Pools, x.Position, "the exemption")
		l.exemption(b, x, now)
	}
	slices.SortStableFunc(l.found, func(a, b Lint) int { return a.Position.Line - b.Position.Line })
	return l.found
}

type linter struct{ found []Lint }

func (l *linter) add(id string, at Position, path string, message ...string) {
	l.found = append(l.found, Lint{id, at, Legible(path), Legible(strings.Join(message, ""))})
}

// overruled finds requirements that a later rule replaces in every pool and client that they are for: it selects all,
// or has the same selector.
func (l *linter) overruled(rules []Rule) {
	later := map[[2]string]laterOps{} // by the selectors of pools and of clients; "" selects all
	text := func(s *Selector) string {
		if s.empty() {
			return ""
		}
		raw, _ := json.Marshal(s) // texts always encode
		return string(raw)
	}
	for _, rule := range slices.Backward(rules) {
		for _, part := range slices.Backward(rule.parts()) {
			pools, clients := text(rule.Pools), text(part.Select)
			own := [2]string{pools, clients}
			wider := [][2]string{{}, {pools}, {"", clients}, own}
			for _, r := range part.Require {
				if slices.ContainsFunc(wider, func(key [2]string) bool { return later[key].overrule(r) }) {
					l.add("overruled", r.Position, r.Setting, "a later rule for all of these pools replaces this requirement: "+
						"put the rule for more pools first, or remove one of them")
				}
			}
			if later[own] == nil {
				later[own] = laterOps{}
			}
			later[own].add(part.Require)
		}
	}
}

// selector finds selectors that a change of the pool can escape, and ids and names that are probably wrong.
func (l *linter) selector(s *Selector, at Position, of string) {
	if s.mutable() {
		l.add("mutable-selection", at, "", of, " selects by name or tag, which the unwanted call can change too: "+
			"select only by ids")
	}
	for ; s != nil; s = s.Except {
		for _, glob := range s.Names {
			l.expression(glob, at, "", of+" selects by ")
		}
		for _, id := range s.IDs {
			if likely := likelyRegion(id); likely != "" {
				l.add("unknown-region", at, "", of, " selects ", id, ", whose Region is not known: did you mean ", likely, "?")
			}
		}
	}
}

func (l *linter) expression(glob string, at Position, path, what string) {
	if Wholly(`(.*\D)?\.[*+].*`, glob) { // v1.* is a version
		l.add("regular-expression", at, path, what, quoted(glob),
			", where the dot is a literal dot: in a glob, * alone matches any text")
	}
}

// mutable reports whether a call that changes a pool can change whether the selector matches it; "*" always matches.
func (s *Selector) mutable() bool {
	if s == nil {
		return false
	}
	named := len(s.Names) > 0 && !slices.Contains(s.Names, "*")
	return named || len(s.Tags) > 0 || s.Except.mutable()
}

func (l *linter) exemption(b *Baseline, x Exemption, now time.Time) {
	ids, of := []string{""}, ""
	if x.Pools != nil && len(x.Pools.IDs) > 0 {
		ids, of = x.Pools.IDs, " of the pool "
	}
	for _, id := range ids {
		if !b.MaySelect(id) {
			l.add("exempts-nothing", x.Position, "", "the exemption is for the pool ", id,
				", which no rule selects: remove it, or name the right pool")
			continue
		}
		for _, setting := range x.Settings {
			wide := AnyClient(setting)
			if !slices.ContainsFunc(b.Rules, func(rule Rule) bool {
				return rule.maySelect(id) && slices.ContainsFunc(rule.all(), func(r Requirement) bool {
					return Concerns(wide, r.Setting) || Concerns(r.Setting, wide)
				})
			}) {
				l.add("exempts-nothing", x.Position, setting, "the exemption is for a setting that no rule requires", of, id,
					": remove it, or name the right setting")
			}
		}
	}
	switch {
	case !now.Before(x.Until):
		l.add("expired-exemption", x.Position, "", "the exemption expired at ", x.Until.Format(time.RFC3339),
			" and no longer applies: remove it")
	case x.Until.Sub(now) > 180*24*time.Hour:
		l.add("long-exemption", x.Position, "", "the exemption lasts more than 180 days: give it an earlier end")
	}
}

func (l *linter) rule(rule Rule) {
	all := rule.all()
	assumed := wanted(slices.Clone(rule.Require))
	for i, r := range assumed {
		if r.Op == OneOf {
			_, v := remedy(Member{}, r, nil) // the value written to a pool without any
			assumed[i].Op, assumed[i].Value = Equal, v
		}
	}
	for _, r := range all {
		m, _ := Lookup(r.Setting)
		if checks := weaker(r); rule.Mode == Enforce && checks != "" {
			l.add("weaker", r.Position, r.Setting, "writes a value that does not satisfy ", checks,
				", even over a value that does: this makes a pool weaker")
		}
		if always(m, r) {
			l.add("always-holds", r.Position, r.Setting, "is met by every value that the API allows, so it requires nothing: "+
				"make it stricter, or remove it")
		}
		eachLeaf(m, r.Setting, r.Value, func(m Member, path string, v any) {
			l.unusual(m, Requirement{Setting: path, Op: r.Op, Value: v, Position: r.Position})
		})
		if m.Deprecated != "" {
			l.add("deprecated-setting", r.Position, r.Setting, "no longer used by the API: ", m.Deprecated)
		}
		l.lifetime(m, r, all)
	}
	for _, c := range ruleLints {
		if c.Broken(assumed.know) {
			at, path := assumed.place(c.Settings)
			l.add(c.ID, at, path, strings.TrimPrefix(c.Reason, path+" "))
		}
	}
}

// lifetime finds a number without its unit, and a unit without its number.
func (l *linter) lifetime(m Member, r Requirement, all []Requirement) {
	said := func(setting string) bool {
		return slices.ContainsFunc(all, func(o Requirement) bool { return Covers(o.Setting, setting) && o.Op != Absent })
	}
	if m.Lifetime != nil && r.Op != Absent && r.Op != Present && !said(Clients+"."+m.Lifetime.Unit) {
		l.add("validity-without-unit", r.Position, r.Setting, "is a number without a unit: anyone who can change the "+
			"client can change its unit. Also require ", Clients, ".", m.Lifetime.Unit)
	}
	for _, number := range clientMembers {
		validity := Clients + "." + number.Name
		if number.Lifetime != nil && Covers(r.Setting, Clients+"."+number.Lifetime.Unit) && !said(validity) {
			l.add("unit-without-validity", r.Position, r.Setting, "is the unit of a number that stays: 15 minutes become ",
				"15 hours. Also require ", validity)
		}
	}
}

// unusual finds an unknown Region, and the elements of a list that are nearly a usual one.
func (l *linter) unusual(m Member, r Requirement) {
	if text, ok := r.Value.(string); ok {
		if likely := likelyRegion(regionIn(m.Format, text)); likely != "" {
			l.add("unknown-region", r.Position, r.Setting, quoted(text), " has a Region that is not known: did you mean ",
				likely, "?")
		}
		if r.Op == Matches && !m.Sensitive && m.Format != formatSender && m.Format != formatDomain { // which have dots
			l.expression(text, r.Position, r.Setting, "matches ")
		}
	}
	for _, e := range list(r.Value) {
		text, _ := e.(string)
		if m.Elem == nil || slices.Contains(m.Elem.Usual, text) {
			continue
		}
		likely := meant(Nearest(text, m.Elem.Usual))
		if scheme, _, ok := strings.Cut(text, "://"); ok && scheme != "http" && scheme != "https" {
			likely = meant(Nearest(scheme, []string{"https", "http"})) // such as htps
		}
		switch attribute := len(m.DefaultList) > 0 && len(m.Elem.Usual) > 0; {
		case likely != "" || r.Op != Without && attribute && !strings.Contains(text, ":"):
			l.add("unusual-value", r.Position, r.Setting, quoted(text), " is not a usual value", likely)
		case r.Op != Without && m.Elem.Format == formatCIDR && strings.HasSuffix(text, "/0"):
			l.add("unusual-value", r.Position, r.Setting, quoted(text), " is every address: name the right ones")
		case r.Op != Without && m.Elem.Format != "" && Wholly(`.*(\*|,\s*[A-Za-z][\w+.-]*://).*`, text):
			l.add("unusual-value", r.Position, r.Setting, quoted(text), " is one URL, in which * and , match only themselves")
		}
	}
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
		if c.Setting != r.Setting || holds(m, c.sound, value) {
			continue
		}
		values := append(anys(m.Enum), true)
		for i := m.Min; m.Kind == Integer && i <= m.Max; i++ { // the numbers of these settings are small
			values = append(values, json.Number(strconv.FormatInt(i, 10)))
		}
		if slices.ContainsFunc(values, func(v any) bool { return holds(m, c.sound, v) && !holds(m, r, v) }) {
			return strings.Join(c.Checks(), ", ")
		}
	}
	return ""
}

// always reports whether a requirement allows every value of a member.
func always(m Member, r Requirement) bool {
	if r.Op == Present {
		return m.Keep != ""
	}
	values := anys(m.Enum)
	if m.Kind == Integer && (r.Op == AtLeast || r.Op == AtMost) {
		values = []any{json.Number(strconv.FormatInt(m.Min, 10)), json.Number(strconv.FormatInt(m.Max, 10))}
	}
	return r.Op.TakesSet() && len(values) > 0 && (m.Keep != "" || holds(m, r, nil)) &&
		!slices.ContainsFunc(values, func(v any) bool { return !holds(m, r, v) })
}

var ruleLints = []Conflict{
	{ID: "threat-protection-without-plus", Settings: []string{modePath, flowsOfAddOns}, Broken: func(f Facts) bool {
		on := f.is(modePath, "AUDIT", "ENFORCED") || f.set(flowsOfAddOns) && f(modePath).Text == ""
		return on && !f.is(tierPath, "PLUS")
	}, Reason: "needs UserPoolTier PLUS, which the rule does not require: on a pool of another tier it cannot be fixed, " +
		"because poolkeeper never raises the tier (and its cost) unless a rule requires it"},
	{ID: "sms-only-recovery", Settings: []string{recoveryPath}, Broken: func(f Facts) bool {
		return f.is(mfaPath, "ON", "OPTIONAL") && f.only(recoveryPath, "verified_phone_number", "admin_only") &&
			f.has(recoveryPath, "verified_phone_number")
	}, Reason: "if both MFA and recovery use only text messages, the phone alone is enough to take over the account: " +
		"allow verified_email"},
	mfaWithCodes,
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

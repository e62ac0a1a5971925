package baseline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (p *parser) baseline(root *yaml.Node, b *Baseline) {
	s := p.section(root, "", "version: 1 and rules", "version", "mode", "rules", "exemptions", "unknownMembers",
		"flapBudget")
	s.need("add version: 1", "version")
	s.need("a baseline needs at least one rule", "rules")
	version, mode := s.keys["version"].value, Enforce
	if version != nil && (version.Value != "1" || version.ShortTag() != "!!int") {
		p.wrong(version, "version", "is %q: this version of poolkeeper reads version: 1", version.Value)
	}
	read(s, "mode", &mode, p.mode)
	read(s, "rules", &b.Rules, func(n *yaml.Node, path string) []Rule { return p.rules(n, path, mode) })
	read(s, "exemptions", &b.Exemptions, func(n *yaml.Node, path string) []Exemption {
		return each(p, n, path, p.exemption)
	})
	if unknown, ok := s.keys["unknownMembers"]; ok {
		p.unknown(unknown.value, b.Unknown)
	}
	read(s, "flapBudget", &b.Flap, p.flapBudget)
}

func (p *parser) mode(n *yaml.Node, path string) Mode {
	modes := []string{string(Enforce), string(Audit)}
	if !slices.Contains(modes, n.Value) {
		p.wrong(n, path, "is %q: use enforce or audit%s", n.Value, didYouMean(n.Value, modes))
	}
	return Mode(n.Value)
}

func (p *parser) rules(n *yaml.Node, path string, mode Mode) []Rule {
	named, required := map[string]int{}, 0
	return each(p, n, path, func(n *yaml.Node, path string) Rule {
		if required > maxRequired {
			return Rule{}
		}
		rule := p.rule(n, path, mode)
		if line, twice := named[rule.Name]; twice && rule.Name != "" {
			p.wrong(n, path+".name", "%q is also the name of the rule in line %d: each rule needs its own name for reports",
				rule.Name, line)
		}
		named[rule.Name] = rule.Line
		if required += len(rule.all()); required > maxRequired {
			p.wrong(n, path, "with this rule the file has more than %d requirements, which is too many", maxRequired)
		}
		return rule
	})
}

func (p *parser) rule(n *yaml.Node, path string, mode Mode) Rule {
	rule := Rule{Mode: mode, Position: p.at(n)}
	s := p.section(n, path, "name and require, clients or watch", "name", "pools", "mode", "require", "clients", "watch")
	s.need("reports need the name of the rule", "name")
	s.need("name the required settings", "require", "clients", "watch")
	read(s, "name", &rule.Name, p.text)
	read(s, "pools", &rule.Pools, func(n *yaml.Node, path string) *Selector {
		return p.pools(n, path, ", or leave the key out for every pool")
	})
	read(s, "mode", &rule.Mode, p.mode)
	read(s, "require", &rule.Require, p.require)
	read(s, "clients", &rule.Clients, func(n *yaml.Node, path string) []ClientRule {
		return each(p, n, path, p.clientRule)
	})
	read(s, "watch", &rule.Watch, p.watch)
	return rule
}

func (p *parser) clientRule(n *yaml.Node, path string) ClientRule {
	c := ClientRule{Position: p.at(n)}
	s := p.section(n, path, "names or ids, and require", "names", "ids", "except", "require")
	s.need("name the required settings", "require")
	c.Select = p.selector(s, ofClients)
	read(s, "require", &c.Require, p.requireOfClients)
	return c
}

func (p *parser) watch(n *yaml.Node, path string) (all []Watched) {
	names := textsOf(Watchable())
	for _, name := range p.texts(n, path, func(name string) string {
		if slices.Contains(names, name) {
			return ""
		}
		return fmt.Sprintf("%q cannot be watched: use one of %s%s", name, strings.Join(names, ", "), didYouMean(name, names))
	}) {
		all = append(all, Watched(name))
	}
	return all
}

func (p *parser) exemption(n *yaml.Node, path string) Exemption {
	x := Exemption{Position: p.at(n)}
	names := []string{"pools", "settings", "until", "reason", "owner"}
	s := p.section(n, path, "pools, settings, until, reason and owner", names...)
	for _, name := range names {
		s.need("an exemption needs pools, settings, until, reason and owner", name)
	}
	read(s, "pools", &x.Pools, func(n *yaml.Node, path string) *Selector { return p.pools(n, path, "") })
	read(s, "settings", &x.Settings, func(n *yaml.Node, path string) []string { return p.texts(n, path, p.noSetting) })
	read(s, "until", &x.Until, p.instant)
	read(s, "reason", &x.Reason, p.text)
	read(s, "owner", &x.Owner, p.text)
	return x
}

// noSetting returns why a path cannot be exempted, or "".
func (p *parser) noSetting(setting string) string {
	if _, found := Lookup(setting); !found {
		return "there is no setting " + setting + p.nearSetting(setting)
	}
	if id, _, ok := ClientOf(setting); ok && id != "" && !clientID().MatchString(id) {
		return fmt.Sprintf("%q is not a client id: use a client id, or %s for all clients", id, AnyClient(setting))
	}
	return ""
}

func (p *parser) unknown(n *yaml.Node, into map[string]Unknown) {
	for _, e := range p.entries(n, "unknownMembers", "member names, each with echo, omit or stop") {
		path := join("unknownMembers", e.name)
		switch {
		case knownMember(e.name):
			p.wrong(e.key, path, "this version of poolkeeper knows that member: remove the entry")
		case e.name != "*" && strings.Contains(e.name, "*"):
			p.wrong(e.key, path, `matches no member: write its whole path, or "*" alone for every other one`)
		}
		say := Unknown(e.value.Value)
		if !slices.Contains(Unknowns(), say) {
			p.wrong(e.value, path, "is %s: use echo, omit or stop%s", quoted(e.value.Value),
				p.didYouMean(e.value.Value, textsOf(Unknowns())))
			continue
		}
		into[e.name] = say
	}
}

// knownMember reports whether an entry of unknownMembers names a member that is in the table, by its path or by its
// document and path. The name of a document alone means all its unknown members.
func knownMember(name string) bool {
	kind, below, member := strings.Cut(name, ".")
	document := DocumentName(kind)
	if _, ok := document.Table(); !ok {
		_, known := Lookup(name)
		return known
	}
	setting := document.Prefix() + below
	of, _ := DocumentOf(setting)
	_, known := Lookup(setting)
	return member && known && of.Kind() == document
}

func (p *parser) nearSetting(path string) string {
	if p.full() {
		return ""
	}
	if near := sameFolded(path[strings.LastIndexByte(path, '.')+1:], root); near != "" {
		return ", did you mean " + near + "?"
	}
	all := paths(root.Members)
	slices.Sort(all)
	return didYouMean(path, all)
}

// paths returns the paths of the members and of everything below them, in the order of the table.
func paths(members []Member) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.Name)
		for _, below := range paths(m.Members) {
			all = append(all, m.Name+"."+below)
		}
	}
	return all
}

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

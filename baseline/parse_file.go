package baseline

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (p *parser) baseline(root *yaml.Node, b *Baseline) {
	keys, _ := p.fields(root, "", "version: 1 and rules", "version", "mode", "rules", "exemptions", "unknownMembers",
		"flapBudget")
	if version, ok := keys["version"]; !ok {
		p.wrong(root, "version", "is missing: add version: 1")
	} else if version.value.Value != "1" || version.value.ShortTag() != "!!int" {
		p.wrong(version.value, "version", "is %q: this version of poolkeeper reads version: 1", version.value.Value)
	}
	mode := Enforce
	if e, ok := keys["mode"]; ok {
		mode = p.mode(e)
	}
	if rules, ok := keys["rules"]; !ok {
		p.wrong(root, "rules", "is missing: a baseline needs at least one rule")
	} else {
		b.Rules = p.rules(rules.value, mode)
	}
	if exemptions, ok := keys["exemptions"]; ok {
		for i, n := range p.items(exemptions.value, "exemptions") {
			b.Exemptions = append(b.Exemptions, p.exemption(n, fmt.Sprintf("exemptions[%d]", i)))
		}
	}
	if unknown, ok := keys["unknownMembers"]; ok {
		p.unknown(unknown.value, b.Unknown)
	}
	read(keys, "", "flapBudget", &b.Flap, p.flapBudget)
}

func (p *parser) mode(e entry) Mode {
	switch mode := Mode(e.value.Value); mode {
	case Enforce, Audit:
		return mode
	default:
		p.wrong(e.value, e.name, "is %q: use enforce or audit%s", e.value.Value,
			didYouMean(e.value.Value, []string{string(Enforce), string(Audit)}))
		return Enforce
	}
}

func (p *parser) items(n *yaml.Node, path string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		p.wrong(n, path, "is %s: it must be a list", shapeOf(n))
		return nil
	}
	if len(n.Content) == 0 {
		p.wrong(n, path, "is an empty list: add an element, or leave the key out")
	}
	return n.Content
}

func (p *parser) rules(n *yaml.Node, mode Mode) []Rule {
	var rules []Rule
	named, required := map[string]int{}, 0
	for i, item := range p.items(n, "rules") {
		path := fmt.Sprintf("rules[%d]", i)
		rule := p.rule(item, path, mode)
		if line, twice := named[rule.Name]; twice && rule.Name != "" {
			p.wrong(item, path+".name",
				"%q is also the name of the rule in line %d: each rule needs its own name for reports", rule.Name, line)
		}
		named[rule.Name] = rule.Line
		rules = append(rules, rule)
		if required += len(rule.all()); required > maxRequired {
			p.wrong(item, path, "with this rule the file has more than %d requirements, which is too many", maxRequired)
			break
		}
	}
	return rules
}

func (p *parser) rule(n *yaml.Node, path string, mode Mode) Rule {
	rule := Rule{Mode: mode, Position: p.at(n)}
	keys, ok := p.fields(n, path, "name and require, clients or watch", "name", "pools", "mode", "require", "clients",
		"watch")
	if !ok {
		return rule
	}
	read(keys, path, "name", &rule.Name, p.text)
	if keys["name"].value == nil {
		p.wrong(n, path+".name", "is missing: reports need the name of the rule")
	}
	if pools, ok := keys["pools"]; ok {
		rule.Pools = p.pools(pools.value, path+".pools", ", or leave the key out for every pool")
	}
	if e, ok := keys["mode"]; ok {
		e.name = path + ".mode"
		rule.Mode = p.mode(e)
	}
	read(keys, path, "require", &rule.Require, p.require)
	if clients, ok := keys["clients"]; ok {
		for i, item := range p.items(clients.value, path+".clients") {
			rule.Clients = append(rule.Clients, p.clientRule(item, fmt.Sprintf("%s.clients[%d]", path, i)))
		}
	}
	read(keys, path, "watch", &rule.Watch, p.watch)
	if keys["require"].value == nil && keys["clients"].value == nil && keys["watch"].value == nil {
		p.wrong(n, path+".require", "is missing: name the required settings")
	}
	return rule
}

func (p *parser) clientRule(n *yaml.Node, path string) ClientRule {
	c := ClientRule{Position: p.at(n)}
	keys, ok := p.fields(n, path, "names or ids, and require", "names", "ids", "except", "require")
	if !ok {
		return c
	}
	c.Select = p.selector(keys, path, ofClients)
	read(keys, path, "require", &c.Require, p.requireOfClients)
	if keys["require"].value == nil {
		p.wrong(n, path+".require", "is missing: name the required settings")
	}
	return c
}

func (p *parser) watch(n *yaml.Node, path string) []Watched {
	names := textsOf(Watchable())
	var all []Watched
	for i, name := range p.texts(n, path) {
		if !slices.Contains(names, name) {
			p.wrong(n.Content[i], fmt.Sprintf("%s[%d]", path, i), "%q cannot be watched: use one of %s%s", name,
				strings.Join(names, ", "), didYouMean(name, names))
			continue
		}
		all = append(all, Watched(name))
	}
	return all
}

func (p *parser) exemption(n *yaml.Node, path string) Exemption {
	x := Exemption{Position: p.at(n)}
	names := []string{"pools", "settings", "until", "reason", "owner"}
	keys, ok := p.fields(n, path, "pools, settings, until, reason and owner", names...)
	if !ok {
		return x
	}
	for _, name := range names {
		if _, ok := keys[name]; !ok {
			p.wrong(n, join(path, name),
				"is missing: an exemption needs pools, settings, until, reason and owner")
		}
	}
	if e, ok := keys["pools"]; ok {
		x.Pools = p.pools(e.value, path+".pools", "")
	}
	if e, ok := keys["settings"]; ok {
		x.Settings = p.texts(e.value, path+".settings")
		for i, setting := range x.Settings {
			if _, found := Lookup(setting); !found && setting != "" {
				p.wrong(e.value.Content[i], fmt.Sprintf("%s.settings[%d]", path, i), "there is no setting %s%s", setting,
					p.nearSetting(setting))
			} else if id, _, ok := ClientOf(setting); ok && id != "" && !clientID().MatchString(id) {
				p.wrong(e.value.Content[i], fmt.Sprintf("%s.settings[%d]", path, i),
					"%q is not a client id: use a client id, or %s for all clients", id, AnyClient(setting))
			}
		}
	}
	read(keys, path, "until", &x.Until, p.instant)
	read(keys, path, "reason", &x.Reason, p.text)
	read(keys, path, "owner", &x.Owner, p.text)
	return x
}

func (p *parser) unknown(n *yaml.Node, into map[string]Unknown) {
	for _, e := range p.entries(n, "unknownMembers", "member names, each with echo, omit or stop") {
		path := join("unknownMembers", e.name)
		if knownMember(e.name) {
			p.wrong(e.key, path, "this version of poolkeeper knows that member: remove the entry")
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

package baseline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

func (f field) baseline(b *Baseline) {
	s := f.section("version: 1 and rules", "version", "mode", "rules", "exemptions", "unknownMembers", "flapBudget")
	s.need("add version: 1", "version")
	s.need("a baseline needs at least one rule", "rules")
	if version := s.get("version"); version.given() && (version.node.Value != "1" || !version.scalar("!!int")) {
		version.wrong("is %q: this version of poolkeeper reads version: 1", version.node.Value)
	}
	b.Rules = s.get("rules").rules(s.get("mode").mode(Enforce))
	b.Exemptions = each(s.get("exemptions"), field.exemption)
	b.Unknown = s.get("unknownMembers").unknown()
	b.Flap = s.get("flapBudget").flapBudget()
}

func (f field) mode(otherwise Mode) Mode { return choice(f, otherwise, Enforce, Audit) }

func (f field) rules(mode Mode) []Rule {
	named, required := map[string]int{}, 0
	return each(f, func(f field) Rule {
		if required > maxRequired {
			return Rule{}
		}
		rule := f.rule(mode)
		if line, twice := named[rule.Name]; twice && rule.Name != "" {
			f.below("name", f.node).wrong("%q is also the name of the rule in line %d: each rule needs its own name for reports",
				rule.Name, line)
		}
		named[rule.Name] = rule.Line
		if required += len(rule.all()); required > maxRequired {
			f.wrong("with this rule the file has more than %d requirements, which is too many", maxRequired)
		}
		return rule
	})
}

func (f field) rule(mode Mode) Rule {
	s := f.section("name and require, clients or watch", "name", "pools", "mode", "require", "clients", "watch")
	s.need("reports need the name of the rule", "name")
	s.need("name the required settings", "require", "clients", "watch")
	return Rule{Position: f.position(), Name: s.get("name").text(), Mode: s.get("mode").mode(mode),
		Pools:   s.get("pools").selector(ofPools, ", or leave the key out for every pool", "except"),
		Require: s.get("require").require(Member{Kind: Object, Members: settings}),
		Clients: each(s.get("clients"), field.clientRule),
		Watch:   each(s.get("watch"), field.watched)}
}

func (f field) clientRule() ClientRule {
	s := f.section("names or ids, and require", "names", "ids", "except", "require")
	s.need("name the required settings", "require")
	return ClientRule{Position: f.position(), Select: s.selected(ofClients),
		Require: s.get("require").require(Member{Name: Clients, Kind: Object, Members: clientSettings})}
}

func (f field) watched() Watched {
	names := TextsOf(Watchable())
	return Watched(f.pattern(func(name string) string {
		if slices.Contains(names, name) {
			return ""
		}
		return fmt.Sprintf("%q cannot be watched: use one of %s%s", name, strings.Join(names, ", "), didYouMean(name, names))
	}))
}

func (f field) exemption() Exemption {
	names := []string{"pools", "settings", "until", "reason", "owner"}
	s := f.section("pools, settings, until, reason and owner", names...)
	for _, name := range names {
		s.need("an exemption needs pools, settings, until, reason and owner", name)
	}
	return Exemption{Position: f.position(), Pools: s.get("pools").selector(ofPools, "", "except"),
		Settings: s.get("settings").texts(noSetting), Until: s.get("until").instant(), Reason: s.get("reason").text(),
		Owner: s.get("owner").text()}
}

// noSetting returns why a path cannot be exempted, or "".
func noSetting(setting string) string {
	if _, found := Lookup(setting); !found {
		return "there is no setting " + setting + nearSetting(setting)
	}
	if id, _, ok := ClientOf(setting); ok && id != "" && !IsClientID(id) {
		return fmt.Sprintf("%q is not a client id: use a client id, or %s for all clients", id, AnyClient(setting))
	}
	return ""
}

func (f field) unknown() map[string]Unknown {
	all := map[string]Unknown{}
	for _, e := range f.entries("member names, each with echo, omit or stop") {
		switch {
		case knownMember(e.name):
			e.key.wrong("this version of poolkeeper knows that member: remove the entry")
		case !Wholly(`\*|(Clients\[[\w+]*\]\.)?[A-Za-z]\w*(\.[A-Za-z]\w*)*`, e.name):
			e.key.wrong(`matches no member: write its whole path, or "*" alone for every other one`)
		default:
			kind, _, _ := strings.Cut(e.name, ".")
			for _, d := range documents {
				if strings.EqualFold(kind, string(d.Name)) && kind != string(d.Name) {
					e.key.wrong("matches no member, did you mean %s?", d.Name)
				}
			}
		}
		all[e.name] = choice(e.value, EchoUnknown, Unknowns()...)
	}
	return all
}

// knownMember reports whether an entry of unknownMembers names a member that is in the table, by its path or by its
// document and path. The name of a document alone means all its unknown members.
func knownMember(name string) bool {
	kind, below, _ := strings.Cut(name, ".")
	document := DocumentName(kind)
	table, ok := document.Table()
	if !ok {
		_, known := Lookup(name)
		return known
	}
	setting := document.Prefix() + below
	of, _ := DocumentOf(setting)
	_, known := Lookup(setting)
	i := Index(table.Members, below)
	return known && of.Kind() == document || i >= 0 && table.Members[i].Trip == ReadOnly
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

func (f field) flapBudget() FlapBudget {
	s := f.section("times and minutes", "times", "minutes")
	s.notEmpty("set times, minutes or both, or leave the key out")
	times := s.get("times").count(DefaultFlapBudget.Times, MostFlaps)
	minutes := s.get("minutes").count(int(DefaultFlapBudget.Within.Minutes()), MostFlapMinutes)
	return FlapBudget{Times: times, Within: time.Duration(minutes) * time.Minute}
}

func (f field) count(otherwise, most int) int {
	if !f.given() {
		return otherwise
	}
	n, whole := f.whole(fmt.Sprintf("it must be a whole number from 1 to %d", most))
	if whole && (n < 1 || n > int64(most)) {
		f.wrong("is %s: it must be from 1 to %d", f.node.Value, most)
	}
	return int(n)
}

// A selectable describes how pools, or clients, are selected.
type selectable struct {
	what    string
	keys    []string
	wrongID func(id string) string
	either  bool // an id or a name is enough
}

var (
	ofPools   = selectable{"ids, names or tags", []string{"ids", "names", "tags"}, wrongPoolID, false}
	ofClients = selectable{"names or ids", []string{"ids", "names"}, wrongClientID, true}
)

// IsPoolID reports whether a text has the form of a pool's id. Such a text is safe to print, and to use in a command
// that people are asked to run.
func IsPoolID(text string) bool { return len(text) <= 55 && Wholly(`[\w-]+_[0-9a-zA-Z]+`, text) }

// IsClientID reports whether a text has the form of a client's id.
func IsClientID(text string) bool { return Wholly(`[\w+]{1,128}`, text) }

// selector parses a selector that has more keys than an exception. otherwise says what to write if it is empty.
func (f field) selector(of selectable, otherwise string, more ...string) *Selector {
	if !f.given() {
		return nil
	}
	s := f.section(of.what, slices.Concat(of.keys, more)...)
	s.notEmpty("add " + of.what + otherwise)
	return s.selected(of)
}

func (s section) selected(of selectable) *Selector {
	selected := &Selector{IDs: s.get("ids").texts(of.wrongID), Tags: s.get("tags").tags(),
		Names: s.get("names").texts(func(glob string) string {
			return neverMatches(Member{Max: 128, Pattern: namePattern}, glob)
		})}
	except := s.get("except")
	e := except.selector(of, ", or leave the key out")
	if selected.Except = e; e == nil {
		return selected
	}
	all := len(e.IDs)+len(e.Tags) == 0 && (slices.Contains(e.Names, "*") || len(selected.Names) > 0 &&
		len(beyond(selected.Names, e.Names)) == 0 && (!of.either || len(selected.IDs) == 0))
	listed := len(e.Names) == 0 && len(e.Tags) == 0 && (!of.either || len(selected.Names) == 0)
	if all || listed && len(selected.IDs) > 0 && len(beyond(selected.IDs, e.IDs)) == 0 {
		except.wrong("excludes everything that is selected: exclude less")
	}
	return selected
}

func (f field) tags() map[string][]string {
	if !f.given() {
		return nil
	}
	tags := map[string][]string{}
	for _, e := range f.entries("tag keys, each with a list of values") {
		m, _ := Lookup("UserPoolTags." + e.name)
		if !Wholly(tagPattern, e.name) {
			e.key.wrong("the key must match %s", tagPattern)
		}
		tags[e.name] = e.value.texts(func(glob string) string { return neverMatches(m, glob) })
	}
	f.notEmpty("add a tag, or leave the key out")
	return tags
}

const regionForm = `[a-z]+(-[a-z]+)+-[0-9]+`

// wrongPoolID returns why no pool can have an id, or "". The id begins with the pool's Region; one without a - in that
// part belongs to an emulator.
func wrongPoolID(id string) string {
	region, rest, _ := strings.Cut(id, "_")
	var wrong string
	switch lower := strings.ToLower(region); {
	case !IsPoolID(id):
		return quoted(id) + " is not a pool id such as eu-west-1_AbCdEf123; globs belong under names"
	case strings.Contains(rest, "_"):
		wrong = "the only _ of an id is the one after the Region, as in eu-west-1_AbCdEf123"
	case lower != region:
		wrong = "a Region has no uppercase letters, did you mean " + lower + "_" + rest + "?"
	case strings.Contains(region, "-") && !Wholly(regionForm, region):
		wrong = "there is no Region " + region + ": a Region looks like eu-west-1"
	default:
		return ""
	}
	return quoted(id) + " can never match: " + wrong
}

func wrongClientID(id string) string {
	if IsClientID(id) {
		return ""
	}
	return quoted(id) + " is not a client id; globs belong under names"
}

// regionWords are the words in the names of Regions. Numbers are not checked, because AWS keeps adding new ones.
var regionWords = []string{"central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest",
	"west", "af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us", "gov", "iso", "isob", "isoe", "isof", "de"}

// likelyRegion returns the Region that was probably meant in a pool id with an unknown Region, or "".
func likelyRegion(id string) (likely string) {
	region, _, _ := strings.Cut(id, "_")
	words := strings.Split(region, "-")
	for i, word := range words[:len(words)-1] {
		if !slices.Contains(regionWords, word) {
			words[i] = cmp.Or(Nearest(word, regionWords), word)
			likely = strings.Join(words, "-")
		}
	}
	return likely
}

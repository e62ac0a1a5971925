package baseline

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// A selectable describes the ids and names of pools, or of clients.
type selectable struct {
	what    string
	keys    []string
	id      func() *regexp.Regexp
	longest int // of an id
	noID    string
	name    Member
	either  bool // an id or a name is enough
}

var (
	poolID   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`) })
	clientID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+]+$`) })

	ofPools = selectable{what: "ids, names or tags", keys: []string{"ids", "names", "tags"}, id: poolID, longest: 55,
		noID: "is not a pool id such as eu-west-1_AbCdEf123; globs belong under names",
		name: Member{Max: maxName, Pattern: poolNamePattern}}
	ofClients = selectable{what: "names or ids", keys: []string{"ids", "names"}, id: clientID, longest: 128, either: true,
		noID: "is not a client id; globs belong under names",
		name: Member{Max: maxName, Pattern: clientNamePattern}}
)

// pools parses a pool selector. otherwise is the alternative to suggest for an empty one.
func (p *parser) pools(n *yaml.Node, path, otherwise string) *Selector {
	return p.selecting(n, path, ofPools, otherwise, "except")
}

func (p *parser) selecting(n *yaml.Node, path string, of selectable, otherwise string, more ...string) *Selector {
	s := p.section(n, path, of.what, slices.Concat(of.keys, more)...)
	s.notEmpty("add " + of.what + otherwise)
	return p.selector(s, of)
}

func (p *parser) selector(keys section, of selectable) *Selector {
	s := &Selector{}
	read(keys, "ids", &s.IDs, func(n *yaml.Node, path string) []string { return p.texts(n, path, of.wrongID) })
	read(keys, "names", &s.Names, func(n *yaml.Node, path string) []string {
		return p.texts(n, path, func(glob string) string { return neverMatches(of.name, glob) })
	})
	read(keys, "tags", &s.Tags, p.tags)
	read(keys, "except", &s.Except, func(n *yaml.Node, path string) *Selector {
		e := p.selecting(n, path, of, ", or leave the key out")
		all := slices.Contains(e.Names, "*") && len(e.IDs) == 0 && len(e.Tags) == 0
		listed := len(e.Names) == 0 && len(e.Tags) == 0 && (!of.either || len(s.Names) == 0)
		if all || listed && len(s.IDs) > 0 && len(beyond(s.IDs, e.IDs)) == 0 {
			p.wrong(n, path, "excludes everything that is selected: exclude less")
		}
		return e
	})
	return s
}

func (of selectable) wrongID(id string) string {
	if len(id) > of.longest || !of.id().MatchString(id) {
		return quoted(id) + " " + of.noID
	}
	if wrong := offRegion(id); wrong != "" && !of.either {
		return quoted(id) + " can never match: " + wrong
	}
	return ""
}

func (p *parser) tags(n *yaml.Node, path string) map[string][]string {
	tags := map[string][]string{}
	for _, e := range p.entries(n, path, "tag keys, each with a list of values") {
		tags[e.name] = p.texts(e.value, join(path, e.name), nil)
	}
	section{parser: p, node: n, path: path}.notEmpty("add a tag, or leave the key out")
	return tags
}

var regionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`) })

// offRegion returns why a pool id cannot be valid: the id begins with the pool's Region. An id without a - in that part
// belongs to an emulator.
func offRegion(id string) string {
	region, rest, _ := strings.Cut(id, "_")
	switch lower := strings.ToLower(region); {
	case lower != region:
		return "a Region has no uppercase letters, did you mean " + lower + "_" + rest + "?"
	case strings.Contains(region, "-") && !regionForm().MatchString(region):
		return "there is no Region " + region + ": a Region looks like eu-west-1"
	}
	return ""
}

// regionWords are the words in the names of Regions. Numbers are not checked, because AWS keeps adding new ones.
var regionWords = []string{"af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us", "gov", "iso", "isob",
	"isoe", "isof", "de", "central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"}

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

package baseline

import (
	"fmt"
	"regexp"
	"slices"
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
	keys, ok := p.fields(n, path, of.what, slices.Concat(of.keys, more)...)
	if ok && len(n.Content) == 0 {
		p.wrong(n, path, "is empty: add %s%s", of.what, otherwise)
	}
	return p.selector(keys, path, of)
}

func (p *parser) selector(keys map[string]entry, path string, of selectable) *Selector {
	s := &Selector{}
	read(keys, path, "ids", &s.IDs, func(n *yaml.Node, path string) []string { return p.ids(n, path, of) })
	read(keys, path, "names", &s.Names, func(n *yaml.Node, path string) []string { return p.globs(n, path, of.name) })
	read(keys, path, "tags", &s.Tags, p.tags)
	if except, ok := keys["except"]; ok {
		path = join(path, "except")
		e := p.selecting(except.value, path, of, ", or leave the key out")
		all := slices.Contains(e.Names, "*") && len(e.IDs) == 0 && len(e.Tags) == 0
		listed := len(e.Names) == 0 && len(e.Tags) == 0 && (!of.either || len(s.Names) == 0)
		if all || listed && len(s.IDs) > 0 && len(beyond(s.IDs, e.IDs)) == 0 {
			p.wrong(except.value, path, "excludes everything that is selected: exclude less")
		}
		s.Except = e
	}
	return s
}

func (p *parser) ids(n *yaml.Node, path string, of selectable) []string {
	ids := p.texts(n, path)
	for i, id := range ids {
		at := fmt.Sprintf("%s[%d]", path, i)
		if id != "" && (len(id) > of.longest || !of.id().MatchString(id)) {
			p.wrong(n.Content[i], at, "%s %s", quoted(id), of.noID)
		} else if wrong := offRegion(id); wrong != "" && !of.either {
			p.wrong(n.Content[i], at, "%s can never match: %s", quoted(id), wrong)
		}
	}
	return ids
}

func (p *parser) tags(n *yaml.Node, path string) map[string][]string {
	tags := map[string][]string{}
	entries := p.entries(n, path, "tag keys, each with a list of values")
	if len(entries) == 0 && n.Kind == yaml.MappingNode {
		p.wrong(n, path, "is empty: add a tag, or leave the key out")
	}
	for _, e := range entries {
		tags[e.name] = p.texts(e.value, join(path, e.name))
	}
	return tags
}

package baseline

import (
	"fmt"
	"regexp"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"
)

var poolID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`) })

const maxPoolID = 55

// selector parses a pool selector. otherwise is the alternative to suggest for an empty one.
func (p *parser) selector(n *yaml.Node, path string, withExcept bool, otherwise string) *Selector {
	names := []string{"ids", "names", "tags"}
	if withExcept {
		names = append(names, "except")
	}
	keys, ok := p.fields(n, path, "ids, names or tags", names...)
	if ok && len(n.Content) == 0 {
		p.wrong(n, path, "is empty: add ids, names or tags%s", otherwise)
	}
	s := &Selector{}
	read(keys, path, "ids", &s.IDs, p.poolIDs)
	if globs, ok := keys["names"]; ok {
		s.Names = p.globs(globs.value, path+".names", Member{Max: maxName, Pattern: poolNamePattern})
	}
	read(keys, path, "tags", &s.Tags, p.tags)
	if except, ok := keys["except"]; ok {
		s.Except = p.selector(except.value, path+".except", false, ", or leave the key out")
		e := s.Except
		everything := len(e.IDs) == 0 && len(e.Tags) == 0 && slices.Contains(e.Names, "*")
		if everything || len(e.Names) == 0 && len(e.Tags) == 0 && within(s.IDs, e.IDs) {
			p.wrong(except.value, path+".except", exceptsAll)
		}
	}
	return s
}

func (p *parser) poolIDs(n *yaml.Node, path string) []string {
	ids := p.texts(n, path)
	for i, id := range ids {
		at := fmt.Sprintf("%s[%d]", path, i)
		if wrong := offRegion(id); wrong != "" && poolID().MatchString(id) {
			p.wrong(n.Content[i], at, "%s can never match: %s", quoted(id), wrong)
		} else if id != "" && (len(id) > maxPoolID || !poolID().MatchString(id)) {
			p.wrong(n.Content[i], at, "%s is not a pool id such as eu-west-1_AbCdEf123; globs belong under names", quoted(id))
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

const exceptsAll = "excludes everything that is selected: exclude less"

// within reports whether there is at least one, and all are among the others.
func within(some, others []string) bool {
	return len(some) > 0 && len(beyond(some, others)) == 0
}

var clientID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+]+$`) })

const maxClientID = 128

func (p *parser) clientSelector(keys map[string]entry, path string) ClientSelector {
	var s ClientSelector
	if names, ok := keys["names"]; ok {
		s.Names = p.globs(names.value, path+".names", Member{Max: maxName, Pattern: clientNamePattern})
	}
	if ids, ok := keys["ids"]; ok {
		s.IDs = p.texts(ids.value, path+".ids")
		for i, id := range s.IDs {
			if id != "" && (len(id) > maxClientID || !clientID().MatchString(id)) {
				p.wrong(ids.value.Content[i], fmt.Sprintf("%s.ids[%d]", path, i), "%s is not a client id; globs belong under names",
					quoted(id))
			}
		}
	}
	return s
}

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

// selector reads what selects pools. otherwise is what can be done about one that is empty beside filling it.
func (p *parser) selector(n *yaml.Node, path string, withExcept bool, otherwise string) *Selector {
	names := []string{"ids", "names", "tags"}
	if withExcept {
		names = append(names, "except")
	}
	all := p.entries(n, path, "ids, names or tags")
	if len(all) == 0 && n.Kind == yaml.MappingNode {
		p.fault(n, path, "selects nothing in particular: name ids, names or tags%s", otherwise)
	}
	keys := p.known(all, path, names...)
	s := &Selector{}
	if ids, ok := keys["ids"]; ok {
		s.IDs = p.texts(ids.value, path+".ids")
		for i, id := range s.IDs {
			if id != "" && (len(id) > maxPoolID || !poolID().MatchString(id)) {
				p.fault(ids.value.Content[i], fmt.Sprintf("%s.ids[%d]", path, i), "%q is no pool id (eu-west-1_AbCdEf123); globs go under names", id)
			}
		}
	}
	if globs, ok := keys["names"]; ok {
		s.Names = p.texts(globs.value, path+".names")
	}
	if tags, ok := keys["tags"]; ok {
		s.Tags = map[string][]string{}
		entries := p.entries(tags.value, path+".tags", "tag keys, each with a list of values")
		if len(entries) == 0 && tags.value.Kind == yaml.MappingNode {
			p.fault(tags.value, path+".tags", "is empty: name a tag, or leave the key out")
		}
		for _, e := range entries {
			s.Tags[e.name] = p.texts(e.value, join(path+".tags", e.name))
		}
	}
	if except, ok := keys["except"]; ok {
		s.Except = p.selector(except.value, path+".except", false, ", or leave the key out")
		e := s.Except
		everything := len(e.IDs) == 0 && len(e.Tags) == 0 && slices.Contains(e.Names, "*")
		if everything || len(e.Names) == 0 && len(e.Tags) == 0 && within(s.IDs, e.IDs) {
			p.fault(except.value, path+".except", exceptsAll)
		}
	}
	return s
}

const exceptsAll = "excepts all that is selected, so that nothing is left: name less"

// within says whether there are some and all of them are among the others.
func within(some, others []string) bool {
	return len(some) > 0 && len(beyond(some, others)) == 0
}

var clientID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+]+$`) })

const maxClientID = 128

func (p *parser) clientSelector(keys map[string]entry, path string) ClientSelector {
	var s ClientSelector
	if names, ok := keys["names"]; ok {
		s.Names = p.texts(names.value, path+".names")
	}
	if ids, ok := keys["ids"]; ok {
		s.IDs = p.texts(ids.value, path+".ids")
		for i, id := range s.IDs {
			if id != "" && (len(id) > maxClientID || !clientID().MatchString(id)) {
				p.fault(ids.value.Content[i], fmt.Sprintf("%s.ids[%d]", path, i), "%q is no client id; globs go under names", id)
			}
		}
	}
	return s
}

package baseline

import "slices"

// Enforced returns the settings that the baseline may want written, in the order of the member table, each once: those of enforcing rules whose
// requirement names or implies a value.
func (b *Baseline) Enforced() []string {
	var paths []string
	for _, rule := range b.Rules {
		for _, r := range rule.Require {
			if rule.Mode == Enforce && r.writes() && !slices.Contains(paths, r.Setting) {
				paths = append(paths, r.Setting)
			}
		}
	}
	slices.SortFunc(paths, order)
	return paths
}

// writes says whether a drift from the requirement can be written back at all.
func (r Requirement) writes() bool {
	return r.Set != nil || r.Op != Present && r.Op != Matches
}

// WrittenWith returns the documents, in the order of the table, that may have to be written to write the setting at path: its own, those of its
// twins and of the twins of all below it, and those that have to follow one of these.
func WrittenWith(path string) []Document {
	need := map[DocumentName]bool{}
	add := func(path string) {
		if name, ok := DocumentOf(path); ok {
			need[name] = true
		}
	}
	add(path)
	eachTwin(path, add)
	var found []Document
	for _, d := range Documents() {
		for _, other := range Documents() {
			if need[other.Name] && other.Followed == d.Name {
				need[d.Name] = true
			}
		}
	}
	for _, d := range Documents() {
		if need[d.Name] {
			found = append(found, d)
		}
	}
	return found
}

func eachTwin(path string, visit func(path string)) {
	if twin, ok := TwinOf(path); ok {
		visit(twin)
		return
	}
	m, _ := Lookup(path)
	for _, below := range m.Members {
		eachTwin(path+"."+below.Name, visit)
	}
}

// IDs returns the ids of the pools that the baseline can select, sorted, each once. It returns false if some rule selects pools by something
// else, so that any pool may be meant.
func (b *Baseline) IDs() ([]string, bool) {
	var ids []string
	for _, rule := range b.Rules {
		if rule.Pools == nil || len(rule.Pools.IDs) == 0 {
			return nil, false
		}
		ids = append(ids, rule.Pools.IDs...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), true
}

// MaySelect says whether a pool with this id can be selected by some rule, whatever its name and tags are. Of a pool that cannot, nothing needs to
// be read, and the function of a baseline that names only ids may not even be allowed to.
func (b *Baseline) MaySelect(id string) bool {
	return slices.ContainsFunc(b.Rules, func(r Rule) bool {
		return r.Pools == nil || len(r.Pools.IDs) == 0 || slices.Contains(r.Pools.IDs, id)
	})
}

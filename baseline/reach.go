package baseline

import "slices"

// Enforced returns the settings that the baseline may want written, in the order of the member table, each once:
// those of enforcing rules whose requirement names or implies a value.
func (b *Baseline) Enforced() []string {
	var paths []string
	for _, rule := range b.Rules {
		for _, r := range rule.all() {
			if rule.Mode == Enforce && r.writes() && !slices.Contains(paths, r.Setting) {
				paths = append(paths, r.Setting)
			}
		}
	}
	slices.SortFunc(paths, Order)
	return paths
}

// all returns the requirements of the rule, those on clients among them.
func (r Rule) all() []Requirement {
	all := slices.Clone(r.Require)
	for _, c := range r.Clients {
		all = append(all, c.Require...)
	}
	return all
}

// Owns returns the kinds of documents, in the order of the table, of which the baseline may require something of the
// pool with this id; an empty id is any pool. A rule that selects pools otherwise than by id may select it.
func (b *Baseline) Owns(id string) []DocumentName {
	owned := map[DocumentName]bool{}
	for _, rule := range b.Rules {
		if !rule.maySelect(id) {
			continue
		}
		for _, r := range rule.all() {
			for _, d := range WrittenWith(r.Setting) {
				owned[d.Name] = true
			}
		}
	}
	return namesOfDocuments(func(name DocumentName) bool { return owned[name] })
}

// namesOfDocuments returns the kinds of documents that count, in the order of the table.
func namesOfDocuments(counts func(DocumentName) bool) []DocumentName {
	var kinds []DocumentName
	for _, d := range documents {
		if counts(d.Name) {
			kinds = append(kinds, d.Name)
		}
	}
	return kinds
}

// WithCompanions returns the kinds of documents that have to be read, in the order of the table, where those given
// are to be compared and written: the one that names and tags the pool always, and both of the pool's first two where
// either is meant, for each write carries what the other holds.
func WithCompanions(kinds []DocumentName) []DocumentName {
	both := slices.Contains(kinds, UserPool) || slices.Contains(kinds, MfaConfig)
	return namesOfDocuments(func(name DocumentName) bool {
		return name == UserPool || name == MfaConfig && both || slices.Contains(kinds, name)
	})
}

// A Change is what a call can do to a pool.
type Change struct {
	Documents []string // the kinds of documents that it can change
	Selection bool     // it can change the name or the tags of the pool, and with these which rules select it
	Watched   string   // the kind of thing that it makes, changes or removes
	Deletes   bool     // it deletes the pool
}

// OwnsOf returns those of the kinds of documents that Owns returns that the call can have changed. Where rules go by
// names or tags, a call that can change these can have changed all that is owned; where they go by the names of
// clients, one that can change a client all that is owned of it.
func (b *Baseline) OwnsOf(id string, c Change) []DocumentName {
	kinds := b.Owns(id)
	if c.Selection && slices.ContainsFunc(b.Rules, func(rule Rule) bool { return rule.Pools.mutable() }) {
		return kinds
	}
	renames := slices.Contains(c.Documents, string(AppClient)) && slices.ContainsFunc(b.Rules, func(rule Rule) bool {
		return slices.ContainsFunc(rule.Clients, func(c ClientRule) bool { return c.Select.mutable() })
	})
	return slices.DeleteFunc(kinds, func(kind DocumentName) bool {
		table, _ := kind.Table()
		return !slices.Contains(c.Documents, string(kind)) && (!renames || !table.PerClient)
	})
}

// Concerns says whether the call can do something to what the baseline owns, watches or names of the pool with this
// id or, where it is empty, of any. Nobody needs to listen to other calls.
func (b *Baseline) Concerns(id string, c Change) bool {
	if len(b.OwnsOf(id, c)) > 0 || slices.Contains(b.Watches(id), Watched(c.Watched)) {
		return true
	}
	named := func(r Rule) bool { return r.Pools != nil && len(r.Pools.IDs) > 0 && r.maySelect(id) }
	return c.Deletes && slices.ContainsFunc(b.Rules, named)
}

// Watches returns the kinds of things that the baseline may watch of the pool with this id; an empty id is any pool.
func (b *Baseline) Watches(id string) []Watched {
	var kinds []Watched
	for _, kind := range Watchable() {
		if slices.ContainsFunc(b.Rules, func(rule Rule) bool {
			return rule.maySelect(id) && slices.Contains(rule.Watch, kind)
		}) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// NamesPool returns the name of the first rule that selects the pool by its id, and "" if none does.
func (b *Baseline) NamesPool(id string) string {
	for _, rule := range b.Rules {
		if rule.Pools != nil && slices.Contains(rule.Pools.IDs, id) {
			return rule.Name
		}
	}
	return ""
}

func (r Rule) maySelect(id string) bool {
	return id == "" || r.Pools == nil || len(r.Pools.IDs) == 0 || slices.Contains(r.Pools.IDs, id)
}

// writes says whether a drift from the requirement can be written back at all.
func (r Requirement) writes() bool {
	return r.Set != nil || r.Op != Present && r.Op != Matches
}

// WrittenWith returns the documents, in the order of the table, that may have to be written to write the setting at
// path: its own, those of its twins and of the twins of all below it, and those that have to follow one of these.
func WrittenWith(path string) []Document {
	need := map[DocumentName]bool{}
	add := func(path string) {
		if name, ok := DocumentOf(path); ok {
			need[name.Kind()] = true
		}
	}
	add(path)
	eachTwin(path, add)
	for _, d := range documents {
		if need[d.Name] && d.Followed != "" {
			need[d.Followed] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(documents), func(d Document) bool { return !need[d.Name] })
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

// IDs returns the ids of the pools that the baseline can select, sorted, each once. It returns false if some rule
// selects pools by something else, so that any pool may be meant.
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

// MaySelect says whether a pool with this id can be selected by some rule, whatever its name and tags are. Of a pool
// that cannot, nothing needs to be read, and the function of a baseline that names only ids may not even be allowed
// to.
func (b *Baseline) MaySelect(id string) bool {
	return slices.ContainsFunc(b.Rules, func(r Rule) bool { return r.maySelect(id) })
}

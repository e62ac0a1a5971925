package baseline

import "slices"

// Enforced returns the settings that the baseline may cause to be written: those that rules in enforce mode require and
// whose requirement has or implies a value. They are in the order of the member table, each once.
func (b *Baseline) Enforced() []string {
	var paths []string
	for _, rule := range b.Rules {
		for _, r := range rule.all() {
			if rule.Mode == Enforce && (r.Set != nil || r.Op != Present && r.Op != Matches) {
				paths = append(paths, r.Setting)
			}
		}
	}
	slices.SortFunc(paths, Order)
	return slices.Compact(paths)
}

// parts returns the requirements on the pools, and then those on each selection of their clients.
func (r Rule) parts() []ClientRule { return append([]ClientRule{{Require: r.Require}}, r.Clients...) }

func (r Rule) all() (all []Requirement) {
	for _, part := range r.parts() {
		all = append(all, part.Require...)
	}
	return all
}

// Owns returns the kinds of documents, in the order of the table, that the baseline may have requirements on for the
// pool with this id, or any pool for "". A rule that selects pools by name or tag may select any pool.
func (b *Baseline) Owns(id string) []DocumentName {
	var owned []DocumentName
	for _, rule := range b.Rules {
		if rule.maySelect(id) {
			for _, r := range rule.all() {
				for _, d := range WrittenWith(r.Setting) {
					owned = append(owned, d.Name)
				}
			}
		}
	}
	return inOrderOfTable(owned)
}

func inOrderOfTable(names []DocumentName) []DocumentName {
	return slices.DeleteFunc(kindsOf(documents), func(kind DocumentName) bool { return !slices.Contains(names, kind) })
}

func kindsOf(all []Document) []DocumentName {
	return collect(all, func(d Document) DocumentName { return d.Name })
}

// WithCompanions returns the kinds of documents that must be read, in the order of the table, to compare and write the
// given ones. The document with the name and tags of the pool is always included. The pool's first two documents are
// included together, because each write also sends settings of the other.
func WithCompanions(kinds []DocumentName) []DocumentName {
	with := append(slices.Clone(kinds), UserPool)
	if slices.Contains(kinds, UserPool) {
		with = append(with, MfaConfig)
	}
	return inOrderOfTable(with)
}

// A Change is what a call can do to a pool.
type Change struct {
	Documents []DocumentName // the kinds of documents that the call can change
	Selection bool           // the call can change the pool's name or tags, and so which rules select it
	Watched   Watched        // the kind of resource that the call creates, changes or deletes
	Deletes   bool           // the call deletes the pool
}

// OwnsOf returns the documents from Owns that the call may have changed. If rules select by name or tag, a call that
// can change those affects all owned documents. If rules select clients by name, a call that can change a client
// affects all owned documents of clients.
func (b *Baseline) OwnsOf(id string, c Change) []DocumentName {
	kinds := b.Owns(id)
	if c.Selection && slices.ContainsFunc(b.Rules, func(rule Rule) bool { return rule.Pools.mutable() }) {
		return kinds
	}
	renames := slices.Contains(c.Documents, AppClient) && slices.ContainsFunc(b.Rules, func(rule Rule) bool {
		return slices.ContainsFunc(rule.Clients, func(c ClientRule) bool { return c.Select.mutable() })
	})
	return slices.DeleteFunc(kinds, func(kind DocumentName) bool {
		table, _ := kind.Table()
		return !slices.Contains(c.Documents, kind) && (!renames || !table.PerClient)
	})
}

// Concerns reports whether the call can affect anything that the baseline requires, watches or names for the pool with
// this id, or for any pool if the id is empty. All other calls can be ignored.
func (b *Baseline) Concerns(id string, c Change) bool {
	if len(b.OwnsOf(id, c)) > 0 || slices.Contains(b.Watches(id), c.Watched) {
		return true
	}
	named := func(r Rule) bool { return r.Pools != nil && len(r.Pools.IDs) > 0 && r.maySelect(id) }
	return c.Deletes && slices.ContainsFunc(b.Rules, named)
}

// Watches returns the kinds of resources that the baseline may watch for the pool with this id, or any pool for "".
func (b *Baseline) Watches(id string) []Watched {
	return slices.DeleteFunc(Watchable(), func(kind Watched) bool {
		return !slices.ContainsFunc(b.Rules, func(rule Rule) bool {
			return rule.maySelect(id) && slices.Contains(rule.Watch, kind)
		})
	})
}

// NamesPool returns the name of the first rule that selects the pool by its id, or "".
func (b *Baseline) NamesPool(id string) string {
	named := func(r Rule) bool { return r.Pools != nil && slices.Contains(r.Pools.IDs, id) }
	if i := slices.IndexFunc(b.Rules, named); i >= 0 {
		return b.Rules[i].Name
	}
	return ""
}

func (r Rule) maySelect(id string) bool {
	return id == "" || r.Pools == nil || len(r.Pools.IDs) == 0 || slices.Contains(r.Pools.IDs, id)
}

// WrittenWith returns the documents, in the order of the table, that a change of the setting at path may have to write:
// the setting's own, those of its twins and its members' twins, and those that must follow one of these.
func WrittenWith(path string) []Document {
	own, _ := DocumentOf(path)
	need := map[DocumentName]bool{own.Kind(): true}
	for _, setting := range Twinned(path) {
		twin, _ := TwinOf(setting)
		of, _ := DocumentOf(twin)
		need[of.Kind()] = true
	}
	for _, d := range documents {
		if need[d.Name] && d.Followed != "" {
			need[d.Followed] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(documents), func(d Document) bool { return !need[d.Name] })
}

// IDs returns the sorted ids of the pools that the baseline can select, or false if a rule may select any pool.
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

// MaySelect reports whether any rule can select a pool with this id, whatever its name and tags are. Other pools need
// not be read, and if the baseline selects only by ids, the function may lack the permission to read them.
func (b *Baseline) MaySelect(id string) bool {
	return slices.ContainsFunc(b.Rules, func(r Rule) bool { return r.maySelect(id) })
}

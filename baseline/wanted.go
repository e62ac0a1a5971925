package baseline

import (
	"maps"
	"slices"
	"strings"
)

// wanted summarizes a set of requirements: the required leaves, and the settings that must be off or present.
type wanted struct {
	said  map[string]Requirement // requirement of each leaf, also in required objects
	off   map[string]bool        // must be absent or false
	there map[string]bool        // must be present, with any value
	whole []string               // objects that are required with exactly these members
	at    map[string]Position
}

func wantedOf(required []Requirement) wanted {
	w := wanted{said: map[string]Requirement{}, off: map[string]bool{}, there: map[string]bool{},
		at: map[string]Position{}}
	for _, r := range required {
		w.add(r)
	}
	return w
}

func (w *wanted) add(r Requirement) {
	w.at[r.Setting] = r.Position
	if r.Op != Absent {
		// A required part of an object is present, and so are the objects around it.
		for i := strings.LastIndexByte(r.Setting, '.'); i >= 0; i = strings.LastIndexByte(r.Setting[:i], '.') {
			delete(w.off, r.Setting[:i])
		}
	}
	m, _ := Lookup(r.Setting)
	w.forget(r.Setting, m)
	if m.Kind != Object && m.Kind != Map {
		w.said[r.Setting] = r
	}
	switch r.Op {
	case Equal:
		w.off[r.Setting] = r.Value == false
	case Exactly:
		w.whole = append(w.whole, r.Setting)
		w.there[r.Setting] = text(m, r.Value) != ""
		eachLeaf(m, r.Setting, r.Value, func(m Member, path string, v any) {
			if m.Kind != Object && m.Kind != Map {
				w.off[path] = v == false
				w.said[path] = Requirement{Setting: path, Op: Equal, Value: v}
			}
		})
	case Absent:
		w.off[r.Setting] = true
	case Contains: // recorded in said above
	default:
		// The operator may also accept an absent setting.
		w.there[r.Setting] = !holds(m, r, nil)
	}
}

// forget removes what a requirement on an object says about a part that has its own requirement, because that one
// applies there.
func (w *wanted) forget(part string, m Member) {
	if m.Kind != Object && m.Kind != Map { // true for most members, which have no members below them
		delete(w.said, part)
		delete(w.off, part)
		return
	}
	maps.DeleteFunc(w.said, func(path string, _ Requirement) bool { return Covers(part, path) })
	maps.DeleteFunc(w.off, func(path string, _ bool) bool { return Covers(part, path) })
}

// know returns what is certain about a setting that meets the requirements.
func (w wanted) know(setting string) Known {
	k := Known{Present: w.under(setting), Absent: w.lacks(setting)}
	k.Closed = k.Absent
	switch r := w.said[setting]; r.Op {
	case Equal:
		k.Text, _ = r.Value.(string)
		k.Elements, k.Closed = list(r.Value), true
	case Contains:
		k.Elements = list(r.Value)
	case Without:
		k.Without = list(r.Value)
	}
	return k
}

// under reports whether a member at or below the path is required to be present.
func (w wanted) under(path string) bool {
	for leaf, r := range w.said {
		if r.Op == Equal && !w.off[leaf] && Covers(path, leaf) {
			return true
		}
	}
	for place, there := range w.there {
		if there && Covers(path, place) {
			return true
		}
	}
	return false
}

// lacks reports whether a member is required to be absent: by itself, with an object around it, or by such an object
// that is required exactly.
func (w wanted) lacks(path string) bool {
	m, _ := Lookup(path)
	for at := path; !w.off[at]; {
		i := strings.LastIndexByte(at, '.')
		if i < 0 {
			return false
		}
		if at = at[:i]; slices.Contains(w.whole, at) && m.Keep == "" && !w.under(path) {
			return true
		}
	}
	return true
}

// place returns the first of the settings that a requirement names, and its position.
func (w wanted) place(settings []string) (at Position, path string) {
	for _, path = range settings {
		if at = w.position(path); at.Line > 0 {
			break
		}
	}
	return at, path
}

// position returns the position of the requirement on the path, or on the nearest object above it.
func (w wanted) position(path string) Position {
	for at := path; ; {
		if position, ok := w.at[at]; ok {
			return position
		}
		i := strings.LastIndexByte(at, '.')
		if i < 0 {
			break
		}
		at = at[:i]
	}
	var first Position
	for setting, position := range w.at {
		if Covers(path, setting) && (first.Line == 0 || position.Line < first.Line || position.Line == first.Line &&
			position.Column < first.Column) {
			first = position
		}
	}
	return first
}

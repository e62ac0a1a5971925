package baseline

import (
	"cmp"
	"slices"
	"strings"
)

// A Fault is one thing that is wrong with a baseline file: where, at which path, and what to do about it. It never holds the value of a
// sensitive setting.
type Fault struct {
	Position Position
	Path     string // "rules[0].require.DeletionProtection"; "" for the file as a whole
	Message  string
}

// Error returns file:line:column: path: message.
func (f Fault) Error() string {
	if f.Path == "" {
		return f.Position.String() + ": " + f.Message
	}
	return f.Position.String() + ": " + f.Path + ": " + f.Message
}

// Faults are all that is wrong with a file, in its order. A file with a fault is refused whole.
type Faults []Fault

// Error returns one fault a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the faults in the order of the file, each once.
func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(f)
}

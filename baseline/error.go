package baseline

import (
	"cmp"
	"slices"
	"strings"
)

// An Error is one thing that is wrong with a baseline file: where, at which path, and what to do about it. It never
// holds the value of a sensitive setting.
type Error struct {
	Position Position
	Path     string // "rules[0].require.DeletionProtection"; "" for the file as a whole
	Message  string
}

// Error returns file:line:column: path: message.
func (e Error) Error() string {
	if e.Path == "" {
		return e.Position.String() + ": " + e.Message
	}
	return e.Position.String() + ": " + e.Path + ": " + e.Message
}

// Errors are all that is wrong with a file, in its order. A file with an error is refused whole.
type Errors []Error

// Error returns one error a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the errors in the order of the file, each once.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(e)
}

package baseline

import (
	"cmp"
	"slices"
	"strings"
)

// An Error is one error in a baseline file: its position, its path, and how to correct it. It never contains the value
// of a sensitive setting.
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

// Errors are all errors of a file, in file order. A file with any error is rejected.
type Errors []Error

// Error returns one line per error.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(e)
}

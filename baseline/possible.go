package baseline

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
)

// The patterns that the API documents for the names that selectors use.
const (
	maxName = 128 // characters

	poolNamePattern   = `[\w\s+=,.@-]+`
	clientNamePattern = `[\w\s+=,.@-]+`
)

// neverMatches returns why a glob cannot match any valid value of the member, or "".
func neverMatches(m Member, pattern string) string {
	switch {
	case len(m.Enum) > 0 && !slices.ContainsFunc(m.Enum, func(e string) bool { return glob(pattern, e) }):
		return fmt.Sprintf("can never match: the values are %s%s", strings.Join(m.Enum, ", "), didYouMean(pattern, m.Enum))
	case len(m.Enum) > 0:
		return ""
	case m.Max > 0 && runes(strings.ReplaceAll(pattern, "*", "")) > m.Max:
		return fmt.Sprintf("can never match: the text has at most %d characters", m.Max)
	case m.Pattern == "":
		return ""
	case globFits(m.Pattern, pattern):
		return ""
	}
	for _, r := range pattern {
		if r != '*' && r != '?' && !globFits(m.Pattern, "*"+string(r)+"*") {
			return fmt.Sprintf("can never match: the text cannot contain %q; * matches any text, ? matches one character, and "+
				"every other character matches itself", r)
		}
	}
	return "can never match: the text must match " + m.Pattern
}

// globFits reports whether some text matches both a whole regular expression and a glob. It searches all pairs of an
// instruction of the expression and a position in the glob that can be reached together.
func globFits(pattern, glob string) bool {
	program := compiled(pattern)
	if program == nil {
		return true
	}
	characters := []rune(glob)
	seen := make([]bool, (len(characters)+1)*len(program.Inst))
	next := []int{program.Start}
	visit := func(at int, pc uint32) {
		if place := at*len(program.Inst) + int(pc); !seen[place] {
			seen[place] = true
			next = append(next, place)
		}
	}
	for len(next) > 0 {
		place := next[len(next)-1]
		next = next[:len(next)-1]
		at, in := place/len(program.Inst), program.Inst[place%len(program.Inst)]
		star := at < len(characters) && characters[at] == '*'
		if star {
			visit(at+1, uint32(place%len(program.Inst))) // * matches the empty text
		}
		switch in.Op {
		case syntax.InstMatch:
			if at == len(characters) {
				return true
			}
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(at, in.Out)
			visit(at, in.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			visit(at, in.Out)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			switch {
			case star:
				visit(at, in.Out)
			case at < len(characters) && (characters[at] == '?' || in.MatchRune(characters[at])):
				visit(at+1, in.Out)
			}
		}
	}
	return false
}

var programs sync.Map // compiled patterns, as a cache

// compiled returns the program of a pattern of the member table, or nil if there is no pattern.
func compiled(pattern string) *syntax.Prog {
	if program, ok := programs.Load(pattern); ok {
		known, _ := program.(*syntax.Prog)
		return known
	}
	var program *syntax.Prog
	if expression, err := syntax.Parse(pattern, syntax.Perl|syntax.DotNL); err == nil {
		program, _ = syntax.Compile(expression.Simplify())
	}
	programs.Store(pattern, program)
	return program
}

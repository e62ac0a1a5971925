package baseline

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // for the default baseline
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

//go:generate go test -vet=off -run TestGenerated . -update

// DefaultFile is the path of the default baseline in the repository, as positions show it.
const DefaultFile = "baseline/baseline.yaml"

//go:embed baseline.yaml
var defaultText []byte

// Default returns the text of the default baseline.
func Default() []byte { return slices.Clone(defaultText) }

// Limits of a file, in addition to MaxFile.
const (
	maxRequired = 5000 // requirements in all rules; they are compared with each other
	maxGlob     = 1024 // characters
	maxDepth    = 32   // levels
	maxErrors   = 50   // that are shown: nobody reads more, and each message takes time to build
	// maxMarks is the largest number of commas, colons, brackets and line breaks. It limits the number of values,
	// because the YAML parser needs about 600 bytes of memory for each value.
	maxMarks = 100_000
)

// Parse parses a baseline file. file is its name in positions. The error, if there is one, is all Errors of the file.
func Parse(file string, data []byte) (*Baseline, error) {
	p := &parser{file: file}
	b := &Baseline{File: file, Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(data))}
	root := field{p, &yaml.Node{}, ""}
	root.decode(data)
	if len(p.errors) == 0 {
		root.baseline(b)
	}
	if len(p.errors) == 0 {
		p.contradictions(b)
	}
	if len(p.errors) > 0 {
		return nil, p.all()
	}
	return b, nil
}

type parser struct {
	file   string
	errors Errors
	more   int // how many errors there are beyond maxErrors
}

func (p *parser) found() int { return len(p.errors) + p.more }

// full reports whether the limit is reached: further errors are only counted, without a message.
func (p *parser) full() bool { return len(p.errors) >= maxErrors }

// all returns the errors in the order of the file, and how many more there are.
func (p *parser) all() Errors {
	slices.SortStableFunc(p.errors, func(a, b Error) int {
		return cmp.Or(a.Position.compare(b.Position), cmp.Compare(a.Message, b.Message))
	})
	found := slices.Compact(p.errors)
	if p.more > 0 {
		last := found[len(found)-1].Position
		found = append(found, Error{Position: last, Message: fmt.Sprintf("%d more errors: correct these first", p.more)})
	}
	return found
}

// fault adds an error with a message of one line of limited length.
func (p *parser) fault(at Position, path, format string, args ...any) {
	if p.full() {
		p.more++
		return
	}
	message := Legible(fmt.Sprintf(format, args...))
	p.errors = append(p.errors, Error{at, Cut(Legible(path), 200), Cut(message, 500)})
}

// A field is a place in the file. If the file does not have it, its node is empty and its value is the zero value.
type field struct {
	*parser
	node *yaml.Node
	path string
}

func (f field) given() bool { return f.node.Kind != 0 }

func (f field) position() Position {
	return Position{File: f.file, Line: max(f.node.Line, 1), Column: max(f.node.Column, 1)}
}

// wrong adds an error. It returns no value and false, for a reader that has no value to return.
func (f field) wrong(format string, args ...any) (any, bool) {
	f.fault(f.position(), f.path, format, args...)
	return nil, false
}

func (f field) below(name string, n *yaml.Node) field { return field{f.parser, n, join(f.path, name)} }

// decode sets the node to the root of the file, if it is a mapping without features that a baseline does not need.
func (f *field) decode(data []byte) {
	switch {
	case len(data) > MaxFile:
		f.wrong("the file is larger than %d bytes", MaxFile)
		return
	case marks(data) > maxMarks:
		f.wrong("the file has more than %d values, which is too many", maxMarks)
		return
	case !utf8.Valid(data):
		f.wrong("the file is not valid UTF-8")
		return
	}
	switch documents, err := decodeAll(bytes.NewReader(data)); {
	case err != nil:
		f.syntax(data, err)
	case len(documents) == 0:
		f.wrong("the file is empty: it needs version: 1 and rules")
	case len(documents) > 1:
		f.node = documents[1]
		f.wrong("the file has a second YAML document: a baseline is a single document")
	default:
		f.node = documents[0].Content[0]
		if f.plain(0); f.found() == 0 && !f.mapping() {
			f.wrong("the file is %s: it needs version: 1 and rules", shapeOf(f.node))
		}
	}
}

// marks counts the characters that separate values, even inside texts.
func marks(data []byte) int {
	n := 0
	for _, mark := range []string{",", "\n", ":", "[", "{", "?"} {
		n += bytes.Count(data, []byte(mark))
	}
	return n
}

// plain rejects YAML features that a baseline does not need or that can make a small file large.
func (f field) plain(depth int) {
	switch n := f.node; {
	case depth > maxDepth:
		f.wrong("nested deeper than %d levels", maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		f.wrong("anchors and aliases are not supported: write the value out")
	case n.Tag == "!!merge":
		f.wrong("merge keys are not supported: write the members out")
	case n.Style&yaml.TaggedStyle != 0:
		f.wrong("the tag %s is not supported: write a plain value", n.Tag)
	default:
		for _, below := range n.Content {
			field{f.parser, below, ""}.plain(depth + 1)
		}
	}
}

// An entry is a key of a mapping with its value. Both have the path of the value.
type entry struct {
	name       string
	key, value field
}

// entries returns the entries of a mapping, each name once. It adds an error for a node that is not a mapping.
func (f field) entries(what string) []entry {
	switch {
	case !f.given():
		return nil
	case f.node.Kind != yaml.MappingNode:
		f.wrong("is %s: it needs %s", shapeOf(f.node), what)
		return nil
	}
	var all []entry
	lines := map[string]int{}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		n := f.node.Content[i]
		if n.Kind != yaml.ScalarNode {
			field{f.parser, n, f.path}.wrong("a key is %s: it must be a name", shapeOf(n))
			continue
		}
		key := f.below(n.Value, n)
		if line, twice := lines[n.Value]; twice {
			key.wrong("is a duplicate of line %d: remove one", line)
			continue
		}
		lines[n.Value] = n.Line
		all = append(all, entry{n.Value, key, f.below(n.Value, f.node.Content[i+1])})
	}
	return all
}

// A section is a mapping with known keys.
type section struct {
	field
	keys map[string]field
}

func (f field) section(what string, names ...string) section {
	s := section{f, map[string]field{}}
	for _, e := range f.entries(what) {
		if !slices.Contains(names, e.name) {
			e.key.wrong("there is no such key%s", didYouMean(e.name, names))
			continue
		}
		s.keys[e.name] = e.value
	}
	return s
}

func (s section) get(name string) field {
	return cmp.Or(s.keys[name], field{s.parser, &yaml.Node{}, ""})
}

// need adds an error if none of the keys is present.
func (s section) need(message string, names ...string) {
	if s.mapping() && !slices.ContainsFunc(names, func(name string) bool { return s.get(name).given() }) {
		s.below(names[0], s.node).wrong("is missing: %s", message)
	}
}

// notEmpty adds an error for a mapping without any keys.
func (f field) notEmpty(message string) {
	if f.mapping() && len(f.node.Content) == 0 {
		f.wrong("is empty: %s", message)
	}
}

func (f field) mapping() bool { return f.node.Kind == yaml.MappingNode }

func (f field) scalar(tags ...string) bool {
	return f.node.Kind == yaml.ScalarNode && slices.Contains(tags, f.node.ShortTag())
}

// each reads the elements of a list that must not be empty.
func each[T any](f field, read func(f field) T) []T {
	switch {
	case !f.given():
		return nil
	case f.node.Kind != yaml.SequenceNode:
		f.wrong("is %s: it must be a list, [like this]", shapeOf(f.node))
		return nil
	case len(f.node.Content) == 0:
		f.wrong("is an empty list: add an element, or leave the key out")
	}
	var all []T
	for i, n := range f.node.Content {
		all = append(all, read(field{f.parser, n, fmt.Sprintf("%s[%d]", f.path, i)}))
	}
	return all
}

func (f field) text() string {
	switch {
	case !f.given():
		return ""
	case !f.scalar("!!str"):
		f.notText("")
		return ""
	case strings.TrimSpace(f.node.Value) == "":
		f.wrong("is empty: write a text")
	}
	return f.node.Value
}

// pattern returns a text of limited length. wrong returns what is wrong with it, or "".
func (f field) pattern(wrong func(text string) string) string {
	text := f.text()
	if n := runes(f.node.Value); n > maxGlob {
		f.wrong("has %d characters: at most %d are allowed", n, maxGlob)
	} else if text != "" && !f.full() {
		if message := wrong(text); message != "" {
			f.wrong("%s", message)
		}
	}
	return text
}

func (f field) texts(wrong func(text string) string) []string {
	return each(f, func(f field) string { return f.pattern(wrong) })
}

func (f field) instant() time.Time {
	t, err := time.Parse(time.RFC3339, f.node.Value)
	if f.given() && err != nil {
		f.wrong("is not a date and time: write it like 2027-01-31T00:00:00Z")
	}
	return t
}

// choice returns one of a few names, or otherwise if the file has none.
func choice[T ~string](f field, otherwise T, all ...T) T {
	if !f.given() {
		return otherwise
	}
	if !slices.Contains(all, T(f.node.Value)) {
		f.wrong("is %s: use %s or %s%s", quoted(f.node.Value), strings.Join(TextsOf(all[:len(all)-1]), ", "),
			all[len(all)-1], didYouMean(f.node.Value, TextsOf(all)))
	}
	return T(f.node.Value)
}

var shapes = map[string]string{"!!map": "a mapping", "!!seq": "a list", "!!null": "empty", "!!bool": "a boolean",
	"!!int": "a number", "!!float": "a number", "!!timestamp": "a date"}

func shapeOf(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		return "an empty mapping"
	}
	return cmp.Or(shapes[n.ShortTag()], "a text")
}

func (f field) notText(options string) (any, bool) {
	quote := ""
	if f.node.Kind == yaml.ScalarNode && f.node.ShortTag() != "!!null" {
		quote = ", put it in quotes"
	}
	return f.wrong("is %s: it must be a text%s%s", shapeOf(f.node), quote, options)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// syntax adds the YAML parser's error, at the first line that is not valid YAML, with a hint on the usual mistake.
func (p *parser) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	said := 1
	if n, _ := fmt.Sscanf(text, "line %d:", &said); n == 1 {
		_, text, _ = strings.Cut(text, ": ")
	}
	line, at := brokenLine(data, said)
	switch indent, _, _ := strings.Cut(strings.TrimLeft(line, " "), strings.TrimLeft(line, " \t")); {
	case strings.HasPrefix(text, "unknown anchor"): // do not show its name: it may be the beginning of a message text
		text = "anchors are not supported: put a text that begins with * in quotes"
	case strings.Contains(text, "alphabetic or numeric"):
		text += ": put a text that begins with * or & in quotes"
	case strings.Contains(text, "control characters"):
		text += ": save the file as UTF-8"
	case strings.Contains(indent, "\t"):
		text += ": indent with spaces, not with tabs"
	case strings.Contains(text, "cannot start any token"):
		text += ": put the text in quotes"
	default:
		text += ": check the indentation, the brackets and the quotes here"
	}
	field{p, &yaml.Node{Line: at}, ""}.wrong("not YAML: %s", text)
}

// brokenLine returns the first line that is not valid YAML, and its number. The parser often names the line where the
// surrounding block or bracket begins; that line is returned if no line near the end of parsing is the cause.
func brokenLine(data []byte, said int) (string, int) {
	const tries = 20
	lines := bytes.SplitAfter(data, []byte("\n"))
	rest := bytes.NewReader(data)
	_, _ = decodeAll(slowReader{rest})
	read := bytes.Count(data[:len(data)-rest.Len()], []byte("\n")) + 1
	at := min(said, len(lines))
	for n := min(read, len(lines)); n >= 0 && n > read-tries; n-- {
		if _, err := decodeAll(bytes.NewReader(bytes.Join(lines[:n], nil))); err == nil {
			at = min(n+1, len(lines))
			break
		}
	}
	return strings.TrimRight(string(lines[at-1]), "\r\n"), at
}

// A slowReader returns one byte per call, so that what is left shows how far the parser read.
type slowReader struct{ *bytes.Reader }

func (r slowReader) Read(into []byte) (int, error) { return r.Reader.Read(into[:min(1, len(into))]) }

// decodeAll returns the documents of a YAML file, up to the first error.
func decodeAll(r io.Reader) (documents []*yaml.Node, err error) {
	decoder := yaml.NewDecoder(r)
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		documents = append(documents, &document)
	}
}

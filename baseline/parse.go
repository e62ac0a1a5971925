package baseline

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of a file, in addition to MaxFile.
const (
	maxRequired = 5000 // requirements in all rules; they are compared with each other
	maxGlob     = 1024 // characters
	// maxMarks is the largest number of commas, colons, brackets and line breaks. It limits the number of values,
	// because the YAML parser needs about 600 bytes of memory for each value.
	maxMarks = 100_000
)

// Parse parses a baseline file. file is the file name for positions. If the file has errors, Parse returns all of them
// as Errors, and a nil baseline.
func Parse(file string, data []byte) (*Baseline, error) {
	p := &parser{file: file}
	b := &Baseline{File: file, Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(data)), Unknown: map[string]Unknown{},
		Flap: DefaultFlapBudget}
	if document := p.document(data); document != nil {
		p.baseline(document, b)
		if len(p.errors) == 0 {
			p.contradictions(b)
		}
	}
	if len(p.errors) > 0 {
		return nil, p.all()
	}
	return b, nil
}

// maxErrors is the largest number of errors that are shown. Nobody reads more, and each message takes time to build.
const maxErrors = 50

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
	found := p.errors.sorted()
	if p.more > 0 {
		last := found[len(found)-1].Position
		found = append(found, Error{Position: last, Message: fmt.Sprintf("%d more errors: correct these first",
			p.more)})
	}
	return found
}

func (p *parser) at(n *yaml.Node) Position {
	return Position{File: p.file, Line: max(n.Line, 1), Column: max(n.Column, 1)}
}

func (p *parser) wrong(n *yaml.Node, path, format string, args ...any) {
	if p.full() {
		p.more++ // its message is not shown
		return
	}
	p.add(Error{Position: p.at(n), Path: path, Message: fmt.Sprintf(format, args...)})
}

// add adds an error with a message of one line of limited length.
func (p *parser) add(f Error) {
	if p.full() {
		p.more++
		return
	}
	f.Path, f.Message = shortened(Legible(f.Path), 200), shortened(Legible(f.Message), 500)
	p.errors = append(p.errors, f)
}

func (p *parser) document(data []byte) *yaml.Node {
	top := &yaml.Node{Line: 1, Column: 1}
	switch {
	case len(data) > MaxFile:
		p.wrong(top, "", "the file is larger than %d bytes", MaxFile)
		return nil
	case marks(data) > maxMarks:
		p.wrong(top, "", "the file has more than %d values, which is too many", maxMarks)
		return nil
	case !utf8.Valid(data):
		p.wrong(top, "", "the file is not valid UTF-8")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		p.wrong(top, "", "the file is empty: it needs version: 1 and rules")
		return nil
	} else if err != nil {
		p.syntax(data, err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		p.wrong(&second, "", "the file has a second YAML document: a baseline is a single document")
		return nil
	} else if !errors.Is(err, io.EOF) {
		p.syntax(data, err)
		return nil
	}
	root := document.Content[0]
	p.plain(root, 0)
	if len(p.errors) > 0 {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		p.wrong(root, "", "the file is %s: it needs version: 1 and rules", shapeOf(root))
		return nil
	}
	return root
}

// marks counts the characters that separate values, even inside texts.
func marks(data []byte) int {
	n := 0
	for _, mark := range []string{",", "\n", ":", "[", "{", "?"} {
		n += bytes.Count(data, []byte(mark))
	}
	return n
}

const maxDepth = 32

// plain rejects YAML features that a baseline does not need or that can make a small file large: aliases, merge keys
// and custom tags.
func (p *parser) plain(n *yaml.Node, depth int) {
	switch {
	case depth > maxDepth:
		p.wrong(n, "", "nested deeper than %d levels", maxDepth)
		return
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		p.wrong(n, "", "anchors and aliases are not supported: write the value out")
		return
	case n.Tag == "!!merge":
		p.wrong(n, "", "merge keys are not supported: write the members out")
		return
	case n.Style&yaml.TaggedStyle != 0:
		p.wrong(n, "", "the tag %s is not supported: write a plain value", n.Tag)
		return
	}
	for _, below := range n.Content {
		p.plain(below, depth+1)
	}
}

type entry struct {
	name       string
	key, value *yaml.Node
}

// entries returns the entries of a mapping, each name once. It adds an error for a node that is not a mapping.
func (p *parser) entries(n *yaml.Node, path, what string) []entry {
	if n.Kind != yaml.MappingNode {
		p.wrong(n, path, "is %s: it needs %s", shapeOf(n), what)
		return nil
	}
	var all []entry
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			p.wrong(key, path, "a key is %s: it must be a name", shapeOf(key))
			continue
		}
		if line, twice := lines[key.Value]; twice {
			p.wrong(key, join(path, key.Value), "is a duplicate of line %d: remove one", line)
			continue
		}
		lines[key.Value] = key.Line
		all = append(all, entry{key.Value, key, n.Content[i+1]})
	}
	return all
}

// A section is a mapping with known keys.
type section struct {
	*parser
	node *yaml.Node
	path string
	keys map[string]entry
}

func (p *parser) section(n *yaml.Node, path, what string, names ...string) section {
	s := section{p, n, path, map[string]entry{}}
	for _, e := range p.entries(n, path, what) {
		if !slices.Contains(names, e.name) {
			p.wrong(e.key, join(path, e.name), "there is no such key%s", p.didYouMean(e.name, names))
			continue
		}
		s.keys[e.name] = e
	}
	return s
}

// need adds an error if none of the keys is present.
func (s section) need(message string, names ...string) {
	present := func(name string) bool { return s.keys[name].value != nil }
	if s.node.Kind == yaml.MappingNode && !slices.ContainsFunc(names, present) {
		s.wrong(s.node, join(s.path, names[0]), "is missing: %s", message)
	}
}

// notEmpty adds an error if there are no keys at all.
func (s section) notEmpty(message string) {
	if s.node.Kind == yaml.MappingNode && len(s.node.Content) == 0 {
		s.wrong(s.node, s.path, "is empty: %s", message)
	}
}

func read[T any](s section, name string, into *T, with func(n *yaml.Node, path string) T) {
	if e, ok := s.keys[name]; ok {
		*into = with(e.value, join(s.path, name))
	}
}

// each reads the elements of a list that must not be empty.
func each[T any](p *parser, n *yaml.Node, path string, read func(n *yaml.Node, path string) T) []T {
	if n.Kind != yaml.SequenceNode {
		p.wrong(n, path, "is %s: it must be a list, [like this]", shapeOf(n))
		return nil
	}
	if len(n.Content) == 0 {
		p.wrong(n, path, "is an empty list: add an element, or leave the key out")
	}
	var all []T
	for i, e := range n.Content {
		all = append(all, read(e, fmt.Sprintf("%s[%d]", path, i)))
	}
	return all
}

func (p *parser) text(n *yaml.Node, path string) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		p.wrong(n, path, "is %s: it must be a text%s", shapeOf(n), quoteIt(n))
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		p.wrong(n, path, "is empty: write a text")
	}
	return n.Value
}

// pattern returns a text of limited length, of which wrong, if it is given, may say what is wrong.
func (p *parser) pattern(n *yaml.Node, path string, wrong func(text string) string) string {
	text := p.text(n, path)
	if runes(n.Value) > maxGlob {
		p.wrong(n, path, "has %d characters: at most %d are allowed", runes(n.Value), maxGlob)
	} else if text != "" && wrong != nil && !p.full() {
		if message := wrong(text); message != "" {
			p.wrong(n, path, "%s", message)
		}
	}
	return text
}

func (p *parser) texts(n *yaml.Node, path string, wrong func(text string) string) []string {
	return each(p, n, path, func(n *yaml.Node, path string) string { return p.pattern(n, path, wrong) })
}

func (p *parser) instant(n *yaml.Node, path string) time.Time {
	t, err := time.Parse(time.RFC3339, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		p.wrong(n, path, "is not a date and time: write it like 2027-01-31T00:00:00Z")
	}
	return t
}

func shapeOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) == 0 {
			return "an empty mapping"
		}
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	default:
		return "a text"
	}
}

func quoteIt(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!str" && n.ShortTag() != "!!null" {
		return ", put it in quotes"
	}
	return ""
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^line (\d+): `) })

// syntax adds the YAML parser's error, at the first line that is not valid YAML, with a hint on the usual mistake.
func (p *parser) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	said := 1
	if found := yamlLine().FindStringSubmatch(text); found != nil {
		said, _ = strconv.Atoi(found[1])
		text = text[len(found[0]):]
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
	p.wrong(&yaml.Node{Line: at, Column: 1}, "", "not YAML: %s", text)
}

// brokenLine returns the first line that is not valid YAML, and its number. The parser often names the line where the
// surrounding block or bracket begins; that line is returned if no line near the end of parsing is the cause.
func brokenLine(data []byte, said int) (string, int) {
	const tries = 20
	lines := bytes.SplitAfter(data, []byte("\n"))
	counted := &lineReader{lines: lines}
	_ = decodeAll(counted)
	at := min(said, len(lines))
	for n := counted.read; n >= 0 && n > counted.read-tries; n-- {
		if decodeAll(&lineReader{lines: lines[:n]}) == nil {
			at = min(n+1, len(lines))
			break
		}
	}
	return strings.TrimRight(string(lines[at-1]), "\r\n"), at
}

// A lineReader returns one line per call, and counts the lines.
type lineReader struct {
	lines [][]byte
	read  int
	rest  []byte
}

func (r *lineReader) Read(into []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.read == len(r.lines) {
			return 0, io.EOF
		}
		r.rest, r.read = r.lines[r.read], r.read+1
	}
	n := copy(into, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func decodeAll(r io.Reader) error {
	decoder := yaml.NewDecoder(r)
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

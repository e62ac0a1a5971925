// Package fences_test holds the size limits that keep the code easy to carry on. The linter holds those of a line and
// of a function; these are the ones that it does not know.
package fences_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	root          = "../../.."
	mostColumns   = 120
	mostFields    = 16
	mostReceivers = 30
)

// mostLines are the limits of the lines of Go.
var mostLines = map[string]int{"outside tests": 20500, "in lambda/reconcile": 1600, "in tests": 22000}

// The exceptions, each with its reason.
var (
	longLines = map[string]string{
		"Makefile":               "a recipe is one line of shell",
		".golangci.yml":          "an exclusion is one pattern",
		"baseline/baseline.yaml": "messages and examples name its lines and columns",
	}
	manyFields = map[string]string{
		"baseline.Member": "one row of the member table: each field is a fact about a member of the API",
		"report.Report":   "the JSON that others read",
		"stream.poolLine": "the JSON that others read",
		"main.applying":   "what one apply was asked for, and what it has done so far",
	}
	manyMethods = map[string]string{
		"baseline.field":     "reads a whole file, one method a kind of node",
		"main.cli":           "one method a command and its parts",
		"cognitotest.Server": "one method an operation of the API",
	}
)

// text are the files that people read line by line. Tables of documents are wider than any line.
var text = map[string]bool{".go": true, ".sh": true, ".py": true, ".yaml": true, ".yml": true}

func TestColumns(t *testing.T) {
	t.Parallel()
	walk(t, func(path string, body []byte) {
		if !text[filepath.Ext(path)] && filepath.Base(path) != "Makefile" {
			return
		}
		if _, ok := longLines[path]; ok {
			return
		}
		n := 0
		for line := range strings.Lines(string(body)) {
			n++
			if columns := utf8.RuneCountInString(strings.TrimRight(line, "\n")); columns > mostColumns {
				t.Errorf("%s:%d: %d columns, at most %d", path, n, columns, mostColumns)
			}
		}
	})
}

func TestStructsAndReceivers(t *testing.T) {
	t.Parallel()
	structs, methods := map[string]*ast.StructType{}, map[string]int{}
	walk(t, func(path string, body []byte) {
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, body, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if st, ok := n.Type.(*ast.StructType); ok {
					structs[file.Name.Name+"."+n.Name.Name] = st
				}
			case *ast.FuncDecl:
				if n.Recv != nil {
					methods[file.Name.Name+"."+typeName(n.Recv.List[0].Type)]++
				}
				return false
			}
			return true
		})
	})
	for name := range structs {
		if n := fields(name, structs); n > mostFields && manyFields[name] == "" {
			t.Errorf("%s has %d fields, at most %d", name, n, mostFields)
		}
	}
	for name, n := range methods {
		if n > mostReceivers && manyMethods[name] == "" {
			t.Errorf("%s has %d methods, at most %d", name, n, mostReceivers)
		}
	}
}

// fields counts the fields of a struct, with those of the structs of the project that are embedded in it.
func fields(name string, structs map[string]*ast.StructType) int {
	n, local := 0, strings.Split(name, ".")[0]
	for _, f := range structs[name].Fields.List {
		if len(f.Names) > 0 {
			n += len(f.Names)
			continue
		}
		embedded := typeName(f.Type)
		if !strings.Contains(embedded, ".") {
			embedded = local + "." + embedded
		}
		if _, ok := structs[embedded]; ok {
			n += fields(embedded, structs)
		} else {
			n++
		}
	}
	return n
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return typeName(e.X)
	default:
		return ""
	}
}

// TestLinesOfCode: the Go code outside tests, that of lambda/reconcile, and the tests stay small.
func TestLinesOfCode(t *testing.T) {
	t.Parallel()
	lines := map[string]int{}
	walk(t, func(path string, body []byte) {
		n := strings.Count(string(body), "\n")
		switch {
		case filepath.Ext(path) != ".go":
			return
		case strings.HasSuffix(path, "_test.go"):
			lines["in tests"] += n
			return
		case filepath.Dir(path) == "lambda/reconcile":
			lines["in lambda/reconcile"] += n
		}
		lines["outside tests"] += n
	})
	for what, most := range mostLines {
		if t.Logf("%d lines %s", lines[what], what); lines[what] > most {
			t.Errorf("%d lines %s, at most %d", lines[what], what, most)
		}
	}
}

// walk visits the project's own files.
func walk(t *testing.T, visit func(path string, body []byte)) {
	t.Helper()
	project := os.DirFS(root)
	err := fs.WalkDir(project, ".", func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		hidden := strings.HasPrefix(name, ".") && name != "." && name != ".ci"
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		if d.IsDir() && (hidden || name == "node_modules" || name == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		body, err := fs.ReadFile(project, path)
		visit(path, body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

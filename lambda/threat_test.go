package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// declared returns the names of all tests of the repository.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, root := range []string{"../baseline", "../lambda", "../infra"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() && entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(path, "_test.go") {
				return nil
			}
			for _, found := range function.FindAllStringSubmatch(string(must(os.ReadFile(path))(t)), -1) {
				tests[found[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests
}

// TestReadmeNamesTests: all tests that the README names exist. Every threat names tests that show what stops it, and
// so does everything that a contributor may add.
func TestReadmeNamesTests(t *testing.T) {
	t.Parallel()
	readme := string(must(os.ReadFile("README.md"))(t))
	tests, name := declared(t), regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	for _, found := range name.FindAllStringSubmatch(readme, -1) {
		if !tests[found[1]] {
			t.Errorf("there is no test %s", found[1])
		}
	}
	for heading, columns := range map[string]int{"Threat model": 5, "Contributing": 3} {
		_, section, _ := strings.Cut(readme, "\n## "+heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		_, table, _ := strings.Cut(section, "|---|\n")
		table, _, _ = strings.Cut(table, "\n\n")
		rows := strings.Split(strings.TrimSpace(table), "\n")
		if len(rows) < 5 {
			t.Errorf("%s: %d rows", heading, len(rows))
		}
		for _, row := range rows {
			cells := strings.Split(strings.Trim(row, "|"), " | ")
			if len(cells) != columns || !name.MatchString(cells[columns-1]) {
				t.Errorf("%s: %d cells, or no test: %s", heading, len(cells), row)
			}
		}
	}
}

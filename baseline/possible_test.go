package baseline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// patternsOf returns the patterns of the table.
func patternsOf() []string {
	patterns := []string{namePattern}
	for _, p := range allPlaces() {
		m := p.member
		if m.Elem != nil {
			m = *m.Elem
		}
		if m.Pattern != "" && !slices.Contains(patterns, m.Pattern) {
			patterns = append(patterns, m.Pattern)
		}
	}
	return patterns
}

// TestGlobsThatCanMatch: a glob that matches some text which the API takes is never called impossible, and one that no
// such text can match always is.
func TestGlobsThatCanMatch(t *testing.T) {
	t.Parallel()
	patterns := patternsOf()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.SampledFrom(patterns).Draw(t, "pattern")
		text := []rune(rapid.StringMatching(pattern).Draw(t, "text"))
		var glob strings.Builder
		for _, r := range text {
			switch {
			case rapid.IntRange(0, 4).Draw(t, "how") == 0:
				glob.WriteByte('*')
			case r == '*' || rapid.IntRange(0, 4).Draw(t, "one") == 0:
				glob.WriteByte('?')
			default:
				glob.WriteRune(r)
			}
		}
		if why := neverMatches(Member{Pattern: pattern}, glob.String()); why != "" {
			t.Errorf("%q matches %q of %s, and it %s", glob.String(), string(text), pattern, why)
		}
		impossible := "\x00" // which no pattern of the API takes but that of a text message
		if at := rapid.IntRange(0, glob.Len()).Draw(t, "at"); pattern != smsPattern {
			if broken := glob.String()[:at] + impossible + glob.String()[at:]; neverMatches(Member{Pattern: pattern},
				broken) == "" {
				t.Errorf("%q is taken for one that can match %s", broken, pattern)
			}
		}
	})
}

// TestLifetimesInEveryUnit: a number is refused in a unit if it is less or more than the API takes, whichever operator
// names it and however the unit is said.
func TestLifetimesInEveryUnit(t *testing.T) {
	t.Parallel()
	units := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour,
		"days": 24 * time.Hour}
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.SampledFrom([]string{"AccessToken", "IdToken", "RefreshToken"}).Draw(t, "token")
		unit := rapid.SampledFrom([]string{"seconds", "minutes", "hours", "days"}).Draw(t, "unit")
		n := rapid.OneOf(rapid.Int64Range(1, 90), rapid.Int64Range(1, 86400)).Draw(t, "number")
		least, most := 5*time.Minute, 24*time.Hour
		if token == "RefreshToken" {
			least, most = time.Hour, 3650*24*time.Hour
		}
		length := n * int64(units[unit]/time.Second)
		good := length >= int64(least/time.Second) && length <= int64(most/time.Second)
		value := rapid.SampledFrom([]string{"%d", "{atLeast: %d}", "{atMost: %d}", "{oneOf: [%d]}"}).Draw(t, "operator")
		of := rapid.SampledFrom([]string{"{%s: %s}", "{exactly: {%s: %s}}"}).Draw(t, "units")
		_, err := Parse("a.yaml", []byte("version: 1\nrules: [{name: a, clients: [{require: {"+token+"Validity: "+
			fmt.Sprintf(value, n)+", TokenValidityUnits: "+fmt.Sprintf(of, token, unit)+"}}]}]\n"))
		if (err == nil) != good {
			t.Errorf("%s of %d %s: %v", token, n, unit, err)
		}
	})
}

// inOtherTools returns a name as Terraform, the AWS CLI and CloudTrail write it.
func inOtherTools(name string) []string {
	apart := func(by string) string {
		return strings.ToLower(regexp.MustCompile(`([^A-Z])([A-Z])`).ReplaceAllString(name, "${1}"+by+"${2}"))
	}
	return []string{apart("_"), apart("-"), "--" + apart("-"), strings.ToLower(name[:1]) + name[1:]}
}

// TestNamesOfOtherTools: whatever tool writes a setting in its own way, the name of the API is suggested.
func TestNamesOfOtherTools(t *testing.T) {
	t.Parallel()
	for _, m := range []Member{{Kind: Object, Members: settings}, {Name: Clients, Kind: Object, Members: clientSettings}} {
		for _, path := range paths(m.Members) {
			above, name := m, path
			for key, rest, more := strings.Cut(path, "."); more; key, rest, more = strings.Cut(rest, ".") {
				above, _ = child(above, key)
				name = rest
			}
			for _, other := range inOtherTools(name) {
				if Index(above.Members, other) >= 0 {
					continue // implicit and the like are written the same way
				}
				if got := suggestion(other, above)(); got != ", did you mean "+name+"?" {
					t.Errorf("%s in %s: %q", other, path, got)
				}
			}
		}
	}
}

// TestOtherNamesAreOfSettings: what another tool's name stands for is a setting.
func TestOtherNamesAreOfSettings(t *testing.T) {
	t.Parallel()
	for _, row := range otherNames {
		_, ofPool := Lookup(row.path)
		_, ofClient := Lookup(Clients + "." + row.path)
		if row.names != folded(row.names) || !ofPool && !ofClient {
			t.Errorf("%s is no setting, or %s is never found", row.path, row.names)
		}
	}
}

// other returns the twin of a setting, or the setting itself if it has none.
func other(setting string) string {
	twin, _ := TwinOf(setting)
	return cmp.Or(twin, setting)
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// A largeFile is a text that is handed over as a baseline, and what is said of it.
type largeFile struct {
	text string
	want string // of the error, or "" for a good file
}

func largeFiles() map[string]largeFile {
	mistakes := map[string]any{}
	for i := range 5000 {
		mistakes[fmt.Sprintf("Setting%d", i)] = "x"
	}
	var rules, wrong []any
	for i := range 3000 {
		rules = append(rules, map[string]any{"name": fmt.Sprint(i),
			"require": map[string]any{"UserPoolTags": map[string]any{fmt.Sprint("k", i%40): "v"}}})
		wrong = append(wrong, map[string]any{"name": fmt.Sprint(i), "require": map[string]any{"MfaConfiguration": "on"}})
	}
	var tags, objects []any
	for i := range 4900 {
		tag := map[string]any{"UserPoolTags": map[string]any{fmt.Sprint("k", i): "v"}}
		tags = append(tags, map[string]any{"name": fmt.Sprint(i), "require": tag})
		if i%2 == 0 {
			tag = map[string]any{"LambdaConfig": map[string]any{"exactly": map[string]any{}}}
		}
		objects = append(objects, map[string]any{"name": fmt.Sprint(i), "require": tag})
	}
	file := func(rules any) string { return jsonOf(map[string]any{"version": 1, "rules": rules}) }
	return map[string]largeFile{
		"5,000 mistakes in one line": {file([]any{map[string]any{"name": "a", "require": mistakes}}),
			"4950 more errors"},
		"3,000 rules in one line":     {file(rules), ""},
		"4,900 tags of as many rules": {file(tags), ""},
		"objects between tags":        {file(objects), ""},
		"3,000 mistaken rules":        {file(wrong), "2950 more errors"},
		"a line of 10 MB":             {strings.Repeat("x", 10<<20), "larger than 524288 bytes"},
		"a line of 500 KB":            {strings.Repeat("x", 500<<10), "it needs version: 1 and rules"},
		"as many commas as are taken": {"version: 1\nrules: [" + strings.Repeat("a,", 95_000) + "]\n", "more errors"},
		"500 KB of commas": {"version: 1\nrules: [" + strings.Repeat("a,", 250<<10) + "]\n",
			"more than 100000 values"},
		"500 KB of zeros":  {strings.Repeat("\x00", 500<<10), "not YAML"},
		"500 KB of braces": {strings.Repeat("{a: ", 125<<10), "more than 100000 values"},
		"a broken end":     {file(rules[:2000])[:60000], "not YAML"},
	}
}

// TestLargeFilesEnd: whatever is handed over as a baseline is parsed within 2 seconds and 100 MB.
func TestLargeFilesEnd(t *testing.T) {
	for name, c := range largeFiles() {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			var text string
			most := peak(func() {
				_, err := Parse("a.json", []byte(c.text))
				if err != nil {
					text = err.Error()
				}
			})
			if took := time.Since(began); took > 2*time.Second || most > 100<<20 {
				t.Errorf("took %s and %d MB", took, most>>20)
			}
			if (c.want == "") != (text == "") || !strings.Contains(text, c.want) || len(text) > 40000 {
				t.Errorf("%.300s, want %q", text, c.want)
			}
		})
	}
}

// BenchmarkLargeFiles says how long each takes, and how much memory it needs at most.
func BenchmarkLargeFiles(b *testing.B) {
	for name, c := range largeFiles() {
		b.Run(name, func(b *testing.B) {
			most := uint64(0)
			for b.Loop() {
				most = max(most, peak(func() { _, _ = Parse("a.json", []byte(c.text)) }))
			}
			b.ReportMetric(float64(most)/(1<<20), "MB")
		})
	}
}

// TestExcerpt: the place is in the excerpt, which is short, printable, and shows nothing of a line that may hold a
// secret.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[a-zé\t :{}]{0,300}`), 1, 5).Draw(t, "lines")
		at := Position{Line: rapid.IntRange(0, 6).Draw(t, "line"), Column: rapid.IntRange(0, 301).Draw(t, "column")}
		text, column, ok := Excerpt([]byte(strings.Join(lines, "\n")), at)
		there := at.Line >= 1 && at.Line <= len(lines) && at.Column >= 1 &&
			at.Column <= int(runes(lines[min(max(at.Line, 1), len(lines))-1]))
		if ok != there {
			t.Fatalf("%v: %t", at, ok)
		}
		if !ok {
			return
		}
		want := strings.ReplaceAll(string([]rune(lines[at.Line-1])[at.Column-1]), "\t", " ")
		if shown := []rune(text); len(shown) > ExcerptWidth || string(shown[column]) != want {
			t.Errorf("%q of %d characters, column %d, want %q there", text, len(shown), column, want)
		}
	})
	for name, source := range map[string]string{"a text": `{"EmailMessage": "secret", "x": 1}`, "no line": ""} {
		if text, _, ok := Excerpt([]byte(source), Position{Line: 1, Column: 20}); ok {
			t.Errorf("%s: %q", name, text)
		}
	}
	long := []byte(strings.Repeat("x", 10<<20))
	if text, column, ok := Excerpt(long, Position{Line: 1, Column: 5 << 20}); !ok || runes(text) > ExcerptWidth ||
		column >= int(runes(text)) {
		t.Errorf("%q, %d, %t", text, column, ok)
	}
}

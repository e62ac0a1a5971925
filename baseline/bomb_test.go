package baseline

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	oneRule = "version: 1\nrules:\n  - name: a\n    require: {DeletionProtection: ACTIVE}\n"
	manyKey = "version: 1\nrules:\n  - name: a\n    require:\n"
)

// numbered repeats a line with a number in it.
func numbered(line string) func(n int) string {
	return func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
}

func repeated(line string) func(n int) string {
	return func(n int) string { return strings.Repeat(line, n/len(line)+1) }
}

// TestBombs: a file that is made to grow in its reader's hands, or to keep it busy, is refused for what it is. Four
// times the file takes no more than about four times the memory to refuse.
func TestBombs(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		body func(n int) string
		want string
	}{
		"billion laughs": {"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: ", repeated("[*c, *c]\ne: "),
			"anchors and aliases are not supported"},
		"aliases":            {"a: &a [x, x]\n", numbered("k%d: [*a, *a]\n"), "anchors and aliases are not supported"},
		"anchors":            {"", repeated("- &a x\n"), "anchors and aliases are not supported"},
		"an alias of itself": {"a: &a [*a]\n", repeated("# \n"), "anchors and aliases are not supported"},
		"merge keys":         {"", numbered("- {<<: {a: %d}}\n"), "merge keys are not supported"},
		"tags":               {"", repeated("- !!binary YQ==\n"), "is not supported: write a plain value"},
		"deep lists":         {"version: 1\nrules: ", repeated("["), "not YAML"},
		"deep mappings":      {"", repeated("? "), "nested deeper than 32 levels"},
		"deeper by a space": {"", func(n int) string {
			var b strings.Builder
			for i := 0; b.Len() < n; i++ {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}, "nested deeper than 32 levels"},
		"keys":    {"", numbered("versio%d: 1\n"), "there is no such key"},
		"one key": {"", repeated("version: 1\n"), "is a duplicate of line"},
		"settings": {manyKey, numbered("      DeletionProtectio%d: ACTIVE\n"),
			"there is no such setting, did you mean DeletionProtection?"},
		"exemptions": {oneRule + "exemptions:\n", repeated("  - {settings: [DeletionProtectiox]}\n"),
			"there is no setting DeletionProtectiox"},
		"documents": {oneRule, repeated("---\na: 1\n"), "second YAML document"},
		"comments":  {"", repeated("#\n"), "the file is empty"},
		"a glob": {"version: 1\nrules:\n  - name: a\n    require: {DeletionProtection: ACTIVE}\n    pools: {names: [\"",
			repeated("*a"), "not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			refuse := func(n int) float64 {
				text := []byte(c.head + c.body(n))
				return testing.AllocsPerRun(1, func() {
					if b, err := Parse("b.yaml", text); b != nil || err == nil || !strings.Contains(err.Error(), c.want) {
						t.Errorf("%.200v, want %q", err, c.want)
					}
				})
			}
			if small, large := refuse(4<<10), refuse(16<<10); large > 6*small+1000 {
				t.Errorf("%.0f allocations become %.0f", small, large)
			}
		})
	}
}

// TestBoundsOfAFile: a file as large, with as many requirements and as long globs as are taken is taken, and one more
// is refused.
func TestBoundsOfAFile(t *testing.T) {
	t.Parallel()
	rules := func(n int) string {
		var b strings.Builder
		b.WriteString("version: 1\nrules:\n")
		for i := range n {
			fmt.Fprintf(&b, "- {name: r%d, require: {DeletionProtection: ACTIVE}}\n", i)
		}
		return b.String()
	}
	named := func(n int) string {
		return "version: 1\nrules: [{name: a, pools: {names: [\"" + strings.Repeat("*", n) +
			"\"]}, require: {PoolName: {matches: \"" + strings.Repeat("*", n) + "\"}}}]\n"
	}
	for name, c := range map[string]struct{ good, bad, want string }{
		"size": {oneRule + strings.Repeat("#", MaxFile-len(oneRule)),
			oneRule + strings.Repeat("#", MaxFile-len(oneRule)+1), "the file is larger than 524288 bytes"},
		"requirements": {rules(maxRequired), rules(maxRequired + 1), "more than 5000 requirements"},
		"globs":        {named(maxGlob), named(maxGlob + 1), "has 1025 characters: at most 1024 are allowed"},
	} {
		if _, err := Parse("b.yaml", []byte(c.good)); err != nil {
			t.Errorf("%s: %.200v", name, err)
		}
		if _, err := Parse("b.yaml", []byte(c.bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.200v, want %q", name, err, c.want)
		}
	}
}

// peak returns the most memory that was in use while f ran, beyond what was before, as the collector sees it.
func peak(f func()) uint64 {
	debug.FreeOSMemory()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapInuse))
			}
		}
	}()
	f()
	close(done)
	<-stopped
	return most.Load() - min(most.Load(), before.HeapInuse)
}

// BenchmarkCompare compares a whole pool with a policy that names every setting.
func BenchmarkCompare(b *testing.B) {
	b.ReportAllocs()
	var require []Requirement
	for _, p := range allPlaces() {
		if p.leaf() {
			require = append(require, say(p.path, Equal, sample(p.member, 0)))
		}
	}
	policy, pool := policyOf(require), fullPool()
	for b.Loop() {
		if c := Compare(policy, pool); len(c.Drifts) > 0 {
			b.Fatalf("%d drifts", len(c.Drifts))
		}
	}
}

// hundredRules is a baseline of many rules, each of its own settings and clients.
func hundredRules() []byte {
	var b strings.Builder
	b.WriteString("version: 1\nrules:\n")
	for i := range 100 {
		fmt.Fprintf(&b, `  - name: rule-%d
    pools: {names: ["team-%d-*"], tags: {env: [prod]}}
    require:
      DeletionProtection: ACTIVE
      MfaConfiguration: {oneOf: [ON, OPTIONAL], set: OPTIONAL}
      SoftwareTokenMfaConfiguration: {Enabled: true}
      Policies: {PasswordPolicy: {MinimumLength: {atLeast: %d}, RequireNumbers: true, RequireSymbols: true}}
      LambdaConfig: {exactly: {PreSignUp: "arn:aws:lambda:eu-west-1:111122223333:function:pre-%d"}}
    clients:
      - names: ["web-*"]
        require: {EnableTokenRevocation: true, CallbackURLs: ["https://%d.example.com/callback"]}
`, i, i, 8+i%20, i, i)
	}
	return []byte(b.String())
}

// BenchmarkParse reads the baseline of an organization with many teams, as every start of the function does.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	text := hundredRules()
	for b.Loop() {
		if _, err := Parse("b.yaml", text); err != nil {
			b.Fatal(err)
		}
	}
}

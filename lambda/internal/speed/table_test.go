package speed

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const readme = "../../README.md"

var note = regexp.MustCompile(` \[\d+\] $`)

// TestTargets: each metric has one target, whose numbers make sense together.
func TestTargets(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, target := range Targets {
		if seen[target.Metric] || target.Metric == "" || target.What == "" {
			t.Errorf("%+v is no target, or the second of its metric", target)
		}
		seen[target.Metric] = true
		if target.Goal > target.Fail || target.Goal == 0 && target.Fail != 0 || target.Goal != 0 &&
			target.Floor > target.Goal {
			t.Errorf("%s: floor %v, goal %v, fail %v", target.Metric, target.Floor, target.Goal, target.Fail)
		}
	}
}

// TestReadme: the table in the README is that of the targets. Only what was measured is its own. Of what never varies,
// none is beyond the point of failure, and a goal that is missed has a note; the ratios are those of a machine that
// may have been busy.
func TestReadme(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	measured := map[string]float64{}
	for _, target := range Targets {
		for line := range strings.Lines(string(content)) {
			cells := strings.Split(line, "|")
			if len(cells) < 3 || strings.TrimSpace(note.ReplaceAllString(cells[1], "")) != target.What {
				continue
			}
			number, _, _ := strings.Cut(strings.TrimSpace(cells[2]), " ")
			if v, err := strconv.ParseFloat(number, 64); err == nil {
				measured[target.Metric] = v
			}
		}
		v, ok := measured[target.Metric]
		switch {
		case !ok && target.Needs == "":
			t.Errorf("%s has no number: run make bench", target.What)
		case target.Exact && v > target.Fail:
			t.Errorf("%s: %v was measured, which fails at %v", target.What, v, target.Fail)
		case target.Exact && v > target.Goal && target.Note == "":
			t.Errorf("%s: %v misses the goal of %v, and no note says why", target.What, v, target.Goal)
		}
	}
	want, err := Replace(string(content), measured)
	if err != nil {
		t.Fatal(err)
	}
	if version(want) != version(string(content)) {
		t.Error("the table is not that of the targets: run make bench")
	}
}

// version takes the version of Go out of a text, which is that of the machine that measured.
func version(text string) string {
	before, rest, _ := strings.Cut(text, "Measured with go")
	_, after, _ := strings.Cut(rest, "\n")
	return before + after
}

func TestRead(t *testing.T) {
	t.Parallel()
	output := "goos: linux\nBenchmarkStart-2 \t 1\t 50 ns/op\t 1.5 " + StartWall + "\t 0.02 " + BotoStart +
		"\nBenchmarkOther-2 9 3 ns/op 7 allocs/op\nPASS\n"
	measured, err := Read(strings.NewReader(output))
	if err != nil || len(measured) != 2 || measured[StartWall] != 1.5 || measured[BotoStart] != 0.02 {
		t.Errorf("%v %v", measured, err)
	}
	for name, output := range map[string]string{
		"twice":     "BenchmarkA 1 2 " + StartWall + "\nBenchmarkB 1 2 " + StartWall + "\n",
		"no number": "BenchmarkA 1 fast " + StartWall + "\n",
	} {
		if _, err := Read(strings.NewReader(output)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	text := "# Before\n\n" + begin + "\nof last year\n" + end + "\n\nAfter.\n"
	got, err := Replace(text, map[string]float64{StartWall: 1.75, StartCPU: 1.9, ZipAMD64: 3.123})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# Before\n", "\nAfter.\n", "| 1.75 x (missed) |", "| 1.90 x (beyond) |",
		"| 3.12 MB |", "| absent: no Python with boto3 on PATH |", "| not measured |"} {
		if !strings.Contains(got, part) {
			t.Errorf("there is no %q in\n%s", part, got)
		}
	}
	if strings.Contains(got, "of last year") {
		t.Error("the old table is still there")
	}
	if again, err := Replace(got, map[string]float64{StartWall: 1.75, StartCPU: 1.9, ZipAMD64: 3.123}); err != nil ||
		again != got {
		t.Errorf("replaced again, it differs (%v)", err)
	}
	for _, text := range []string{"", begin + "\n"} {
		if _, err := Replace(text, nil); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

package speed

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
)

// The markers between which the table stands.
const (
	begin = "<!-- speed: written by make bench -->"
	end   = "<!-- /speed -->"
)

// Read returns the numbers of the targets in the output of benchmarks: each line is a name, a count, and pairs of a
// value and its unit. A metric that is reported twice is an error.
func Read(output io.Reader) (map[string]float64, error) {
	measured := map[string]float64{}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			metric := words[i+1]
			if Of(metric).Metric == "" {
				continue
			}
			v, err := strconv.ParseFloat(words[i], 64)
			if err != nil {
				return nil, fmt.Errorf("reading %s of %s: %w", metric, words[0], err)
			}
			if _, twice := measured[metric]; twice {
				return nil, fmt.Errorf("%s is reported twice, the second time by %s", metric, words[0])
			}
			measured[metric] = v
		}
	}
	return measured, lines.Err()
}

// Replace returns the text with the table of what was measured between the markers.
func Replace(text string, measured map[string]float64) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	if !found {
		return "", fmt.Errorf("there is no line %s", begin)
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("there is no line %s", end)
	}
	return before + begin + "\n\n" + table(measured) + "\n" + end + after, nil
}

func table(measured map[string]float64) string {
	var b, notes strings.Builder
	b.WriteString("| | measured | goal | fail at | floor | |\n|---|---:|---:|---:|---:|---|\n")
	n := 0
	for _, t := range Targets {
		number, mark := t.number(measured), ""
		if t.Note != "" {
			n++
			mark = fmt.Sprintf(" [%d]", n)
			fmt.Fprintf(&notes, "%d. %s\n", n, t.Note)
		}
		held := "benchmark"
		if t.Exact {
			held = "test"
		}
		fmt.Fprintf(&b, "| %s%s | %s | %s | %s | %s | %s |\n", t.What, mark, number, t.orElse(t.Goal, "none"),
			t.orElse(t.Fail, "none"), t.orElse(t.Floor, "unknown"), held)
	}
	return b.String() + "\nMeasured with " + runtime.Version() + ".\n\n" + notes.String()
}

// number is what was measured, with a mark where the goal is missed, or the point of failure passed.
func (t Target) number(measured map[string]float64) string {
	v, ok := measured[t.Metric]
	switch {
	case !ok && t.Needs != "":
		return "absent: no " + t.Needs
	case !ok:
		return "not measured"
	case t.Goal == 0:
		return t.format(v)
	case v > t.Fail:
		return t.format(v) + " (beyond)"
	case v > t.Goal:
		return t.format(v) + " (missed)"
	default:
		return t.format(v)
	}
}

func (t Target) orElse(v float64, none string) string {
	if v == 0 {
		return none
	}
	return t.format(v)
}

// format writes a number with the digits that its unit is measured to.
func (t Target) format(v float64) string {
	switch t.Unit {
	case "x":
		if v < 0.1 {
			return strconv.FormatFloat(v, 'f', 3, 64) + " x"
		}
		return strconv.FormatFloat(v, 'f', 2, 64) + " x"
	case "MB":
		return strconv.FormatFloat(v, 'f', 2, 64) + " MB"
	default:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
}

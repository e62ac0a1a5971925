package baseline

import "strings"

// didYouMean returns ", did you mean X?" with the nearest known name, or "" if none is near.
func didYouMean(name string, known []string) string {
	best := Nearest(name, known)
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

// Nearest returns the known name that is nearest to name, or "" if none is near enough.
func Nearest(name string, known []string) string {
	best, distance := "", 1+len(name)/3
	for _, k := range known {
		if len(k)-len(name) > distance || len(name)-len(k) > distance {
			continue // at least as many edits as the difference in length
		}
		if d := edits(strings.ToLower(name), strings.ToLower(k)); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	return best
}

// edits returns the number of insertions, deletions and replacements that turn a into b. Texts that are too long for a
// name get a large distance.
func edits(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := append(make([]int, 0, len(b)+1), i+1)
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row = append(row, min(last[j+1]+1, row[j]+1, replaced))
		}
		last = row
	}
	return last[len(b)]
}

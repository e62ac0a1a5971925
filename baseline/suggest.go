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

// edits returns the number of insertions, deletions, replacements and swaps of neighbors that turn a into b. Texts that
// are too long for a name get a large distance.
func edits(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

package baseline

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

var regionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`) })

// offRegion says why the id of a pool cannot be one: it begins with the pool's Region. One without a - is an
// emulator's.
func offRegion(id string) string {
	region, rest, _ := strings.Cut(id, "_")
	switch lower := strings.ToLower(region); {
	case lower != region:
		return "a Region has no capital letters, did you mean " + lower + "_" + rest + "?"
	case strings.Contains(region, "-") && !regionForm().MatchString(region):
		return "no Region is called " + region + ": it is like eu-west-1"
	}
	return ""
}

// regionWords are what the names of Regions are made of, but for their numbers, which go on growing.
var regionWords = []string{"af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us", "gov", "iso", "isob",
	"isoe", "isof", "de", "central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"}

// likelyRegion returns the Region that was probably meant where the id of a pool names none that is known of, or "".
func likelyRegion(id string) string {
	region, _, _ := strings.Cut(id, "_")
	words := strings.Split(region, "-")
	changed := false
	for i, word := range words[:len(words)-1] {
		if slices.Contains(regionWords, word) {
			continue
		}
		if words[i] = Nearest(word, regionWords); words[i] == "" {
			words[i] = word
		}
		changed = true
	}
	if !changed {
		return ""
	}
	return strings.Join(words, "-")
}

package baseline

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
)

var regionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`) })

// offRegion returns why a pool id cannot be valid: the id begins with the pool's Region. An id without a - in that part
// belongs to an emulator.
func offRegion(id string) string {
	region, rest, _ := strings.Cut(id, "_")
	switch lower := strings.ToLower(region); {
	case lower != region:
		return "a Region has no uppercase letters, did you mean " + lower + "_" + rest + "?"
	case strings.Contains(region, "-") && !regionForm().MatchString(region):
		return "there is no Region " + region + ": a Region looks like eu-west-1"
	}
	return ""
}

// regionWords are the words in the names of Regions. Numbers are not checked, because AWS keeps adding new ones.
var regionWords = []string{"af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us", "gov", "iso", "isob",
	"isoe", "isof", "de", "central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"}

// likelyRegion returns the Region that was probably meant in a pool id with an unknown Region, or "".
func likelyRegion(id string) (likely string) {
	region, _, _ := strings.Cut(id, "_")
	words := strings.Split(region, "-")
	for i, word := range words[:len(words)-1] {
		if !slices.Contains(regionWords, word) {
			words[i] = cmp.Or(Nearest(word, regionWords), word)
			likely = strings.Join(words, "-")
		}
	}
	return likely
}

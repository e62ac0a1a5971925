package baseline

import (
	_ "embed" // for the baseline that ships
	"slices"
)

// DefaultFile is the path of the baseline that ships, from the top of the repository, as positions show it.
const DefaultFile = "baseline/baseline.yaml"

//go:embed baseline.yaml
var defaultText []byte

// Default returns the text of the baseline that ships.
func Default() []byte { return slices.Clone(defaultText) }

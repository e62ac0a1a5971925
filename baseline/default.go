package baseline

//go:generate go test -vet=off -run TestGenerated . -update

import (
	_ "embed" // for the default baseline
	"slices"
)

// DefaultFile is the path of the default baseline in the repository, as positions show it.
const DefaultFile = "baseline/baseline.yaml"

//go:embed baseline.yaml
var defaultText []byte

// Default returns the text of the default baseline.
func Default() []byte { return slices.Clone(defaultText) }

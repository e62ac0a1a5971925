package outcome

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Fingerprint identifies a finding of a pool, so that repeats are suppressed: by the setting, its requirement, the live
// value and the state of the finding.
func Fingerprint(pool string, d Finding) string {
	raw, err := json.Marshal([]any{pool, d.Setting, d.Rule, d.Want, d.Have, d.State})
	if err != nil {
		panic(err) // JSON values always encode
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

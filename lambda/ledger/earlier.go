package ledger

import (
	"cmp"
	"encoding/json"
	"slices"

	"poolkeeper/lambda/outcome"
)

// earlierRecord has the members of a record of the earlier version that were replaced.
type earlierRecord struct {
	Owes   []string `json:"owes"` // settings that writes of the record may have taken from the pool
	Drifts []struct {
		Left outcome.Code `json:"left"`
	} `json:"drifts"`
	Sent []struct {
		Unclear bool `json:"unclear"`
	} `json:"sent"`
}

// convert fills what a record of the earlier version has under other names. Its writes have no status.
func convert(raw []byte, r *outcome.Record) error {
	if !slices.ContainsFunc(r.Sent, func(s outcome.Sent) bool { return s.Status == "" }) {
		return nil
	}
	var earlier earlierRecord
	if err := json.Unmarshal(raw, &earlier); err != nil {
		return err
	}
	for i, d := range earlier.Drifts {
		r.Drifts[i].Code = cmp.Or(r.Drifts[i].Code, d.Left)
		if d.Left == "taken" {
			r.Drifts[i].Code = outcome.CodeRestore
		}
	}
	for i, s := range earlier.Sent {
		r.Sent[i].Status = outcome.Accepted
		if s.Unclear {
			r.Sent[i].Status = outcome.Unclear
		}
	}
	takes := func(s outcome.Sent) bool { return s.Call == "SetUserPoolMfaConfig" } // the only call that does
	if i := slices.IndexFunc(r.Sent, takes); i >= 0 {
		r.Sent[i].Restores = earlier.Owes
	}
	if r.Outcome != "" && r.Ended.IsZero() {
		r.Ended = r.Began
	}
	return nil
}

package ledger

import (
	"cmp"
	"encoding/json"
	"slices"

	"poolkeeper/lambda/reconcile"
)

// earlierRecord has the members of a record of the earlier version that were replaced.
type earlierRecord struct {
	Owes   []string `json:"owes"` // settings that writes of the record may have taken from the pool
	Drifts []struct {
		Left reconcile.Code `json:"left"`
	} `json:"drifts"`
	Sent []struct {
		Unclear bool `json:"unclear"`
	} `json:"sent"`
}

// convert fills what a record of the earlier version has under other names. Its writes have no status.
func convert(raw []byte, r *reconcile.Record) error {
	if !slices.ContainsFunc(r.Sent, func(s reconcile.Sent) bool { return s.Status == "" }) {
		return nil
	}
	var earlier earlierRecord
	if err := json.Unmarshal(raw, &earlier); err != nil {
		return err
	}
	for i, d := range earlier.Drifts {
		r.Drifts[i].Code = cmp.Or(r.Drifts[i].Code, d.Left)
		if d.Left == "taken" {
			r.Drifts[i].Code = reconcile.CodeRestore
		}
	}
	for i, s := range earlier.Sent {
		r.Sent[i].Status = reconcile.Accepted
		if s.Unclear {
			r.Sent[i].Status = reconcile.Unclear
		}
	}
	takes := func(s reconcile.Sent) bool { return s.Call == "SetUserPoolMfaConfig" } // the only call that does
	if i := slices.IndexFunc(r.Sent, takes); i >= 0 {
		r.Sent[i].Restores = earlier.Owes
	}
	if r.Outcome != "" && r.Ended.IsZero() {
		r.Ended = r.Began
	}
	return nil
}

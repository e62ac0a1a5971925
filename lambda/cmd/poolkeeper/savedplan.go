package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"

	"poolkeeper/lambda/reconcile"
)

// A savedPlan is what plan --out writes and apply reads: the baseline itself, and of each pool to change the state that the plan was made for. It holds no value of
// any pool; the baseline's own texts make it a file for its owner only.
type savedPlan struct {
	Format   string       `json:"format"`
	Version  int          `json:"version"`
	File     string       `json:"baselineFile"`
	Baseline string       `json:"baseline"`
	Pools    []plannedFor `json:"pools"`
	Sum      string       `json:"sum"` // of all the rest: a plan is applied as it was made, or not at all
}

type plannedFor struct {
	UserPoolID string   `json:"userPoolId"`
	State      string   `json:"state"`
	Settings   []string `json:"settings"` // that are written
	Writes     []string `json:"writes"`
}

const (
	planFormat  = "poolkeeper plan"
	planVersion = 2
)

func (s *savedPlan) add(p reconcile.Preview) {
	if len(p.Writes) > 0 {
		s.Pools = append(s.Pools, plannedFor{p.UserPoolID, p.State, toWrite(p), p.Writes})
	}
}

// toWrite returns the settings that the plan writes.
func toWrite(p reconcile.Preview) []string {
	var settings []string
	for _, d := range p.Drifts {
		if d.State == reconcile.Planned {
			settings = append(settings, d.Setting)
		}
	}
	return settings
}

// sum is the digest of a plan without its sum.
func (s savedPlan) sum() (string, error) {
	s.Sum = ""
	raw, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(raw)), nil
}

func (s *savedPlan) write(path string) error {
	var err error
	if s.Sum, err = s.sum(); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

func readPlan(path string) (savedPlan, error) {
	var s savedPlan
	raw, err := os.ReadFile(path)
	if err != nil {
		return s, fmt.Errorf("reading the plan: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("reading the plan %s: %w", path, err)
	}
	if s.Format != planFormat || s.Version != planVersion {
		return s, fmt.Errorf("%s is no plan of this version: make it anew with poolkeeper plan --out", path)
	}
	if sum, err := s.sum(); err != nil || sum != s.Sum {
		return s, fmt.Errorf("%s was changed after it was saved: make it anew with poolkeeper plan --out", path)
	}
	return s, nil
}

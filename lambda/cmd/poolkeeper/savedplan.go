package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"poolkeeper/lambda/outcome"
)

// A savedPlan is what plan --out writes and apply reads: the baseline, and for each pool to change a digest of its
// state. It has no values of pools, but the baseline may contain message texts, so only the owner may read the file.
type savedPlan struct {
	Format   string       `json:"format"`
	Version  int          `json:"version"`
	File     string       `json:"baselineFile"`
	Baseline string       `json:"baseline"`
	Pools    []plannedFor `json:"pools"`
	Sum      string       `json:"sum"` // digest of the rest, so that a changed plan is not applied
}

type plannedFor struct {
	UserPoolID string   `json:"userPoolId"`
	State      string   `json:"state"`
	Settings   []string `json:"settings"` // the settings to write
	Writes     []string `json:"writes"`
}

const (
	planFormat  = "poolkeeper plan"
	planVersion = 2

	planRemedy = "a plan is a file that poolkeeper plan --out saved; --pool names a pool, --baseline a baseline"
)

func (s *savedPlan) add(p outcome.Preview) {
	if len(p.Writes) > 0 {
		s.Pools = append(s.Pools, plannedFor{p.UserPoolID, p.State, toWrite(p), p.Writes})
	}
}

// isOf reports whether a preview equals the saved plan of its pool.
func (s *savedPlan) isOf(p outcome.Preview) bool {
	return slices.ContainsFunc(s.Pools, func(f plannedFor) bool {
		return f.UserPoolID == p.UserPoolID && f.State == p.State && slices.Equal(f.Settings, toWrite(p)) &&
			slices.Equal(f.Writes, p.Writes)
	})
}

// toWrite returns the settings that the plan writes.
func toWrite(p outcome.Preview) []string {
	var settings []string
	for _, d := range p.Drifts {
		if d.State == outcome.StatePlanned {
			settings = append(settings, d.Setting)
		}
	}
	return settings
}

// sum returns the digest of a plan without its sum.
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
	s.Sum, err = s.sum()
	raw, encoding := json.MarshalIndent(s, "", "  ")
	if err = errors.Join(err, encoding); err == nil {
		err = writeFile(path, append(raw, '\n'), true)
	}
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

func readPlan(path string) (savedPlan, error) {
	var s savedPlan
	raw, err := readFile(path, nil)
	if err != nil {
		return s, fmt.Errorf("reading the plan: %w (%s)", err, planRemedy)
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Format != planFormat {
		return s, fmt.Errorf("%s is not a plan (%s)", path, planRemedy)
	}
	if s.Version != planVersion {
		return s, fmt.Errorf("%s is not a plan of this version: make a new one with poolkeeper plan --out", path)
	}
	if sum, err := s.sum(); err != nil || sum != s.Sum {
		return s, fmt.Errorf("%s was changed after it was saved: make a new one with poolkeeper plan --out", path)
	}
	return s, nil
}

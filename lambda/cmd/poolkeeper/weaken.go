package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

// warn names each setting that gets weaker by what is planned, and the checks of other tools that will complain.
func (a *applying) warn(to *stream.Stream, p outcome.Preview) error {
	if a.target == nil {
		return nil
	}
	weak, err := weaker(p.Before, *a.target, toWrite(p))
	if err != nil || len(weak) == 0 {
		return err
	}
	var lines []string
	for _, setting := range weak {
		line := "  WEAKENS   " + baseline.Legible(setting)
		if checks := report.ChecksOf(setting); len(checks) > 0 {
			line += ": " + strings.Join(checks, ", ") + " will complain"
		}
		lines = append(lines, line)
	}
	return to.Write(stream.OfSummary("weakens", weak, strings.Join(lines, "\n")))
}

// weaker returns those of the settings that are weaker in the target than they are now: the target breaks a baseline
// that was made of the pool as it is, and the pool does not break one that was made of the target. Settings of which
// neither is stricter, such as two different triggers, only change.
func weaker(now, target userpool.State, settings []string) ([]string, error) {
	lost, err := broken(now, target)
	if err != nil {
		return nil, err
	}
	gained, err := broken(target, now)
	if err != nil {
		return nil, err
	}
	var weak []string
	for _, setting := range settings {
		touches := func(other string) bool { return userpool.Touches(setting, other) }
		if slices.ContainsFunc(lost, touches) && !slices.ContainsFunc(gained, touches) {
			weak = append(weak, setting)
		}
	}
	return weak, nil
}

// broken returns the settings of a state that break a snapshot of another one.
func broken(model, state userpool.State) ([]string, error) {
	text, err := baseline.Snapshot(model.Identity(), model.Own())
	if err != nil {
		return nil, err
	}
	required, err := baseline.Parse("snapshot", text)
	if err != nil {
		return nil, fmt.Errorf("comparing the settings: %w", err)
	}
	var settings []string
	for _, d := range baseline.Compare(required.Policy(state.Identity(), time.Now()), state.Own()).Drifts {
		settings = append(settings, d.Setting)
	}
	return settings, nil
}

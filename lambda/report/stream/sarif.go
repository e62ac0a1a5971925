package stream

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report"
)

// sarif writes one run. The results come first, so that each can be written at once; what they refer to comes last.
type sarif struct {
	w     io.Writer
	begun bool
	some  bool
	rules map[string]bool
	notes []sarifNotification
}

type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		Level        level              `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	sarifRule struct {
		ID    string     `json:"id"`
		Short *sarifText `json:"shortDescription,omitempty"`
		Help  *sarifText `json:"help,omitempty"`
	}
	sarifNotification struct {
		Level   level     `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
)

func (s *sarif) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	_, err := fmt.Fprintf(s.w, `{"$schema":%q,"version":"2.1.0","runs":[{"results":[`, schema)
	return err
}

// Write writes a result for each finding. A pool that could not be read has no result: Close names the first hundred.
func (s *sarif) Write(e Entry) error {
	if err := s.begin(); err != nil {
		return err
	}
	if e.failed != "" && len(s.notes) < 100 {
		s.notes = append(s.notes, sarifNotification{failure, sarifText{e.name + ": " + e.failed}})
	}
	for _, f := range e.findings {
		raw, err := json.Marshal(resultOf(e.name, f))
		if err != nil {
			return fmt.Errorf("writing SARIF: %w", err)
		}
		s.rules[f.id] = true
		comma := "\n"
		if s.some {
			comma = ",\n"
		}
		s.some = true
		if _, err := io.WriteString(s.w, comma+string(raw)); err != nil {
			return err
		}
	}
	return nil
}

func resultOf(name string, f finding) sarifResult {
	r := sarifResult{RuleID: f.id, Level: f.level, Message: sarifText{f.says()}}
	var at sarifLocation
	if f.position.File != "" {
		at.Physical = &sarifPhysical{}
		at.Physical.Artifact.URI = (&url.URL{Path: filepath.ToSlash(f.position.File)}).EscapedPath()
		if f.position.Line > 0 {
			at.Physical.Region = &sarifRegion{f.position.Line, f.position.Column}
		}
	}
	if f.setting != "" {
		r.Message.Text = name + ": " + r.Message.Text
		at.Logical = []sarifLogical{{name + "/" + f.setting, "resource"}}
	}
	r.Locations = []sarifLocation{at}
	sum := sha256.Sum256([]byte(strings.Join([]string{name, f.id, f.setting, f.reason}, "\x00")))
	if f.setting != "" {
		sum = sha256.Sum256([]byte(name + "\x00" + f.setting))
	}
	r.Fingerprints = map[string]string{"poolkeeper/v1": fmt.Sprintf("%x", sum[:16])}
	if f.exemption != "" {
		r.Suppressions = []sarifSuppression{{"external", f.exemption}}
	}
	return r
}

// Close writes what the results refer to.
func (s *sarif) Close(done bool) error {
	if err := s.begin(); err != nil {
		return err
	}
	rules := []sarifRule{}
	for _, id := range slices.Sorted(maps.Keys(s.rules)) {
		rule := sarifRule{ID: id}
		if m, ok := baseline.Lookup(id); ok && m.Doc != "" {
			rule.Short = &sarifText{m.Doc}
		}
		if checks := report.ChecksOf(id); len(checks) > 0 {
			rule.Help = &sarifText{"Checked by " + strings.Join(checks, ", ") + "."}
		}
		rules = append(rules, rule)
	}
	raw, err := json.Marshal(map[string]any{"driver": map[string]any{"name": "poolkeeper", "rules": rules}})
	if err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	ended, err := json.Marshal([]sarifInvocation{{done && len(s.notes) == 0, s.notes}})
	if err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	_, err = fmt.Fprintf(s.w, "\n],\"tool\":%s,\"columnKind\":\"unicodeCodePoints\",\"invocations\":%s}]}\n",
		raw, ended)
	return err
}

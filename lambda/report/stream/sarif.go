package stream

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// An object is one of JSON.
type object = map[string]any

// sarif collects the results of one run.
type sarif struct {
	w       io.Writer
	results []object
	rules   map[string]bool
	notes   []object
}

// Write adds a result for each finding. A pool that could not be read has no result: the run names the first hundred.
func (s *sarif) Write(e Entry) error {
	if e.failed != "" && len(s.notes) < 100 {
		s.notes = append(s.notes, object{"level": failure, "message": object{"text": e.name + ": " + e.failed}})
	}
	for _, f := range e.findings {
		s.rules[f.id] = true
		s.results = append(s.results, resultOf(e.name, f))
	}
	return nil
}

func resultOf(name string, f finding) object {
	text, print, at := f.says(), name+"\x00"+f.id+"\x00\x00"+f.Reason, object{}
	if f.Source.File != "" {
		place := object{"artifactLocation": object{
			"uri": (&url.URL{Path: filepath.ToSlash(f.Source.File)}).EscapedPath()}}
		if f.Source.Line > 0 {
			place["region"] = object{"startLine": f.Source.Line, "startColumn": max(1, f.Source.Column)}
		}
		at["physicalLocation"] = place
	}
	if f.Setting != "" {
		text, print = name+": "+text, name+"\x00"+f.Setting
		at["logicalLocations"] = []object{{"fullyQualifiedName": name + "/" + f.Setting, "kind": "resource"}}
	}
	sum := sha256.Sum256([]byte(print))
	r := object{"ruleId": f.id, "level": f.level, "message": object{"text": text}, "locations": []object{at},
		"partialFingerprints": object{"poolkeeper/v1": fmt.Sprintf("%x", sum[:16])}}
	if f.State == outcome.StateExempted {
		r["suppressions"] = []object{{"kind": "external", "justification": f.Reason}}
	}
	return r
}

// Close writes the run.
func (s *sarif) Close(done bool) error {
	rules := []object{}
	for _, id := range slices.Sorted(maps.Keys(s.rules)) {
		rule := object{"id": id}
		if m, ok := baseline.Lookup(id); ok && m.Doc != "" {
			rule["shortDescription"] = object{"text": m.Doc}
		}
		if checks := report.ChecksOf(id); len(checks) > 0 {
			rule["help"] = object{"text": "Checked by " + strings.Join(checks, ", ") + "."}
		}
		rules = append(rules, rule)
	}
	invocation := object{"executionSuccessful": done && len(s.notes) == 0}
	if len(s.notes) > 0 {
		invocation["toolExecutionNotifications"] = s.notes
	}
	return encoder(s.w).Encode(object{
		"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		"version": "2.1.0", "runs": []object{{"results": append([]object{}, s.results...),
			"tool":       object{"driver": object{"name": "poolkeeper", "rules": rules}},
			"columnKind": "unicodeCodePoints", "invocations": []object{invocation}}}})
}

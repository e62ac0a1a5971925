package stream

import (
	"crypto/sha256"
	"fmt"
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

// sarif is the log of one run, with a result for each finding. A pool that could not be read has no result: the run
// names the first hundred.
func sarif(entries []Entry, done bool) object {
	used := map[string]bool{}
	rules, results, failures := []object{}, []object{}, []object{}
	for _, e := range entries {
		if e.failed != "" && len(failures) < 100 {
			failures = append(failures, object{"level": failure, "message": object{"text": e.name + ": " + e.failed}})
		}
		for _, f := range e.findings {
			used[f.id] = true
			results = append(results, resultOf(e.name, f))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(used)) {
		rule := object{"id": id}
		if m, ok := baseline.Lookup(id); ok && m.Doc != "" {
			rule["shortDescription"] = object{"text": m.Doc}
		}
		if checks := report.ChecksOf(id); len(checks) > 0 {
			rule["help"] = object{"text": "Checked by " + strings.Join(checks, ", ") + "."}
		}
		rules = append(rules, rule)
	}
	invocation := object{"executionSuccessful": done && len(failures) == 0, "toolExecutionNotifications": failures}
	return object{
		"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		"version": "2.1.0", "runs": []object{{"results": results, "columnKind": "unicodeCodePoints",
			"tool":        object{"driver": object{"name": "poolkeeper", "rules": rules}},
			"invocations": []object{invocation}}}}
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// A Finding is the state of a pool for Security Hub and other collectors. Each pool has one finding, which fails or
// passes.
type Finding struct {
	ID           string
	Pool         Pool
	Title        string
	Description  string
	Severity     Severity
	Failed       bool
	Requirements []string // ids of the checks that the drifted settings would fail
	Remediation  string
	Time         time.Time
}

// FindingOf returns the finding for a report. It returns false if the report does not determine the pool's state: the
// event was ignored or deferred, or the run found nothing wrong but read only a part of the pool.
func FindingOf(r Report, now time.Time) (Finding, bool) {
	f := Finding{ID: r.UserPool.ARN + "/poolkeeper", Pool: r.UserPool, Severity: Informational, Time: now}
	var settings []string
	gone := r.Reason
	for _, d := range r.of(deleted, notRestored, notFixed, watched) {
		settings = append(settings, d.Setting)
		f.Requirements = append(f.Requirements, d.Checks...)
		if d.Code == outcome.CodeDeleted {
			gone = fmt.Sprintf("rule %s names it, and it was %s", d.Rule, d.Reason)
		}
	}
	f.Requirements = distinct(f.Requirements)
	f.Failed = len(settings) > 0 || r.Outcome == outcome.Unconverged || r.Outcome == outcome.Unfixable
	is := " is at its baseline"
	f.Description = "Every required setting is compliant or exempted."
	switch {
	case r.UserPool.ARN == "" || r.unread() || r.Outcome == outcome.Ignored || r.Outcome == outcome.Deferred ||
		!f.Failed && !r.Whole:
		return Finding{}, false
	case r.has(outcome.CodeDeleted):
		// It stays failed, because deleting a pool must not clear its finding, and no run can read the pool any more.
		is = " was deleted, although a rule names it"
		f.Description = "The user pool is gone: " + baseline.Cut(gone, 700) + ". No later run resolves this finding. " +
			"When you have handled it, remove the pool from the baseline and resolve the finding by hand."
	case len(settings) > 0:
		is = " is not at its baseline"
		f.Description = fmt.Sprintf("Not as required: %s. Reason: %s", strings.Join(settings, ", "), r.Reason)
	case f.Failed:
		is = " is not at its baseline"
		f.Description = cmp.Or(r.Reason, "The outcome is "+string(r.Outcome)+".")
	}
	if f.Failed {
		f.Severity, f.Remediation = r.Severity, baseline.Cut(strings.Join(r.Next, " "), 500)
	}
	f.Title, f.Description = baseline.Cut("User pool "+r.UserPool.title()+is, 250), baseline.Cut(f.Description, 1000)
	return f, true
}

// distinct returns the texts, each once, in the order in which they first occur.
func distinct(texts []string) []string {
	var once []string
	for _, text := range texts {
		if text != "" && !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	return once
}

// OCSF is the finding as a Compliance Finding of the Open Cybersecurity Schema Framework, version 1.3.0.
func OCSF(f Finding) map[string]any {
	status, statusID := "Pass", 1
	if f.Failed {
		status, statusID = "Fail", 3
	}
	severityID := 1 + slices.Index([]Severity{Informational, Low, Medium, High, Critical}, f.Severity)
	return map[string]any{
		"activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings",
		"class_uid": 2003, "class_name": "Compliance Finding", "type_uid": 200301,
		"type_name": "Compliance Finding: Create", "time": f.Time.UnixMilli(), "status_id": 1, "status": "New",
		"message": f.Description, "severity_id": severityID, "severity": Title(string(f.Severity)),
		"metadata": map[string]any{"version": "1.3.0", "profiles": []string{"cloud"},
			"product": map[string]any{"name": "poolkeeper", "vendor_name": "poolkeeper"}},
		"finding_info": map[string]any{"uid": f.ID, "title": f.Title, "desc": f.Description},
		"compliance": map[string]any{"status": status, "status_id": statusID, "control": "poolkeeper baseline",
			"standards": []string{"poolkeeper baseline"}, "requirements": append([]string{}, f.Requirements...)},
		"resources": []any{map[string]any{"type": "AwsCognitoUserPool", "uid": f.Pool.ARN, "name": f.Pool.Name,
			"region": f.Pool.Region}},
		"cloud": map[string]any{"provider": "AWS", "region": f.Pool.Region,
			"account": map[string]any{"uid": f.Pool.Account}},
		"remediation": map[string]any{"desc": f.Remediation},
	}
}

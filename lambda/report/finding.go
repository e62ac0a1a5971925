package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

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
	if r.UserPool.ARN == "" || r.Outcome == outcome.Ignored || r.Outcome == outcome.Deferred {
		return Finding{}, false
	}
	f := Finding{ID: r.UserPool.ARN + "/poolkeeper", Pool: r.UserPool, Time: now}
	var settings []string
	for _, d := range r.of(deleted, notRestored, notFixed, watched) {
		settings = append(settings, d.Setting)
		for _, check := range d.Checks {
			if !slices.Contains(f.Requirements, check) {
				f.Requirements = append(f.Requirements, check)
			}
		}
	}
	f.Failed = len(settings) > 0 || r.Outcome == outcome.Unconverged || r.Outcome == outcome.Unfixable
	switch {
	case r.has(outcome.CodeDeleted):
		f.Title = "User pool " + r.UserPool.title() + " was deleted, although a rule names it"
		f.Description = gone(r)
	case f.Failed:
		f.Title = "User pool " + r.UserPool.title() + " is not at its baseline"
		f.Description = cmp.Or(r.Reason, "The outcome is "+string(r.Outcome)+".")
		if len(settings) > 0 {
			f.Description = fmt.Sprintf("Not as required: %s. Reason: %s", strings.Join(settings, ", "), r.Reason)
		}
	case !r.Whole:
		return Finding{}, false
	default:
		f.Title = "User pool " + r.UserPool.title() + " is at its baseline"
		f.Description = "Every required setting is compliant or exempted."
	}
	f.Severity = Informational
	if f.Failed {
		f.Severity, f.Remediation = r.Severity, cut(strings.Join(r.Next, " "), 500)
	}
	f.Title, f.Description = cut(f.Title, 250), cut(f.Description, 1000)
	return f, true
}

// gone returns the finding of a deleted pool that a rule names. It stays failed, because deleting a pool must not clear
// its finding. As the pool can no longer be read, only people can resolve the finding.
func gone(r Report) string {
	why := r.Reason
	for _, d := range r.of(deleted) {
		why = fmt.Sprintf("rule %s names it, and it was %s", d.Rule, d.Reason)
	}
	return "The user pool is gone: " + cut(why, 700) + ". No later run resolves this finding. When you have handled " +
		"it, remove the pool from the baseline and resolve the finding by hand."
}

// severityIDs are the severity numbers of OCSF.
var severityIDs = map[Severity]int{Informational: 1, Low: 2, Medium: 3, High: 4, Critical: 5}

// OCSF is the finding as a Compliance Finding of the Open Cybersecurity Schema Framework, version 1.3.0.
func OCSF(f Finding) map[string]any {
	status, statusID := "Pass", 1
	if f.Failed {
		status, statusID = "Fail", 3
	}
	const name = "Compliance Finding"
	return map[string]any{
		"activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings",
		"class_uid": 2003, "class_name": name, "type_uid": 200301, "type_name": name + ": Create",
		"time": f.Time.UnixMilli(), "status_id": 1, "status": "New", "message": f.Description,
		"severity_id": severityIDs[f.Severity],
		"severity":    Title(string(f.Severity)),
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

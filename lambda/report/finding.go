package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/lambda/reconcile"
)

// A Finding is what Security Hub and other collectors of findings are told of a pool: there is one for each pool, which fails or passes.
type Finding struct {
	ID           string
	Pool         Pool
	Title        string
	Description  string
	Severity     Severity
	Failed       bool
	Requirements []string // ids of the checks that the settings which are not right would fail
	Remediation  string
	Time         time.Time
}

// FindingOf returns the finding of a report, and false where it tells nothing of the pool's state: an event that was ignored or deferred, or one whose look found nothing wrong, where nothing is known of
// the rest of the pool.
func FindingOf(r Report, now time.Time) (Finding, bool) {
	if r.UserPool.ARN == "" || r.Outcome == reconcile.Ignored || r.Outcome == reconcile.Deferred {
		return Finding{}, false
	}
	f := Finding{ID: r.UserPool.ARN + "/poolkeeper", Pool: r.UserPool, Severity: r.Severity, Time: now,
		Title: "User pool " + r.UserPool.title() + " is not at its baseline"}
	var settings []string
	fails := func(setting string, checks []string) {
		f.Failed = true
		settings = append(settings, setting)
		for _, check := range checks {
			if !slices.Contains(f.Requirements, check) {
				f.Requirements = append(f.Requirements, check)
			}
		}
	}
	for _, d := range r.of(reconcile.NotFixable, reconcile.Reported, reconcile.Planned) {
		fails(d.Setting, d.Checks)
	}
	f.Failed = f.Failed || r.Outcome == reconcile.Unconverged || r.Outcome == reconcile.Unfixable
	if !f.Failed && len(r.Elsewhere) > 0 {
		f.Severity, r.Next = Medium, []string{fmt.Sprintf("See what is not as required: poolkeeper plan --pool %s --region %s", r.UserPool.ID, r.UserPool.Region)}
	}
	for _, setting := range r.Elsewhere {
		fails(setting, ChecksOf(setting))
	}
	if !f.Failed && r.Narrow {
		return Finding{}, false
	}
	if f.Failed {
		if f.Description = r.Reason; len(settings) > 0 {
			f.Description = fmt.Sprintf("Not as required: %s. %s", strings.Join(settings, ", "), r.Reason)
		}
		f.Description = cut(strings.TrimSpace(cmp.Or(f.Description, "It is "+string(r.Outcome)+".")), 1000)
		f.Remediation = cut(strings.Join(r.Next, " "), 500)
	}
	switch {
	case r.Critical:
		f.Title, f.Description = "User pool "+r.UserPool.title()+", which a rule names, was deleted", gone(r)
	case !f.Failed:
		f.Title = "User pool " + r.UserPool.title() + " is at its baseline"
		f.Description, f.Severity = "Every required setting holds, or is exempted.", Informational
	}
	f.Title = cut(f.Title, 250)
	return f, true
}

// gone describes the finding of a pool that a rule names and that was deleted. Security Hub's own controls archive the finding of what is gone; this one stays failed, for the baseline still
// demands the pool, and whoever deletes one is not to clear its finding by that. There is nothing left to look at, so that only people can end it.
func gone(r Report) string {
	why := r.Reason
	for _, d := range r.of(reconcile.Reported) {
		why = fmt.Sprintf("rule %s names it, and it was %s", d.Rule, d.Reason)
	}
	return "The user pool is gone: " + cut(why, 700) + ". No look at it ends this finding. Once that is dealt with, take the pool out of the baseline, and resolve the finding by hand."
}

// severityIDs are OCSF's numbers.
var severityIDs = map[Severity]int{Informational: 1, Low: 2, Medium: 3, High: 4, Critical: 5}

// OCSF is the finding as a Compliance Finding of the Open Cybersecurity Schema Framework, version 1.3.0.
func OCSF(f Finding) map[string]any {
	status, statusID := "Pass", 1
	if f.Failed {
		status, statusID = "Fail", 3
	}
	words := map[Severity]string{Informational: "Informational", Low: "Low", Medium: "Medium", High: "High", Critical: "Critical"}
	return map[string]any{
		"activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings", "class_uid": 2003, "class_name": "Compliance Finding", "type_uid": 200301,
		"type_name": "Compliance Finding: Create", "time": f.Time.UnixMilli(), "severity_id": severityIDs[f.Severity], "severity": words[f.Severity], "status_id": 1, "status": "New",
		"message":      f.Description,
		"metadata":     map[string]any{"version": "1.3.0", "profiles": []string{"cloud"}, "product": map[string]any{"name": "poolkeeper", "vendor_name": "poolkeeper"}},
		"finding_info": map[string]any{"uid": f.ID, "title": f.Title, "desc": f.Description},
		"compliance": map[string]any{"status": status, "status_id": statusID, "control": "poolkeeper baseline", "standards": []string{"poolkeeper baseline"},
			"requirements": append([]string{}, f.Requirements...)},
		"resources":   []any{map[string]any{"type": "AwsCognitoUserPool", "uid": f.Pool.ARN, "name": f.Pool.Name, "region": f.Pool.Region}},
		"cloud":       map[string]any{"provider": "AWS", "region": f.Pool.Region, "account": map[string]any{"uid": f.Pool.Account}},
		"remediation": map[string]any{"desc": f.Remediation},
	}
}

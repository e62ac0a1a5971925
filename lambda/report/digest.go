package report

import (
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
)

// ToldAlone says whether an outcome of a sweep gets a message of its own: something was written, or a pool is lost. What a sweep finds and cannot or may not change is there at the next sweep too,
// and is told of all pools together.
func ToldAlone(out reconcile.Outcome) bool {
	return Told(out) && (len(out.Writes) > 0 || out.Critical)
}

// A Digest is what people are told of a sweep as a whole.
type Digest struct {
	Schema   string                 `json:"schema"` // DigestSchema
	Severity Severity               `json:"severity"`
	Pools    int                    `json:"pools"`
	Sent     int                    `json:"sent,omitempty"` // pools of which the sweep put an event onto the bus
	Outcomes map[reconcile.Word]int `json:"outcomes"`
	Failed   []reconcile.Failure    `json:"failed"`
	Reason   string                 `json:"reason"`
	Next     []string               `json:"next"`
	Build    string                 `json:"build"`
}

// DigestSchema is the name and version of the schema of a digest.
const DigestSchema = "poolkeeper/sweep/1"

// mostFailed is how many failed pools a digest names.
const mostFailed = 20

// NewDigest makes the digest of a sweep, and returns false where there is nothing to tell.
func NewDigest(sweep reconcile.Sweeping, region, build string) (Digest, bool) {
	failed := slices.Clone(sweep.Failed[:min(len(sweep.Failed), mostFailed)])
	for i := range failed {
		failed[i].Reason = cut(baseline.Legible(failed[i].Reason), 300)
	}
	d := Digest{Schema: DigestSchema, Severity: Informational, Pools: sweep.Pools, Sent: sweep.Dispatched, Outcomes: sweep.Outcomes, Failed: failed, Reason: cut(baseline.Legible(sweep.Reason), 1000), Build: build}
	for _, word := range words {
		if sweep.Outcomes[word] == 0 || word == reconcile.Remediated {
			continue // each was told by itself
		}
		if s := SeverityOf(reconcile.Outcome{Outcome: word}); severityIDs[s] > severityIDs[d.Severity] {
			d.Severity = s
		}
	}
	if sweep.Outcome == reconcile.Deferred || len(sweep.Failed) > 0 {
		d.Severity = High
	}
	d.Next = []string{"See what is not as required: poolkeeper plan --all --region " + region, "Write what can be written: poolkeeper apply --all --region " + region}
	return d, d.Severity != Informational
}

// DigestSubject is the subject of a digest's e-mail.
func DigestSubject(d Digest) string {
	return subject(fmt.Sprintf("[%s] sweep of %d user pools: %s", d.Severity, d.Pools+d.Sent, counted(d)))
}

func counted(d Digest) string {
	if len(d.Outcomes) == 0 {
		return "it did not come to its end"
	}
	var parts []string
	for _, word := range words {
		if n := d.Outcomes[word]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	return strings.Join(parts, ", ")
}

// DigestMail is the text of a digest's e-mail.
func DigestMail(d Digest) string {
	var b strings.Builder
	did := "looked at"
	if d.Sent > 0 {
		did = "sent an event for each of"
	}
	fmt.Fprintf(&b, "A sweep %s %d user pools: %s.\n", did, d.Pools+d.Sent, counted(d))
	if d.Reason != "" {
		fmt.Fprintf(&b, "%s\n", d.Reason)
	}
	if len(d.Failed) > 0 {
		b.WriteString("\nNOT LOOKED AT\n")
		for _, f := range d.Failed {
			fmt.Fprintf(&b, "  %s: %s\n", f.UserPoolID, f.Reason)
		}
	}
	b.WriteString("\nWHAT TO DO\n")
	for i, step := range d.Next {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, step)
	}
	b.WriteString("\nThe log has a line for each pool. What was put right was told for each pool by itself.\n")
	return b.String()
}

// DigestChat is a custom notification of Amazon Q Developer in chat applications.
func DigestChat(d Digest) string {
	return encode(map[string]any{
		"version": "1.0", "source": "custom",
		"content": map[string]any{"textType": "client-markdown", "title": icons[d.Severity] + " " + DigestSubject(d), "description": escape(counted(d)) + "\n" + escape(d.Reason), "nextSteps": d.Next,
			"keywords": []string{"poolkeeper", "sweep"}},
		"metadata": map[string]any{"threadId": "poolkeeper-sweep", "summary": DigestSubject(d), "eventType": "poolkeeper.sweep"},
	})
}

// DigestJSON is the digest itself.
func DigestJSON(d Digest) string { return encode(d) }

// DigestMessage is the message of one publish, as Message is of a report.
func DigestMessage(d Digest) string {
	return encode(map[string]string{"default": DigestJSON(d), "email": DigestMail(d), "https": DigestChat(d)})
}

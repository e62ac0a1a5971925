// Package page writes one HTML document about many pools: which of them differ from the baseline, in what, and what is
// exempted. The document needs no other file: no script, no picture, no font. The function does not use it.
package page

import (
	"io"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// A Page collects pools and is written at the end: half a page is never taken for a whole one.
type Page struct {
	when      time.Time
	baselines []string // files and digests
	columns   []string // settings that a baseline requires of some pool
	pools     []pool
}

// A pool is what the page needs of a preview.
type pool struct {
	report.Pool
	out      outcome.Outcome
	required map[string]bool
	unread   error
}

// New begins a page.
func New(now time.Time) *Page { return &Page{when: now} }

// Require adds the columns of a baseline: the settings that it requires of any pool. Those of clients are in the
// details.
func (p *Page) Require(required *baseline.Baseline) {
	if name := required.File + ", " + required.Digest; !slices.Contains(p.baselines, name) {
		p.baselines = append(p.baselines, name)
	}
	for _, rule := range required.Rules {
		for _, r := range rule.Require {
			if !slices.Contains(p.columns, r.Setting) {
				p.columns = append(p.columns, r.Setting)
			}
		}
	}
}

// Add adds a pool. The error says why it could not be read.
func (p *Page) Add(id string, preview outcome.Preview, unread error) {
	of := pool{out: report.Legible(preview.Outcome), required: map[string]bool{}, unread: unread}
	of.Pool = report.PoolOf(of.out)
	of.ID = id
	if region, _, ok := strings.Cut(id, "_"); ok && of.Region == "" && !strings.Contains(region, " ") {
		of.Region = region
	}
	for _, setting := range preview.Required {
		of.required[setting] = true
	}
	p.pools = append(p.pools, of)
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error { return document.Execute(w, p.view()) }

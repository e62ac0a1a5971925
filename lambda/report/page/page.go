// Package page writes an HTML document about many pools: which of them have drift, in which settings, and what is
// exempted. The document is self-contained: it has no scripts, images or fonts. The function does not use this package.
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

// A Page collects pools and is written at the end, so that an incomplete page is never mistaken for a complete one.
type Page struct {
	when      time.Time
	baselines []string // files and digests
	columns   []string // settings that a baseline requires of at least one pool
	pools     []pool
}

// A pool has the parts of a preview that the page shows.
type pool struct {
	report.Pool
	out      outcome.Outcome
	required map[string]bool
	unread   error
}

// New begins a page.
func New(now time.Time) *Page { return &Page{when: now} }

// Require adds the columns for a baseline: the settings that it requires of pools. Settings of clients are shown in the
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

// Add adds a pool. The error is why it could not be read, or nil.
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

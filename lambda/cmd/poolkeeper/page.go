package main

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/userpool"
)

// A page is one HTML document that needs no other file: no script, no picture, no font. It begins with the counts, so
// it is written at the end: half a page is never taken for a whole one.
type page struct {
	to        io.Writer
	when      time.Time
	baselines []string // files and digests
	columns   []string
	pools     []poolPlan
	details   []detail // of the pools that are not as required
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

type (
	cell struct{ Class, Text, Have, Want, More string }
	row  struct {
		Anchor, Name, ID, Account, Whole, Class string
		Span                                    int
		Cells                                   []cell
	}
	detail struct {
		Anchor, Name, ID, Region, Outcome, Reason, Calls string
		Drifts                                           []pageDrift
	}
	pageDrift struct {
		Setting                                                template.HTML
		Have, Want, Rule, Source, State, Reason, Checks, Class string
	}
)

func newPage(to io.Writer, now time.Time) *page { return &page{to: to, when: now} }

// require adds the columns of a baseline: the settings that it requires of any pool. Those of clients are in the
// details.
func (p *page) require(required *baseline.Baseline) {
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
	slices.SortFunc(p.columns, baseline.Order)
}

// add keeps what the page shows of a pool.
func (p *page) add(l poolPlan) error {
	l.preview.Outcome = report.Legible(l.preview.Outcome)
	if l.failure() == nil && l.preview.Outcome.Outcome != outcome.Ignored && len(l.preview.Drifts) > 0 {
		p.details = append(p.details, detailOf(l))
	}
	l.preview.Before = userpool.State{} // which is large
	p.pools = append(p.pools, l)
	return nil
}

// rowOf makes the row of a pool.
func (p *page) rowOf(l poolPlan) row {
	r := row{Name: nameOf(l), ID: l.id, Account: report.PoolOf(l.preview.Outcome).Account, Span: len(p.columns) + 1}
	switch out := l.preview.Outcome; {
	case l.failure() != nil:
		r.Whole, r.Class = "could not be read: "+baseline.Legible(l.failure().Error()), "bad"
	case out.Outcome == outcome.Ignored:
		r.Whole, r.Class = out.Reason, "calm"
	default:
		r.Cells = p.cells(l.preview)
		if len(out.Drifts) > 0 {
			r.Anchor = "pool-" + l.id
		}
	}
	return r
}

func nameOf(l poolPlan) string {
	if name := l.preview.Details.PoolName; name != "" {
		return report.Value(name)
	}
	return "(unnamed)"
}

// cells are those of one pool: one for each setting that some rule requires, and one for its clients and all else.
func (p *page) cells(preview outcome.Preview) []cell {
	var cells []cell
	shown := map[string]bool{}
	for _, column := range p.columns {
		at := slices.IndexFunc(preview.Drifts, func(d outcome.Finding) bool { return d.Setting == column })
		switch {
		case at >= 0:
			shown[column] = true
			cells = append(cells, cellOf(preview.Drifts[at]))
		case slices.Contains(preview.Required, column):
			cells = append(cells, cell{Class: "good", Text: "holds"})
		default:
			cells = append(cells, cell{Class: "calm", Text: "not required"})
		}
	}
	others := 0
	for _, d := range preview.Drifts {
		if !shown[d.Setting] {
			others++
		}
	}
	if others == 0 {
		return append(cells, cell{Class: "good", Text: "no drift"})
	}
	return append(cells, cell{Class: "bad", Text: fmt.Sprintf("%d more not as required, see below", others)})
}

// mostInCell is how many characters of a value stand in a cell; the details have all of it, and the reason.
const mostInCell = 48

func cellOf(d outcome.Finding) cell {
	c := cell{Class: classes[d.State], Have: brief(d.Have), Want: brief(d.Want)}
	switch d.State {
	case outcome.StateExempted:
		until, _, _ := strings.Cut(d.Reason, ",")
		c.More = "exempted " + until
	case outcome.StateUnfixable, outcome.StateReported:
		c.More = string(d.State)
	}
	return c
}

func brief(v any) string {
	text := []rune(report.Value(v))
	if len(text) <= mostInCell {
		return string(text)
	}
	return string(text[:mostInCell-1]) + "…"
}

// soft is the name of a setting that a browser may break where its words end.
func soft(setting string) template.HTML {
	var b strings.Builder
	for i, c := range setting {
		begins := i > 0 && (unicode.IsUpper(c) || setting[i-1] == '.')
		if begins && setting[i-1] != '[' && !unicode.IsUpper(rune(setting[i-1])) {
			b.WriteString("<wbr>")
		}
		b.WriteString(template.HTMLEscapeString(string(c)))
	}
	return template.HTML(b.String())
}

var classes = map[outcome.State]string{outcome.StatePlanned: "bad", outcome.StateUnfixable: "bad",
	outcome.StateReported: "warn", outcome.StateExempted: "calm"}

func detailOf(l poolPlan) detail {
	region, _, _ := strings.Cut(l.id, "_")
	out := l.preview.Outcome
	d := detail{Anchor: "pool-" + l.id, Name: nameOf(l), ID: l.id, Region: region, Outcome: string(out.Outcome),
		Reason: out.Reason, Calls: strings.Join(out.Writes, ", ")}
	for _, f := range report.New(l.withValues().Outcome, "", "").Drifts {
		d.Drifts = append(d.Drifts, pageDrift{Setting: soft(f.Setting), Have: report.Value(f.Have),
			Want: report.Value(f.Want), Rule: report.RuleNamed(f.Rule), Source: f.Source, State: string(f.State),
			Reason: f.Reason, Checks: strings.Join(f.Checks, ", "), Class: classes[f.State]})
	}
	return d
}

// close writes the page.
func (p *page) close(s summary) error {
	var columns []template.HTML
	for _, c := range p.columns {
		columns = append(columns, soft(c))
	}
	columns = append(columns, "App clients and others")
	var rows []row
	for _, l := range p.pools {
		rows = append(rows, p.rowOf(l))
	}
	return pageTemplate.Execute(p.to, map[string]any{"When": p.when.UTC().Format("2 January 2006, 15:04 UTC"),
		"Baselines": p.baselines, "Columns": columns, "Count": s, "Rows": rows, "Details": p.details})
}

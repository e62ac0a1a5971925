package main

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// A page is one HTML document that needs nothing beside it: no script, no picture, no font. It is written as the pools come, a row for each.
type page struct {
	to      io.Writer
	columns []string
	details []detail // of the pools that are not as required
}

//go:embed page.html
var pageHead string

var (
	headTemplate = template.Must(template.New("head").Parse(pageHead))
	rowTemplate  = template.Must(template.New("row").Parse(`<tr><th scope="row">{{if .Anchor}}<a href="#{{.Anchor}}">{{.Name}}</a>{{else}}{{.Name}}{{end}}<br><code>{{.ID}}</code></th>
{{- if .Whole}}<td class="{{.Class}}" colspan="{{.Span}}">{{.Whole}}</td>{{end -}}
{{range .Cells}}<td class="{{.Class}}">{{.Says}}{{if .Have}} <code>{{.Have}}</code>, required <code>{{.Want}}</code>{{end}}{{if .More}}<br>{{.More}}{{end}}</td>{{end}}</tr>
`))
	tailTemplate = template.Must(template.New("tail").Parse(`</tbody>
</table>
</div>
</section>
<section aria-labelledby="details">
<h2 id="details">What is not as required</h2>
{{if not .Details}}<p class="good">Nothing.</p>{{end}}
{{range .Details}}<details id="{{.Anchor}}"><summary>{{.Name}} <code>{{.ID}}</code>: {{.Outcome}}</summary>
{{if .Reason}}<p>{{.Reason}}</p>{{end}}
<ul>{{range .Drifts}}<li><strong>{{.Setting}}</strong>: <code>{{.Have}}</code>, required <code>{{.Want}}</code> (rule {{.Rule}}, <code>{{.Source}}</code>).
{{- if .Reason}} <span class="{{.Class}}">{{.State}}: {{.Reason}}.</span>{{end}}
{{- if .Checks}} Checked by {{.Checks}}.{{end}}</li>{{end}}</ul>
{{if .Calls}}<p>Would be called: {{.Calls}}. Write it: <code>poolkeeper apply --pool {{.ID}}</code></p>{{end}}
</details>
{{end}}</section>
<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
<dl>
<div><dt>Pools</dt><dd>{{.Pools}}</dd></div>
<div><dt>In sync</dt><dd class="good">{{.InSync}}</dd></div>
<div><dt>To change</dt><dd class="bad">{{.ToChange}}</dd></div>
<div><dt>With drift that is left</dt><dd class="left">{{.Left}}</dd></div>
<div><dt>Ignored</dt><dd class="calm">{{.Ignored}}</dd></div>
<div><dt>Failed</dt><dd class="bad">{{.Failed}}</dd></div>
</dl>
</section>
</main>
<footer><p>Made by poolkeeper, which read the pools and wrote none.</p></footer>
</body>
</html>
`))
)

type (
	cell struct{ Class, Says, Have, Want, More string }
	row  struct {
		Anchor, Name, ID, Whole, Class string
		Span                           int
		Cells                          []cell
	}
	detail struct {
		Anchor, Name, ID, Outcome, Reason, Calls string
		Drifts                                   []driftOf
	}
	driftOf struct{ Setting, Have, Want, Rule, Source, State, Reason, Checks, Class string }
)

// newPage writes the head of the page. Its columns are the settings that the baseline requires of any pool; those of clients are told in the details.
func newPage(to io.Writer, required *baseline.Baseline, now time.Time) (*page, error) {
	p := &page{to: to}
	for _, rule := range required.Rules {
		for _, r := range rule.Require {
			if !slices.Contains(p.columns, r.Setting) {
				p.columns = append(p.columns, r.Setting)
			}
		}
	}
	slices.SortFunc(p.columns, baseline.Order)
	return p, headTemplate.Execute(to, map[string]any{"When": now.UTC().Format("2 January 2006, 15:04 UTC"), "File": required.File, "Digest": required.Digest, "Columns": append(slices.Clone(p.columns), "App clients and others")})
}

// add writes the row of a pool.
func (p *page) add(l looked) error {
	l.preview.Outcome = report.Legible(l.preview.Outcome)
	r := row{Name: report.Value(l.preview.PoolName), ID: l.id, Span: len(p.columns) + 1}
	if l.preview.PoolName == "" {
		r.Name = "(unnamed)"
	}
	switch out := l.preview.Outcome; {
	case l.err != nil:
		r.Whole, r.Class = "could not be looked at: "+baseline.Legible(l.err.Error()), "bad"
	case out.Outcome == reconcile.Ignored:
		r.Whole, r.Class = out.Reason, "calm"
	case len(out.Drifts) == 0 && out.Outcome != reconcile.Unchanged:
		r.Whole, r.Class = string(out.Outcome)+": "+out.Reason, "bad"
	default:
		r.Cells = p.cells(l.preview)
		if len(out.Drifts) > 0 {
			r.Anchor = "pool-" + l.id
			p.details = append(p.details, detailOf(r, l.preview))
		}
	}
	return rowTemplate.Execute(p.to, r)
}

// cells are those of one pool: one for each setting that some rule requires, and one for all that is of clients.
func (p *page) cells(preview reconcile.Preview) []cell {
	var cells []cell
	told := map[string]bool{}
	for _, column := range p.columns {
		at := slices.IndexFunc(preview.Drifts, func(d reconcile.Drift) bool { return d.Setting == column })
		switch {
		case at >= 0:
			told[column] = true
			cells = append(cells, cellOf(preview.Drifts[at]))
		case slices.Contains(preview.Required, column):
			cells = append(cells, cell{Class: "good", Says: "holds"})
		default:
			cells = append(cells, cell{Class: "calm", Says: "not required"})
		}
	}
	others := 0
	for _, d := range preview.Drifts {
		if !told[d.Setting] {
			others++
		}
	}
	if others == 0 {
		return append(cells, cell{Class: "good", Says: "nothing to tell"})
	}
	return append(cells, cell{Class: "bad", Says: fmt.Sprintf("%d more not as required, see below", others)})
}

func cellOf(d reconcile.Drift) cell {
	c := cell{Class: classes[d.State], Have: report.Value(d.Have), Want: report.Value(d.Want), Says: "is"}
	switch d.State {
	case reconcile.Exempted:
		c.More = "exempted " + d.Reason
	case reconcile.NotFixable, reconcile.Reported:
		c.More = string(d.State) + ": " + d.Reason
	}
	return c
}

var classes = map[reconcile.DriftState]string{reconcile.Planned: "bad", reconcile.NotFixable: "bad", reconcile.Reported: "left", reconcile.Exempted: "calm"}

func detailOf(r row, preview reconcile.Preview) detail {
	d := detail{Anchor: r.Anchor, Name: r.Name, ID: r.ID, Outcome: string(preview.Outcome.Outcome), Reason: preview.Reason}
	for _, call := range preview.Writes {
		if d.Calls != "" {
			d.Calls += ", "
		}
		d.Calls += call
	}
	for _, f := range report.New(preview.Outcome, "").Drifts {
		one := driftOf{Setting: f.Setting, Have: report.Value(f.Have), Want: report.Value(f.Want), Rule: f.Rule, Source: f.Source, State: string(f.State), Reason: f.Reason, Class: classes[f.State]}
		for i, check := range f.Checks {
			if i > 0 {
				one.Checks += ", "
			}
			one.Checks += check
		}
		d.Drifts = append(d.Drifts, one)
	}
	return d
}

// close writes the rest.
func (p *page) close(s summary) error {
	return tailTemplate.Execute(p.to, map[string]any{"Details": p.details, "Pools": s.Pools, "InSync": s.InSync, "ToChange": s.ToChange, "Left": s.Left, "Ignored": s.Ignored, "Failed": s.Failed})
}

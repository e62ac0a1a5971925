// Package page writes an HTML document about many pools: which of them have drift, in which settings, and what is
// exempted. The document is self-contained: it has no scripts, images or fonts. The function does not use this package.
package page

import (
	"cmp"
	_ "embed" // for the template
	"fmt"
	"html/template"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

//go:embed page.html
var text string

var document = template.Must(template.New("page").Funcs(template.FuncMap{"soft": soft, "value": report.Value,
	"rule": report.RuleNamed, "join": strings.Join, "parent": parent, "leaf": leaf, "date": date,
	"has": slices.Contains[[]string], "kind": func(k kind) count { return kinds[k] },
	"class": func(s outcome.State) string { return classes[s] },
	// A browser may break a label after each dot. The details show the whole value of a brief one.
	"label": strings.NewReplacer(".", ".\u200b").Replace,
	"brief": func(v any) string { return baseline.Cut(report.Value(v), 40) }}).Parse(text))

// A Page collects pools and is written at the end, so that an incomplete page is never mistaken for a complete one. Its
// other fields and methods are for the template.
type Page struct {
	When              string
	Baselines         []string // files and digests
	Rows              []row
	Accounts, Regions map[string]bool // of the pools, to filter by
	columns           map[string]bool // settings that a baseline requires of at least one pool
}

// A row is a pool with the parts of its preview that the page shows.
type row struct {
	report.Pool
	Kind          kind
	Title, Reason string
	Drifts        []report.Drift
	Of            map[string]*report.Drift // by setting
	Required      []string                 // settings
	Anchor        string                   // id of the section about the pool, or ""
	Fixable       bool                     // whether a call would be made
}

// A kind is how a pool compares with the baseline. Pools are shown in this order.
type kind int

const (
	differs kind = iota
	failed
	skipped
	exempt
	inSync
	ignored
)

// A count is a number of pools. The CSS class only adds color; the text has the same information.
type count struct {
	Class, Name string
	Number      int
}

var kinds = []count{{"bad", "to change", 0}, {"bad", "could not be read", 0}, {"warn", "with drift that is skipped", 0},
	{"calm", "exempted", 0}, {"good", "as required", 0}, {"calm", "ignored", 0}}

var classes = map[outcome.State]string{outcome.StatePlanned: "bad", outcome.StateUnfixable: "bad",
	outcome.StateReported: "warn", outcome.StateExempted: "calm"}

var kindOf = map[outcome.State]kind{outcome.StatePlanned: differs, outcome.StateUnfixable: skipped,
	outcome.StateReported: skipped, outcome.StateExempted: exempt}

// New begins a page.
func New(now time.Time) *Page {
	return &Page{When: now.UTC().Format("2 January 2006, 15:04 UTC"), Accounts: map[string]bool{},
		Regions: map[string]bool{}, columns: map[string]bool{}}
}

// Require adds the columns for a baseline: the settings that it requires of pools. Settings of clients are shown in the
// details.
func (p *Page) Require(required *baseline.Baseline) {
	if name := required.File + ", " + required.Digest; !slices.Contains(p.Baselines, name) {
		p.Baselines = append(p.Baselines, name)
	}
	for _, rule := range required.Rules {
		for _, r := range rule.Require {
			p.columns[r.Setting] = true
		}
	}
}

// Add adds a pool. The error is why it could not be read, or nil.
func (p *Page) Add(id string, preview outcome.Preview, unread error) {
	out := report.Legible(preview.Outcome)
	r := row{Pool: report.PoolOf(out), Kind: inSync, Title: id, Reason: out.Reason, Required: preview.Required,
		Drifts: report.New(out, "", "").Drifts, Of: map[string]*report.Drift{}, Fixable: len(out.Writes) > 0}
	r.ID = id
	if region, _, ok := strings.Cut(id, "_"); ok && r.Region == "" && !strings.Contains(region, " ") {
		r.Region = region
	}
	if r.Name != "" {
		r.Title = report.Value(r.Name)
	}
	for i, d := range slices.Backward(r.Drifts) { // a cell shows the first drift of its setting
		r.Kind, r.Of[d.Setting] = min(r.Kind, kindOf[d.State]), &r.Drifts[i]
	}
	if out.Outcome == outcome.Ignored {
		r.Kind = ignored
	}
	if unread != nil {
		r.Kind, r.Reason = failed, baseline.Legible(unread.Error())
	}
	p.Rows = append(p.Rows, r)
	p.Accounts[r.Account], p.Regions[r.Region] = true, true
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	slices.SortStableFunc(p.Rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for i := range p.Rows {
		if len(p.Rows[i].Drifts) > 0 {
			p.Rows[i].Anchor = fmt.Sprint("pool-", i+1)
		}
	}
	delete(p.Accounts, "")
	delete(p.Regions, "")
	return document.Execute(w, p)
}

// Span returns the number of cells in a row.
func (p *Page) Span() int { return len(p.columns) + 1 }

// Counts returns the number of pools, of all and of each kind.
func (p *Page) Counts() []count {
	all := append([]count{{Name: "User pools", Number: len(p.Rows)}}, kinds...)
	for _, r := range p.Rows {
		all[r.Kind+1].Number++
	}
	return all
}

// An exemption is a reason for which settings of pools may differ.
type exemption struct {
	Until, Owner, Why string
	Settings          int
	Pools             map[int]bool // by row
}

// Exemptions returns the exemptions that have an effect, sorted by end. The reason of an exempted finding is "until
// TIME, OWNER: REASON".
func (p *Page) Exemptions() []*exemption {
	by := map[string]*exemption{}
	for i, r := range p.Rows {
		for _, d := range r.Drifts {
			if d.State != outcome.StateExempted {
				continue
			}
			e := by[d.Reason]
			if e == nil {
				_, rest, _ := strings.Cut(d.Reason, ", ")
				owner, why, _ := strings.Cut(rest, ": ")
				e = &exemption{date(d.Reason), owner, why, 0, map[int]bool{}}
				by[d.Reason] = e
			}
			e.Settings++
			e.Pools[i] = true
		}
	}
	return slices.SortedFunc(maps.Values(by), func(a, b *exemption) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Why, b.Why))
	})
}

// date returns the day in "until 2027-01-31T00:00:00Z, OWNER: REASON", with the time unless that is midnight.
func date(reason string) string {
	until, _, _ := strings.Cut(strings.TrimPrefix(reason, "until "), ", ")
	return strings.TrimSuffix(until, "T00:00:00Z")
}

// Compared reports whether the pool was compared with the baseline.
func (r row) Compared() bool { return r.Kind != failed && r.Kind != ignored }

// Others returns the drifts of settings that have no column.
func (p *Page) Others(r row) []report.Drift {
	return slices.DeleteFunc(slices.Clone(r.Drifts), func(d report.Drift) bool { return p.columns[d.Setting] })
}

// Groups returns the settings of the columns by parent, those without a parent first.
func (p *Page) Groups() [][]string {
	by := map[string][]string{}
	for _, setting := range slices.SortedFunc(maps.Keys(p.columns), baseline.Order) {
		by[parent(setting)] = append(by[parent(setting)], setting)
	}
	return slices.SortedFunc(maps.Values(by), func(a, b []string) int {
		return cmp.Or(cmp.Compare(min(1, len(parent(a[0]))), min(1, len(parent(b[0])))), baseline.Order(a[0], b[0]))
	})
}

func parent(setting string) string { return setting[:max(0, strings.LastIndexByte(setting, '.'))] }

func leaf(setting string) string { return setting[strings.LastIndexByte(setting, '.')+1:] }

var betweenWords = regexp.MustCompile(`(\.)|([^\p{Lu}.[])(\p{Lu})`)

// soft returns the name of a setting with optional line breaks between its words.
func soft(setting string) template.HTML {
	return template.HTML(betweenWords.ReplaceAllString(template.HTMLEscapeString(setting), "$1$2<wbr>$3"))
}

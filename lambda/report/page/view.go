package page

import (
	"cmp"
	_ "embed" // for the template
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"unicode"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

//go:embed page.html
var text string

var document = template.Must(template.New("page").Parse(text))

// The data for the template.
type (
	view struct {
		When              string
		Baselines         []string
		Counts            []count
		Exemptions        []*exemption
		Accounts, Regions []choice
		Groups            []group
		Rows              []row
		Span              int // number of cells in a row
		Differing         int // pools
	}
	count struct {
		Class, Name string
		Pools       int
	}
	exemption struct {
		Until, Owner, Why string
		Settings, Pools   int
		last              int // index of the last counted pool
	}
	// A choice is an account or a Region to filter by. Its pools have the CSS class ID.
	choice struct{ ID, Name string }
	// A group is a group of columns: the settings below one parent.
	group struct {
		Name    template.HTML
		Columns []template.HTML
	}
	row struct {
		report.Pool
		Kind                        kind
		Title, Anchor, Filter, Word string
		Reason, Fix                 string
		Cells                       []cell
		Drifts                      []drift
	}
	cell  struct{ Class, Label, Have, Want, More string }
	drift struct {
		Setting                                                template.HTML
		Have, Want, Rule, Source, State, Reason, Checks, Class string
	}
)

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

var kinds = []struct{ class, name string }{{"bad", "to change"}, {"bad", "could not be read"},
	{"warn", "with drift that is skipped"}, {"calm", "exempted"}, {"good", "as required"}, {"calm", "ignored"}}

// Class is the CSS class that colors the kind. The text has the same information.
func (k kind) Class() string { return kinds[k].class }

var classes = map[outcome.State]string{outcome.StatePlanned: "bad", outcome.StateUnfixable: "bad",
	outcome.StateReported: "warn", outcome.StateExempted: "calm"}

func kindOf(p pool) kind {
	k := inSync
	for _, d := range p.out.Drifts {
		switch d.State {
		case outcome.StateExempted:
			k = min(k, exempt)
		case outcome.StatePlanned:
			k = differs
		default:
			k = min(k, skipped)
		}
	}
	switch {
	case p.unread != nil:
		return failed
	case p.out.Outcome == outcome.Ignored:
		return ignored
	default:
		return k
	}
}

func (p *Page) view() view {
	v := view{When: p.when.UTC().Format("2 January 2006, 15:04 UTC"), Baselines: p.baselines, Span: len(p.columns) + 1}
	groups := grouped(p.columns)
	for _, settings := range groups {
		g := group{Name: soft(cmp.Or(parent(settings[0]), "User pool"))}
		for _, setting := range settings {
			g.Columns = append(g.Columns, soft(leaf(setting)))
		}
		v.Groups = append(v.Groups, g)
	}
	v.Accounts = choices("a", p.pools, func(of pool) string { return of.Account })
	v.Regions = choices("r", p.pools, func(of pool) string { return of.Region })
	for _, of := range p.pools {
		r := rowOf(of, groups)
		for _, all := range [][]choice{v.Accounts, v.Regions} {
			for _, c := range all {
				if c.Name == of.Account || c.Name == of.Region {
					r.Filter += " " + c.ID
				}
			}
		}
		v.Rows = append(v.Rows, r)
	}
	slices.SortStableFunc(v.Rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	v.Counts = countsOf(v.Rows)
	for i := range v.Rows {
		if len(v.Rows[i].Drifts) > 0 {
			v.Rows[i].Anchor = fmt.Sprint("pool-", i+1)
			v.Differing++
		}
	}
	v.Exemptions = p.exemptions()
	return v
}

// countsOf counts the pools of each kind.
func countsOf(rows []row) []count {
	all := []count{{"", "User pools", len(rows)}}
	for _, k := range kinds {
		all = append(all, count{k.class, k.name, 0})
	}
	for _, r := range rows {
		all[r.Kind+1].Pools++
	}
	return all
}

// exemptions returns the exemptions that have an effect, sorted by end. The reason of an exempted finding is "until
// TIME, OWNER: REASON".
func (p *Page) exemptions() []*exemption {
	by := map[string]*exemption{}
	for i, of := range p.pools {
		for _, d := range of.out.Drifts {
			if d.State != outcome.StateExempted {
				continue
			}
			e := by[d.Reason]
			if e == nil {
				until, rest, _ := strings.Cut(strings.TrimPrefix(d.Reason, "until "), ", ")
				owner, why, _ := strings.Cut(rest, ": ")
				e = &exemption{Until: strings.TrimSuffix(until, "T00:00:00Z"), Owner: owner, Why: why, last: -1}
				by[d.Reason] = e
			}
			e.Settings++
			if e.last != i {
				e.Pools, e.last = e.Pools+1, i
			}
		}
	}
	return slices.SortedFunc(maps.Values(by), func(a, b *exemption) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Why, b.Why))
	})
}

// choices returns the different values of the pools, if there are several.
func choices(prefix string, pools []pool, of func(pool) string) []choice {
	seen := map[string]bool{}
	for _, p := range pools {
		if of(p) != "" {
			seen[of(p)] = true
		}
	}
	var all []choice
	for i, name := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, choice{fmt.Sprint(prefix, i+1), name})
	}
	return all
}

func rowOf(of pool, groups [][]string) row {
	r := row{Pool: of.Pool, Kind: kindOf(of), Title: of.ID, Reason: of.out.Reason}
	if of.Name != "" {
		r.Title = report.Value(of.Name)
	}
	r.Word = kinds[r.Kind].name
	if of.unread != nil {
		r.Reason = baseline.Legible(of.unread.Error())
	}
	for _, d := range report.New(of.out, "", "").Drifts {
		r.Drifts = append(r.Drifts, drift{Setting: soft(d.Setting), Have: report.Value(d.Have),
			Want: report.Value(d.Want), Rule: report.RuleNamed(d.Rule), Source: d.Source, State: string(d.State),
			Reason: d.Reason, Checks: strings.Join(d.Checks, ", "), Class: classes[d.State]})
	}
	if len(of.out.Writes) > 0 {
		r.Fix = fmt.Sprintf("poolkeeper apply --pool %s --region %s", of.ID, of.Region)
	}
	if r.Kind != failed && r.Kind != ignored {
		r.Cells = cellsOf(of, groups)
	}
	return r
}

// cellsOf returns the cells of a pool: one for each setting that a rule requires, and one for clients and everything
// else.
func cellsOf(of pool, groups [][]string) []cell {
	found := map[string]outcome.Finding{}
	for _, d := range of.out.Drifts {
		found[d.Setting] = d
	}
	var cells []cell
	for _, setting := range slices.Concat(groups...) {
		d, differs := found[setting]
		switch {
		case differs:
			cells = append(cells, cellOf(d))
			delete(found, setting)
		case of.required[setting]:
			cells = append(cells, cell{Class: "good"})
		default:
			cells = append(cells, cell{Class: "none"})
		}
	}
	others := cell{Class: "good", Label: "App clients and other settings"}
	if len(found) > 0 {
		others.Class, others.More = "calm", fmt.Sprintf("%d more, see the details", len(found))
	}
	for _, d := range found {
		if d.State != outcome.StateExempted {
			others.Class = "bad"
		}
	}
	return append(cells, others)
}

// mostInCell is the largest number of characters of a value in a cell. The details show the whole value and the reason.
const mostInCell = 40

func cellOf(d outcome.Finding) cell {
	label := strings.ReplaceAll(d.Setting, ".", ".\u200b") // a browser may break it there
	c := cell{Class: classes[d.State], Label: label, Have: brief(d.Have), Want: brief(d.Want)}
	switch d.State {
	case outcome.StateExempted:
		until, _, _ := strings.Cut(d.Reason, ",")
		c.More = "exempted " + strings.TrimSuffix(until, "T00:00:00Z")
	case outcome.StateUnfixable:
		c.More = "cannot be fixed"
	case outcome.StateReported:
		c.More = "skipped"
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

// grouped sorts the settings by parent, those without a parent first.
func grouped(settings []string) [][]string {
	by := map[string][]string{}
	for _, setting := range slices.SortedFunc(slices.Values(settings), baseline.Order) {
		by[parent(setting)] = append(by[parent(setting)], setting)
	}
	return slices.SortedFunc(maps.Values(by), func(a, b []string) int {
		return cmp.Or(cmp.Compare(min(1, len(parent(a[0]))), min(1, len(parent(b[0])))), baseline.Order(a[0], b[0]))
	})
}

func parent(setting string) string { return setting[:max(0, strings.LastIndexByte(setting, '.'))] }

func leaf(setting string) string { return setting[strings.LastIndexByte(setting, '.')+1:] }

// soft returns the name of a setting with optional line breaks between its words.
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

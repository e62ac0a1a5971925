package baseline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompareEveryLeaf has a row for every leaf of the table: a literal is compared with a whole pool that keeps it,
// and with pools in which it was tampered with.
func TestCompareEveryLeaf(t *testing.T) {
	t.Parallel()
	rows := 0
	for _, p := range allPlaces() {
		if !p.leaf() {
			continue
		}
		rows++
		t.Run(p.path, func(t *testing.T) {
			t.Parallel()
			literal, other := sample(p.member, 0), sample(p.member, 1)
			policy := policyOf([]Requirement{say(p.path, Equal, literal)})
			if equal(p.member, literal, other) {
				t.Fatalf("the samples %v and %v are alike", literal, other)
			}
			if c := Compare(policy, fullPool()); len(c.Drifts) != 0 || len(c.Owned) != 1 || !c.Owns(p.path) {
				t.Errorf("a pool that keeps it compares as %+v", c)
			}
			twin, twinned := TwinOf(p.path)
			tampered := fullPool()
			Put(tampered, Keys(p.path), other)
			if twinned {
				Put(tampered, Keys(twin), other)
			}
			checkDrift(t, policy, tampered, literal, other)
			checkDrift(t, policy, map[string]any{}, literal, nil)
		})
	}
	if rows < 90 {
		t.Errorf("only %d leaves were found in the table", rows)
	}
}

// checkDrift expects one drift, which names the literal, and none after it was written.
func checkDrift(t *testing.T, p Policy, settings map[string]any, literal, have any) {
	t.Helper()
	r := p.Requirements[0]
	m, _ := Lookup(r.Setting)
	want := []Drift{{Setting: r.Setting, Rule: r.Rule, Mode: Enforce, Want: Mask(m, literal), Have: Mask(m, have),
		Action: Write, Value: literal}}
	got := Compare(p, settings).Drifts
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("drifts (-want +got):\n%s", diff)
	}
	if again := Compare(p, writeBack(settings, got[0])).Drifts; len(again) != 0 {
		t.Errorf("after the write there is still %+v", again)
	}
}

// TestCompareCases holds each case to the requirements of the merged rules, to the drifts with their remedies, and to
// the settings that are owned. What is written ends the drift.
func TestCompareCases(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Name, Why string
		Rules     [][]Requirement
		Exempt    []string
		Live      map[string]any
	}
	readJSON(t, "testdata/compare.json", &cases)
	var got strings.Builder
	for _, c := range cases {
		fmt.Fprintf(&got, "%s (%s)\n", c.Name, c.Why)
		p := policyOf(c.Rules...)
		if len(c.Exempt) > 0 {
			p.Exemptions = []Exemption{{Settings: c.Exempt}}
		}
		for _, o := range p.Requirements {
			fmt.Fprintf(&got, "  rule %s: %s: %s\n", o.Rule, o.Setting, canonical(want(Member{}, o.Requirement)))
		}
		comparison := Compare(p, c.Live)
		for _, d := range comparison.Drifts {
			fmt.Fprintf(&got, "  drift %s: want %s, have %s: %s %s", d.Setting, canonical(d.Want), canonical(d.Have),
				d.Action, canonical(d.Value))
			if d.Exempted != nil {
				got.WriteString(", exempted")
			}
			fmt.Fprintln(&got, "", d.Reason)
		}
		fmt.Fprintf(&got, "  owned %v\n", comparison.Owned)
		after := writeAll(c.Live, unexempted(comparison.Drifts))
		for _, d := range unexempted(Compare(p, after).Drifts) {
			if d.Action != Report {
				t.Errorf("%s: after the write there is still %+v", c.Name, d)
			}
		}
	}
	checkGolden(t, "testdata/compare.txt", got.String())
}

func unexempted(drifts []Drift) []Drift {
	return slices.DeleteFunc(slices.Clone(drifts), func(d Drift) bool { return d.Exempted != nil })
}

// TestCompareShapes feeds every setting values of every shape: whatever the service answers, there is a verdict.
func TestCompareShapes(t *testing.T) {
	t.Parallel()
	shapes := []any{nil, true, "text", "", num("7"), num("1e999999999999"), json.Number("x"), []any{},
		[]any{nil, "a", []any{}, obj("a", nil)}, obj(), obj("a", obj("b", "c")), 7, 7.5}
	for _, p := range allPlaces() {
		for _, op := range append(opsOf(p.member), Op("unheard of")) {
			for _, v := range shapes {
				settings := map[string]any{}
				Put(settings, Keys(p.path), v)
				for _, argument := range append(shapes, sample(p.member, 0)) {
					r := Owned{Requirement: say(p.path, op, argument)}
					Compare(Policy{Requirements: []Owned{r}}, settings)
				}
			}
		}
	}
}

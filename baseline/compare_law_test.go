package baseline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestWritingEndsTheDrift: for every operator, writing the value at the setting ends the drift there.
func TestWritingEndsTheDrift(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := genRequirement().Draw(t, "requirement")
		settings := genPool().Draw(t, "pool")
		p := policyOf(withMFA(settings, []Requirement{r}))
		for _, d := range Compare(p, settings).Drifts {
			after := writeBack(settings, d)
			if again := Compare(p, after).Drifts; d.Action != Report && len(again) > 0 {
				t.Errorf("%s %s: %s %v, but then have %v, want %v", d.Setting, r.Op, d.Action, d.Value, again[0].Have,
					again[0].Want)
			}
		}
	})
}

// TestWritingEndsEveryDrift: rules that overrule each other in any way leave a policy that can hold as a whole.
func TestWritingEndsEveryDrift(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		settings := genPool().Draw(t, "pool")
		var rules [][]Requirement
		for _, r := range withMFA(settings, rapid.SliceOfN(genRequirement(), 1, 6).Draw(t, "rules")) {
			rules = append(rules, []Requirement{selfContained(r)})
		}
		p := policyOf(rules...)
		after := settings
		for range 3 { // a twin that the first write sets has a say from then on
			after = writeAll(after, Compare(p, after).Drifts)
		}
		for _, d := range Compare(p, after).Drifts {
			if d.Action != Report {
				t.Errorf("%s: want %v, still have %v\npolicy %v", d.Setting, d.Want, d.Have, p.Requirements)
			}
		}
	})
}

// selfContained takes out of the objects of a requirement the leaves that another object holds under their other
// name: two rules that name both can contradict each other, and then no pool keeps both.
func selfContained(r Requirement) Requirement {
	if _, object := r.Set.(map[string]any); object {
		r.Set = nil
	}
	value, object := r.Value.(map[string]any)
	if _, whole := TwinOf(r.Setting); whole || !object {
		return r
	}
	m, _ := Lookup(r.Setting)
	eachLeaf(m, r.Setting, Clone(value), func(_ Member, path string, _ any) {
		if twin, ok := TwinOf(path); ok && !covers(r.Setting, twin) {
			Put(value, Keys(path)[len(Keys(r.Setting)):], nil)
		}
	})
	return r
}

// writeAll writes whole objects first: the object under one name of a twin must not undo a member under the other.
func writeAll(settings map[string]any, drifts []Drift) map[string]any {
	slices.SortStableFunc(drifts, func(a, b Drift) int { return whole(b) - whole(a) })
	for _, d := range drifts {
		settings = writeBack(settings, d)
	}
	return settings
}

func whole(d Drift) int {
	if m, _ := Lookup(d.Setting); m.Kind == Object || m.Kind == Map {
		return 1
	}
	return 0
}

// TestCompareLeavesTheSettingsAlone: nothing is changed, and nothing of the result is shared with the settings or the
// policy.
func TestCompareLeavesTheSettingsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policyOf(rapid.SliceOfN(genRequirement(), 1, 6).Draw(t, "rule"))
		settings := genPool().Draw(t, "pool")
		before, wanted := Clone(settings), cloneRequirements(p.Requirements)
		c := Compare(p, settings)
		if diff := cmp.Diff(c, Compare(p, settings)); diff != "" {
			t.Errorf("two comparisons of the same (-first +second):\n%s", diff)
		}
		for _, d := range c.Drifts {
			scribble(d.Value)
			scribble(d.Have)
			scribble(d.Want)
		}
		if diff := cmp.Diff(before, any(settings)); diff != "" {
			t.Errorf("the settings were changed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wanted, p.Requirements); diff != "" {
			t.Errorf("the policy was changed (-want +got):\n%s", diff)
		}
	})
}

func cloneRequirements(owned []Owned) []Owned {
	c := slices.Clone(owned)
	for i := range c {
		c[i].Value, c[i].Set = Clone(c[i].Value), Clone(c[i].Set)
	}
	return c
}

package baseline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLeaves holds each object to its normalized leaves.
func TestLeaves(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Name, Why string
		Object    map[string]any
		Leaves    map[string]string
	}
	readJSON(t, "testdata/leaves.json", &cases)
	for _, c := range cases {
		if diff := cmp.Diff(c.Leaves, leavesOf(userPoolMembers, c.Object)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", c.Name, c.Why, diff)
		}
	}
}

func TestLeavesCoverTheTable(t *testing.T) {
	t.Parallel()
	got := leavesOf(root.Members, fullPool())
	for _, p := range allPlaces() {
		if _, ok := got[p.path]; (p.leaf() || p.member.Presence) && !ok && text(p.member, sample(p.member, 0)) != "" {
			t.Errorf("a full pool lacks the leaf %s", p.path)
		}
		delete(got, p.path)
	}
	if len(got) > 0 {
		t.Errorf("leaves that are no settings: %v", got)
	}
}

// TestLeavesAgreeWithText holds the two ways to compare together: objects have the same leaves where they have the
// same text.
func TestLeavesAgreeWithText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := genPool().Draw(t, "a"), genPool().Draw(t, "b")
		for name := range a {
			m, _ := child(root, name)
			x, y := map[string]any{name: a[name]}, map[string]any{name: b[name]}
			same := cmp.Equal(leavesOf(root.Members, x), leavesOf(root.Members, y))
			if got := equal(m, a[name], b[name]); got != same {
				t.Errorf("%s: equal is %t, but equal leaves is %t: %v and %v", name, got, same, a[name], b[name])
			}
		}
	})
}

// TestTwinsPointAtEachOther finds every twin of the table, wherever it stands.
func TestTwinsPointAtEachOther(t *testing.T) {
	t.Parallel()
	var all []string
	var look func(members []Member, prefix string)
	look = func(members []Member, prefix string) {
		for _, m := range members {
			path := prefix + m.Name
			if m.Twin != "" {
				all = append(all, path)
				back, ok := TwinOf(m.Twin)
				if twin, found := TwinOf(path + ".Below"); !ok || back != path || !found || twin != m.Twin+".Below" {
					t.Errorf("%s and %s do not point at each other", path, m.Twin)
				}
			}
			if m.Elem != nil {
				look([]Member{*m.Elem}, path+".KEY.")
			}
			look(m.Members, path+".")
		}
	}
	look(root.Members, "")
	if len(all) == 0 || len(all) != len(twins()) {
		t.Errorf("%d twins in the table, %d known: %v", len(all), len(twins()), all)
	}
}

func leavesOf(members []Member, object map[string]any) map[string]string {
	out := map[string]string{}
	AddLeaves(out, "", members, object)
	return out
}

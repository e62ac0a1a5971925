package baseline

import "testing"

// BenchmarkCompare compares a whole pool with a policy that names every setting.
func BenchmarkCompare(b *testing.B) {
	b.ReportAllocs()
	var require []Requirement
	for _, p := range allPlaces() {
		if p.leaf() {
			require = append(require, say(p.path, Equal, sample(p.member, 0)))
		}
	}
	policy, pool := policyOf(require), fullPool()
	for b.Loop() {
		if c := Compare(policy, pool); len(c.Drifts) > 0 {
			b.Fatalf("%d drifts", len(c.Drifts))
		}
	}
}

// BenchmarkLeaves is what proves, after a write, that nothing else moved.
func BenchmarkLeaves(b *testing.B) {
	b.ReportAllocs()
	pool := fullPool()
	for b.Loop() {
		if len(Leaves(root.Members, pool)) == 0 {
			b.Fatal("no leaves")
		}
	}
}

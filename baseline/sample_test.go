package baseline

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func num(text string) json.Number { return json.Number(text) }

// obj returns an object of keys and values in turn.
func obj(pairs ...any) map[string]any {
	o := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		o[key] = pairs[i+1]
	}
	return o
}

// tree reads JSON as the settings are read.
func tree(text string) map[string]any {
	o, _ := decode(text).(map[string]any)
	return o
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// policyOf merges rules that are named 1, 2, 3 ... and select every pool.
func policyOf(rules ...[]Requirement) Policy {
	b := &Baseline{}
	for i, require := range rules {
		b.Rules = append(b.Rules, Rule{Name: strconv.Itoa(i + 1), Mode: Enforce, Require: require})
	}
	return b.Policy(Identity{}, time.Time{})
}

// A place is a setting of the table.
type place struct {
	path   string
	member Member
}

// places returns the settings at and below a member, the objects in which they stand first. A map stands with one key.
func places(path string, m Member) []place {
	all := []place{{path, m}}
	switch m.Kind {
	case Object:
		for _, c := range m.Members {
			all = append(all, places(path+"."+c.Name, c)...)
		}
	case Map:
		key := "env.stage"
		if m.Elem.Kind == Object {
			key = "Level1"
		}
		all = append(all, places(path+"."+key, *m.Elem)...)
	}
	return all
}

// allPlaces returns every setting of the table, in its order.
func allPlaces() []place {
	var all []place
	for _, m := range root.Members {
		all = append(all, places(m.Name, m)...)
	}
	return all
}

func (p place) leaf() bool { return p.member.Kind != Object && p.member.Kind != Map }

// sample returns one of a few values that the API would take for the member. Sample 0 is never as good as absent;
// samples 0 and 1 differ, and the latter may be nil. Twins, which are alike, have the same samples.
func sample(m Member, n int) any {
	switch m.Kind {
	case Object:
		o := map[string]any{}
		for _, c := range m.Members {
			if v := sample(c, n); v != nil {
				o[c.Name] = v
			}
		}
		return o
	case Map:
		p := places("", m)[1]
		return map[string]any{p.path[1:]: sample(*m.Elem, n)}
	case List:
		return sampleList(m, n)
	case Integer:
		least := max(m.Min, 1)
		if m.Default == strconv.FormatInt(least, 10) {
			least++ // which differs from an absent one
		}
		return num(strconv.FormatInt(least+int64(n), 10))
	case Boolean:
		return n == 0
	}
	if len(m.Enum) > 0 {
		return sampleEnum(m, n)
	}
	return "text " + strconv.Itoa(n) + " with {####}"
}

func sampleOr0(m Member, n int) any {
	if v := sample(m, n); v != nil {
		return v
	}
	return sample(m, 0)
}

func sampleEnum(m Member, n int) any {
	var others []string
	for _, e := range m.Enum {
		if e != m.Default {
			others = append(others, e)
		}
	}
	switch {
	case n < len(others):
		return others[n]
	case m.Default != "":
		return m.Default
	default:
		return nil
	}
}

// fullPool has every setting of the table at its sample 0.
func fullPool() map[string]any {
	o, _ := sample(root, 0).(map[string]any)
	return o
}

// writeBack does what ends a drift: it writes the value at the setting and, as far as that is set, under its other
// names.
func writeBack(settings map[string]any, d Drift) map[string]any {
	after, _ := Clone(settings).(map[string]any)
	if d.Action == Report {
		return after
	}
	m, _ := Lookup(d.Setting)
	Put(after, Keys(d.Setting), Clone(d.Value))
	eachLeaf(m, d.Setting, d.Value, func(_ Member, path string, v any) { writeTwin(after, path, v) })
	writeTwin(after, d.Setting, d.Value)
	return after
}

func writeTwin(settings map[string]any, path string, v any) {
	twin, ok := TwinOf(path)
	if ok && At(settings, Keys(twin)) != nil {
		Put(settings, Keys(twin), Clone(v))
	}
}

// genPool makes pools that have some settings, empty ones and samples.
func genPool() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		o, _ := drawValue(t, root).(map[string]any)
		return o
	})
}

func drawValue(t *rapid.T, m Member) any {
	switch m.Kind {
	case Object:
		o := map[string]any{}
		for _, c := range m.Members {
			if rapid.IntRange(0, 2).Draw(t, c.Name) > 0 {
				o[c.Name] = drawValue(t, c)
			}
		}
		return o
	case Map:
		o := map[string]any{}
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"env", "env.stage", "Level1"}), 0, 3,
			rapid.ID).Draw(t, "keys") {
			o[key] = drawValue(t, *m.Elem)
		}
		return o
	case List:
		l := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			l = append(l, drawValue(t, *m.Elem))
		}
		return l
	case Boolean:
		return rapid.Bool().Draw(t, "boolean")
	case Integer:
		return num(strconv.Itoa(rapid.IntRange(0, 20).Draw(t, "integer")))
	}
	if len(m.Enum) > 0 {
		return rapid.SampledFrom(m.Enum).Draw(t, "enum")
	}
	return rapid.SampledFrom([]string{"", "text 0", "text 1", "text 2"}).Draw(t, "text")
}

// genRequirement makes requirements that a baseline could have: an operator that suits the member, with a value that
// is not empty.
func genRequirement() *rapid.Generator[Requirement] {
	return rapid.Custom(func(t *rapid.T) Requirement {
		return genRequirementOf(rapid.SampledFrom(allPlaces()).Draw(t, "place")).Draw(t, "of the place")
	})
}

func genRequirementOf(p place) *rapid.Generator[Requirement] {
	return rapid.Custom(func(t *rapid.T) Requirement {
		op := rapid.SampledFrom(opsOf(p.member)).Draw(t, "op")
		r := Requirement{Setting: p.path, Op: op, Position: Position{File: "f"}}
		switch op {
		case AtLeast, AtMost:
			low := max(p.member.Min, 1)
			r.Value = num(strconv.FormatInt(rapid.Int64Range(low, low+10).Draw(t, "bound"), 10))
		case OneOf:
			r.Value = []any{sample(p.member, 0), sampleOr0(p.member, 1)}
		case Contains, Without:
			r.Value = []any{sampleOr0(*p.member.Elem, rapid.IntRange(0, 1).Draw(t, "element"))}
		case Exactly:
			r.Value = agreeing(p, drawValue(t, p.member))
		case Absent:
			r.Value = true
		case Present:
			r.Value, r.Set = true, sample(p.member, 0)
		case Matches:
			r.Value, r.Set = "text 0*", sample(p.member, 0)
		default:
			r.Value = sampleOr0(p.member, rapid.IntRange(0, 1).Draw(t, "sample"))
		}
		return r
	})
}

// agreeing takes out of an object what no baseline is accepted with: the second of two twins that contradict each
// other, and what the API does not take when it is empty.
func agreeing(p place, v any) any {
	settings := map[string]any{}
	Put(settings, Keys(p.path), v)
	eachLeaf(p.member, p.path, Clone(v), func(m Member, path string, v any) {
		if Empty(v) && !m.Presence && (m.Kind == String || m.Min > 0) {
			Put(settings, Keys(path), nil)
			return
		}
		twin, ok := TwinOf(path)
		if ok && At(settings, Keys(path)) != nil && !equal(m, v, At(settings, Keys(twin))) {
			Put(settings, Keys(twin), nil)
		}
	})
	if v = At(settings, Keys(p.path)); v != nil {
		return v
	}
	return map[string]any{}
}

func opsOf(m Member) []Op {
	ops := []Op{Present}
	if m.Keep == "" {
		ops = append(ops, Absent)
	}
	switch m.Kind {
	case Object, Map:
		return append(ops, Exactly)
	case List:
		return append(ops, Equal, Contains, Without)
	case Integer:
		return append(ops, Equal, AtLeast, AtMost)
	case Boolean:
		return append(ops, Equal)
	}
	if len(m.Enum) > 0 {
		return append(ops, Equal, OneOf)
	}
	return append(ops, Equal, Matches)
}

// sampleList has one element, and is not what an absent list stands for.
func sampleList(m Member, n int) any {
	for i := range 10 {
		v := sample(*m.Elem, i)
		if v == nil || text(m, []any{v}) == "" {
			continue
		}
		if n == 0 {
			return []any{v}
		}
		n--
	}
	return nil
}

// withMFA turns MFA on where a factor has to be present: with MFA off there is none, whatever is written.
func withMFA(settings map[string]any, require []Requirement) []Requirement {
	for _, r := range require {
		if block, _ := Lookup(Keys(r.Setting)[0]); r.Op == Present && block.GoneWith != "" {
			settings[block.GoneWith] = "ON"
			return slices.DeleteFunc(require, func(o Requirement) bool { return o.Setting == block.GoneWith })
		}
	}
	return require
}

package baseline

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAPoolIsInSyncWithItsSnapshot: whatever a pool and its client hold, the baseline that is made of them is one, is
// kept by them, and shows no text of theirs.
func TestAPoolIsInSyncWithItsSnapshot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		settings, _ := likely(t, root, genPool().Draw(t, "pool")).(map[string]any)
		const id, name = "abc", "web\n- x"
		client, ok := settings[Clients].(map[string]any)
		if !ok {
			client = map[string]any{}
		}
		client["ClientName"] = name
		settings[ClientPath(id)] = client
		delete(settings, Clients)
		Put(settings, Keys("Policies.PasswordPolicy.MinimumLength"), num("8")) // every pool has one
		pool := Identity{ID: "eu-west-1_AbCdEf123", Clients: []ClientIdentity{{ID: id, Name: name}}}
		text, err := Snapshot(pool, settings)
		if err != nil {
			t.Fatalf("%v\n%v", err, settings)
		}
		b, err := Parse("snapshot", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, d := range Compare(b.Policy(pool, time.Time{}), settings).Drifts {
			t.Errorf("%s: want %v, have %v", d.Setting, d.Want, d.Have)
		}
		if strings.Contains(string(text), "CANARY") {
			t.Error("a text that is hidden stands in the snapshot")
		}
	})
}

// likely replaces the texts of a value by such as the API takes of the member, mostly, and by ones that must not be
// seen where it is sensitive.
func likely(t *rapid.T, m Member, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			c, _ := child(m, key)
			v[key] = likely(t, c, e)
		}
	case []any:
		for i, e := range v {
			v[i] = likely(t, elementOf(m), e)
		}
	case string:
		switch {
		case m.Sensitive:
			return "CANARY {####}"
		case m.Pattern == arnPattern && rapid.IntRange(0, 9).Draw(t, "odd") > 0:
			return "arn:aws:lambda:eu-west-1:111122223333:function:" + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "function")
		}
	}
	return v
}

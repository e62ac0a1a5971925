package event

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzDecode: no payload makes the decoder panic, waver, or name a pool that cannot be ours.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got := Decode(payload, ours)
		if diff := cmp.Diff(got, Decode(payload, ours)); diff != "" {
			t.Fatalf("the same payload is decoded in two ways:\n%s", diff)
		}
		switch got.Kind {
		case One:
			if !poolID.MatchString(got.UserPoolID) || len(got.UserPoolID) > maxPoolID || !strings.HasPrefix(got.UserPoolID, ours.Region+"_") {
				t.Fatalf("pool id %q", got.UserPoolID)
			}
		case Ignored:
			if got.Reason == "" || got.Detail == "" {
				t.Fatalf("ignored without a reason: %+v", got)
			}
		case All:
		default:
			t.Fatalf("kind %q", got.Kind)
		}
		c := got.Cause
		for _, text := range []string{got.Detail, c.EventID, c.EventName, c.Actor, c.Issuer, c.SourceIP, c.UserAgent, c.InvokedBy, c.RequestID} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 16*maxText {
				t.Fatalf("not fit for a log: %q", text)
			}
		}
	})
}

// TestStrangersChangeNothing: members that the decoder does not know change nothing, wherever they stand.
func TestStrangersChangeNothing(t *testing.T) {
	t.Parallel()
	good := string(fixture(t, "update-user-pool"))
	expected := Decode([]byte(good), ours)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`x-[a-z]{1,8}`).Draw(t, "name")
		v := rapid.SampledFrom([]string{"null", "1", `"text"`, `[{"a": []}]`, `{"userPoolId": "eu-west-1_Other0001"}`}).Draw(t, "value")
		after := rapid.SampledFrom([]string{`"requestParameters": {`, `"userIdentity": {`, `"detail": {`, `"policies": {`}).Draw(t, "place")
		payload := strings.Replace(good, after, after+`"`+name+`": `+v+`, `, 1)
		if diff := cmp.Diff(expected, Decode([]byte(payload), ours)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

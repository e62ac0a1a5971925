package event

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
			if !poolID().MatchString(got.UserPoolID) || len(got.UserPoolID) > maxPoolID || !strings.HasPrefix(got.UserPoolID, ours.Region+"_") {
				t.Fatalf("pool id %q", got.UserPoolID)
			}
			if envelope := parse(payload); envelope.text("source") == fromCognito {
				detail := envelope.object("detail")
				for _, account := range []string{envelope.text("account"), detail.text("recipientAccountId")} {
					if account != "" && account != ours.Account {
						t.Fatalf("account %q", account)
					}
				}
				for _, region := range []string{envelope.text("region"), detail.text("awsRegion")} {
					if region != "" && region != ours.Region {
						t.Fatalf("Region %q", region)
					}
				}
			}
		case Ignored:
			if got.Reason == "" || got.Detail == "" {
				t.Fatalf("ignored without a reason: %+v", got)
			}
		case All:
		default:
			t.Fatalf("kind %q", got.Kind)
		}
		if _, err := json.Marshal(got.Cause); err != nil {
			t.Fatalf("the cause cannot be reported: %v", err)
		}
		Decode(payload, Home{})
		c := got.Cause
		for _, text := range []string{got.Detail, c.EventID, c.EventName, c.Actor, c.Issuer, c.SourceIP, c.UserAgent, c.InvokedBy, c.RequestID} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 16*maxText {
				t.Fatalf("not fit for a log: %q", text)
			}
		}
	})
}

// TestStrangersChangeNothing: members that the decoder does not know change nothing, whatever they are called and hold, in any event, but that a request's parameters are listed by name.
func TestStrangersChangeNothing(t *testing.T) {
	t.Parallel()
	known := []string{"awsRegion", "errorCode", "eventID", "eventName", "eventSource", "eventTime", "eventType", "readOnly", "recipientAccountId",
		"requestID", "requestParameters", "resourceArn", "responseElements", "sourceIPAddress", "userAgent", "userIdentity", "userPoolId"}
	payloads := map[string][]byte{}
	for name := range fixtures {
		payload, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(parse(payload).object("detail")) > 0 {
			payloads[name] = payload
		}
	}
	names := slices.Sorted(maps.Keys(payloads))
	rapid.Check(t, func(t *rapid.T) {
		payload := payloads[rapid.SampledFrom(names).Draw(t, "fixture")]
		event := parse(payload)
		detail := event.object("detail")
		expected := Decode(payload, ours)
		for _, place := range []object{detail, detail.object("requestParameters")} {
			if place == nil {
				continue
			}
			for range rapid.IntRange(0, 4).Draw(t, "members") {
				name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z]{1,12}`), rapid.Just("userPoolIds"), rapid.Just("tags")).Draw(t, "name")
				isKnown := slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
				if _, taken := place[name]; !taken && !isKnown {
					place[name] = anything(3).Draw(t, "value")
				}
			}
		}
		payload, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		got := Decode(payload, ours)
		if len(got.Named) > maxNamed || len(got.Named) < len(expected.Named) || !slices.IsSorted(got.Named) {
			t.Fatalf("parameters %q", got.Named)
		}
		got.Named = expected.Named
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// anything is any JSON value, nested to the depth.
func anything(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int().AsAny(),
		rapid.Just[any](json.Number("1e999")),
		rapid.String().AsAny(),
		rapid.Just[any](map[string]any{"userPoolId": "eu-west-1_Other0001"}),
	}
	if depth > 0 {
		inner := rapid.Deferred(func() *rapid.Generator[any] { return anything(depth - 1) })
		kinds = append(kinds, rapid.SliceOfN(inner, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 3).AsAny())
	}
	return rapid.OneOf(kinds...)
}

package event

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"poolkeeper/baseline"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzDecode: no payload makes the decoder panic, give two answers, or name a pool that cannot be ours.
func FuzzDecode(f *testing.F) {
	for _, name := range fixtures(f) {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got := Decode(payload, ours)
		if diff := cmp.Diff(got, Decode(payload, ours)); diff != "" {
			t.Fatalf("the same payload is decoded in two ways:\n%s", diff)
		}
		switch got.Kind {
		case One:
			id := got.UserPoolID
			if !baseline.IsPoolID(id) || !strings.HasPrefix(id, ours.Region+"_") {
				t.Fatalf("pool id %q", id)
			}
			bad := func(id string) bool { return !baseline.IsClientID(id) }
			if len(got.Clients) > MaxClients || slices.ContainsFunc(got.Clients, bad) {
				t.Fatalf("clients %q", got.Clients)
			}
			if envelope := parse(payload); envelope.text("source") == fromCognito {
				checkHome(t, envelope)
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
		Records(payload)
		if events, err := Unpack(payload); (err == nil) != (len(events) > 0) {
			t.Fatalf("%d events are unpacked, with the error %v", len(events), err)
		}
		c := got.Cause
		for _, text := range []string{got.Detail, c.EventID, c.EventName, c.Actor, c.Issuer, c.SourceIP, c.UserAgent,
			c.InvokedBy, c.RequestID} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 16*maxText {
				t.Fatalf("not fit for a log: %q", text)
			}
		}
	})
}

// checkHome checks that the event is of our account and Region.
func checkHome(t *testing.T, envelope object) {
	t.Helper()
	detail := envelope.object("detail")
	for _, c := range [][2]string{{envelope.text("account"), ours.Account}, {envelope.text("region"), ours.Region},
		{detail.text("recipientAccountId"), ours.Account}, {detail.text("awsRegion"), ours.Region}} {
		if c[0] != "" && c[0] != c[1] {
			t.Fatalf("%q is not %q", c[0], c[1])
		}
	}
}

// TestUnknownMembersChangeNothing adds members that the decoder does not know to any event. They change nothing, but
// that the names of a request's parameters are listed.
func TestUnknownMembersChangeNothing(t *testing.T) {
	t.Parallel()
	known := strings.Fields("awsRegion clients errorCode eventID eventName eventSource eventTime eventType readOnly " +
		"recipientAccountId requestID requestParameters resourceArn responseElements scan reason token started pages " +
		"scheduled sourceIPAddress sweep userAgent userIdentity userPoolId")
	unknown := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z]{1,12}`), rapid.Just("userPoolIds"),
		rapid.Just("tags")).Filter(func(name string) bool {
		return !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
	})
	var payloads [][]byte
	for _, name := range fixtures(t) {
		payloads = append(payloads, fixture(t, name))
	}
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SampledFrom(payloads).Draw(t, "fixture")
		event := parse(payload)
		detail, expected := event.object("detail"), Decode(payload, ours)
		for _, place := range []object{detail, detail.object("requestParameters")} {
			for name, value := range rapid.MapOfN(unknown, anything(3), 0, 4).Draw(t, "members") {
				if _, taken := place[name]; !taken && len(place) > 0 {
					place[name] = value
				}
			}
		}
		got := expected
		if event != nil {
			got = Decode(encode(event), ours)
		}
		if len(got.Named) < len(expected.Named) || !slices.IsSorted(got.Named) {
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

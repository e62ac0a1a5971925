package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestSweepGoesOn: what is written of a sweep is what is read of it.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		started := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "started"), 0).UTC()
		want := Sweep{Started: started, Token: rapid.StringMatching(`[!-~]{1,200}`).Draw(t, "token"), Pools: rapid.IntRange(0, 1e6).Draw(t, "pools"), Restarted: rapid.Bool().Draw(t, "restarted")}
		if diff := cmp.Diff(Request{Kind: All, Cause: Cause{EventName: "Sweep"}, Sweep: want}, Decode(ofUs(t, SweepPools, want), ours)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		member := Request{Kind: One, UserPoolID: thePool, Cause: Cause{EventName: "Sweep"}, Sweep: Sweep{Started: started}}
		if diff := cmp.Diff(member, Decode(ofUs(t, ReconcilePool, Member{UserPoolID: thePool, Sweep: started}), ours)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func ofUs(t interface{ Fatal(...any) }, kind string, detail any) []byte {
	payload, err := json.Marshal(map[string]any{"source": Source, "detail-type": kind, "detail": detail})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// TestSweepOfAnybody: a detail that no sweep of ours has written begins a sweep, and a pool that nobody's sweep sent is of none.
func TestSweepOfAnybody(t *testing.T) {
	t.Parallel()
	const at = `"started": "2026-10-01T12:00:00Z"`
	for name, detail := range map[string]string{
		"nothing":             `null`,
		"a text":              `"token"`,
		"of the schedule":     `{"reason": "schedule"}`,
		"no token":            `{` + at + `, "pools": 3}`,
		"no start":            `{"token": "abc"}`,
		"a start that is odd": `{"token": "abc", "started": "yesterday"}`,
		"a token of lines":    `{"token": "a\nb", ` + at + `}`,
		"a token of nobody's": `{"token": "ä", ` + at + `}`,
		"an endless token":    `{"token": "` + strings.Repeat("a", maxToken+1) + `", ` + at + `}`,
		"a token in a list":   `{"token": ["abc"], ` + at + `}`,
	} {
		got := Decode([]byte(fmt.Sprintf(`{"source": "poolkeeper", "detail-type": "Sweep", "detail": %s}`, detail)), ours)
		if diff := cmp.Diff(Request{Kind: All, Cause: Cause{EventName: "Sweep"}}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, pools := range []string{"-5", "1e400", `"7"`, "1.5", "12345678901234567890"} {
		got := Decode([]byte(`{"source": "poolkeeper", "detail-type": "Sweep", "detail": {"token": "abc", `+at+`, "pools": `+pools+`}}`), ours)
		if got.Sweep.Token != "abc" || got.Sweep.Pools != 0 {
			t.Errorf("%s pools: %+v", pools, got.Sweep)
		}
	}
	for _, detail := range []string{`"sweep": "x"`, `"sweep": true`, `"other": 1`} {
		got := Decode([]byte(`{"source": "poolkeeper", "detail-type": "Reconcile User Pool", "detail": {"userPoolId": "eu-west-1_AbCdEf123", `+detail+`}}`), ours)
		if got.Kind != One || got.Sweep != (Sweep{}) || got.Cause.EventName != "Reconcile User Pool" {
			t.Errorf("%s: %+v", detail, got)
		}
	}
}

package event

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMessages: what a message says of a scan and of a pool is what is decoded.
func TestMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		started := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "started"), 0).UTC()
		scheduled := rapid.Bool().Draw(t, "scheduled")
		want := Scan{Started: started, Token: rapid.StringMatching(`[!-~]{1,200}`).Draw(t, "token"),
			Pages: rapid.IntRange(0, 1e6).Draw(t, "pages"), Scheduled: scheduled}
		got := Decode([]byte(Message(ScanPools, want)), ours)
		if diff := cmp.Diff(Request{Kind: All, Cause: Cause{EventName: "Scan"}, Scan: want}, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		clients := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9]{1,30}`), 1, 100).Draw(t, "clients")
		member := Request{Kind: One, UserPoolID: thePool, Cause: Cause{EventName: "Scan"}, Clients: clients,
			Scan: Scan{Started: started, Scheduled: scheduled}}
		message := Message(ReconcilePool, Member{UserPoolID: thePool, Scan: started, Clients: clients, Scheduled: scheduled})
		if diff := cmp.Diff(member, Decode([]byte(message), ours)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestForgedScan: a detail that none of our scans sent begins a scan, under the older name too. A pool that no scan
// sent is of none.
func TestForgedScan(t *testing.T) {
	t.Parallel()
	const at = `"started": "2026-10-01T12:00:00Z"`
	for name, detail := range map[string]string{
		"nothing":                 `null`,
		"a text":                  `"token"`,
		"of the schedule":         `{"reason": "schedule"}`,
		"no token":                `{` + at + `, "pages": 3}`,
		"no start":                `{"token": "abc"}`,
		"a start that is no time": `{"token": "abc", "started": "yesterday"}`,
		"a token of two lines":    `{"token": "a\nb", ` + at + `}`,
		"a token not in ASCII":    `{"token": "ä", ` + at + `}`,
		"an endless token":        `{"token": "` + strings.Repeat("a", maxToken+1) + `", ` + at + `}`,
		"a token in a list":       `{"token": ["abc"], ` + at + `}`,
	} {
		for _, kind := range []string{"Scan", "Sweep"} {
			got := Decode([]byte(fmt.Sprintf(`{"source": "poolkeeper", "detail-type": %q, "detail": %s}`, kind, detail)), ours)
			want := Request{Kind: All, Cause: Cause{EventName: kind}, Scan: Scan{Scheduled: name == "of the schedule"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	for _, pages := range []string{"-5", "1e400", `"7"`, "1.5", "-12345678901234567890"} {
		got := Decode([]byte(`{"source": "poolkeeper", "detail-type": "Scan",
			"detail": {"token": "abc", `+at+`, "pages": `+pages+`}}`), ours)
		if got.Scan.Token != "abc" || got.Scan.Pages != 0 {
			t.Errorf("%s pages: %+v", pages, got.Scan)
		}
	}
	for _, detail := range []string{`"sweep": "x"`, `"sweep": true`, `"other": 1`} {
		got := Decode([]byte(`{"source": "poolkeeper", "detail-type": "Reconcile User Pool",
			"detail": {"userPoolId": "eu-west-1_AbCdEf123", `+detail+`}}`), ours)
		if got.Kind != One || got.Scan != (Scan{}) || got.Cause.EventName != "Reconcile User Pool" {
			t.Errorf("%s: %+v", detail, got)
		}
	}
}

// TestClients: a message names the app clients to reconcile. A list that we cannot have sent stands for the whole pool.
func TestClients(t *testing.T) {
	t.Parallel()
	many := strings.Split(strings.Repeat("client ", MaxClients)+"client", " ")
	for name, c := range map[string]struct {
		detail any
		want   []string
	}{
		"some":           {[]string{"a", "b"}, []string{"a", "b"}},
		"as many as can": {many[:MaxClients], many[:MaxClients]},
		"too many":       {many, nil},
		"none":           {[]string{}, nil},
		"no id":          {[]any{"a", "../b"}, nil},
		"no text":        {[]any{"a", 7}, nil},
		"no list":        {"a", nil},
	} {
		got := Decode([]byte(Message(ReconcilePool, map[string]any{"userPoolId": thePool, "clients": c.detail})), ours)
		if diff := cmp.Diff(Request{Kind: One, UserPoolID: thePool, Clients: c.want, Cause: got.Cause}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestOlderMember: a pool that a scan sent under its older name is a pool of that scan.
func TestOlderMember(t *testing.T) {
	t.Parallel()
	for name, scheduled := range map[string]bool{"reconcile-of-sweep": false, "reconcile-of-scan": true} {
		want := Scan{Started: time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC), Scheduled: scheduled}
		if got := Decode(fixture(t, name), ours); got.Scan != want || got.Cause.EventName != ScanPools {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
)

// TestEarlierRecords reads items that the earlier version wrote.
func TestEarlierRecords(t *testing.T) {
	t.Parallel()
	l := table(t, mototest.Dynalite(t))
	const pool = "eu-west-1_Earlier"
	plant := func(id, record string) {
		t.Helper()
		put(t, l, pool, "record#"+strings.TrimPrefix(id, pool+"."),
			map[string]types.AttributeValue{"record": &types.AttributeValueMemberS{Value: record}})
	}
	const interrupted, ended = pool + ".20261101T120000.000000Z", pool + ".20261101T130000.000000Z"
	plant(interrupted, `{"id": "`+interrupted+`", "userPoolId": "`+pool+`", "cause": {}, "baseline": "sha256:ab",
		"began": "2026-11-01T12:00:00Z", "drifts": [{"setting": "MfaConfiguration", "rule": "all", "want": "ON",
		"have": "OFF", "state": "planned"}], "sent": [
		{"call": "SetUserPoolMfaConfig", "document": "MfaConfig", "requestId": "r1", "read": "2026-11-01T12:00:00Z",
		"at": "2026-11-01T12:00:01Z", "fixes": ["MfaConfiguration"]},
		{"call": "UpdateUserPool", "document": "UserPool", "read": "2026-11-01T12:00:00Z", "unclear": true}],
		"verified": {"owned": 0, "unmanagedUnchanged": 0}, "owes": ["SmsConfiguration"]}`)
	plant(ended, `{"id": "`+ended+`", "userPoolId": "`+pool+`", "cause": {}, "baseline": "sha256:ab",
		"began": "2026-11-01T13:00:00Z", "outcome": "partial", "reason": "one could not be fixed", "drifts": [
		{"setting": "SmsConfiguration", "rule": "all", "want": 1, "have": null, "state": "unfixable", "left": "taken"},
		{"setting": "DeletionProtection", "rule": "all", "want": 1, "have": 2, "state": "reported", "left": "audited"}],
		"sent": [{"call": "UpdateUserPool", "document": "UserPool", "read": "2026-11-01T13:00:00Z"}],
		"verified": {"owned": 1, "unmanagedUnchanged": 40}}`)
	put(t, l, pool, "hold", map[string]types.AttributeValue{"holder": &types.AttributeValueMemberS{Value: "x"}})

	h, err := l.History(t.Context(), pool, noon, true)
	if err != nil || len(h.Records) != 2 {
		t.Fatalf("%d records, %v", len(h.Records), err)
	}
	first, second := h.Records[0], h.Records[1]
	if first.ID != interrupted || !first.Interrupted(noon.AddDate(0, 0, 1)) ||
		!slices.Equal(first.Restores(), []string{"SmsConfiguration"}) ||
		first.Sent[0].Status != outcome.Accepted || first.Sent[1].Status != outcome.Unclear {
		t.Errorf("%+v", first)
	}
	if second.ID != ended || second.Open() || second.Outcome != outcome.Partial ||
		second.Drifts[0].Code != outcome.CodeRestore || second.Drifts[1].Code != outcome.CodeAudited {
		t.Errorf("%+v", second)
	}
	// Read by itself it is the same.
	if one, err := l.Record(t.Context(), interrupted); err != nil || !slices.Equal(one.Restores(), first.Restores()) {
		t.Errorf("%+v, %v", one, err)
	}
}

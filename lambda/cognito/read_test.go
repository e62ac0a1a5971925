package cognito

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// TestReadGivesUp: after a read has failed, the reads that still wait do not begin.
func TestReadGivesUp(t *testing.T) {
	t.Parallel()
	list := strings.Builder{}
	for i := range 40 {
		fmt.Fprintf(&list, `{"ClientId":"c%d","ClientName":"a"},`, i)
	}
	client, _ := answering(t, map[string][]byte{
		"DescribeUserPool":       []byte(`{"UserPool":{"Id":"` + pool + `"}}`),
		"ListUserPoolClients":    []byte(`{"UserPoolClients":[` + strings.TrimSuffix(list.String(), ",") + `]}`),
		"DescribeUserPoolClient": []byte(`{"UserPoolClient":{"ClientId":"other"}}`),
	})
	var waited atomic.Int32
	client.Sleep = func(ctx context.Context, d time.Duration) error {
		if d <= 0 {
			return nil
		}
		waited.Add(1)
		<-ctx.Done() // they would be let through in the end
		return ctx.Err()
	}
	want := userpool.Want{Clients: func(baseline.Identity, baseline.ClientIdentity) []baseline.DocumentName {
		return []baseline.DocumentName{baseline.AppClient}
	}}
	_, err := client.Read(t.Context(), pool, want)
	if err == nil || !strings.Contains(err.Error(), "for another client") || waited.Load() != 40-poolBurst {
		t.Errorf("%v, %d waited", err, waited.Load())
	}
}

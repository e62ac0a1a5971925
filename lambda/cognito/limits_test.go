package cognito

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// instant returns a client whose calls are all answered with the same text.
func instant(answer string) *Client {
	return answers(func(string, string) string { return answer })
}

// took returns how long it takes to do the calls, all begun at the same time.
func took(times int, call func(i int)) time.Duration {
	start := time.Now()
	var calls sync.WaitGroup
	for i := range times {
		calls.Go(func() { call(i) })
	}
	calls.Wait()
	return time.Since(start)
}

func near(got time.Duration, wantSeconds float64) bool {
	return (got - time.Duration(wantSeconds*float64(time.Second))).Abs() < 50*time.Millisecond
}

// TestCategoryRates makes more calls than the burst, about many pools: those after the burst come at a fifth of the
// documented rate, which the calls of a category share.
func TestCategoryRates(t *testing.T) {
	t.Parallel()
	for calls, perSecond := range map[string]float64{
		"DescribeUserPool": 15,
		"GetUserPoolMfaConfig DescribeRiskConfiguration":          20,
		"DescribeUserPoolClient ListUserPoolClients":              15,
		"GetLogDeliveryConfiguration SetLogDeliveryConfiguration": 15,
		"UpdateUserPool":                            15,
		"UpdateUserPoolClient":                      15,
		"SetUserPoolMfaConfig SetRiskConfiguration": 15,
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, share := range []float64{0.2, 1} {
				client := instant(`{}`)
				if share == 1 {
					client.Share = 1
				}
				shared := strings.Fields(calls)
				got := took(30, func(i int) { _ = client.wait(t.Context(), fmt.Sprint(i), shared[i%len(shared)]) })
				if !near(got, (30-burst)/(perSecond*share)) {
					t.Errorf("with a share of %v, 30 calls of %s took %s", share, calls, got)
				}
			}
		})
	}
}

// TestEveryCallWaits: all respect the rate.
func TestEveryCallWaits(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(ctx context.Context, c *Client){
		"List":     func(ctx context.Context, c *Client) { _, _, _ = c.List(ctx, "") },
		"Read":     func(ctx context.Context, c *Client) { _, _ = c.Read(ctx, pool, userpool.Want{}) },
		"Document": func(ctx context.Context, c *Client) { _, _ = c.Document(ctx, pool, baseline.UserPool) },
		"Write":    func(ctx context.Context, c *Client) { _, _ = c.Write(ctx, pool, update) },
	} {
		synctest.Test(t, func(t *testing.T) {
			client := instant(`{}`)
			if got := took(burst+3, func(int) { call(t.Context(), client) }); !near(got, 1) {
				t.Errorf("%s: %d calls took %s", name, burst+3, got)
			}
		})
	}
}

// TestPoolRates: the calls about the clients of one pool stay below 5 a second. Another pool does not wait for them,
// nor do the calls about the pool itself.
func TestPoolRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := instant(`{}`)
		client.Share = 100
		const ofClient, ofPool = "DescribeUserPoolClient", "DescribeUserPool"
		call := func(id, name string) func(int) { return func(int) { _ = client.wait(t.Context(), id, name) } }
		var others sync.WaitGroup
		others.Go(func() {
			if got := took(poolBurst, call("eu-west-1_Other", ofClient)); !near(got, 0) {
				t.Errorf("another pool waits %s", got)
			}
			if got := took(20, call(pool, ofPool)); !near(got, 0) {
				t.Errorf("the pool itself waits %s", got)
			}
		})
		if got := took(23, call(pool, ofClient)); !near(got, 4) {
			t.Errorf("23 calls took %s", got)
		}
		others.Wait()
	})
}

// TestNoTimeToWait: a call that cannot be made before its deadline fails at once, and leaves its slot to others.
func TestNoTimeToWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := instant(`{}`)
		took(burst, func(int) { _, _, _ = client.List(t.Context(), "") })
		short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		got := took(5, func(int) {
			if _, _, err := client.List(short, ""); err == nil || short.Err() != nil {
				t.Errorf("listed: %v", err)
			}
		})
		if got > 0 {
			t.Errorf("it took %s to fail", got)
		}
		if got := took(1, func(int) { _, _, _ = client.List(t.Context(), "") }); got > time.Second {
			t.Errorf("the next call waits %s", got)
		}
	})
}

// TestOddLists: a list that gives a token again, that goes on without end, or that has something else than ids, is an
// error.
func TestOddLists(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		id    string
		token func(page int) int
		says  string
	}{
		"the same token":     {"c", func(int) int { return 0 }, "earlier page"},
		"tokens in a circle": {"c", func(page int) int { return page % 3 }, "earlier page"},
		"ever new tokens":    {"c", func(page int) int { return page }, "no end"},
		"no id":              {"", func(page int) int { return page }, "not the id"},
		"no such id":         {"c]", func(page int) int { return page }, "not the id"},
	} {
		page := 0
		client := answers(func(string, string) string {
			page++
			return fmt.Sprintf(`{"UserPoolClients":[{"ClientId":%q}],"NextToken":"page-%d"}`, c.id, c.token(page))
		})
		client.Sleep = func(context.Context, time.Duration) error { return nil }
		if _, err := client.listClients(t.Context(), pool); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestClock: the answers correct a wrong clock, to a second and half of the time that an answer takes. A clock that
// may be right stays.
func TestClock(t *testing.T) {
	t.Parallel()
	const quick, slow = 20 * time.Millisecond, 4 * time.Second
	for name, c := range map[string]struct {
		off, takes time.Duration // how far the service's clock is from ours, and how long an answer takes
		want       time.Duration // how far the clock is set from our own
	}{
		"right":                     {0, quick, 0},
		"right, and a slow answer":  {0, slow, 0},
		"a second behind":           {time.Second, quick, 0},
		"five minutes ahead":        {-5 * time.Minute, quick, -5 * time.Minute},
		"five minutes behind":       {5 * time.Minute, quick, 5 * time.Minute},
		"behind, and a slow answer": {5 * time.Minute, slow, 5 * time.Minute},
		"a year":                    {-365 * 24 * time.Hour, quick, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			for range 10 {
				time.Sleep(900 * time.Millisecond) // another fraction of a second
				off, takes := c.off, c.takes
				clock := HTTPClient{Next: doer(func(*http.Request) (*http.Response, error) {
					time.Sleep(takes)
					date := time.Now().Add(off - takes/2).UTC().Format(http.TimeFormat)
					return &http.Response{Header: http.Header{"Date": {date}}, Body: http.NoBody}, nil
				})}
				ahead := func() time.Duration {
					response, err := clock.Do(&http.Request{})
					if err != nil {
						t.Fatal(err)
					}
					_ = response.Body.Close()
					return time.Until(clock.Now())
				}
				if got := ahead(); (got-c.want).Abs() > 1500*time.Millisecond || c.want == 0 && got != 0 {
					t.Errorf("%s, at %s: set by %s", name, time.Now(), got)
				}
				// Once the clock is put right, so is what is made of it.
				if off, takes = 0, quick; ahead() != 0 {
					t.Errorf("%s: off by %s when it is right again", name, time.Until(clock.Now()))
				}
			}
		})
	}
}

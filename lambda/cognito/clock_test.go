package cognito

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

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
				clock := NewClock(doer(func(*http.Request) (*http.Response, error) {
					time.Sleep(takes)
					date := time.Now().Add(off - takes/2).UTC().Format(http.TimeFormat)
					return &http.Response{Header: http.Header{"Date": {date}}, Body: http.NoBody}, nil
				}))
				ahead := func() time.Duration {
					response, err := clock.Do(nil)
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

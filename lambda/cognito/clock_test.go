package cognito

import (
	"net/http"
	"testing"
	"time"
)

// dated answers with a date, after a while.
type dated struct {
	now   *time.Time
	off   time.Duration // how far the service's clock is from ours
	takes time.Duration
	says  string
}

func (d dated) Do(*http.Request) (*http.Response, error) {
	*d.now = d.now.Add(d.takes)
	header := http.Header{}
	header.Set("Date", d.now.Add(d.off-d.takes/2).UTC().Format(http.TimeFormat))
	if d.says != "" {
		header.Set("Date", d.says)
	}
	return &http.Response{Header: header, Body: http.NoBody}, nil
}

// TestClock: the answers correct a wrong clock, to a second and half of the time that an answer takes. A clock that
// may be right stays.
func TestClock(t *testing.T) {
	t.Parallel()
	const quick, slow = 20 * time.Millisecond, 4 * time.Second
	for name, c := range map[string]struct {
		off, takes time.Duration
		says       string
		want       time.Duration // how far the clock is set from our own
	}{
		"right":                     {0, quick, "", 0},
		"right, and a slow answer":  {0, slow, "", 0},
		"a second behind":           {time.Second, quick, "", 0},
		"five minutes ahead":        {-5 * time.Minute, quick, "", -5 * time.Minute},
		"five minutes behind":       {5 * time.Minute, quick, "", 5 * time.Minute},
		"behind, and a slow answer": {5 * time.Minute, slow, "", 5 * time.Minute},
		"a year":                    {-365 * 24 * time.Hour, quick, "", 0},
		"no date":                   {-5 * time.Minute, quick, "yesterday", 0},
	} {
		for fraction := range 10 {
			start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(fraction) * 100 * time.Millisecond)
			now := start
			clock := NewClock(dated{&now, c.off, c.takes, c.says})
			clock.own = func() time.Time { return now }
			if !clock.Now().Equal(start) {
				t.Errorf("%s: %s before any answer", name, clock.Now())
			}
			response, err := clock.Do(nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if wrong := clock.Now().Sub(now) - c.want; wrong.Abs() > 1500*time.Millisecond || c.want == 0 && wrong != 0 {
				t.Errorf("%s, at %s: off by %s", name, start, wrong)
			}
			// Once the clock is put right, so is what is made of it.
			clock.next = dated{&now, 0, quick, ""}
			if response, err = clock.Do(nil); err != nil || !clock.Now().Equal(now) && c.says == "" {
				t.Errorf("%s: off by %s when it is right again (%v)", name, clock.Now().Sub(now), err)
			}
			_ = response.Body.Close()
		}
	}
}

package userpool

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A Clock is an HTTP client that learns from the answers what time it is where they come from. The times of events, of what is kept of pools and of exemptions are AWS's: by a clock that is minutes
// ahead, a change that comes after a look at the pool would seem to be older than it. It is safe for concurrent use.
type Clock struct {
	next  aws.HTTPClient
	own   func() time.Time
	ahead atomic.Int64 // by how much our own clock is ahead, as a time.Duration
}

// NewClock returns a clock that is right by the answers that come through the client, and until the first of them goes by our own.
func NewClock(next aws.HTTPClient) *Clock { return &Clock{next: next, own: time.Now} }

const (
	// dateIn is what the header Date is exact to.
	dateIn = time.Second
	// slowly is how long an answer takes of which the middle is no guess any more at when it was dated.
	slowly = 10 * time.Second
	// mostAhead is what a clock is corrected by at most: an answer that says more is not believed, for whoever could set the time at will could make exemptions last.
	mostAhead = time.Hour
)

// Now returns the time.
func (c *Clock) Now() time.Time { return c.own().Add(-time.Duration(c.ahead.Load())) }

// Do implements aws.HTTPClient.
func (c *Clock) Do(r *http.Request) (*http.Response, error) {
	asked := c.own()
	response, err := c.next.Do(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.learn(asked, c.own(), date)
	}
	return response, nil
}

// learn sets the clock by an answer. It was dated between the two times of our own, and in the second that the date names: as long as that can be so, what is known is kept, or else our own clock is
// right. A slow answer says little, so that the clock moves no further for it than it has to.
func (c *Clock) learn(asked, answered, date time.Time) {
	least, most := asked.Sub(date.Add(dateIn)), answered.Sub(date)
	can := func(ahead time.Duration) bool { return least <= ahead+dateIn && most >= ahead-dateIn }
	known := time.Duration(c.ahead.Load())
	ahead := least + (most-least)/2
	if most-least > slowly {
		ahead = min(max(known, least), most)
	}
	switch {
	case can(known):
		return
	case can(0):
		ahead = 0
	case ahead.Abs() > mostAhead:
		return
	}
	c.ahead.Store(int64(ahead))
}

package cognito

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A Clock is an HTTP client that takes the time from the answers of AWS. Events, records and exemptions have AWS's
// time: by a clock that is minutes ahead, a change that came after a read would seem to come before it. It is safe for
// concurrent use.
type Clock struct {
	next   aws.HTTPClient
	own    func() time.Time
	offset atomic.Int64 // how far our own clock is ahead, as a time.Duration
}

// NewClock returns a clock that is set by the answers that come through the client. Until the first answer it shows
// our own time.
func NewClock(next aws.HTTPClient) *Clock { return &Clock{next: next, own: time.Now} }

const (
	// resolution is that of the header Date.
	resolution = time.Second
	// slowAnswer is how long an answer takes that says too little about the time.
	slowAnswer = 10 * time.Second
	// maxCorrection bounds the correction: whoever could set the time at will could make exemptions last.
	maxCorrection = time.Hour
)

// Now returns the time.
func (c *Clock) Now() time.Time { return c.own().Add(-time.Duration(c.offset.Load())) }

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

// learn sets the clock by an answer, which the service dated between the two times of our clock, within the second that
// the date names. If the correction so far fits that, it stays; if our own time fits, there is none.
func (c *Clock) learn(asked, answered, date time.Time) {
	takes, known := answered.Sub(asked), time.Duration(c.offset.Load())
	offset := answered.Add(-takes / 2).Sub(date.Add(resolution / 2))
	margin := takes/2 + resolution*3/2
	switch {
	case takes > slowAnswer || (offset-known).Abs() <= margin:
		return
	case offset.Abs() <= margin:
		offset = 0
	case offset.Abs() > maxCorrection:
		return
	}
	c.offset.Store(int64(offset))
}

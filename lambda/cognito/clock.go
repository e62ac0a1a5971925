package cognito

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A Clock is an HTTP client that learns the time from AWS's responses. Events have AWS's time. With a local clock that
// is minutes ahead, a change after a read would seem to be before it. A Clock is safe for concurrent use.
type Clock struct {
	next   aws.HTTPClient
	offset atomic.Int64 // how far the local clock is ahead, as a time.Duration
}

// NewClock returns a clock that is set by the responses to the client. Until the first response it returns the local
// time.
func NewClock(next aws.HTTPClient) *Clock { return &Clock{next: next} }

// maxCorrection limits the correction. Otherwise an attacker who controls the responses could extend exemptions.
const maxCorrection = time.Hour

// Now returns the time.
func (c *Clock) Now() time.Time { return time.Now().Add(-time.Duration(c.offset.Load())) }

// Do implements aws.HTTPClient.
func (c *Clock) Do(r *http.Request) (*http.Response, error) {
	asked := time.Now()
	response, err := c.next.Do(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.learn(asked, time.Now(), date)
	}
	return response, nil
}

// learn sets the clock from a response with a date, which is exact to a second, between two times of the local clock.
// If the local time fits the date, there is no correction. If the current correction fits, it stays.
func (c *Clock) learn(asked, answered, date time.Time) {
	takes, known := answered.Sub(asked), time.Duration(c.offset.Load())
	offset := answered.Add(-takes / 2).Sub(date.Add(time.Second / 2))
	margin := takes/2 + 3*time.Second/2
	switch {
	case (offset-known).Abs() <= margin || offset.Abs() > maxCorrection:
	case offset.Abs() <= margin:
		c.offset.Store(0)
	default:
		c.offset.Store(int64(offset))
	}
}

package cognito

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Timeouts of one attempt. The service responds in well under a second. The SDK's defaults are 30 s for a connection
// and no limit for a response.
const (
	dialTimeout   = 3 * time.Second
	answerTimeout = 10 * time.Second
)

// An HTTPClient makes all calls to AWS, and learns the time from the responses. Events have AWS's time. With a local
// clock that is minutes ahead, a change after a read would seem to be before it. It is safe for concurrent use.
type HTTPClient struct {
	Next   aws.HTTPClient // makes the calls
	offset atomic.Int64   // how far the local clock is ahead, as a time.Duration
}

// NewHTTPClient returns a client with the timeouts for AWS. pem, if not empty, has the root certificates to trust
// instead of the system's (AWS_CA_BUNDLE).
func NewHTTPClient(pem []byte) (*HTTPClient, error) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   10,
		ForceAttemptHTTP2:     true,
		// A response has a few kilobytes, but a compressed one could expand to gigabytes.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10, // normally a few hundred
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if len(pem) > 0 {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("reading root certificates: no PEM certificate in the bundle")
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &HTTPClient{Next: &http.Client{Transport: transport, CheckRedirect: noRedirects}}, nil
}

const (
	maxBuffered = 1 << 20 // larger requests are sent as they are
	// maxAnswer is the largest response that is read. A document with the longest texts that the API allows has half a
	// megabyte. JSON of maxAnswer bytes needs at most 90 MB of memory.
	maxAnswer = 2 << 20
)

// Do implements aws.HTTPClient. It limits the body of every response, because the SDK reads the body of an error
// without a limit.
//
// It also replaces the request body, which the SDK wraps in its own type, by a type that net/http knows. Otherwise, if
// a fast server has responded and the SDK closes its body, the pending copy of it fails and breaks the connection while
// the response is still being read. With smithy-go v1.28.9 this happened in 1.5 to 3 % of calls over loopback.
func (c *HTTPClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.ContentLength > 0 && r.ContentLength <= maxBuffered {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, fmt.Errorf("reading the request's body: %w", err)
		}
		if err := r.Body.Close(); err != nil {
			return nil, fmt.Errorf("closing the request's body: %w", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	asked := time.Now()
	response, err := c.Next.Do(r)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.learn(asked, time.Now(), date)
	}
	return response, nil
}

// Now returns the time. Until the first response, it is the local time.
func (c *HTTPClient) Now() time.Time { return time.Now().Add(-time.Duration(c.offset.Load())) }

// maxCorrection limits the correction. Otherwise an attacker who controls the responses could extend exemptions.
const maxCorrection = time.Hour

// learn sets the clock from a response with a date, which is exact to a second, between two times of the local clock.
// If the local time fits the date, there is no correction. If the current correction fits, it stays.
func (c *HTTPClient) learn(asked, answered, date time.Time) {
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

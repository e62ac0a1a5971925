package cognito

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Timeouts of one attempt. The service answers in well under a second; the SDK's defaults are 30 s for a connection
// and no limit for an answer.
const (
	dialTimeout   = 3 * time.Second
	answerTimeout = 10 * time.Second
)

// maxHeaders bounds the headers of an answer, which are some hundred bytes.
const maxHeaders = 64 << 10

// NewHTTPClient returns the HTTP client for all calls to AWS. pem, if not empty, holds the root certificates to trust
// (AWS_CA_BUNDLE) in place of the system's.
func NewHTTPClient(pem []byte) (aws.HTTPClient, error) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   10,
		ForceAttemptHTTP2:     true,
		// An answer is a few kilobytes. A compressed one could expand to gigabytes.
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaders,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if len(pem) > 0 {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading root certificates: no PEM certificate in the bundle")
		}
		transport.TLSClientConfig.RootCAs = roots
	}
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return inMemory{limited{&http.Client{Transport: transport, CheckRedirect: noRedirects}}}, nil
}

// limited bounds the body of every answer. The SDK reads the body of an error without a limit.
type limited struct{ next aws.HTTPClient }

func (c limited) Do(r *http.Request) (*http.Response, error) {
	response, err := c.next.Do(r)
	if err != nil {
		return nil, err
	}
	response.Body = &bounded{response.Body, maxAnswer}
	return response, nil
}

// inMemory gives a request a body of a type that net/http knows. The SDK wraps its body in a type of its own. If a
// fast server has answered and the SDK closes that body, the pending copy of it fails and breaks the connection while
// the answer is still being read: in 1.5 to 3 % of calls over loopback with smithy-go v1.28.9.
type inMemory struct{ next aws.HTTPClient }

const maxBuffered = 1 << 20

func (c inMemory) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.ContentLength <= 0 || r.ContentLength > maxBuffered {
		return c.next.Do(r)
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	if err := r.Body.Close(); err != nil {
		return nil, fmt.Errorf("closing the request's body: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return c.next.Do(r)
}

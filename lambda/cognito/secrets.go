package cognito

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// secrets are the sensitive texts that were read from pools, including client secrets. The service may repeat any of
// them in an error. It is safe for concurrent use.
type secrets struct {
	mutex sync.Mutex
	pools map[string]map[string]bool
}

func (s *secrets) learn(pool string, texts []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.pools[pool] == nil {
		s.pools[pool] = map[string]bool{}
	}
	for _, text := range texts {
		s.pools[pool][text] = true
	}
}

func (s *secrets) of(pool string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Collect(maps.Keys(s.pools[pool]))
}

// failed converts the error of a call about a pool to an Error. body is the body of a write.
func (c *Client) failed(call, pool string, err error, document baseline.DocumentName, body []byte) *Error {
	known := c.secrets.of(pool)
	sent, unread := userpool.DecodeObject(body)
	if unread == nil {
		known = slices.Concat(known, userpool.Secrets(document, sent))
	}
	e := classify(call, err, known)
	e.document = document
	if e.Class == ClassSMSRole || strings.Contains(strings.ToLower(e.Message), "trust relationship") {
		e.Message += senderRole(sent)
	}
	return e
}

// senderRole describes the role for text messages in a body, or returns "".
func senderRole(sent map[string]any) string {
	if factor, ok := sent["SmsMfaConfiguration"].(map[string]any); ok {
		sent = factor
	}
	sender, _ := sent["SmsConfiguration"].(map[string]any)
	if role, ok := sender["SnsCallerArn"].(string); ok {
		return " (the role for text messages is " + baseline.Legible(role) + ")"
	}
	return ""
}

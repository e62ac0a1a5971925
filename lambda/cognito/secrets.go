package cognito

import (
	"slices"
	"strings"
	"sync"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// mostSecretive is how many pools the sensitive texts are remembered of; beyond it, all are forgotten.
const mostSecretive = 64

// secrets are the sensitive texts that were read of pools, the secrets of clients among them: the service may repeat
// any of them in any answer about the pool. It is safe for concurrent use.
type secrets struct {
	mutex sync.Mutex
	pools map[string]map[string]bool
}

func (s *secrets) learn(pool string, texts []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.pools[pool] == nil {
		if s.pools == nil || len(s.pools) >= mostSecretive {
			s.pools = map[string]map[string]bool{}
		}
		s.pools[pool] = map[string]bool{}
	}
	for _, text := range texts {
		s.pools[pool][text] = true
	}
}

func (s *secrets) of(pool string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var all []string
	for text := range s.pools[pool] {
		all = append(all, text)
	}
	return all
}

// failed makes an Error of what a call about a pool returned. body is what a write of the document sent.
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

// senderRole names the role for text messages that a body has, or is "".
func senderRole(sent map[string]any) string {
	if factor, ok := sent["SmsMfaConfiguration"].(map[string]any); ok {
		sent = factor
	}
	sender, _ := sent["SmsConfiguration"].(map[string]any)
	if role, ok := sender["SnsCallerArn"].(string); ok {
		return " (the role of the text messages is " + baseline.Legible(role) + ")"
	}
	return ""
}

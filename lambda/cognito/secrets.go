package cognito

import (
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// learn adds sensitive texts of a pool to those that are known.
func (c *Client) learn(pool string, texts []string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, text := range texts {
		if !slices.Contains(c.secrets[pool], text) {
			c.secrets[pool] = append(c.secrets[pool], text)
		}
	}
}

// failed converts the error of a call about a pool to an Error. body is the body of a write.
func (c *Client) failed(call, pool string, err error, document baseline.DocumentName, body []byte) *Error {
	c.mutex.Lock()
	known := slices.Clone(c.secrets[pool])
	c.mutex.Unlock()
	sent, unread := userpool.DecodeObject(body)
	if unread == nil {
		known = append(known, userpool.Secrets(document, sent)...)
	}
	e := classify(call, err, known)
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

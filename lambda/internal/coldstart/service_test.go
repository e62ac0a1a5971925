package coldstart

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

// A call is one that a function made.
type call struct{ Target, Body string }

func (c call) String() string { return c.Target }

// A service stands for all services of AWS, with one pool and an empty ledger. It takes no time of its own: what is
// measured is the function.
type service struct {
	latency time.Duration
	answers map[string]string // by operation; there is no operation in a call of SNS

	mutex   sync.Mutex
	drifted bool     // until the pool is updated
	open    int      // calls that are under way
	trips   [][]call // those of one trip were under way at the same time
}

const inactive = "inactive" // the answer of DescribeUserPool while the pool is drifted

func newService(t testing.TB, latency time.Duration) *service {
	t.Helper()
	const poolID = "eu-west-1_AbCdEf123"
	fake := cognitotest.New(cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	fake.Put(poolID, pool, mfa)
	s := &service{latency: latency, answers: map[string]string{"UpdateUserPool": "{}", "PutItem": "{}",
		"Query": `{"Items": [], "Count": 0, "ScannedCount": 0}`,
		"":      "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"}}
	record := func(operation, as string) {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"UserPoolId": "`+poolID+`"}`))
		request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
		answer := httptest.NewRecorder()
		fake.ServeHTTP(answer, request)
		s.answers[as] = answer.Body.String()
	}
	record("DescribeUserPool", "DescribeUserPool")
	record("GetUserPoolMfaConfig", "GetUserPoolMfaConfig")
	fake.Edit(poolID, func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
	record("DescribeUserPool", inactive)
	return s
}

// begin makes the pool compliant or drifted, and forgets the calls.
func (s *service) begin(drifted bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.drifted, s.trips = drifted, nil
}

func (s *service) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the client is gone
	}
	answer := s.answer(call{request.Header.Get("X-Amz-Target"), string(body)})
	time.Sleep(s.latency)
	s.mutex.Lock()
	s.open--
	s.mutex.Unlock()
	_, _ = io.WriteString(w, answer)
}

func (s *service) answer(c call) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open == 0 {
		s.trips = append(s.trips, nil)
	}
	s.open++
	last := len(s.trips) - 1
	s.trips[last] = append(s.trips[last], c)
	_, operation, _ := strings.Cut(c.Target, ".")
	switch {
	case operation == "DescribeUserPool" && s.drifted:
		operation = inactive
	case operation == "UpdateUserPool":
		s.drifted = false
	case operation == "UpdateItem":
		return lease(c.Body)
	}
	return s.answers[operation]
}

// lease returns the item of the lease after an update: it has the owner, unless that is removed.
func lease(body string) string {
	var in struct {
		Key, ExpressionAttributeValues map[string]any
		UpdateExpression               string
	}
	_ = json.Unmarshal([]byte(body), &in)
	if !strings.Contains(in.UpdateExpression, "REMOVE") {
		in.Key["owner"] = in.ExpressionAttributeValues[":owner"]
	}
	answer, _ := json.Marshal(map[string]any{"Attributes": in.Key})
	return string(answer)
}

package cognitotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A failure is an answer of the service that is an error.
type failure struct {
	Code    string
	Message string
	Status  int // where it is 0: 500 for InternalErrorException, 400 for all others
}

func (f *failure) Error() string { return f.Code + ": " + f.Message }

const target = "AWSCognitoIdentityProviderService."

// ServeHTTP takes one call of the AWS JSON 1.1 protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return // the client is gone
	}
	call := s.record(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), target), body)
	wait(r, s.latency)
	fault := s.take(call)
	if fault != nil {
		wait(r, fault.Delay)
		if fault.Then != nil {
			fault.Then(s)
		}
	}
	answer, err := s.handle(call, fault)
	s.remember(call, err)
	if fault != nil && fault.Drop {
		drop(w)
		return
	}
	reply(w, call, answer, err)
}

func (s *Server) record(operation string, body []byte) Call {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.serial++
	call := Call{Operation: operation, Body: body, RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", s.serial)}
	if request, err := decode(body); err == nil {
		call.PoolID = named(request)
	}
	s.calls = append(s.calls, call)
	return call
}

// named returns the id of the pool that a request names, itself or by its ARN.
func named(request map[string]any) string {
	if id, ok := request["UserPoolId"].(string); ok {
		return id
	}
	arn, _ := request["ResourceArn"].(string)
	_, id, _ := strings.Cut(arn, ":userpool/")
	return id
}

// remember notes that a call was refused, which its event tells.
func (s *Server) remember(call Call, err error) {
	var failed *failure
	if !errors.As(err, &failed) || failed.Code == "" {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failed[call.RequestID] = failed
}

// handle answers a call, as the fault would have it.
func (s *Server) handle(call Call, fault *Fault) (any, error) {
	if fault != nil && !fault.Apply && (fault.Error != "" || fault.Drop) {
		return nil, fault.failure()
	}
	if fault != nil && fault.Body != nil && !fault.Apply {
		return json.RawMessage(fault.Body), nil
	}
	if s.limits != nil && !s.limits.allow(call, s.now()) {
		return nil, &failure{Code: "TooManyRequestsException", Message: "Rate exceeded"}
	}
	request, err := decode(call.Body)
	if err != nil {
		return nil, &failure{Code: "SerializationException", Message: "the body is no JSON object"}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	operation, ok := operations[call.Operation]
	if !ok {
		return nil, &failure{Code: "UnknownOperationException", Message: "no operation " + call.Operation}
	}
	answer, err := operation(s, request)
	if err == nil && strings.HasPrefix(call.Operation, "Create") {
		s.name(call.RequestID, answer)
	}
	if err == nil && fault != nil && fault.Change != nil {
		if p, ok := s.pools[call.PoolID]; ok {
			p.change(fault.Change)
		}
	}
	if err == nil && fault != nil && fault.Error != "" {
		err = fault.failure()
	}
	if err == nil && fault != nil && fault.Body != nil {
		answer = json.RawMessage(fault.Body)
	}
	return answer, err
}

// name writes the id of a new pool, or of a new client, into the call that made it.
func (s *Server) name(requestID string, answer any) {
	for i := range s.calls {
		switch call := &s.calls[i]; {
		case call.RequestID != requestID:
		case call.Operation == "CreateUserPool":
			call.PoolID, _ = at(answer, "UserPool.Id").(string)
		case call.Operation == "CreateUserPoolClient":
			call.ClientID, _ = at(answer, "UserPoolClient.ClientId").(string)
		}
	}
}

func reply(w http.ResponseWriter, call Call, answer any, err error) {
	status := http.StatusOK
	var failed *failure
	if errors.As(err, &failed) {
		status = http.StatusBadRequest
		if failed.Code == "InternalErrorException" {
			status = http.StatusInternalServerError
		}
		if failed.Status != 0 {
			status = failed.Status
		}
		w.Header().Set("X-Amzn-Errortype", failed.Code+":") // so the service writes it
		answer = map[string]string{"__type": failed.Code, "message": failed.Message}
	}
	raw, ok := answer.(json.RawMessage)
	if !ok {
		raw, err = json.Marshal(answer)
		if err != nil {
			status, raw = http.StatusInternalServerError, []byte(`{"__type":"InternalErrorException"}`)
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
	w.Header().Set("X-Amzn-Requestid", call.RequestID)
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	connection, _, err := hijacker.Hijack()
	if err == nil {
		_ = connection.Close()
	}
}

func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

func decode(raw []byte) (map[string]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("no object")
	}
	return object, nil
}

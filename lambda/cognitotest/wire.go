package cognitotest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

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
	var failed *failure
	errors.As(err, &failed)
	s.note(call.RequestID, failed)
	if fault != nil && fault.Drop {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	reply(w, call, answer, failed)
}

func (s *Server) record(operation string, body []byte) Call {
	defer s.lock()()
	s.serial++
	call := Call{Operation: operation, Body: body, RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", s.serial)}
	if request, err := decode(body); err == nil {
		call.PoolID = text(request, "UserPoolId")
	}
	s.calls = append(s.calls, call)
	return call
}

func (s *Server) note(requestID string, failed *failure) {
	defer s.lock()()
	if i := slices.IndexFunc(s.calls, func(c Call) bool { return c.RequestID == requestID }); i >= 0 {
		s.calls[i].failed = failed
	}
}

func (s *Server) handle(call Call, fault *Fault) (any, error) {
	switch {
	case fault == nil || fault.Apply:
	case fault.Error != "" || fault.Drop:
		return nil, fault.failure()
	case fault.Body != nil:
		return json.RawMessage(fault.Body), nil
	}
	if s.limits != nil && !s.limits.allow(call, s.now()) {
		return nil, &failure{Code: "TooManyRequestsException", Message: "Rate exceeded"}
	}
	request, err := decode(call.Body)
	if err != nil {
		return nil, &failure{Code: "SerializationException", Message: "the body is not a JSON object"}
	}
	defer s.lock()()
	answer, err := s.perform(call.Operation, request)
	if err != nil || fault == nil {
		return answer, err
	}
	if p := s.pools[call.PoolID]; p != nil && fault.Change != nil {
		p.change(fault.Change)
	}
	if fault.Error != "" {
		return nil, fault.failure()
	}
	if fault.Body != nil {
		answer = json.RawMessage(fault.Body)
	}
	return answer, nil
}

func reply(w http.ResponseWriter, call Call, answer any, failed *failure) {
	status := http.StatusOK
	if failed != nil {
		status = cmp.Or(failed.Status, http.StatusBadRequest)
		if status == http.StatusBadRequest && failed.Code == "InternalErrorException" {
			status = http.StatusInternalServerError
		}
		w.Header().Set("X-Amzn-Errortype", failed.Code+":") // so the service writes it
		answer = map[string]string{"__type": failed.Code, "message": failed.Message}
	}
	raw, err := json.Marshal(answer)
	if body, ok := answer.(json.RawMessage); ok {
		raw = body // as it is, be it JSON or not
	} else if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"__type":"InternalErrorException"}`)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
	w.Header().Set("X-Amzn-Requestid", call.RequestID)
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

func wait(r *http.Request, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

func decode(raw []byte) (object, error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var object object
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("no object")
	}
	return object, nil
}

package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"golang.org/x/time/rate"
)

// An API makes raw calls, so that it can send what no SDK knows.
type API struct {
	Endpoint    string // such as https://cognito-idp.eu-west-1.amazonaws.com
	Region      string
	Credentials aws.CredentialsProvider
	HTTP        aws.HTTPClient
	Rate        *rate.Limiter // nil: as fast as it goes
}

// A Refusal is an error that the API answered with.
type Refusal struct{ Name, Message string }

// Error names the refusal.
func (r *Refusal) Error() string { return r.Name + ": " + r.Message }

// Call makes one call. A call that is throttled is made again.
func (a API) Call(ctx context.Context, operation string, body map[string]any) (map[string]any, error) {
	for wait := time.Second; ; wait *= 2 {
		answer, err := a.once(ctx, operation, body)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Name != "TooManyRequestsException" || wait > time.Minute {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (a API) once(ctx context.Context, operation string, body map[string]any) (map[string]any, error) {
	if a.Rate != nil {
		if err := a.Rate.Wait(ctx); err != nil {
			return nil, err
		}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Endpoint, bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	credentials, err := a.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	sum := sha256.Sum256(raw)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "cognito-idp", a.Region,
		time.Now()); err != nil {
		return nil, fmt.Errorf("signing %s: %w", operation, err)
	}
	response, err := a.HTTP.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, 10<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	return answerOf(operation, response.StatusCode, content)
}

// answerOf reads an answer, or the error in it.
func answerOf(operation string, status int, content []byte) (map[string]any, error) {
	answer := map[string]any{}
	if len(content) > 0 {
		if err := json.Unmarshal(content, &answer); err != nil && status == http.StatusOK {
			return nil, fmt.Errorf("%s: the answer is no JSON: %w", operation, err)
		}
	}
	if status == http.StatusOK {
		return answer, nil
	}
	name, _ := answer["__type"].(string)
	if name == "" {
		name = fmt.Sprintf("HTTP%d", status)
	}
	message, _ := answer["message"].(string)
	if message == "" {
		message, _ = answer["Message"].(string)
	}
	return nil, &Refusal{Name: name[strings.LastIndex(name, "#")+1:], Message: message}
}

package cognito

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// A Class is a category of errors that need the same reaction. Only this file knows error codes and texts.
type Class string

// The error classes.
const (
	ClassBusy      Class = "busy"      // throttled, or another modification is under way: the call changed nothing
	ClassUnclear   Class = "unclear"   // an internal error, a timeout, a lost connection: a write may have been applied
	ClassImporting Class = "importing" // the pool is importing users and accepts no changes for minutes or hours
	ClassSMSRole   Class = "sms-role"  // the role for text messages is rejected, perhaps only because it is new
	ClassValidity  Class = "validity"  // the service requires the newer name of UnusedAccountValidityDays
	ClassRefused   Class = "refused"   // this document is rejected; sending it again will not help
	ClassDenied    Class = "denied"    // the caller may not do this
	ClassGone      Class = "gone"      // there is no such pool in this account and Region
	ClassElsewhere Class = "elsewhere" // the pool must be changed in another Region
	ClassOff       Class = "off"       // the call is not supported while the pool's threat protection is off
	ClassOdd       Class = "odd"       // any other error, or an invalid response
)

// codesOf has the error codes of each class. Codes that the SDK treats as throttling are missing; they are ClassBusy.
var codesOf = map[Class][]string{
	ClassBusy:      {"ConcurrentModificationException"},
	ClassUnclear:   {"InternalErrorException", "InternalFailure", "ServiceUnavailable"},
	ClassImporting: {"UserImportInProgressException"},
	ClassSMSRole:   {"InvalidSmsRoleTrustRelationshipException", "InvalidSmsRoleAccessPolicyException"},
	ClassRefused: {"InvalidParameterException", "InvalidEmailRoleAccessPolicyException", "SerializationException",
		"FeatureUnavailableInTierException", "TierChangeNotAllowedException", "UserPoolTaggingException",
		"CodeDeliveryFailureException", "InvalidOAuthFlowException", "ScopeDoesNotExistException", "ValidationException"},
	ClassOff:       {"UserPoolAddOnNotEnabledException"},
	ClassDenied:    {"AccessDeniedException", "AccessDenied", "NotAuthorizedException"},
	ClassGone:      {"ResourceNotFoundException"},
	ClassElsewhere: {"OperationNotEnabledException"},
}

// An Error is the error of a failed call, with its class. Its text never contains sensitive values that the call sent.
type Error struct {
	Call      string
	Class     Class
	Code      string // error code of the service, "" without a response
	Message   string
	RequestID string
	cause     error
}

// Error returns the operation and the response of the service.
func (e *Error) Error() string {
	return "calling " + e.Call + ": " + strings.TrimPrefix(e.Code+": "+e.Message, ": ") // there may be no code
}

// Unwrap returns the cause of an error without a response (a deadline, a lost connection), for errors.Is.
func (e *Error) Unwrap() error { return e.cause }

// classify converts an error of the SDK to an Error. Its text contains none of the secrets.
func classify(call string, err error, secrets []string) *Error {
	e := &Error{Call: call, Class: ClassUnclear}
	status := 0
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		e.RequestID, status = response.ServiceRequestID(), response.HTTPStatusCode()
	}
	answer, answered := errors.AsType[smithy.APIError](err)
	if !answered {
		e.Message, e.cause = withoutAnswer(err, secrets), err
		return e
	}
	code := answer.ErrorCode() // a secret text may be the same as a code
	e.Code, e.Message = userpool.Redact(code, secrets), userpool.Redact(answer.ErrorMessage(), secrets)
	if _, throttled := retry.DefaultThrottleErrorCodes[code]; throttled || status == http.StatusTooManyRequests {
		e.Class = ClassBusy
	} else if status < http.StatusInternalServerError {
		e.Class = ClassOdd
	}
	for class, codes := range codesOf {
		if slices.Contains(codes, code) {
			e.Class = class
		}
	}
	if e.Class == ClassRefused && strings.Contains(e.Message, "Please use TemporaryPasswordValidityDays") {
		e.Class = ClassValidity
	}
	return e
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
	if e.Class != ClassSMSRole && !strings.Contains(strings.ToLower(e.Message), "trust relationship") {
		return e
	}
	if factor, ok := sent["SmsMfaConfiguration"].(map[string]any); ok {
		sent = factor
	}
	sender, _ := sent["SmsConfiguration"].(map[string]any)
	if role, ok := sender["SnsCallerArn"].(string); ok {
		e.Message += " (the role for text messages is " + baseline.Legible(role) + ")"
	}
	return e
}

// withoutAnswer describes the error of a call without a response, without the words of the SDK around it.
func withoutAnswer(err error, secrets []string) string {
	inner := err
	if operation, ok := errors.AsType[*smithy.OperationError](err); ok {
		inner = operation.Err
	}
	if unsent, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		inner = unsent.Err
	}
	text := "no answer: " + userpool.Redact(inner.Error(), secrets)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		text = fmt.Sprintf("the response is larger than %d bytes", tooLarge.Limit)
	} else if _, ok := errors.AsType[*aws.RequestCanceledError](err); ok {
		text = "no response in time: " + userpool.Redact(inner.Error(), secrets)
	} else if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		text += " (is the Region right, and the network up?)"
	}
	return text
}

// ClassOf returns the class of an error of this package, and "" of any other.
func ClassOf(err error) Class {
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Class
	}
	return ""
}

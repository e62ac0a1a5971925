package cognito

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

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

// classOfCode maps error codes to classes. Codes that the SDK treats as throttling are missing; they are ClassBusy.
var classOfCode = map[string]Class{
	"ConcurrentModificationException":          ClassBusy,
	"InternalErrorException":                   ClassUnclear,
	"InternalFailure":                          ClassUnclear,
	"ServiceUnavailable":                       ClassUnclear,
	"UserImportInProgressException":            ClassImporting,
	"InvalidSmsRoleTrustRelationshipException": ClassSMSRole,
	"InvalidSmsRoleAccessPolicyException":      ClassSMSRole,
	"InvalidParameterException":                ClassRefused,
	"InvalidEmailRoleAccessPolicyException":    ClassRefused,
	"FeatureUnavailableInTierException":        ClassRefused,
	"TierChangeNotAllowedException":            ClassRefused,
	"UserPoolTaggingException":                 ClassRefused,
	"CodeDeliveryFailureException":             ClassRefused,
	"InvalidOAuthFlowException":                ClassRefused,
	"ScopeDoesNotExistException":               ClassRefused,
	"UserPoolAddOnNotEnabledException":         ClassOff,
	"SerializationException":                   ClassRefused,
	"ValidationException":                      ClassRefused,
	"AccessDeniedException":                    ClassDenied,
	"AccessDenied":                             ClassDenied,
	"NotAuthorizedException":                   ClassDenied,
	"ResourceNotFoundException":                ClassGone,
	"OperationNotEnabledException":             ClassElsewhere,
}

// settingsOfCode maps an error code to the settings that it refers to, in the document of the write.
var settingsOfCode = map[string][]string{
	"InvalidSmsRoleTrustRelationshipException": {"SmsConfiguration", "SmsMfaConfiguration"},
	"InvalidSmsRoleAccessPolicyException":      {"SmsConfiguration", "SmsMfaConfiguration"},
	"InvalidEmailRoleAccessPolicyException":    {"EmailConfiguration", notify},
	"TierChangeNotAllowedException":            {"UserPoolTier"},
	"UserPoolTaggingException":                 {"UserPoolTags"},
}

const notify = "AccountTakeoverRiskConfiguration.NotifyConfiguration"

// An Error is the error of a failed call, with its class. Its text never contains sensitive values that the call sent.
type Error struct {
	Call      string
	Class     Class
	Code      string // error code of the service, "" without a response
	Message   string
	RequestID string
	document  baseline.DocumentName // document of the write
	cause     error
}

// Error returns the operation and the response of the service.
func (e *Error) Error() string {
	text := fmt.Sprintf("calling %s: ", e.Call)
	if e.Code != "" {
		text += e.Code + ": "
	}
	return text + e.Message
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
	class, known := classOfCode[code]
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	switch {
	case class == ClassRefused && strings.Contains(e.Message, "Please use TemporaryPasswordValidityDays"):
		e.Class = ClassValidity
	case known:
		e.Class = class
	case throttled || status == http.StatusTooManyRequests:
		e.Class = ClassBusy
	case status < http.StatusInternalServerError:
		e.Class = ClassOdd
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

var constraint = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`at '([A-Za-z0-9_.]+)' failed to satisfy`)
})

// ClassOf returns the class of an error of this package, and "" of any other.
func ClassOf(err error) Class {
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Class
	}
	return ""
}

// Culprits returns the settings that caused a rejected write, if the response names them reliably: by the error code or
// by the path of a validation error. Names in the free text are not used, because the texts change and sometimes name
// the wrong member.
func (e *Error) Culprits() []string {
	members, prefix := baseline.Settings(), e.document.Prefix()
	if table, ok := e.document.Table(); ok && prefix != "" {
		members = table.Members
	}
	names := slices.Clone(settingsOfCode[e.Code])
	for _, at := range constraint().FindAllStringSubmatch(e.Message, -1) {
		if path := settingAt(members, at[1]); path != "" {
			names = append(names, path)
		}
	}
	for i := range names {
		names[i] = prefix + names[i]
	}
	return names
}

// Named returns the members whose name is a word of the error text.
func (e *Error) Named(paths []string) []string {
	words := strings.FieldsFunc(strings.ToLower(e.Message), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return !slices.Contains(words, strings.ToLower(path[strings.LastIndexByte(path, '.')+1:]))
	})
}

// settingAt converts the path of a validation error, such as "policies.passwordPolicy.minimumLength", to the path of a
// setting, as far as the table knows it.
func settingAt(members []baseline.Member, path string) string {
	found := ""
	for _, part := range strings.Split(path, ".") {
		i := slices.IndexFunc(members, func(m baseline.Member) bool { return strings.EqualFold(m.Name, part) })
		if i < 0 {
			return found
		}
		found = strings.TrimPrefix(found+"."+members[i].Name, ".")
		members = members[i].Members
	}
	return found
}

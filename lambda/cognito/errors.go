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
	// ClassBusy: throttled, or another modification is under way. The call changed nothing.
	ClassBusy Class = "busy"
	// ClassUnclear: an internal error of the service, a timeout, a lost connection. A write may or may not have been
	// applied.
	ClassUnclear Class = "unclear"
	// ClassImporting: the pool is importing users and accepts no changes for minutes or hours.
	ClassImporting Class = "importing"
	// ClassSMSRole: the service rejects the role for text messages, perhaps only because the role is new.
	ClassSMSRole Class = "sms-role"
	// ClassValidity: the service requires the newer name of UnusedAccountValidityDays.
	ClassValidity Class = "validity"
	// ClassRefused: the service rejects this document; sending it again will not help.
	ClassRefused Class = "refused"
	// ClassDenied: the caller may not do this.
	ClassDenied Class = "denied"
	// ClassGone: there is no such pool in this account and Region.
	ClassGone Class = "gone"
	// ClassElsewhere: the pool must be changed in another Region.
	ClassElsewhere Class = "elsewhere"
	// ClassOff: the pool does not support the call because its threat protection is off.
	ClassOff Class = "off"
	// ClassOdd: any other error, or an invalid response.
	ClassOdd Class = "odd"
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
	e := &Error{Call: call}
	var withID *awshttp.ResponseError
	if errors.As(err, &withID) {
		e.RequestID = withID.ServiceRequestID()
	}
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		var canceled *aws.RequestCanceledError
		var operation *smithy.OperationError
		var unsent *smithyhttp.RequestSendError
		var unknown *net.DNSError
		var tooLarge *http.MaxBytesError
		e.Class, e.cause = ClassUnclear, err
		// Leave out the words of the SDK around the error.
		if errors.As(err, &operation) {
			err = operation.Err
		}
		if errors.As(err, &unsent) {
			err = unsent.Err
		}
		switch text := userpool.Redact(err.Error(), secrets); {
		case errors.As(err, &tooLarge):
			e.Message = fmt.Sprintf("the response is larger than %d bytes", tooLarge.Limit)
		case errors.As(err, &canceled):
			e.Message = "no response in time: " + text
		case errors.As(err, &unknown) && unknown.IsNotFound:
			e.Message = "no answer: " + text + " (is the Region right, and the network up?)"
		default:
			e.Message = "no answer: " + text
		}
		return e
	}
	e.Code, e.Message = userpool.Redact(answer.ErrorCode(), secrets), userpool.Redact(answer.ErrorMessage(), secrets)
	status := 0
	if withID != nil {
		status = withID.HTTPStatusCode()
	}
	class, known := classOfCode[e.Code]
	_, throttled := retry.DefaultThrottleErrorCodes[e.Code]
	switch {
	case known:
		e.Class = class
	case throttled || status == http.StatusTooManyRequests:
		e.Class = ClassBusy
	case status >= http.StatusInternalServerError:
		e.Class = ClassUnclear
	default:
		e.Class = ClassOdd
	}
	if e.Class == ClassRefused && strings.Contains(e.Message, "Please use TemporaryPasswordValidityDays") {
		e.Class = ClassValidity
	}
	return e
}

var constraint = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`at '([A-Za-z0-9_.]+)' failed to satisfy`)
})

// ClassOf returns the class of an error of this package, and "" of any other.
func ClassOf(err error) Class {
	var failed *Error
	if errors.As(err, &failed) {
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

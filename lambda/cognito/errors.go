package cognito

import (
	"errors"
	"fmt"
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

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// A Class is what an error of a call means for what is to be done about it. This is the one file that knows error
// codes and texts.
type Class string

// The classes of error.
const (
	// ClassBusy: throttled, or another modification is under way. The call changed nothing.
	ClassBusy Class = "busy"
	// ClassUnclear: a fault of the service, a time-out, a lost connection. A write may or may not have been applied.
	ClassUnclear Class = "unclear"
	// ClassImporting: the pool imports users and takes no change for minutes or hours.
	ClassImporting Class = "importing"
	// ClassSMSRole: the role for text messages is refused. It may only be too new to be seen everywhere.
	ClassSMSRole Class = "sms-role"
	// ClassValidity: the service wants UnusedAccountValidityDays under its newer name.
	ClassValidity Class = "validity"
	// ClassRefused: the service does not take this document; sending it again will not help.
	ClassRefused Class = "refused"
	// ClassDenied: the caller may not do this.
	ClassDenied Class = "denied"
	// ClassGone: there is no such pool here.
	ClassGone Class = "gone"
	// ClassElsewhere: the pool is to be changed in another Region.
	ClassElsewhere Class = "elsewhere"
	// ClassOff: the pool does not offer what the call is about, as its threat protection is off.
	ClassOff Class = "off"
	// ClassOdd: an answer that is none of the above, or no answer that a pool could give.
	ClassOdd Class = "odd"
)

// classOfCode has the codes but those that the SDK takes for throttling, which are ClassBusy.
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

// settingsOfCode are the settings that a code speaks of by itself, in the document that was to be written.
var settingsOfCode = map[string][]string{
	"InvalidSmsRoleTrustRelationshipException": {"SmsConfiguration", "SmsMfaConfiguration"},
	"InvalidSmsRoleAccessPolicyException":      {"SmsConfiguration", "SmsMfaConfiguration"},
	"InvalidEmailRoleAccessPolicyException":    {"EmailConfiguration", notify},
	"TierChangeNotAllowedException":            {"UserPoolTier"},
	"UserPoolTaggingException":                 {"UserPoolTags"},
}

const notify = "AccountTakeoverRiskConfiguration.NotifyConfiguration"

// An Error is a failed call, classified. Its text never holds a message text or a secret that the call sent.
type Error struct {
	Call      string
	Class     Class
	Code      string // of the service, "" if it did not answer
	Message   string
	RequestID string
	document  baseline.DocumentName // that was to be written
	cause     error
}

// Error says what was being done, and what the service answered.
func (e *Error) Error() string {
	text := fmt.Sprintf("calling %s: ", e.Call)
	if e.Code != "" {
		text += e.Code + ": "
	}
	return text + e.Message
}

// Unwrap returns the cause where no answer of the service is involved (a deadline, a lost connection), for errors.Is.
func (e *Error) Unwrap() error { return e.cause }

// classify makes an Error of what a call of the SDK returned. Its text holds none of the secrets.
func classify(call string, err error, secrets []string) *Error {
	e := &Error{Call: call}
	var withID *awshttp.ResponseError
	if errors.As(err, &withID) {
		e.RequestID = withID.ServiceRequestID()
	}
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		var canceled *aws.RequestCanceledError
		e.Class, e.cause = ClassUnclear, err
		switch text := userpool.Redact(err.Error(), secrets); {
		case errors.Is(err, errTooLarge):
			e.Message = errTooLarge.Error()
		case errors.As(err, &canceled):
			e.Message = "no answer in time: " + text
		default:
			e.Message = "no answer: " + text
		}
		return e
	}
	e.Code, e.Message = answer.ErrorCode(), userpool.Redact(answer.ErrorMessage(), secrets)
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

// Culprits returns the settings that the service's answer to a write names with certainty: by its code, or by the path
// of a validation error. It is empty where only the words of the text speak of a setting: these change, and they name
// the wrong member at times.
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

// Named returns those of the members whose name is a word of the answer.
func (e *Error) Named(paths []string) []string {
	words := strings.FieldsFunc(strings.ToLower(e.Message), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return !slices.Contains(words, strings.ToLower(path[strings.LastIndexByte(path, '.')+1:]))
	})
}

// settingAt turns the path of a validation error, "policies.passwordPolicy.minimumLength", into that of the setting:
// as much of it as the table knows.
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

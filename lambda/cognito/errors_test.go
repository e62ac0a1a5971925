package cognito

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

func answered(code, message string) error {
	return &smithy.OperationError{ServiceID: "Cognito", OperationName: "X",
		Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		class Class
		names []string
	}{
		"throttled":       {answered("TooManyRequestsException", "Rate exceeded"), ClassBusy, nil},
		"throttled early": {answered("RequestThrottledException", "Rate exceeded"), ClassBusy, nil},
		"limit":           {answered("LimitExceededException", "slow"), ClassBusy, nil},
		"concurrent":      {answered("ConcurrentModificationException", "busy"), ClassBusy, nil},
		"server":          {answered("InternalErrorException", "oops"), ClassUnclear, nil},
		"importing":       {answered("UserImportInProgressException", "wait"), ClassImporting, nil},
		"gone":            {answered("ResourceNotFoundException", "User pool does not exist."), ClassGone, nil},
		"elsewhere":       {answered("OperationNotEnabledException", "replica"), ClassElsewhere, nil},
		"denied":          {answered("AccessDeniedException", "not authorized"), ClassDenied, nil},
		"not authorized":  {answered("NotAuthorizedException", "no"), ClassDenied, nil},
		"tier change":     {answered("TierChangeNotAllowedException", "no"), ClassRefused, []string{"UserPoolTier"}},
		"new":             {answered("BrandNewException", "hm"), ClassOdd, nil},
		"sms role": {answered("InvalidSmsRoleTrustRelationshipException", "no trust"), ClassSMSRole,
			[]string{"SmsConfiguration", "SmsMfaConfiguration"}},
		"e-mail role": {answered("InvalidEmailRoleAccessPolicyException", "no"), ClassRefused,
			[]string{"EmailConfiguration", "AccountTakeoverRiskConfiguration.NotifyConfiguration"}},
		"tags": {answered("UserPoolTaggingException", "no"), ClassRefused, []string{"UserPoolTags"}},
		"validity": {answered("InvalidParameterException",
			"Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"), ClassValidity,
			nil},
		"constraint": {answered("InvalidParameterException",
			"2 validation errors detected: Value 'x' at 'policies.passwordPolicy.minimumLength' failed to satisfy "+
				"constraint: a; Value '[y]' at 'accountRecoverySetting.recoveryMechanisms.1.member.priority' failed to "+
				"satisfy constraint: b"), ClassRefused, []string{"Policies.PasswordPolicy.MinimumLength",
			"AccountRecoverySetting.RecoveryMechanisms"}},
		"unknown path": {answered("InvalidParameterException",
			"Value 'x' at 'somethingElse' failed to satisfy constraint: a"), ClassRefused, nil},
		"threat protection": {answered("FeatureUnavailableInTierException",
			"need to be disabled for the ESSENTIALS pricing tier configured: Threat Protection"), ClassRefused, nil},
		"factors": {answered("InvalidParameterException",
			"Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"), ClassRefused,
			nil},
		"lost":     {fmt.Errorf("sending: %w", io.ErrUnexpectedEOF), ClassUnclear, nil},
		"deadline": {&aws.RequestCanceledError{Err: context.DeadlineExceeded}, ClassUnclear, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := classify("UpdateUserPool", c.err, nil)
			if got.Class != c.class {
				t.Errorf("class %s, want %s", got.Class, c.class)
			}
			if diff := cmp.Diff(c.names, got.Culprits()); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(got.Error(), "calling UpdateUserPool: ") {
				t.Errorf("%v", got)
			}
		})
	}
	if err := classify("X", &aws.RequestCanceledError{Err: context.DeadlineExceeded}, nil); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Error("the cause is lost")
	}
}

// TestClassOfStatus: an answer without a code, as what stands between us and the service gives, is what its status
// says.
func TestClassOfStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]Class{http.StatusTooManyRequests: ClassBusy,
		http.StatusServiceUnavailable: ClassUnclear, http.StatusGatewayTimeout: ClassUnclear, http.StatusTeapot: ClassOdd} {
		client := from(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, err := client.Write(t.Context(), pool, userpool.Request{Call: "UpdateUserPool", Document: baseline.UserPool,
			Body: []byte(`{}`)})
		var failed *Error
		if !errors.As(err, &failed) || failed.Class != want {
			t.Errorf("%d: %v, want %s", status, err, want)
		}
	}
}

// TestCulpritsOfADocument: what an answer names is a setting of the document that was to be written, of a client or of
// a risk configuration.
func TestCulpritsOfADocument(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document      baseline.DocumentName
		code, message string
		want          []string
	}{
		"a scope of a client": {baseline.AppClient.Of("web"), "ScopeDoesNotExistException", "openid is not supported", nil},
		"a flow of a client":  {baseline.AppClient.Of("web"), "InvalidOAuthFlowException", "no", nil},
		"a constraint of a client": {baseline.AppClient.Of("web"), "InvalidParameterException",
			"1 validation error detected: Value '[a]' at 'callbackURLs' failed to satisfy constraint: b",
			[]string{"Clients[web].CallbackURLs"}},
		"a word about a client": {baseline.AppClient.Of("web"), "InvalidParameterException",
			"Invalid range for RefreshTokenValidity.", nil},
		"a sender of the risk": {baseline.RiskConfiguration, "CodeDeliveryFailureException", "no", nil},
		"a constraint of the risk": {baseline.ClientRisk.Of("web"), "InvalidParameterException",
			"Value 'x' at 'compromisedCredentialsRiskConfiguration.actions.eventAction' failed to satisfy constraint: b",
			[]string{"Clients[web].RiskConfiguration.CompromisedCredentialsRiskConfiguration.Actions.EventAction"}},
		"a constraint of the logs": {baseline.LogDelivery, "InvalidParameterException",
			"Value 'x' at 'logConfigurations.1.member.eventSource' failed to satisfy constraint: b",
			[]string{"LogConfigurations"}},
	} {
		failed := classify("X", answered(c.code, c.message), nil)
		failed.document = c.document
		if diff := cmp.Diff(c.want, failed.Culprits()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestEveryErrorOfTheModelHasAClass: for each error that the SDK's model has for one of our calls it was thought of
// what it means. What has no class defers the event, for days.
func TestEveryErrorOfTheModelHasAClass(t *testing.T) {
	t.Parallel()
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}",
		"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "deserializers.go"))
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`strings\.EqualFold\("(\w+)", errorCode\)`)
	for call := range categoryOf {
		_, body, found := strings.Cut(string(source), "\nfunc awsAwsjson11_deserializeOpError"+call+"(")
		body, _, ended := strings.Cut(body, "\n}\n")
		codes := code.FindAllStringSubmatch(body, -1)
		if !found || !ended || len(codes) == 0 {
			t.Fatalf("%s: no errors in the model", call)
		}
		for _, c := range codes {
			if class := classify(call, answered(c[1], "no"), nil).Class; class == ClassOdd {
				t.Errorf("%s answers with %s, which has no class", call, c[1])
			}
		}
	}
}

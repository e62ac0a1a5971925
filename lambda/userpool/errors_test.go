package userpool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
)

func answered(code, message string) error {
	return &smithy.OperationError{ServiceID: "Cognito", OperationName: "X", Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		class Class
		names []string
	}{
		"throttled":         {answered("TooManyRequestsException", "Rate exceeded"), ClassBusy, nil},
		"limit":             {answered("LimitExceededException", "slow"), ClassBusy, nil},
		"concurrent":        {answered("ConcurrentModificationException", "busy"), ClassBusy, nil},
		"server":            {answered("InternalErrorException", "oops"), ClassUnclear, nil},
		"importing":         {answered("UserImportInProgressException", "wait"), ClassImporting, nil},
		"gone":              {answered("ResourceNotFoundException", "User pool does not exist."), ClassGone, nil},
		"elsewhere":         {answered("OperationNotEnabledException", "replica"), ClassElsewhere, nil},
		"denied":            {answered("AccessDeniedException", "not authorized"), ClassDenied, nil},
		"new":               {answered("BrandNewException", "hm"), ClassOdd, nil},
		"sms role":          {answered("InvalidSmsRoleTrustRelationshipException", "no trust"), ClassSMSRole, []string{"SmsConfiguration", "SmsMfaConfiguration"}},
		"e-mail role":       {answered("InvalidEmailRoleAccessPolicyException", "no"), ClassRefused, []string{"EmailConfiguration"}},
		"tags":              {answered("UserPoolTaggingException", "no"), ClassRefused, []string{"UserPoolTags"}},
		"validity":          {answered("InvalidParameterException", "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"), ClassValidity, []string{"Policies.PasswordPolicy.TemporaryPasswordValidityDays", "Policies.PasswordPolicy", "AdminCreateUserConfig.UnusedAccountValidityDays"}},
		"constraint":        {answered("InvalidParameterException", "2 validation errors detected: Value 'x' at 'policies.passwordPolicy.minimumLength' failed to satisfy constraint: a; Value '[y]' at 'accountRecoverySetting.recoveryMechanisms.1.member.priority' failed to satisfy constraint: b"), ClassRefused, []string{"Policies.PasswordPolicy.MinimumLength", "AccountRecoverySetting.RecoveryMechanisms"}},
		"unknown path":      {answered("InvalidParameterException", "Value 'x' at 'somethingElse' failed to satisfy constraint: a"), ClassRefused, nil},
		"threat protection": {answered("FeatureUnavailableInTierException", "need to be disabled for the ESSENTIALS pricing tier configured: Threat Protection"), ClassRefused, []string{"UserPoolAddOns"}},
		"factors":           {answered("InvalidParameterException", "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"), ClassRefused, []string{"Policies.SignInPolicy.AllowedFirstAuthFactors"}},
		"lost":              {fmt.Errorf("sending: %w", io.ErrUnexpectedEOF), ClassUnclear, nil},
		"deadline":          {&aws.RequestCanceledError{Err: context.DeadlineExceeded}, ClassUnclear, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := classify("UpdateUserPool", c.err, nil)
			if got.Class != c.class {
				t.Errorf("class %s, want %s", got.Class, c.class)
			}
			if diff := cmp.Diff(c.names, got.Names()); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(got.Error(), "calling UpdateUserPool: ") {
				t.Errorf("%v", got)
			}
		})
	}
	if err := classify("X", &aws.RequestCanceledError{Err: context.DeadlineExceeded}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("the cause is lost")
	}
}

// TestErrorsHideSecrets: the service repeats values; what is sensitive, and whatever a validation error quotes, stays out of the error.
func TestErrorsHideSecrets(t *testing.T) {
	t.Parallel()
	document := map[string]any{"SmsConfiguration": map[string]any{"ExternalId": "the-external-id"}, "EmailVerificationMessage": "text {####}\nmore",
		"SmsMfaConfiguration": map[string]any{"SmsConfiguration": map[string]any{"ExternalId": "mfa-external-id"}}, "PoolName": "customers"}
	got := classify("UpdateUserPool", answered("InvalidParameterException",
		"Value 'text {####}\nmore' at 'emailVerificationMessage' failed; role with the-external-id and mfa-external-id of customers; Value 'tag' at 'userPoolTags' too"), secretsOf(baseline.Settings(), document)).Error()
	for _, secret := range []string{"text {", "the-external-id", "mfa-external-id", "'tag'"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q leaked: %s", secret, got)
		}
	}
	if !strings.Contains(got, "customers") || !strings.Contains(got, "Value (hidden) at 'emailVerificationMessage'") {
		t.Errorf("too much is hidden: %s", got)
	}
}

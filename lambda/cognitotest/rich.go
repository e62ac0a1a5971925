package cognitotest

import "fmt"

// Rich returns a pool of which every member is set to a value as production has it, in a state that the fake takes when it is echoed. Every
// message text and secret holds the word CANARY, so that a test can tell whether one leaked.
func Rich() (userPool, mfaConfig map[string]any) {
	pool, err := decode([]byte(richPool))
	if err != nil {
		return nil, nil
	}
	mfa, err := decode([]byte(richMFA))
	if err != nil {
		return nil, nil
	}
	pool["SchemaAttributes"] = standardAttributes()
	return pool, mfa
}

const richPool = `{
"Id": "eu-west-1_AbCdEf123", "Name": "customers", "Arn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEf123",
"Status": "Enabled", "CreationDate": 1735689600.123, "LastModifiedDate": 1767225600.456, "EstimatedNumberOfUsers": 48213,
"AliasAttributes": ["email"], "UsernameAttributes": [], "UsernameConfiguration": {"CaseSensitive": false},
"Domain": "customers-example", "CustomDomain": "login.example.com", "EmailConfigurationFailure": "", "SmsConfigurationFailure": "",
"Policies": {
  "PasswordPolicy": {"MinimumLength": 14, "RequireUppercase": true, "RequireLowercase": true, "RequireNumbers": true, "RequireSymbols": true,
    "PasswordHistorySize": 5, "TemporaryPasswordValidityDays": 3},
  "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]}},
"DeletionProtection": "ACTIVE",
"LambdaConfig": {
  "PreSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:pre-sign-up",
  "CustomMessage": "arn:aws:lambda:eu-west-1:111122223333:function:custom-message",
  "PostConfirmation": "arn:aws:lambda:eu-west-1:111122223333:function:post-confirmation",
  "PreAuthentication": "arn:aws:lambda:eu-west-1:111122223333:function:pre-authentication:live",
  "PostAuthentication": "arn:aws:lambda:eu-west-1:111122223333:function:post-authentication",
  "DefineAuthChallenge": "arn:aws:lambda:eu-west-1:111122223333:function:define-challenge",
  "CreateAuthChallenge": "arn:aws:lambda:eu-west-1:111122223333:function:create-challenge",
  "VerifyAuthChallengeResponse": "arn:aws:lambda:eu-west-1:111122223333:function:verify-challenge",
  "PreTokenGeneration": "arn:aws:lambda:eu-west-1:111122223333:function:pre-token",
  "UserMigration": "arn:aws:lambda:eu-west-1:111122223333:function:user-migration",
  "PreTokenGenerationConfig": {"LambdaArn": "arn:aws:lambda:eu-west-1:111122223333:function:pre-token", "LambdaVersion": "V2_0"},
  "CustomSMSSender": {"LambdaArn": "arn:aws:lambda:eu-west-1:111122223333:function:sms-sender", "LambdaVersion": "V1_0"},
  "CustomEmailSender": {"LambdaArn": "arn:aws:lambda:eu-west-1:111122223333:function:email-sender", "LambdaVersion": "V1_0"},
  "KMSKeyID": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555",
  "InboundFederation": {"LambdaArn": "arn:aws:lambda:eu-west-1:111122223333:function:inbound-federation", "LambdaVersion": "V1_0"}},
"AutoVerifiedAttributes": ["email", "phone_number"],
"SmsVerificationMessage": "Your code is {####} CANARY-sms-verification ",
"EmailVerificationMessage": "<p>Your code is {####} & more</p> CANARY-email-verification ",
"EmailVerificationSubject": "Your code CANARY-email-subject",
"VerificationMessageTemplate": {
  "SmsMessage": "Your code is {####} CANARY-sms-verification ",
  "EmailMessage": "<p>Your code is {####} & more</p> CANARY-email-verification ",
  "EmailSubject": "Your code CANARY-email-subject",
  "EmailMessageByLink": "Please {##verify your address##} CANARY-link",
  "EmailSubjectByLink": "Verify CANARY-link-subject", "DefaultEmailOption": "CONFIRM_WITH_CODE"},
"SmsAuthenticationMessage": "Sign-in code {####} CANARY-sms-authentication",
"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email", "phone_number"]},
"MfaConfiguration": "OPTIONAL",
"DeviceConfiguration": {"ChallengeRequiredOnNewDevice": true, "DeviceOnlyRememberedOnUserPrompt": true},
"EmailConfiguration": {"SourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com", "ReplyToEmailAddress": "help@example.com",
  "EmailSendingAccount": "DEVELOPER", "From": "Example <no-reply@example.com>", "ConfigurationSet": "identity-mail"},
"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::111122223333:role/cognito-sms", "ExternalId": "CANARY-external-id", "SnsRegion": "eu-west-1"},
"UserPoolTags": {"env": "prod", "team": "identity", "note": ""},
"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true, "UnusedAccountValidityDays": 3, "InviteMessageTemplate": {
  "SMSMessage": "{username} {####} CANARY-invite-sms", "EmailMessage": "Welcome {username}: {####} CANARY-invite-email", "EmailSubject": "Welcome CANARY-invite-subject"}},
"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED", "AdvancedSecurityAdditionalFlows": {"CustomAuthMode": "ENFORCED"}},
"DcrConfiguration": {"EnableStatus": "Enabled", "OpenDcrEnabled": true, "AuthenticatedGrantTypes": ["code", "client_credentials"],
  "OpenDcrGrantTypes": ["code"], "AllowedScopes": ["openid", "email"]},
"AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}, {"Priority": 2, "Name": "verified_phone_number"}]},
"UserPoolTier": "PLUS",
"KeyConfiguration": {"KeyType": "CUSTOMER_MANAGED_KEY", "KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/66666666-7777-4888-9999-000000000000"},
"IssuerConfiguration": {"Type": "UPDATED"},
"AcrConfiguration": {"Level1": {"AcrValue": "urn:example:password"}, "Level2": {"AcrValue": "urn:example:mfa"},
  "Level3": {"AcrValue": "urn:cognito:loa:3"}, "Level4": {"AcrValue": "urn:cognito:loa:4"}}
}`

const richMFA = `{
"MfaConfiguration": "OPTIONAL",
"SmsMfaConfiguration": {"SmsAuthenticationMessage": "Sign-in code {####} CANARY-sms-authentication",
  "SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::111122223333:role/cognito-sms", "ExternalId": "CANARY-external-id", "SnsRegion": "eu-west-1"}},
"SoftwareTokenMfaConfiguration": {"Enabled": true},
"EmailMfaConfiguration": {"Message": "Sign-in code {####} CANARY-email-mfa", "Subject": "Sign in CANARY-email-mfa-subject"},
"WebAuthnConfiguration": {"RelyingPartyId": "login.example.com", "UserVerification": "required", "FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION"}
}`

// standardAttributes are those that every pool has.
func standardAttributes() []any {
	var all []any
	for _, name := range []string{"sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at"} {
		kind := "String"
		switch name {
		case "email_verified", "phone_number_verified":
			kind = "Boolean"
		case "updated_at":
			kind = "Number"
		}
		attribute := map[string]any{"Name": name, "AttributeDataType": kind, "DeveloperOnlyAttribute": false, "Mutable": name != "sub", "Required": name == "sub"}
		if kind == "String" {
			attribute["StringAttributeConstraints"] = map[string]any{"MinLength": "0", "MaxLength": fmt.Sprint(2048)}
		}
		all = append(all, attribute)
	}
	return all
}

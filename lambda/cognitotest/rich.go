package cognitotest

import "fmt"

// Rich returns a pool of which every member is set to a value as production has it, in a state that the fake takes
// when it is echoed. Every message text and secret holds the word CANARY, so that a test can tell whether one leaked.
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

// PutRich plants a pool with everything that there is: Rich, its risk configuration and logs, and two clients,
// RichClient and "mobile", of which the former has a risk configuration of its own.
func (s *Server) PutRich(id string) {
	pool, mfa := Rich()
	s.Put(id, pool, mfa)
	s.PutRisk(id, "", richDocument(richRisk))
	logs, _ := richDocument(richLogs)["LogConfigurations"].([]any)
	s.PutLogs(id, logs)
	s.PutClient(id, RichClient, richDocument(richClient))
	mobile := richDocument(richClient)
	mobile["ClientName"] = "mobile-app"
	mobile["ExplicitAuthFlows"] = []any{"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
	delete(mobile, "ClientSecret")
	delete(mobile, "RefreshTokenRotation")
	s.PutClient(id, "mobile", mobile)
	s.PutRisk(id, RichClient, richDocument(richRisk))
}

// RichClient is the id of the client web-app that PutRich plants.
const RichClient = "4rich2client8of0web"

func richDocument(text string) map[string]any {
	document, err := decode([]byte(text))
	if err != nil {
		return nil
	}
	return document
}

const richRisk = `{
"CompromisedCredentialsRiskConfiguration": {"EventFilter": ["SIGN_IN", "SIGN_UP"], "Actions": {"EventAction": "BLOCK"}},
"AccountTakeoverRiskConfiguration": {
  "NotifyConfiguration": {"From": "security@example.com", "ReplyTo": "help@example.com", "SourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
    "BlockEmail": {"Subject": "Blocked CANARY-block-subject", "HtmlBody": "<p>Blocked</p> CANARY-block-html ", "TextBody": "Blocked CANARY-block-text"},
    "NoActionEmail": {"Subject": "Seen CANARY-seen-subject", "HtmlBody": "<p>Seen</p> CANARY-seen-html", "TextBody": "Seen CANARY-seen-text"},
    "MfaEmail": {"Subject": "Asked CANARY-mfa-subject", "HtmlBody": "<p>Asked</p> CANARY-mfa-html", "TextBody": "Asked CANARY-mfa-text"}},
  "Actions": {"LowAction": {"Notify": false, "EventAction": "NO_ACTION"}, "MediumAction": {"Notify": true, "EventAction": "MFA_IF_CONFIGURED"},
    "HighAction": {"Notify": true, "EventAction": "BLOCK"}}},
"RiskExceptionConfiguration": {"BlockedIPRangeList": ["192.0.2.0/24", "198.51.100.7/32"], "SkippedIPRangeList": ["203.0.113.0/24"]},
"LastModifiedDate": 1767225600.5
}`

const richLogs = `{"LogConfigurations": [
{"LogLevel": "ERROR", "EventSource": "userNotification", "CloudWatchLogsConfiguration": {"LogGroupArn": "arn:aws:logs:eu-west-1:111122223333:log-group:cognito-notifications"}},
{"LogLevel": "INFO", "EventSource": "userAuthEvents", "FirehoseConfiguration": {"StreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/cognito-events"}}
]}`

const richClient = `{
"ClientName": "web-app", "ClientSecret": "CANARYclientsecret0123456789", "CreationDate": 1735689600.123, "LastModifiedDate": 1767225600.456, "ClientType": "REGULAR", "ClientSecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-app-Ab12Cd",
"RefreshTokenValidity": 12, "AccessTokenValidity": 15, "IdTokenValidity": 15, "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"},
"ReadAttributes": ["email", "name"], "WriteAttributes": ["name"], "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH"],
"SupportedIdentityProviders": ["COGNITO", "Corporate"], "CallbackURLs": ["https://app.example.com/callback", "https://app.example.com/other"],
"LogoutURLs": ["https://app.example.com/bye"], "DefaultRedirectURI": "https://app.example.com/callback", "AllowedOAuthFlows": ["code"],
"AllowedOAuthScopes": ["openid", "email"], "AllowedOAuthFlowsUserPoolClient": true,
"AnalyticsConfiguration": {"ApplicationId": "0123abcd", "ApplicationArn": "arn:aws:mobiletargeting:eu-west-1:111122223333:apps/0123abcd",
  "RoleArn": "arn:aws:iam::111122223333:role/analytics", "ExternalId": "CANARY-analytics-id", "UserDataShared": true},
"PreventUserExistenceErrors": "ENABLED", "EnableTokenRevocation": true, "EnablePropagateAdditionalUserContextData": true, "AuthSessionValidity": 5,
"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30}
}`

// standardAttributes are those that every pool has.
func standardAttributes() []any {
	var all []any
	for _, name := range []string{"sub", "name", "given_name", "family_name", "middle_name", "nickname",
		"preferred_username", "profile", "picture", "website",
		"email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified",
		"address", "updated_at"} {
		kind := "String"
		switch name {
		case "email_verified", "phone_number_verified":
			kind = "Boolean"
		case "updated_at":
			kind = "Number"
		}
		attribute := map[string]any{"Name": name, "AttributeDataType": kind, "DeveloperOnlyAttribute": false,
			"Mutable": name != "sub", "Required": name == "sub"}
		if kind == "String" {
			attribute["StringAttributeConstraints"] = map[string]any{"MinLength": "0", "MaxLength": fmt.Sprint(2048)}
		}
		all = append(all, attribute)
	}
	return all
}

package baseline

// The patterns of the API model as Go regular expressions. Each must match the whole text.
const (
	arnPattern     = `arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?`
	smsPattern     = `.*\{####\}.*`
	codePattern    = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{####\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*`
	linkPattern    = textPattern + `\{##` + textPattern + `##\}` + textPattern
	textPattern    = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*`
	bodyPattern    = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]+`
	subjectPattern = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s]+`
	tokenPattern   = `[\x21\x23-\x5B\x5D-\x7E]+`
	tagPattern     = `[\p{L}\p{Z}\p{N}_.:/=+@-]*` // as the developer guide documents it
)

var (
	verifiedAttribute = &Member{Kind: String, Enum: []string{"phone_number", "email"}}
	grantType         = &Member{Kind: String, Enum: []string{"code", "implicit", "client_credentials"}}
)

const (
	templatePath = "VerificationMessageTemplate"
	mfaTextDoc   = "Text message with the MFA code; {####} is the code."
)

func arn(name, format, doc string) Member {
	return Member{Name: name, Kind: String, Format: format, Doc: doc, Min: 20, Max: 2048, Pattern: arnPattern}
}

func versioned(name, doc string) Member {
	return Member{Name: name, Kind: Object, NotEmpty: true, Doc: doc, Members: []Member{
		{Name: "LambdaArn", Kind: String, Format: formatFunction, Doc: "ARN of the function.", Min: 20, Max: 2048,
			Pattern: arnPattern, Required: true},
		{Name: "LambdaVersion", Kind: String, Doc: "Version of the event that the function gets.",
			Enum: []string{"V1_0"}, Required: true},
	}}
}

// smsConfiguration is the sender of text messages. Both UpdateUserPool and SetUserPoolMfaConfig write it.
func smsConfiguration(twin string) Member {
	return Member{
		Name: "SmsConfiguration", Kind: Object, Twin: twin, NotEmpty: true,
		Keep:    "no call removes a pool's SMS sender",
		Doc:     "How Cognito sends text messages: through either SNS or End User Messaging (EumsSms).",
		Members: smsSender,
	}
}

var smsSender = []Member{
	{Name: "SnsCallerArn", Kind: String, Doc: "ARN of the IAM role that Cognito assumes to publish to SNS.", Max: 2048,
		Pattern: arnPattern, Format: formatRole},
	{Name: "ExternalId", Kind: String, Doc: "External id that the role's trust policy requires.", Max: 131072,
		Sensitive: true},
	{Name: "SnsRegion", Kind: String, Format: formatRegion, Doc: "Region of SNS, if it is not the pool's.", Min: 5,
		Max: 32},
	{Name: "EumsSms", Kind: Object, NotEmpty: true, Newer: true, Doc: "Text messages through AWS End User Messaging.",
		Members: []Member{
			{Name: "CallerArn", Kind: String, Doc: "ARN of the IAM role that Cognito assumes to send messages.", Min: 20,
				Max: 2048, Pattern: arnPattern, Format: formatRole, Required: true, Newer: true},
			{Name: "ExternalId", Kind: String, Doc: "External id that the role's trust policy requires.", Max: 131072,
				Sensitive: true, Newer: true},
			{Name: "OriginationIdentity", Kind: String, Doc: "Phone number, sender id or phone pool that sends messages.",
				Max: 131072, Newer: true},
			{Name: "ConfigurationSetName", Kind: String, Doc: "End User Messaging configuration set.", Max: 131072, Newer: true},
			{Name: "InEntityId", Kind: String, Doc: "Entity id for messages to India.", Max: 131072, Newer: true},
			{Name: "InTemplateId", Kind: String, Doc: "Template id for messages to India.", Max: 131072, Newer: true},
			{Name: "Region", Kind: String, Format: formatRegion, Doc: "Region of End User Messaging, if it is not the pool's.",
				Min: 5, Max: 32, Newer: true},
		}},
}

func smsText(name, twin, deprecated, doc string) Member {
	return Member{Name: name, Kind: String, Min: 6, Max: 140, Pattern: smsPattern, Sensitive: true, Twin: twin,
		Deprecated: deprecated, Doc: doc}
}

func mailText(name, pattern, twin, deprecated, doc string) Member {
	return Member{Name: name, Kind: String, Min: 6, Max: 20000, Pattern: pattern, Sensitive: true, Twin: twin,
		Deprecated: deprecated, Doc: doc}
}

func subject(name, twin, deprecated, doc string) Member {
	return Member{Name: name, Kind: String, Min: 1, Max: 140, Pattern: subjectPattern, Sensitive: true, Twin: twin,
		Deprecated: deprecated, Doc: doc}
}

// The functions of the table only return a literal, so that the compiler evaluates them and no start does.
func readOnly(name string) Member { return Member{Name: name, Kind: String, Trip: ReadOnly} }

// level is an authentication level. The service gives it the default name if a write gives it none.
func level(n string) Member {
	return Member{Name: "Level" + n, Kind: Object, Newer: true, NotEmpty: true, Doc: "Authentication level " + n + ".",
		Keep: "every level has a name", Members: []Member{
			{Name: "AcrValue", Kind: String, Min: 1, Max: 64, Pattern: tokenPattern, Newer: true, Required: true,
				Default: "urn:cognito:loa:" + n, Keep: "every level has a name", Doc: "Name in the acr claim."},
		}}
}

// userPoolMembers is the UserPool in the response of DescribeUserPool and the input of UpdateUserPool.
var userPoolMembers = []Member{
	{Name: "PoolName", ReadName: "Name", Kind: String, Doc: "Name of the pool.", Min: 1, Max: 128,
		Pattern: namePattern, Keep: "every pool has a name"},
	{Name: "Policies", Kind: Object, Doc: "Password policy and sign-in policy.", Keep: "every pool has a password policy",
		Members: []Member{
			{Name: "PasswordPolicy", Kind: Object, Doc: "Requirements on passwords.", Keep: "every pool has a password policy",
				Members: []Member{
					{Name: "MinimumLength", Kind: Integer, Snapshot: AtLeast, Doc: "Minimum length of a password.", Min: 6, Max: 99,
						Keep: "every pool has a minimum length"},
					{Name: "RequireUppercase", Kind: Boolean, Snapshot: Equal, Doc: "Whether a password needs an uppercase letter."},
					{Name: "RequireLowercase", Kind: Boolean, Snapshot: Equal, Doc: "Whether a password needs a lowercase letter."},
					{Name: "RequireNumbers", Kind: Boolean, Snapshot: Equal, Doc: "Whether a password needs a digit."},
					{Name: "RequireSymbols", Kind: Boolean, Snapshot: Equal, Doc: "Whether a password needs a symbol."},
					{Name: "PasswordHistorySize", Kind: Integer, Snapshot: AtLeast,
						Doc: "How many previous passwords cannot be reused.", Max: 24, Clear: "0"},
					// The model allows 0, but the service treats 0 as "not given" and sets 7, so 0 can never be met.
					{Name: "TemporaryPasswordValidityDays", Kind: Integer, Snapshot: AtMost,
						Doc: "Days for which a temporary password is valid.", Min: 1, Max: 365,
						Keep: "the service treats 0 as not given and sets 7", Twin: "AdminCreateUserConfig.UnusedAccountValidityDays"},
				}},
			{Name: "SignInPolicy", Kind: Object, NotEmpty: true, Doc: "How users may begin a sign-in.",
				Keep: "no call removes it; require AllowedFirstAuthFactors: [PASSWORD] instead", Members: []Member{
					{Name: "AllowedFirstAuthFactors", Kind: List, Snapshot: Equal, Min: 1, Max: 5, DefaultList: []string{"PASSWORD"},
						Keep: "the list needs at least one factor; require [PASSWORD] instead",
						Doc:  "First factors that users may sign in with.", Required: true, Elem: &Member{Kind: String,
							Enum:   []string{"PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"},
							Unsent: []string{"SOFTWARE_TOKEN"}}},
				}},
		}},
	{Name: "DeletionProtection", Kind: String, Snapshot: OneOf, Doc: "While it is ACTIVE, the pool cannot be deleted.",
		Enum: []string{"ACTIVE", "INACTIVE"}, Default: "INACTIVE", Clear: `"INACTIVE"`},
	{Name: "LambdaConfig", Kind: Object, Snapshot: Exactly, Doc: "Lambda triggers.", Clear: "{}", Members: []Member{
		arn("PreSignUp", formatFunction, "Runs before a user signs up."),
		arn("CustomMessage", formatFunction, "Runs before a message is sent, and may change it."),
		arn("PostConfirmation", formatFunction, "Runs after a user is confirmed."),
		arn("PreAuthentication", formatFunction, "Runs before a user signs in."),
		arn("PostAuthentication", formatFunction, "Runs after a user has signed in."),
		arn("DefineAuthChallenge", formatFunction, "Chooses the next challenge of a custom sign-in."),
		arn("CreateAuthChallenge", formatFunction, "Makes a challenge of a custom sign-in."),
		arn("VerifyAuthChallengeResponse", formatFunction, "Checks the answer to a challenge of a custom sign-in."),
		{Name: "PreTokenGeneration", Kind: String,
			Doc: "Runs before tokens are issued (the older of two settings for one trigger).", Min: 20, Max: 2048,
			Pattern: arnPattern, Format: formatFunction, Twin: "LambdaConfig.PreTokenGenerationConfig.LambdaArn"},
		arn("UserMigration", formatFunction, "Runs when an unknown user signs in, to migrate the user."),
		{Name: "PreTokenGenerationConfig", Kind: Object, NotEmpty: true,
			Doc: "Runs before tokens are issued, with an event version.", Members: []Member{
				{Name: "LambdaArn", Kind: String, Doc: "ARN of the function.", Min: 20, Max: 2048, Pattern: arnPattern,
					Format: formatFunction, Required: true, Twin: "LambdaConfig.PreTokenGeneration"},
				{Name: "LambdaVersion", Kind: String, Doc: "Version of the event that is sent to the function.",
					Enum: []string{"V1_0", "V2_0", "V3_0"}, Required: true, Default: "V1_0"},
			}},
		versioned("CustomSMSSender", "Sends text messages instead of Cognito; needs KMSKeyID."),
		versioned("CustomEmailSender", "Sends e-mail instead of Cognito; needs KMSKeyID."),
		arn("KMSKeyID", formatKey, "ARN of the KMS key that encrypts codes for the custom senders."),
		versioned("InboundFederation", "Runs when a federated user signs in."),
	}},
	{Name: "AutoVerifiedAttributes", Kind: List, Snapshot: Contains, Elem: verifiedAttribute, Clear: "[]",
		Doc: "Attributes that Cognito verifies automatically."},
	smsText("SmsVerificationMessage", templatePath+".SmsMessage", "mirrored by "+templatePath+".SmsMessage",
		"Text message with a verification code."),
	mailText("EmailVerificationMessage", codePattern, templatePath+".EmailMessage",
		"mirrored by "+templatePath+".EmailMessage", "E-mail with a verification code."),
	subject("EmailVerificationSubject", templatePath+".EmailSubject", "mirrored by "+templatePath+".EmailSubject",
		"Subject of the e-mail with a verification code."),
	{Name: "VerificationMessageTemplate", Kind: Object, Doc: "Texts of verification messages.",
		Keep: "every pool has a DefaultEmailOption", Members: []Member{
			smsText("SmsMessage", "SmsVerificationMessage", "", "Text message with the code; {####} is the code."),
			mailText("EmailMessage", codePattern, "EmailVerificationMessage", "", "E-mail with the code; {####} is the code."),
			subject("EmailSubject", "EmailVerificationSubject", "", "Subject of the e-mail with the code."),
			mailText("EmailMessageByLink", linkPattern, "", "", "E-mail with the link; {##text##} is the link."),
			subject("EmailSubjectByLink", "", "", "Subject of the e-mail with the link."),
			{Name: "DefaultEmailOption", Kind: String, Enum: []string{"CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"},
				Default: "CONFIRM_WITH_CODE", Doc: "Whether the e-mail contains a code or a link.",
				Keep: "every pool has one; require CONFIRM_WITH_CODE or CONFIRM_WITH_LINK instead"},
		}},
	smsText("SmsAuthenticationMessage", "SmsMfaConfiguration.SmsAuthenticationMessage", "", mfaTextDoc),
	// Leaving it out keeps the old value; only an explicit empty list clears it.
	{Name: "UserAttributeUpdateSettings", Kind: Object, Doc: "What happens when a user changes an attribute.",
		Clear: `{"AttributesRequireVerificationBeforeUpdate":[]}`, Members: []Member{
			{Name: "AttributesRequireVerificationBeforeUpdate", Kind: List, Snapshot: Contains,
				Elem: verifiedAttribute, Clear: "[]",
				Doc: "Attributes whose new value takes effect only after verification; each must be in AutoVerifiedAttributes."},
		}},
	{Name: "MfaConfiguration", Kind: String, Enum: []string{"OFF", "ON", "OPTIONAL"}, Trip: Carried, Default: "OFF"},
	{Name: "DeviceConfiguration", Kind: Object, Presence: true, Doc: "Device tracking: on if present, even if empty.",
		Members: []Member{
			{Name: "ChallengeRequiredOnNewDevice", Kind: Boolean, Doc: "Whether a remembered device can replace MFA."},
			{Name: "DeviceOnlyRememberedOnUserPrompt", Kind: Boolean, Doc: "Whether a device is remembered only on consent."},
		}},
	{Name: "EmailConfiguration", Kind: Object, Doc: "How Cognito sends e-mail.",
		Keep:  "every pool has a sending account; require EmailSendingAccount: COGNITO_DEFAULT instead",
		Clear: `{"EmailSendingAccount":"COGNITO_DEFAULT"}`, Members: []Member{
			arn("SourceArn", formatIdentity, "ARN of the SES identity; EmailSendingAccount DEVELOPER needs it."),
			{Name: "ReplyToEmailAddress", Kind: String, Format: formatSender, Doc: "Address for answers.",
				Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+@[\p{L}\p{M}\p{S}\p{N}\p{P}]+`},
			{Name: "EmailSendingAccount", Kind: String, Doc: "DEVELOPER sends through your own SES identity.",
				Enum: []string{"COGNITO_DEFAULT", "DEVELOPER"}, Default: "COGNITO_DEFAULT",
				Keep: "every pool has one; require COGNITO_DEFAULT instead"},
			{Name: "From", Kind: String, Format: formatSender, Doc: "Sender's address, or name and address.", Max: 131072},
			{Name: "ConfigurationSet", Kind: String, Doc: "SES configuration set.", Min: 1, Max: 64, Pattern: `[a-zA-Z0-9_-]+`},
		}},
	smsConfiguration("SmsMfaConfiguration.SmsConfiguration"),
	{Name: "UserPoolTags", Kind: Map, Doc: "Tags of the pool.", Clear: "{}", Max: 50, KeyMax: 128, KeyReserved: "aws:",
		Elem: &Member{Kind: String, Pattern: tagPattern, Max: 256, Presence: true}}, // a tag may have an empty value
	{Name: "AdminCreateUserConfig", Kind: Object, Doc: "How users are created.", Members: []Member{
		{Name: "AllowAdminCreateUserOnly", Kind: Boolean, Snapshot: Equal, Doc: "true disables self-registration."},
		{Name: "UnusedAccountValidityDays", Kind: Integer, Min: 1, Max: 365,
			Doc: "Days after which an unused new account expires.", Keep: "the service treats 0 as not given",
			Deprecated: "replaced by Policies.PasswordPolicy.TemporaryPasswordValidityDays",
			Twin:       "Policies.PasswordPolicy.TemporaryPasswordValidityDays", Superseded: true},
		{Name: "InviteMessageTemplate", Kind: Object, Doc: "Texts of the invitation.", Members: []Member{
			{Name: "SMSMessage", Kind: String, Min: 6, Max: 140, Format: formatInvite, Sensitive: true,
				Doc: "Text message of the invitation."},
			{Name: "EmailMessage", Kind: String, Min: 6, Max: 20000, Pattern: textPattern, Format: formatInvite,
				Sensitive: true, Doc: "E-mail of the invitation."},
			subject("EmailSubject", "", "", "Subject of the invitation."),
		}},
	}},
	{Name: "UserPoolAddOns", Kind: Object, NotEmpty: true, Doc: "Threat protection.",
		Clear: `{"AdvancedSecurityMode":"OFF"}`, Members: []Member{
			{Name: "AdvancedSecurityMode", Kind: String, Snapshot: OneOf,
				Doc:  "Threat protection for standard sign-in; AUDIT and ENFORCED need UserPoolTier PLUS.",
				Enum: []string{"OFF", "AUDIT", "ENFORCED"}, Default: "OFF", Clear: `"OFF"`, Required: true},
			{Name: "AdvancedSecurityAdditionalFlows", Kind: Object, NotEmpty: true, Doc: "Threat protection for other sign-ins.",
				Members: []Member{
					{Name: "CustomAuthMode", Kind: String, Snapshot: OneOf, Doc: "Threat protection for custom sign-in.",
						Enum: []string{"AUDIT", "ENFORCED"}},
				}},
		}},
	{Name: "DcrConfiguration", Kind: Object, KeptOmitted: true, NotEmpty: true, Newer: true,
		Clear: `{"EnableStatus":"Disabled"}`, Doc: "Dynamic client registration.",
		Keep: "leaving it out keeps the old value; require EnableStatus: Disabled instead", Members: []Member{
			// Required, because a configuration without it turns registration on.
			{Name: "EnableStatus", Kind: String, Doc: "Whether clients may register.", Enum: []string{"Enabled", "Disabled"},
				Newer: true, Required: true, Keep: "a configuration without it turns registration on; require Disabled instead"},
			{Name: "OpenDcrEnabled", Kind: Boolean, Doc: "Whether clients may register without an access token.", Newer: true},
			{Name: "AuthenticatedGrantTypes", Kind: List, Presence: true, Elem: grantType, Max: 3, Newer: true,
				Doc: "Grant types for clients registered with a token; an empty list rejects all, no list allows code and " +
					"client_credentials.", DefaultList: []string{"code", "client_credentials"}},
			{Name: "OpenDcrGrantTypes", Kind: List, Presence: true, Elem: grantType, Max: 3, Newer: true,
				Doc:         "Grant types for clients registered without a token; an empty list rejects all, no list allows code.",
				DefaultList: []string{"code"}},
			{Name: "AllowedScopes", Kind: List, Presence: true, Max: 50, Newer: true,
				Doc:  "Scopes that registered clients may request.",
				Elem: &Member{Kind: String, Min: 1, Max: 256, Pattern: tokenPattern}},
		}},
	{Name: "AccountRecoverySetting", Kind: Object, NotEmpty: true, Doc: "How users recover an account.", Members: []Member{
		{Name: "RecoveryMechanisms", Kind: List, Snapshot: Equal, Min: 1, Max: 2, Required: true,
			Doc: "Ways to recover an account; admin_only cannot be combined with others.",
			Elem: &Member{Kind: Object, Members: []Member{
				{Name: "Name", Kind: String, Enum: []string{"verified_email", "verified_phone_number", "admin_only"},
					Required: true, Doc: "The way."},
				{Name: "Priority", Kind: Integer, Min: 1, Max: 2, Required: true, Doc: "1 is tried first."},
			}}},
	}},
	{Name: "UserPoolTier", Kind: String, Snapshot: Equal, Doc: "Feature plan of the pool; a higher plan costs more.",
		Enum: []string{"LITE", "ESSENTIALS", "PLUS"}, Default: "ESSENTIALS", Keep: "every pool has a plan"},
	{Name: "KeyConfiguration", Kind: Object, Snapshot: Exactly, NotEmpty: true, Doc: "KMS key that encrypts the pool.",
		Clear: `{"KeyType":"AWS_OWNED_KEY"}`, Members: []Member{
			{Name: "KeyType", Kind: String, Doc: "Whether AWS or the customer owns the key.",
				Enum: []string{"AWS_OWNED_KEY", "CUSTOMER_MANAGED_KEY"}, Default: "AWS_OWNED_KEY", Required: true},
			arn("KmsKeyArn", formatKey, "ARN of the key; CUSTOMER_MANAGED_KEY needs it, AWS_OWNED_KEY does not allow it."),
		}},
	{Name: "IssuerConfiguration", Kind: Object, Doc: "Format of the issuer in tokens.", Clear: `{"Type":"ORIGINAL"}`,
		Members: []Member{
			{Name: "Type", Kind: String, Doc: "UPDATED changes the iss claim of every token.",
				Enum: []string{"ORIGINAL", "UPDATED"}, Default: "ORIGINAL"},
		}},
	{Name: "AcrConfiguration", Kind: Object, Newer: true, Doc: "Names of authentication levels in tokens.",
		Keep:    "every level has a name; require the default names instead, urn:cognito:loa:1 to 4",
		Members: []Member{level("1"), level("2"), level("3"), level("4")}},
	readOnly("Id"), readOnly("Arn"), readOnly("AliasAttributes"), readOnly("UsernameAttributes"),
	readOnly("UsernameConfiguration"), readOnly("SchemaAttributes"), readOnly("CreationDate"),
	readOnly("LastModifiedDate"), readOnly("CustomDomain"), readOnly("Domain"), readOnly("EstimatedNumberOfUsers"),
	readOnly("EmailConfigurationFailure"), readOnly("SmsConfigurationFailure"), readOnly("Status"),
}

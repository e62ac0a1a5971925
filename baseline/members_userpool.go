package baseline

// The patterns of the API model, as Go regular expressions (each matches the whole text).
const (
	arnPattern     = `arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?`
	smsPattern     = `.*\{####\}.*`
	codePattern    = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{####\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*`
	linkPattern    = textPattern + `\{##` + textPattern + `##\}` + textPattern
	textPattern    = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*`
	bodyPattern    = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]+`
	subjectPattern = `[\p{L}\p{M}\p{S}\p{N}\p{P}\s]+`
	tokenPattern   = `[\x21\x23-\x5B\x5D-\x7E]+`
)

var (
	verifiedAttribute = &Member{Kind: String, Enum: []string{"phone_number", "email"}}
	grantType         = &Member{Kind: String, Enum: []string{"code", "implicit", "client_credentials"}}
)

// Each of these is one expression and changes no Member, for then the compiler lays the tables into the binary as
// they are: a start does not make them.

func arn(name, format, doc string) Member {
	return Member{Name: name, Kind: String, Format: format, Doc: doc, Min: 20, Max: 2048, Pattern: arnPattern}
}

func requiredARN(name, format, doc string) Member {
	return Member{Name: name, Kind: String, Format: format, Doc: doc, Min: 20, Max: 2048, Pattern: arnPattern,
		Required: true}
}

// versioned is a Lambda trigger that names the version of the event it takes.
func versioned(name, doc string) Member {
	return Member{Name: name, Kind: Object, NotEmpty: true, Doc: doc, Members: []Member{
		requiredARN("LambdaArn", formatFunction, "ARN of the function."),
		{Name: "LambdaVersion", Kind: String, Doc: "Version of the event that the function takes.", Enum: []string{"V1_0"},
			Required: true},
	}}
}

// smsConfiguration is the sender of text messages. It stands in UpdateUserPool and, the same fact, in
// SetUserPoolMfaConfig.
func smsConfiguration(twin string) Member {
	return Member{
		Name: "SmsConfiguration", Kind: Object, Twin: twin, NotEmpty: true,
		Keep:    "no call removes a pool's sender of text messages",
		Doc:     "How Cognito sends text messages: through SNS, or through End User Messaging (EumsSms), never both.",
		Members: smsSender,
	}
}

// smsSender are the members of an SmsConfiguration.
var smsSender = []Member{
	{Name: "SnsCallerArn", Kind: String, Doc: "ARN of the IAM role with which Cognito publishes to SNS.", Max: 2048,
		Pattern: arnPattern, Format: formatRole},
	{Name: "ExternalId", Kind: String, Doc: "External id that the role's trust policy demands.", Max: 131072,
		Sensitive: true},
	{Name: "SnsRegion", Kind: String, Doc: "Region of SNS, where it is not the pool's.", Min: 5, Max: 32},
	{Name: "EumsSms", Kind: Object, NotEmpty: true, Newer: true, Doc: "Text messages through AWS End User Messaging.",
		Members: []Member{
			{Name: "CallerArn", Kind: String, Doc: "ARN of the IAM role with which Cognito sends.", Min: 20, Max: 2048,
				Pattern: arnPattern, Format: formatRole, Required: true, Newer: true},
			{Name: "ExternalId", Kind: String, Doc: "External id that the role's trust policy demands.", Max: 131072,
				Sensitive: true, Newer: true},
			{Name: "OriginationIdentity", Kind: String, Doc: "Phone number, sender id or pool that messages come from.",
				Max: 131072, Newer: true},
			{Name: "ConfigurationSetName", Kind: String, Doc: "Configuration set of End User Messaging.", Max: 131072,
				Newer: true},
			{Name: "InEntityId", Kind: String, Doc: "Entity id for messages to India.", Max: 131072, Newer: true},
			{Name: "InTemplateId", Kind: String, Doc: "Template id for messages to India.", Max: 131072, Newer: true},
			{Name: "Region", Kind: String, Doc: "Region of End User Messaging, where it is not the pool's.", Min: 5, Max: 32,
				Newer: true},
		}},
}

func smsAuthenticationMessage(twin string) Member {
	return Member{Name: "SmsAuthenticationMessage", Kind: String, Min: 6, Max: 140, Pattern: smsPattern, Sensitive: true,
		Twin: twin, Doc: "Text message that carries the MFA code, with the placeholder {####}."}
}

// userPoolMembers is DescribeUserPool's UserPool and UpdateUserPool's input, member by member.
var userPoolMembers = []Member{
	{Name: "PoolName", ReadName: "Name", Kind: String, Doc: "Name of the pool.", Min: 1, Max: 128,
		Pattern: poolNamePattern, Keep: "every pool has a name"},
	{Name: "Policies", Kind: Object, Doc: "Password policy and sign-in policy.", Keep: "every pool has a password policy",
		Members: []Member{
			{Name: "PasswordPolicy", Kind: Object, Doc: "What a password has to be.", Keep: "every pool has a password policy",
				Members: []Member{
					{Name: "MinimumLength", Kind: Integer, Doc: "Fewest characters of a password.", Min: 6, Max: 99,
						Keep: "every pool has a minimum length"},
					{Name: "RequireUppercase", Kind: Boolean, Doc: "A password needs an upper-case letter."},
					{Name: "RequireLowercase", Kind: Boolean, Doc: "A password needs a lower-case letter."},
					{Name: "RequireNumbers", Kind: Boolean, Doc: "A password needs a digit."},
					{Name: "RequireSymbols", Kind: Boolean, Doc: "A password needs a symbol."},
					{Name: "PasswordHistorySize", Kind: Integer, Doc: "How many earlier passwords a new one must differ from.",
						Max: 24, Clear: "0"},
					// The model allows 0, but the service reads 0 as "not given" and answers 7, so 0 can never hold.
					{Name: "TemporaryPasswordValidityDays", Kind: Integer, Doc: "Days for which a temporary password can be used.",
						Min: 1, Max: 365,
						Keep: "the service reads 0 as not given and sets 7", Twin: "AdminCreateUserConfig.UnusedAccountValidityDays"},
				}},
			{Name: "SignInPolicy", Kind: Object, NotEmpty: true, Doc: "How users may start to sign in.",
				Keep: "no call removes it; require AllowedFirstAuthFactors: [PASSWORD]", Members: []Member{
					{Name: "AllowedFirstAuthFactors", Kind: List, Set: true, Min: 1, Max: 5, DefaultList: []string{"PASSWORD"},
						Keep: "the list needs at least one factor; require [PASSWORD]",
						Doc:  "First factors that users may sign in with.", Required: true,
						Elem: &Member{Kind: String, Enum: []string{"PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"},
							Unsent: []string{"SOFTWARE_TOKEN"}}},
				}},
		}},
	{Name: "DeletionProtection", Kind: String, Doc: "ACTIVE refuses DeleteUserPool until it is turned off.",
		Enum: []string{"ACTIVE", "INACTIVE"}, Default: "INACTIVE", Clear: `"INACTIVE"`},
	{Name: "LambdaConfig", Kind: Object, Doc: "Lambda triggers.", Clear: "{}", Members: []Member{
		arn("PreSignUp", formatFunction, "Runs before a user signs up."),
		arn("CustomMessage", formatFunction, "Runs before a message is sent, and may change it."),
		arn("PostConfirmation", formatFunction, "Runs after a user is confirmed."),
		arn("PreAuthentication", formatFunction, "Runs before a user signs in."),
		arn("PostAuthentication", formatFunction, "Runs after a user has signed in."),
		arn("DefineAuthChallenge", formatFunction, "Chooses the next challenge of a custom sign-in."),
		arn("CreateAuthChallenge", formatFunction, "Makes a challenge of a custom sign-in."),
		arn("VerifyAuthChallengeResponse", formatFunction, "Checks the answer to a challenge of a custom sign-in."),
		{Name: "PreTokenGeneration", Kind: String,
			Doc: "Runs before tokens are issued (the older of two members for one trigger).", Min: 20, Max: 2048,
			Pattern: arnPattern, Format: formatFunction, Twin: "LambdaConfig.PreTokenGenerationConfig.LambdaArn"},
		arn("UserMigration", formatFunction, "Runs when an unknown user signs in, to bring the user over."),
		{Name: "PreTokenGenerationConfig", Kind: Object, NotEmpty: true,
			Doc: "Runs before tokens are issued, with the version of its event.", Members: []Member{
				{Name: "LambdaArn", Kind: String, Doc: "ARN of the function.", Min: 20, Max: 2048, Pattern: arnPattern,
					Format: formatFunction, Required: true, Twin: "LambdaConfig.PreTokenGeneration"},
				{Name: "LambdaVersion", Kind: String, Doc: "Version of the event that the function takes.",
					Enum: []string{"V1_0", "V2_0", "V3_0"}, Required: true},
			}},
		versioned("CustomSMSSender", "Sends text messages in Cognito's stead; needs KMSKeyID."),
		versioned("CustomEmailSender", "Sends e-mail in Cognito's stead; needs KMSKeyID."),
		arn("KMSKeyID", formatKey, "ARN of the KMS key that encrypts codes for the custom senders."),
		versioned("InboundFederation", "Runs when a federated user signs in."),
	}},
	{Name: "AutoVerifiedAttributes", Kind: List, Set: true, Elem: verifiedAttribute, Clear: "[]",
		Doc: "Attributes that Cognito verifies by itself."},
	{Name: "SmsVerificationMessage", Kind: String, Min: 6, Max: 140, Pattern: smsPattern, Sensitive: true,
		Doc:        "Text message that carries a verification code.",
		Deprecated: "mirrored by VerificationMessageTemplate.SmsMessage", Twin: "VerificationMessageTemplate.SmsMessage"},
	{Name: "EmailVerificationMessage", Kind: String, Min: 6, Max: 20000, Pattern: codePattern, Sensitive: true,
		Doc: "E-mail that carries a verification code.", Deprecated: "mirrored by VerificationMessageTemplate.EmailMessage",
		Twin: "VerificationMessageTemplate.EmailMessage"},
	{Name: "EmailVerificationSubject", Kind: String, Min: 1, Max: 140, Pattern: subjectPattern, Sensitive: true,
		Doc:        "Subject of the e-mail that carries a verification code.",
		Deprecated: "mirrored by VerificationMessageTemplate.EmailSubject",
		Twin:       "VerificationMessageTemplate.EmailSubject"},
	{Name: "VerificationMessageTemplate", Kind: Object, Doc: "Texts of verification messages.",
		Keep: "every pool has a DefaultEmailOption", Members: []Member{
			{Name: "SmsMessage", Kind: String, Min: 6, Max: 140, Pattern: smsPattern, Sensitive: true,
				Twin: "SmsVerificationMessage", Doc: "Text message with the code, {####}."},
			{Name: "EmailMessage", Kind: String, Min: 6, Max: 20000, Pattern: codePattern, Sensitive: true,
				Twin: "EmailVerificationMessage", Doc: "E-mail with the code, {####}."},
			{Name: "EmailSubject", Kind: String, Min: 1, Max: 140, Pattern: subjectPattern, Sensitive: true,
				Twin: "EmailVerificationSubject", Doc: "Subject of the e-mail with the code."},
			{Name: "EmailMessageByLink", Kind: String, Min: 6, Max: 20000, Pattern: linkPattern, Sensitive: true,
				Doc: "E-mail with the link, {##text##}."},
			{Name: "EmailSubjectByLink", Kind: String, Min: 1, Max: 140, Pattern: subjectPattern, Sensitive: true,
				Doc: "Subject of the e-mail with the link."},
			{Name: "DefaultEmailOption", Kind: String, Enum: []string{"CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE"},
				Default: "CONFIRM_WITH_CODE", Doc: "Whether e-mail carries a code or a link.",
				Keep: "every pool has one; require CONFIRM_WITH_CODE or CONFIRM_WITH_LINK"},
		}},
	smsAuthenticationMessage("SmsMfaConfiguration.SmsAuthenticationMessage"),
	// Left out means "as it was" for this one; only an explicit empty list clears it.
	{Name: "UserAttributeUpdateSettings", Kind: Object, Doc: "What happens when a user changes an attribute.",
		Clear: `{"AttributesRequireVerificationBeforeUpdate":[]}`, Members: []Member{
			{Name: "AttributesRequireVerificationBeforeUpdate", Kind: List, Set: true, Elem: verifiedAttribute, Clear: "[]",
				Doc: "Attributes whose new value has to be verified before it counts; each must be in AutoVerifiedAttributes."},
		}},
	{Name: "MfaConfiguration", Kind: String, Enum: []string{"OFF", "ON", "OPTIONAL"}, Trip: Carried, Default: "OFF"},
	{Name: "DeviceConfiguration", Kind: Object, Presence: true, Doc: "Device tracking: on when present, even empty.",
		Members: []Member{
			{Name: "ChallengeRequiredOnNewDevice", Kind: Boolean, Doc: "A remembered device may stand in for MFA."},
			{Name: "DeviceOnlyRememberedOnUserPrompt", Kind: Boolean, Doc: "A device is remembered only where the user agrees."},
		}},
	{Name: "EmailConfiguration", Kind: Object, Doc: "How Cognito sends e-mail.",
		Keep:  "every pool has a sending account; require EmailSendingAccount: COGNITO_DEFAULT",
		Clear: `{"EmailSendingAccount":"COGNITO_DEFAULT"}`, Members: []Member{
			arn("SourceArn", formatIdentity, "ARN of the SES identity; needed by EmailSendingAccount DEVELOPER."),
			{Name: "ReplyToEmailAddress", Kind: String, Doc: "Address for answers.",
				Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+@[\p{L}\p{M}\p{S}\p{N}\p{P}]+`},
			{Name: "EmailSendingAccount", Kind: String, Doc: "DEVELOPER sends through your SES identity.",
				Enum: []string{"COGNITO_DEFAULT", "DEVELOPER"}, Default: "COGNITO_DEFAULT",
				Keep: "every pool has one; require COGNITO_DEFAULT"},
			{Name: "From", Kind: String, Doc: "Sender's address, or name and address.", Max: 131072},
			{Name: "ConfigurationSet", Kind: String, Doc: "Configuration set of SES.", Min: 1, Max: 64,
				Pattern: `[a-zA-Z0-9_-]+`},
		}},
	smsConfiguration("SmsMfaConfiguration.SmsConfiguration"),
	{Name: "UserPoolTags", Kind: Map, Doc: "Tags of the pool.", Clear: "{}", Max: 50, KeyMax: 128, KeyReserved: "aws:",
		Elem: &Member{Kind: String, Max: 256, Presence: true}}, // a tag without a value is a tag
	{Name: "AdminCreateUserConfig", Kind: Object, Doc: "How users are created.", Members: []Member{
		{Name: "AllowAdminCreateUserOnly", Kind: Boolean, Doc: "true closes self-registration."},
		{Name: "UnusedAccountValidityDays", Kind: Integer, Min: 1, Max: 365,
			Doc: "Days for which a new account may stay unused.", Keep: "the service reads 0 as not given",
			Deprecated: "replaced by Policies.PasswordPolicy.TemporaryPasswordValidityDays",
			Twin:       "Policies.PasswordPolicy.TemporaryPasswordValidityDays", Superseded: true},
		{Name: "InviteMessageTemplate", Kind: Object, Doc: "Texts of the invitation.", Members: []Member{
			{Name: "SMSMessage", Kind: String, Min: 6, Max: 140, Sensitive: true, Doc: "Text message of the invitation."},
			{Name: "EmailMessage", Kind: String, Min: 6, Max: 20000, Pattern: textPattern, Sensitive: true,
				Doc: "E-mail of the invitation."},
			{Name: "EmailSubject", Kind: String, Min: 1, Max: 140, Pattern: subjectPattern, Sensitive: true,
				Doc: "Subject of the invitation."},
		}},
	}},
	{Name: "UserPoolAddOns", Kind: Object, NotEmpty: true, Doc: "Threat protection.",
		Clear: `{"AdvancedSecurityMode":"OFF"}`, Members: []Member{
			{Name: "AdvancedSecurityMode", Kind: String,
				Doc:  "Threat protection for standard sign-in; AUDIT and ENFORCED need UserPoolTier PLUS.",
				Enum: []string{"OFF", "AUDIT", "ENFORCED"}, Default: "OFF", Clear: `"OFF"`, Required: true},
			{Name: "AdvancedSecurityAdditionalFlows", Kind: Object, NotEmpty: true, Doc: "Threat protection for other sign-in.",
				Members: []Member{
					{Name: "CustomAuthMode", Kind: String, Doc: "Threat protection for custom sign-in.",
						Enum: []string{"AUDIT", "ENFORCED"}},
				}},
		}},
	{Name: "DcrConfiguration", Kind: Object, KeptOmitted: true, NotEmpty: true, Newer: true,
		Doc: "Dynamic client registration.", Keep: "left out means unchanged; require EnableStatus: Disabled",
		Members: []Member{
			// Required, for a configuration without it turns registration on.
			{Name: "EnableStatus", Kind: String, Doc: "Whether clients may register.", Enum: []string{"Enabled", "Disabled"},
				Newer: true, Required: true, Keep: "a configuration without it turns registration on; require Disabled"},
			{Name: "OpenDcrEnabled", Kind: Boolean, Doc: "Clients may register without an access token.", Newer: true},
			{Name: "AuthenticatedGrantTypes", Kind: List, Set: true, Presence: true, Elem: grantType, Max: 3, Newer: true,
				Doc: "Grant types for clients registered with a token; empty refuses all, absent allows code and " +
					"client_credentials.", DefaultList: []string{"code", "client_credentials"}},
			{Name: "OpenDcrGrantTypes", Kind: List, Set: true, Presence: true, Elem: grantType, Max: 3, Newer: true,
				Doc:         "Grant types for clients registered without a token; empty refuses all, absent allows code.",
				DefaultList: []string{"code"}},
			{Name: "AllowedScopes", Kind: List, Set: true, Presence: true, Max: 50, Newer: true,
				Doc:  "Scopes that registered clients may ask for.",
				Elem: &Member{Kind: String, Min: 1, Max: 256, Pattern: tokenPattern}},
		}},
	{Name: "AccountRecoverySetting", Kind: Object, NotEmpty: true, Doc: "How users recover an account.", Members: []Member{
		{Name: "RecoveryMechanisms", Kind: List, Set: true, Min: 1, Max: 2, Required: true,
			Doc: "Ways to recover an account; admin_only stands alone.",
			Elem: &Member{Kind: Object, Members: []Member{
				{Name: "Name", Kind: String, Enum: []string{"verified_email", "verified_phone_number", "admin_only"},
					Required: true, Doc: "The way."},
				{Name: "Priority", Kind: Integer, Min: 1, Max: 2, Required: true, Doc: "1 is tried first."},
			}}},
	}},
	{Name: "UserPoolTier", Kind: String, Doc: "Feature plan of the pool; a higher one costs more.",
		Enum: []string{"LITE", "ESSENTIALS", "PLUS"}, Default: "ESSENTIALS", Keep: "every pool has a plan"},
	{Name: "KeyConfiguration", Kind: Object, NotEmpty: true, Doc: "KMS key that encrypts the pool.",
		Clear: `{"KeyType":"AWS_OWNED_KEY"}`, Members: []Member{
			{Name: "KeyType", Kind: String, Doc: "Who owns the key.", Enum: []string{"AWS_OWNED_KEY", "CUSTOMER_MANAGED_KEY"},
				Default: "AWS_OWNED_KEY", Required: true},
			arn("KmsKeyArn", formatKey, "ARN of the key; needed by CUSTOMER_MANAGED_KEY, refused with AWS_OWNED_KEY."),
		}},
	{Name: "IssuerConfiguration", Kind: Object, Doc: "Form of the issuer in tokens.", Clear: `{"Type":"ORIGINAL"}`,
		Members: []Member{
			{Name: "Type", Kind: String, Doc: "UPDATED changes the iss claim of every token.",
				Enum: []string{"ORIGINAL", "UPDATED"}, Default: "ORIGINAL"},
		}},
	{Name: "AcrConfiguration", Kind: Map, Newer: true, Doc: "Names that tokens give to authentication levels.",
		Keep: "every level has a name; require the default ones, urn:cognito:loa:1 to 4", Max: 4, KeyPat: `Level[1-4]`,
		Elem: &Member{Kind: Object, Newer: true, Keep: "every level has a name", Members: []Member{
			{Name: "AcrValue", Kind: String, Min: 1, Max: 64, Pattern: tokenPattern, Newer: true, Required: true,
				Doc: "Name in the acr claim."},
		}}},
	{Name: "Id", Trip: ReadOnly},
	{Name: "Arn", Trip: ReadOnly},
	{Name: "AliasAttributes", Trip: ReadOnly},
	{Name: "UsernameAttributes", Trip: ReadOnly},
	{Name: "UsernameConfiguration", Trip: ReadOnly},
	{Name: "SchemaAttributes", Trip: ReadOnly},
	{Name: "CreationDate", Trip: ReadOnly},
	{Name: "LastModifiedDate", Trip: ReadOnly},
	{Name: "CustomDomain", Trip: ReadOnly},
	{Name: "Domain", Trip: ReadOnly},
	{Name: "EstimatedNumberOfUsers", Trip: ReadOnly},
	{Name: "EmailConfigurationFailure", Trip: ReadOnly},
	{Name: "SmsConfigurationFailure", Trip: ReadOnly},
	{Name: "Status", Trip: ReadOnly},
}

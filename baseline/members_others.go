package baseline

// riskMembers is the response of DescribeRiskConfiguration and the input of SetRiskConfiguration, which replaces the
// whole configuration. The pool has one, and each client may have its own.
var riskMembers = []Member{
	readOnly("UserPoolId"), readOnly("ClientId"), readOnly("LastModifiedDate"),
	{Name: "CompromisedCredentialsRiskConfiguration", Kind: Object, Snapshot: Exactly, NotEmpty: true,
		Doc: "Response to passwords that are known to be compromised.", Members: []Member{
			{Name: "EventFilter", Kind: List, Spelled: true,
				Doc:         "Events at which passwords are checked; every event by default.",
				DefaultList: []string{"SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"},
				Elem:        &Member{Kind: String, Enum: []string{"SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"}}},
			{Name: "Actions", Kind: Object, NotEmpty: true, Required: true, Doc: "The action.", Members: []Member{
				{Name: "EventAction", Kind: String, Required: true, Enum: []string{"BLOCK", "NO_ACTION"},
					Doc: "BLOCK refuses the sign-in or the password."},
			}},
		}},
	{Name: "AccountTakeoverRiskConfiguration", Kind: Object, NotEmpty: true,
		Doc: "Response to sign-ins that look like an account takeover.", Members: []Member{
			{Name: "NotifyConfiguration", Kind: Object, NotEmpty: true, Doc: "E-mail that notifies users of such a sign-in.",
				Members: []Member{
					{Name: "From", Kind: String, Format: formatSender, Max: 131072, Doc: "Sender."},
					{Name: "ReplyTo", Kind: String, Format: formatSender, Max: 131072, Doc: "Reply-to address."},
					{Name: "SourceArn", Kind: String, Format: formatIdentity, Doc: "ARN of the SES identity of the sender.",
						Min: 20, Max: 2048, Pattern: arnPattern, Required: true},
					notifyEmail("BlockEmail", "E-mail after a blocked sign-in."),
					notifyEmail("NoActionEmail", "E-mail after an allowed sign-in."),
					notifyEmail("MfaEmail", "E-mail after a sign-in that required a second factor."),
				}},
			{Name: "Actions", Kind: Object, Snapshot: Exactly, NotEmpty: true, Required: true,
				Doc: "Response at each risk level.", Members: []Member{
					takeoverAction("LowAction", "Response at low risk."), takeoverAction("MediumAction", "Response at medium risk."),
					takeoverAction("HighAction", "Response at high risk."),
				}},
		}},
	{Name: "RiskExceptionConfiguration", Kind: Object, NotEmpty: true,
		Doc: "IP addresses that are always allowed or always blocked.", Members: []Member{
			{Name: "BlockedIPRangeList", Kind: List, Snapshot: Contains, Max: 200, Doc: "CIDR ranges that are always blocked.",
				Elem: &Member{Kind: String, Max: 131072, Format: formatCIDR}},
			{Name: "SkippedIPRangeList", Kind: List, Snapshot: Equal, Max: 200,
				Doc:  "CIDR ranges that are always allowed, without a risk assessment.",
				Elem: &Member{Kind: String, Max: 131072, Format: formatCIDR}},
		}},
}

func notifyEmail(name, doc string) Member {
	return Member{Name: name, Kind: Object, NotEmpty: true, Doc: doc, Members: []Member{
		{Name: "Subject", Kind: String, Required: true, Min: 1, Max: 140, Pattern: subjectPattern, Sensitive: true,
			Doc: "Subject."},
		{Name: "HtmlBody", Kind: String, Min: 6, Max: 20000, Pattern: bodyPattern, Sensitive: true, Doc: "Text in HTML."},
		{Name: "TextBody", Kind: String, Min: 6, Max: 20000, Pattern: bodyPattern, Sensitive: true, Doc: "Plain text."},
	}}
}

func takeoverAction(name, doc string) Member {
	return Member{Name: name, Kind: Object, NotEmpty: true, Doc: doc, Members: []Member{
		{Name: "Notify", Kind: Boolean, Required: true, Doc: "Whether the user is notified by e-mail."},
		{Name: "EventAction", Kind: String, Required: true, Enum: []string{"BLOCK", "MFA_IF_CONFIGURED", "MFA_REQUIRED",
			"NO_ACTION"}, Doc: "The action."},
	}}
}

// logMembers is the response of GetLogDeliveryConfiguration and the input of SetLogDeliveryConfiguration, which
// replaces the whole configuration.
var logMembers = []Member{
	{Name: "UserPoolId", Kind: String, Trip: ReadOnly},
	// In the API this is a list with at most one entry per event source. Here each entry is a member with the name of
	// its event source.
	{Name: "LogConfigurations", Kind: Object, ByKey: "EventSource", Doc: "Where the pool's logs go, by event source.",
		Members: []Member{
			{Name: "userNotification", Kind: Object, Snapshot: Exactly, NotEmpty: true,
				Doc:     "Failed e-mails and text messages; to CloudWatch Logs only.",
				Members: []Member{logLevel("ERROR"), logGroup, bucket, stream}},
			{Name: "userAuthEvents", Kind: Object, Snapshot: Exactly, NotEmpty: true,
				Doc:     "Sign-in events with their risk; needs UserPoolTier PLUS.",
				Members: []Member{logLevel("INFO"), logGroup, bucket, stream}},
		}},
}

func logLevel(level string) Member {
	return Member{Name: "LogLevel", Kind: String, Required: true, Enum: []string{level}, Doc: "Level."}
}

var (
	logGroup = Member{Name: "CloudWatchLogsConfiguration", Kind: Object, NotEmpty: true, Doc: "Log group.",
		Members: []Member{arn("LogGroupArn", formatLogGroup, "Log group.")}}
	bucket = Member{Name: "S3Configuration", Kind: Object, NotEmpty: true, Doc: "S3 bucket.",
		Members: []Member{{Name: "BucketArn", Kind: String, Format: formatBucket, Doc: "S3 bucket.", Min: 3, Max: 1024,
			Pattern: `arn:[\w+=/,.@-]+:[\w+=/,.@-]+:::[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?`}}}
	stream = Member{Name: "FirehoseConfiguration", Kind: Object, NotEmpty: true, Doc: "Firehose stream.",
		Members: []Member{arn("StreamArn", formatStream, "Firehose stream.")}}
)

// mfaConfigMembers is the response of GetUserPoolMfaConfig and the input of SetUserPoolMfaConfig, which replaces the
// whole configuration.
var mfaConfigMembers = []Member{
	{Name: "MfaConfiguration", Kind: String, Snapshot: OneOf, Enum: []string{"OFF", "ON", "OPTIONAL"}, Default: "OFF",
		Clear: `"OFF"`, Doc: "Whether users need a second factor."},
	{Name: "SmsMfaConfiguration", Kind: Object, ActiveWith: "MfaConfiguration", GoneWith: "MfaConfiguration",
		NotEmpty: true, Doc: "MFA by text message.", Members: []Member{
			smsText("SmsAuthenticationMessage", "SmsAuthenticationMessage", "", mfaTextDoc),
			smsConfiguration("SmsConfiguration"),
		}},
	{Name: "SoftwareTokenMfaConfiguration", Kind: Object, GoneWith: "MfaConfiguration", Doc: "MFA by authenticator app.",
		Members: []Member{
			{Name: "Enabled", Kind: Boolean, Snapshot: Equal, Doc: "Whether users may register an authenticator app."},
		}},
	{Name: "EmailMfaConfiguration", Kind: Object, GoneWith: "MfaConfiguration", Presence: true,
		Doc: "MFA by e-mail: on if present, even if empty.", Members: []Member{
			mailText("Message", codePattern, "", "", "E-mail that carries the MFA code, {####}."),
			{Name: "Subject", Kind: String, Min: 1, Pattern: subjectPattern, Sensitive: true, Doc: "Subject of that e-mail."},
		}},
	{Name: "WebAuthnConfiguration", Kind: Object, Doc: "Passkeys.", Members: []Member{
		{Name: "RelyingPartyId", Kind: String, Min: 1, Max: 127, Format: formatDomain,
			Doc: "Domain that passkeys are created for."},
		{Name: "UserVerification", Kind: String, Enum: []string{"required", "preferred"},
			Doc: "Whether a passkey must verify its user."},
		{Name: "FactorConfiguration", Kind: String, Enum: []string{"SINGLE_FACTOR", "MULTI_FACTOR_WITH_USER_VERIFICATION"},
			Doc: "Whether a passkey counts as one factor or as more; MFA ON needs the latter."},
	}},
}

package baseline

// riskMembers is the response of DescribeRiskConfiguration and the input of SetRiskConfiguration, which replaces the
// whole configuration. The pool has one, and each client may have its own.
var riskMembers = []Member{
	{Name: "UserPoolId", Kind: String, Trip: ReadOnly},
	{Name: "ClientId", Kind: String, Trip: ReadOnly},
	{Name: "LastModifiedDate", Kind: String, Trip: ReadOnly},
	{Name: "CompromisedCredentialsRiskConfiguration", Kind: Object, Snapshot: Exactly, NotEmpty: true,
		Doc: "Response to passwords that are known to be compromised.", Members: []Member{
			{Name: "EventFilter", Kind: List, Set: true, Spelled: true,
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
					{Name: "From", Kind: String, Max: 131072, Doc: "Sender."},
					{Name: "ReplyTo", Kind: String, Max: 131072, Doc: "Reply-to address."},
					requiredARN("SourceArn", formatIdentity, "ARN of the SES identity of the sender."),
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
			{Name: "BlockedIPRangeList", Kind: List, Snapshot: Contains,
				Set: true, Max: 200, Doc: "CIDR ranges that are always blocked.",
				Elem: &Member{Kind: String, Max: 131072, Format: formatCIDR}},
			{Name: "SkippedIPRangeList", Kind: List, Snapshot: Equal, Set: true, Max: 200,
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

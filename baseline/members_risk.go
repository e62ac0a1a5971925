package baseline

// riskMembers is DescribeRiskConfiguration's answer and SetRiskConfiguration's input, which replaces all of it. It is
// one object for the pool, and one for each client that has its own.
var riskMembers = []Member{
	{Name: "UserPoolId", Kind: String, Trip: ReadOnly},
	{Name: "ClientId", Kind: String, Trip: ReadOnly},
	{Name: "LastModifiedDate", Kind: String, Trip: ReadOnly},
	{Name: "CompromisedCredentialsRiskConfiguration", Kind: Object, NotEmpty: true,
		Doc: "What is done about passwords that are known to be compromised.", Members: []Member{
			{Name: "EventFilter", Kind: List, Set: true, Spelled: true,
				Doc:         "Events at which passwords are checked; every event where there is none.",
				DefaultList: []string{"SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"},
				Elem:        &Member{Kind: String, Enum: []string{"SIGN_IN", "PASSWORD_CHANGE", "SIGN_UP"}}},
			{Name: "Actions", Kind: Object, NotEmpty: true, Required: true, Doc: "What is done.", Members: []Member{
				{Name: "EventAction", Kind: String, Required: true, Enum: []string{"BLOCK", "NO_ACTION"},
					Doc: "BLOCK refuses the sign-in or the password."},
			}},
		}},
	{Name: "AccountTakeoverRiskConfiguration", Kind: Object, NotEmpty: true,
		Doc: "What is done about sign-ins that look like a stranger's.", Members: []Member{
			{Name: "NotifyConfiguration", Kind: Object, NotEmpty: true, Doc: "E-mail that tells users of such a sign-in.",
				Members: []Member{
					{Name: "From", Kind: String, Max: 131072, Doc: "Sender."},
					{Name: "ReplyTo", Kind: String, Max: 131072, Doc: "Address for answers."},
					requiredARN("SourceArn", formatIdentity, "ARN of the SES identity that sends."),
					notifyEmail("BlockEmail", "When a sign-in was blocked."),
					notifyEmail("NoActionEmail", "When a sign-in was let through."),
					notifyEmail("MfaEmail", "When a second factor was asked for."),
				}},
			{Name: "Actions", Kind: Object, NotEmpty: true, Required: true, Doc: "What is done at each level of risk.",
				Members: []Member{
					takeoverAction("LowAction", "At low risk."), takeoverAction("MediumAction", "At medium risk."),
					takeoverAction("HighAction", "At high risk."),
				}},
		}},
	{Name: "RiskExceptionConfiguration", Kind: Object, NotEmpty: true,
		Doc: "Addresses that are let through or blocked without regard to risk.", Members: []Member{
			{Name: "BlockedIPRangeList", Kind: List, Set: true, Max: 200, Doc: "CIDR ranges that are always blocked.",
				Elem: &Member{Kind: String, Max: 131072, Format: formatCIDR}},
			{Name: "SkippedIPRangeList", Kind: List, Set: true, Max: 200,
				Doc:  "CIDR ranges of which the risk is never assessed.",
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
			"NO_ACTION"}, Doc: "What is done."},
	}}
}

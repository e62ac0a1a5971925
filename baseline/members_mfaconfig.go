package baseline

// mfaConfigMembers is the response of GetUserPoolMfaConfig and the input of SetUserPoolMfaConfig, which replaces the
// whole configuration.
var mfaConfigMembers = []Member{
	{Name: "MfaConfiguration", Kind: String, Snapshot: OneOf,
		Enum: []string{"OFF", "ON", "OPTIONAL"}, Default: "OFF", Clear: `"OFF"`,
		Doc: "Whether users need a second factor."},
	{Name: "SmsMfaConfiguration", Kind: Object, ActiveWith: "MfaConfiguration", GoneWith: "MfaConfiguration",
		NotEmpty: true, Doc: "MFA by text message.", Members: []Member{
			smsAuthenticationMessage("SmsAuthenticationMessage"),
			smsConfiguration("SmsConfiguration"),
		}},
	{Name: "SoftwareTokenMfaConfiguration", Kind: Object, GoneWith: "MfaConfiguration", Doc: "MFA by authenticator app.",
		Members: []Member{
			{Name: "Enabled", Kind: Boolean, Snapshot: Equal, Doc: "Whether users may register an authenticator app."},
		}},
	{Name: "EmailMfaConfiguration", Kind: Object, GoneWith: "MfaConfiguration", Presence: true,
		Doc: "MFA by e-mail: on if present, even if empty.", Members: []Member{
			{Name: "Message", Kind: String, Min: 6, Max: 20000, Pattern: codePattern, Sensitive: true,
				Doc: "E-mail that carries the MFA code, {####}."},
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

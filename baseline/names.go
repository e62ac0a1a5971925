package baseline

import (
	"cmp"
	"slices"
	"strings"
)

// otherNames has the names of CloudFormation, Terraform, the AWS CLI, the CDK and Amplify for settings. Names that
// differ only in case, _ and - need no entry.
var otherNames = []struct{ path, names string }{
	{"PoolName", "userpoolname name"}, {"UserPoolTags", "tags"}, {"UserPoolTier", "featureplan tier"},
	{"MfaConfiguration", "enabledmfas mfasecondfactor mfa multifactor multifactorauthentication mfatypes"},
	{"EmailMfaConfiguration.Message", "emailauthenticationmessage"},
	{"EmailMfaConfiguration.Subject", "emailauthenticationsubject"},
	{"SmsAuthenticationMessage", "mfamessage"}, {"SoftwareTokenMfaConfiguration", "softwaretokenmfa otp totp"},
	{"AccountRecoverySetting", "accountrecovery"}, {"AccountRecoverySetting.RecoveryMechanisms", "recoverymechanism"},
	{"AdminCreateUserConfig.AllowAdminCreateUserOnly", "selfsignupenabled"},
	{"AdminCreateUserConfig.InviteMessageTemplate", "userinvitation"},
	{"Policies.PasswordPolicy.MinimumLength", "minlength passwordminlength passwordpolicyminlength"},
	{"Policies.PasswordPolicy.RequireNumbers", "requiredigits"},
	{"Policies.PasswordPolicy.TemporaryPasswordValidityDays", "temppasswordvalidity"},
	{"UserPoolAddOns.AdvancedSecurityMode", "standardthreatprotectionmode"},
	{"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", "customthreatprotectionmode"},
	{"LambdaConfig", "lambdatriggers"}, {"LambdaConfig.KMSKeyID", "customsenderkmskey"},
	{"SmsConfiguration.SnsCallerArn", "smsrole"}, {"SmsConfiguration.ExternalId", "smsroleexternalid"},
	{"SmsConfiguration.SnsRegion", "smsregion"}, {"KeyConfiguration.KmsKeyArn", "kmskey"},
	{"UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate",
		"keepemailoriginal keeporiginal keepphoneoriginal"},
	{"AutoVerifiedAttributes", "autoverify"}, {"DeviceConfiguration", "devicetracking"},
	{"EmailConfiguration", "email"}, {"EmailConfiguration.From", "fromemail fromemailaddress"},
	{"EmailConfiguration.ReplyToEmailAddress", "replyto"}, {"EmailConfiguration.SourceArn", "sesverifieddomain"},
	{"VerificationMessageTemplate", "userverification"}, {"VerificationMessageTemplate.DefaultEmailOption", "emailstyle"},
	{"LogConfigurations", "logdeliveryconfiguration"},

	{"ClientName", "name userpoolclientname"}, {"ExplicitAuthFlows", "authflows"}, {"AllowedOAuthFlows", "oauth flows"},
	{"AllowedOAuthFlowsUserPoolClient", "disableoauth"}, {"AllowedOAuthScopes", "scopes"},
	{"CallbackURLs", "redirecturls redirecturis"}, {"SupportedIdentityProviders", "identityproviders"},
	{"RefreshTokenRotation.RetryGracePeriodSeconds", "refreshtokenrotationgraceperiod"},
	{"AnalyticsConfiguration", "analytics"},
}

// folded returns a name without the differences between tools: in lower case, without _ and -.
func folded(name string) string { return separators.Replace(strings.ToLower(name)) }

var separators = strings.NewReplacer("_", "", "-", "")

// A hint is the end of a message. It is only computed if the message is shown.
type hint func() string

func (h hint) String() string { return h() }

// suggestion returns ", did you mean X?" for a name that the member does not have, or "". X is the API name for another
// tool's name, or the nearest name. A setting from another object is suggested with its whole path.
func suggestion(name string, m Member) hint {
	return func() string {
		if strings.Contains(name, ".") {
			return ": write a mapping instead of each dot, like Policies: {PasswordPolicy: {MinimumLength: 12}}"
		}
		return cmp.Or(meant(sameFolded(name, m.Members)), elsewhere(name, m), meant(Nearest(name, names(m.Members))))
	}
}

// nearSetting suggests a setting for a path that is none.
func nearSetting(path string) string {
	return meant(cmp.Or(sameFolded(lastKey(path), root.Members), Nearest(path, slices.Sorted(slices.Values(Paths())))))
}

func lastKey(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func meant(name string) string {
	if name == "" {
		return ""
	}
	return ", did you mean " + name + "?"
}

func names(members []Member) []string {
	return collect(members, func(m Member) string { return m.Name })
}

// Paths returns the paths of all settings, in the order of the table. Clients[] comes before the settings of clients.
func Paths() []string { return paths(root.Members) }

// paths returns the paths of the members and of everything below them, in the order of the table.
func paths(members []Member) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.Name)
		for _, below := range paths(m.Members) {
			all = append(all, m.Name+"."+below)
		}
	}
	return all
}

// sameFolded returns the shortest path below the members that has this name in another tool, or "".
func sameFolded(name string, members []Member) string {
	fold := folded(name)
	var others []string
	for _, row := range otherNames {
		if slices.Contains(strings.Fields(row.names), fold) {
			others = append(others, "."+row.path)
		}
	}
	known := slices.DeleteFunc(paths(members), func(path string) bool {
		last := folded(lastKey(path))
		other := slices.ContainsFunc(others, func(whole string) bool { return strings.HasSuffix(whole, "."+path) })
		return fold != last && fold != "webauthn"+last && fold != "passkey"+last && !other
	})
	if len(known) == 0 {
		return ""
	}
	return slices.MinFunc(known, func(a, b string) int { return strings.Count(a, ".") - strings.Count(b, ".") })
}

// elsewhere suggests where a name belongs that is in the wrong object.
func elsewhere(name string, m Member) string {
	members, where := settings, ", directly under require?"
	switch m.Name {
	case Clients:
		where = ", which is a setting of the pool?"
	case "":
		members, where = clientSettings, ", which belongs under clients?"
	}
	if path := sameFolded(name, members); path != "" {
		return ", did you mean " + path + where
	}
	return ""
}

// didYouMean returns ", did you mean X?" with the nearest known name, or "" if none is near.
func didYouMean(name string, known []string) hint {
	return func() string { return meant(Nearest(name, known)) }
}

// Nearest returns the known name that is nearest to name, or "" if none is near enough.
func Nearest(name string, known []string) string {
	best, distance := "", min(1+len(name)/3, len(name)/2)
	for _, k := range known {
		if strings.HasSuffix(strings.ToLower(k), "."+strings.ToLower(name)) {
			return k
		}
		if d := edits(strings.ToLower(name), strings.ToLower(k)); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	return best
}

// edits returns the edit distance of two texts. A text that is too long for a name has nothing in common with another.
func edits(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1) // the distances between a beginning of a and each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, diagonal+1, replaced)
		}
	}
	return row[len(b)]
}

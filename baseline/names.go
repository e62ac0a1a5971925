package baseline

import (
	"slices"
	"strings"
)

// otherNames maps the names of CloudFormation, Terraform, the AWS CLI and the CDK to those of the API. Names that
// differ only in case, _ and - need no entry.
var otherNames = map[string]string{
	"userpoolname":                 "PoolName",
	"name":                         "PoolName ClientName",
	"tags":                         "UserPoolTags",
	"enabledmfas":                  "MfaConfiguration",
	"mfasecondfactor":              "MfaConfiguration",
	"webauthnrelyingpartyid":       "WebAuthnConfiguration.RelyingPartyId",
	"passkeyrelyingpartyid":        "WebAuthnConfiguration.RelyingPartyId",
	"webauthnuserverification":     "WebAuthnConfiguration.UserVerification",
	"passkeyuserverification":      "WebAuthnConfiguration.UserVerification",
	"webauthnfactorconfiguration":  "WebAuthnConfiguration.FactorConfiguration",
	"emailauthenticationmessage":   "EmailMfaConfiguration.Message",
	"emailauthenticationsubject":   "EmailMfaConfiguration.Subject",
	"recoverymechanism":            "AccountRecoverySetting.RecoveryMechanisms",
	"accountrecovery":              "AccountRecoverySetting",
	"selfsignupenabled":            "AdminCreateUserConfig.AllowAdminCreateUserOnly",
	"minlength":                    "Policies.PasswordPolicy.MinimumLength",
	"featureplan":                  "UserPoolTier",
	"requiredigits":                "Policies.PasswordPolicy.RequireNumbers",
	"standardthreatprotectionmode": "UserPoolAddOns.AdvancedSecurityMode",
	"customthreatprotectionmode":   "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode",
	"lambdatriggers":               "LambdaConfig",
	"customsenderkmskey":           "LambdaConfig.KMSKeyID",
	"smsrole":                      "SmsConfiguration.SnsCallerArn",
	"keepemailoriginal":            "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate",
	"autoverify":                   "AutoVerifiedAttributes",
	"devicetracking":               "DeviceConfiguration",
	"userpoolclientname":           "ClientName",
}

// folded returns a name without the differences between tools: in lower case, without _ and -.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// suggestion returns ", did you mean X?" for a name that the member does not have, or "". X is the API name for another
// tool's name, or the nearest name. A setting from another object is suggested with its whole path.
func (p *parser) suggestion(name string, m Member) string {
	if p.full() {
		return ""
	}
	if near := sameFolded(name, m); near != "" {
		return ", did you mean " + near + "?"
	}
	if there := elsewhere(name, m); there != "" {
		return there
	}
	return didYouMean(name, names(m.Members))
}

func (p *parser) didYouMean(name string, known []string) string {
	if p.full() {
		return ""
	}
	return didYouMean(name, known)
}

// sameFolded returns the shortest path below the member that has this name in another tool, or "".
func sameFolded(name string, m Member) string {
	fold := folded(name)
	others := strings.Fields(otherNames[fold])
	best := ""
	for _, path := range paths(m.Members) {
		last := path[strings.LastIndexByte(path, '.')+1:]
		if (folded(last) == fold || slices.Contains(others, path)) &&
			(best == "" || strings.Count(path, ".") < strings.Count(best, ".")) {
			best = path
		}
	}
	return best
}

// elsewhere suggests where a name belongs that is in the wrong object: in another object, under clients or under the
// pool.
func elsewhere(name string, m Member) string {
	ofPool := sameFolded(name, Member{Kind: Object, Members: settings})
	ofClient := sameFolded(name, Member{Kind: Object, Members: clientSettings})
	switch {
	case m.Name == Clients && ofPool != "":
		return ", did you mean " + ofPool + ", which is a setting of the pool?"
	case m.Name == "" && ofClient != "":
		return ", did you mean " + ofClient + ", which belongs under clients?"
	case m.Name != "" && m.Name != Clients && ofPool != "":
		return ", did you mean " + ofPool + ", from the top of require?"
	}
	return ""
}

// createOnly are members of CreateUserPool and CreateUserPoolClient that no later call can change and that no read call
// returns under this name.
var createOnly = []string{"schema", "generatesecret"}

package baseline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// contradictions finds requirements that the API cannot satisfy together: within each rule, and in the merged rules
// that select every pool. Rules that only some pools combine are checked at run time.
func (p *parser) contradictions(b *Baseline) {
	var common []Rule
	for _, rule := range b.Rules {
		w := wantedOf(rule.Require)
		p.contradictory(w)
		p.twins(w)
		for _, c := range rule.Clients {
			p.contradictory(wantedOf(c.Require))
		}
		if rule.Pools == nil {
			rule.Clients = slices.DeleteFunc(slices.Clone(rule.Clients), func(c ClientRule) bool { return !c.Select.empty() })
			common = append(common, rule)
		}
	}
	if len(common) < 2 && (len(common) == 0 || len(common[0].Clients) < 2) {
		return // a single rule was already checked
	}
	// AnyClient represents the clients that every client rule selects.
	var merged []Requirement
	for _, owned := range (&Baseline{Rules: common}).Policy(Identity{Clients: []ClientIdentity{{}}}, noTime).Requirements {
		merged = append(merged, owned.Requirement)
	}
	p.contradictory(wantedOf(merged))
}

func (p *parser) contradictory(w wanted) {
	for _, c := range contradictions {
		if c.broken(w) {
			p.add(Error{Position: w.position(c.path), Path: c.path, Message: c.message})
		}
	}
	p.lifetimes(w)
}

// lifetimes finds numbers that are out of range in every unit that they may have.
func (p *parser) lifetimes(w wanted) {
	for path, r := range w.said {
		m, _ := Lookup(path)
		if m.Lifetime == nil {
			continue
		}
		units := unitsOf(w, *m.Lifetime)
		for _, v := range r.values() {
			if !slices.ContainsFunc(units, func(unit string) bool { return m.Lifetime.takes(v, unit) }) {
				p.add(Error{Position: w.position(path), Path: path,
					Message: fmt.Sprintf("is %s %s: %s", canonical(v), strings.Join(units, " or "), m.Lifetime.Words)})
			}
		}
	}
}

func unitsOf(w wanted, l Lifetime) []string {
	path := Clients + "." + l.Unit
	unit, _ := Lookup(path)
	r, said := w.said[path]
	switch {
	case said && r.Op == Absent, w.off[Clients+".TokenValidityUnits"]:
		return []string{unit.Default}
	case said && (r.Op == Equal || r.Op == OneOf):
		var units []string
		for _, v := range r.values() {
			if text, ok := v.(string); ok {
				units = append(units, text)
			}
		}
		return units
	}
	return unit.Enum
}

func (l Lifetime) takes(v any, unit string) bool {
	n, ok := v.(json.Number)
	count, err := n.Int64()
	seconds := map[string]int64{"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}[unit]
	if !ok || err != nil || seconds == 0 {
		return true
	}
	return count >= (int64(l.Least.Seconds())+seconds-1)/seconds && count <= int64(l.Most.Seconds())/seconds
}

func (r Requirement) values() []any {
	var all []any
	switch r.Op {
	case Equal, AtLeast, AtMost:
		all = append(all, r.Value)
	case OneOf:
		all = append(all, list(r.Value)...)
	}
	if r.Set != nil {
		all = append(all, r.Set)
	}
	return all
}

// twins finds twins that one rule requires with different values. Between two rules, the later one wins.
func (p *parser) twins(w wanted) {
	for path, here := range w.said {
		other, ok := TwinOf(path)
		there, both := w.said[other]
		if ok && both && path < other && !agree(here, there) {
			p.add(Error{Position: w.position(path), Path: path,
				Message: "is the same setting as " + other + ", which is required with another value"})
		}
	}
}

// agree reports whether two requirements on twins can both be met: the value that one writes must satisfy the other. A
// requirement that writes nothing is not checked.
func agree(a, b Requirement) bool {
	satisfies := func(a, b Requirement) (agree, writes bool) {
		m, _ := Lookup(a.Setting)
		action, v := remedy(m, a, nil)
		return holds(m, b, v), action != Report
	}
	first, firstWrites := satisfies(a, b)
	second, secondWrites := satisfies(b, a)
	return first || second || !firstWrites && !secondWrites
}

const (
	modePath      = "UserPoolAddOns.AdvancedSecurityMode"
	flowsOfAddOns = "UserPoolAddOns.AdvancedSecurityAdditionalFlows"
	tierPath      = "UserPoolTier"
	mfaPath       = "MfaConfiguration"
	totpPath      = "SoftwareTokenMfaConfiguration.Enabled"
	factorsPath   = "Policies.SignInPolicy.AllowedFirstAuthFactors"
	recoveryPath  = "AccountRecoverySetting.RecoveryMechanisms"
	verifyPath    = "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate"
	verifiedPath  = "AutoVerifiedAttributes"
	accountPath   = "EmailConfiguration.EmailSendingAccount"
	keyTypePath   = "KeyConfiguration.KeyType"
	keyPath       = "KeyConfiguration.KmsKeyArn"
	smsPath       = "SmsConfiguration"
	smsMFAPath    = "SmsMfaConfiguration"
	emailMFAPath  = "EmailMfaConfiguration"
	dcrStatusPath = "DcrConfiguration.EnableStatus"

	userEventsPath   = "LogConfigurations.userAuthEvents"
	notificationPath = "LogConfigurations.userNotification"
	flowsPath        = Clients + ".ExplicitAuthFlows"
	callbacksPath    = Clients + ".CallbackURLs"
	scopesPath       = Clients + ".AllowedOAuthScopes"
	redirectPath     = Clients + ".DefaultRedirectURI"
	grantsPath       = Clients + ".AllowedOAuthFlows"
	rotationPath     = Clients + ".RefreshTokenRotation.Feature"
)

// contradictions are the sets of values that the API rejects together, each with the path to report.
var contradictions = []struct {
	path    string
	broken  func(w wanted) bool
	message string
}{
	{modePath, func(w wanted) bool {
		return w.is(modePath, "AUDIT", "ENFORCED") && w.is(tierPath, "LITE", "ESSENTIALS")
	},
		"AUDIT and ENFORCED need UserPoolTier PLUS, but another tier is required"},
	{verifyPath, func(w wanted) bool {
		given := w.given(verifiedPath) || w.off[verifiedPath]
		return given && len(beyond(w.texts(verifyPath), w.texts(verifiedPath))) > 0
	}, "every attribute here must be in AutoVerifiedAttributes, which is required without it"},
	{recoveryPath, func(w wanted) bool {
		mechanisms := w.holds(recoveryPath)
		return len(mechanisms) > 1 && strings.Contains(canonical(mechanisms), `"admin_only"`)
	}, "admin_only cannot be combined with other ways"},
	{recoveryPath, func(w wanted) bool {
		return twice(w.holds(recoveryPath), "Priority") || twice(w.holds(recoveryPath), "Name")
	}, "two ways cannot have the same Priority or the same Name"},
	{factorsPath, func(w wanted) bool {
		r := w.said[factorsPath]
		password := slices.Contains(list(r.Value), any("PASSWORD"))
		return r.Op == Equal && !password || r.Op == Without && password
	}, "the API does not accept first factors without PASSWORD"},
	{mfaPath, func(w wanted) bool { return w.is(mfaPath, "OFF") && w.under(totpPath, smsMFAPath, emailMFAPath) },
		"OFF cannot be combined with a factor that is required to be on"},
	{mfaPath, func(w wanted) bool {
		totp := w.off[totpPath] || w.off["SoftwareTokenMfaConfiguration"]
		return w.is(mfaPath, "ON", "OPTIONAL") && totp && w.off[smsMFAPath] && w.off[emailMFAPath]
	}, "ON and OPTIONAL need a factor, but all three are required to be off"},
	{emailMFAPath, func(w wanted) bool { return w.under(emailMFAPath) && w.is(accountPath, "COGNITO_DEFAULT") },
		"e-mail MFA needs EmailSendingAccount DEVELOPER, but COGNITO_DEFAULT is required"},
	{keyPath, func(w wanted) bool { return w.is(keyTypePath, "AWS_OWNED_KEY") && w.under(keyPath) },
		"AWS_OWNED_KEY cannot have a KmsKeyArn"},
	{keyTypePath, func(w wanted) bool { return w.is(keyTypePath, "CUSTOMER_MANAGED_KEY") && w.lacks(keyPath) },
		"CUSTOMER_MANAGED_KEY needs a KmsKeyArn"},
	{smsPath, func(w wanted) bool { return w.under(smsPath+".SnsCallerArn") && w.under(smsPath+".EumsSms") },
		"text messages use either SNS (SnsCallerArn) or EumsSms, not both"},
	{"LambdaConfig", func(w wanted) bool {
		return w.under("LambdaConfig.CustomSMSSender", "LambdaConfig.CustomEmailSender") && w.lacks("LambdaConfig.KMSKeyID")
	}, "CustomSMSSender and CustomEmailSender need KMSKeyID"},
	{accountPath, func(w wanted) bool { return w.is(accountPath, "DEVELOPER") && w.lacks("EmailConfiguration.SourceArn") },
		"DEVELOPER needs a SourceArn"},
	{tierPath, func(w wanted) bool {
		return w.is(tierPath, "LITE") && (len(beyond(w.texts(factorsPath), []string{"PASSWORD"})) > 0 ||
			w.is(dcrStatusPath, "Enabled") || w.under("AcrConfiguration", emailMFAPath))
	}, "LITE supports no first factors besides PASSWORD, no e-mail MFA, no dynamic client registration and no custom " +
		"names in AcrConfiguration"},
	{"RiskConfiguration", func(w wanted) bool {
		off := w.is(modePath, "OFF") || w.off[modePath] || w.off["UserPoolAddOns"]
		return off && w.under("RiskConfiguration")
	}, "a risk configuration needs UserPoolAddOns.AdvancedSecurityMode AUDIT or ENFORCED, but it is required to be OFF"},
	{userEventsPath, func(w wanted) bool { return w.under(userEventsPath) && w.is(tierPath, "LITE", "ESSENTIALS") },
		"needs UserPoolTier PLUS, but another tier is required"},
	{notificationPath, func(w wanted) bool {
		return w.under(notificationPath+".S3Configuration", notificationPath+".FirehoseConfiguration")
	}, "supports only a CloudWatchLogsConfiguration"},
	{flowsPath, func(w wanted) bool {
		newer := func(flow string) bool { return strings.HasPrefix(flow, "ALLOW_") }
		flows := w.texts(flowsPath)
		older := slices.DeleteFunc(slices.Clone(flows), newer)
		return len(older) > 0 && len(older) < len(flows)
	}, "flows that begin with ALLOW_ cannot be combined with the older ones"},
	{redirectPath, func(w wanted) bool {
		to := w.text(redirectPath)
		return w.given(callbacksPath) && to != "" && !slices.Contains(w.texts(callbacksPath), to)
	}, "must be one of CallbackURLs, which are required without it"},
	{grantsPath, func(w wanted) bool {
		grants := w.texts(grantsPath)
		return slices.Contains(grants, "client_credentials") && len(grants) > 1
	}, "client_credentials cannot be combined with code or implicit"},
	{scopesPath, func(w wanted) bool {
		return slices.Contains(w.texts(grantsPath), "client_credentials") && slices.Contains(w.texts(scopesPath), "openid")
	}, "openid cannot be combined with AllowedOAuthFlows client_credentials"},
	{callbacksPath, func(w wanted) bool {
		none := w.off[callbacksPath] || w.given(callbacksPath) && len(w.texts(callbacksPath)) == 0
		return none && len(beyond(w.texts(grantsPath), []string{"client_credentials"})) > 0
	}, "cannot be empty: AllowedOAuthFlows code and implicit need a URL"},
	{flowsPath, func(w wanted) bool {
		return w.is(rotationPath, "ENABLED") && slices.Contains(w.texts(flowsPath), "ALLOW_REFRESH_TOKEN_AUTH")
	}, "ALLOW_REFRESH_TOKEN_AUTH cannot be combined with RefreshTokenRotation ENABLED"},
}

func twice(elements []any, member string) bool {
	seen := map[string]bool{}
	for _, e := range elements {
		object, ok := e.(map[string]any)
		text := canonical(object[member])
		if ok && seen[text] {
			return true
		}
		seen[text] = true
	}
	return false
}

func beyond(part, whole []string) []string {
	return slices.DeleteFunc(slices.Clone(part), func(s string) bool { return slices.Contains(whole, s) })
}

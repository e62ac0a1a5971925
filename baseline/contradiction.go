package baseline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
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
		if path := c.found(w); path != "" {
			p.add(Error{Position: w.position(path), Path: path, Message: c.message})
		}
	}
	p.lifetimes(w)
}

// lifetimes finds numbers that are out of range in every unit that they may have.
func (p *parser) lifetimes(w wanted) {
	for path, lifetime := range lifetimesOf() {
		r, said := w.said[path]
		if !said {
			continue
		}
		units := unitsOf(w, *lifetime)
		for _, v := range r.values() {
			if !slices.ContainsFunc(units, func(unit string) bool { return lifetime.takes(v, unit) }) {
				p.add(Error{Position: w.position(path), Path: path,
					Message: fmt.Sprintf("is %s %s: %s", canonical(v), strings.Join(units, " or "), lifetime.Words)})
			}
		}
	}
}

// lifetimesOf maps the path of each duration setting to its unit and limits.
var lifetimesOf = sync.OnceValue(func() map[string]*Lifetime {
	of := map[string]*Lifetime{}
	for _, m := range clientSettings {
		if m.Lifetime != nil {
			of[Clients+"."+m.Name] = m.Lifetime
		}
	}
	return of
})

// unitsOf returns the units that a number may have under the requirements.
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

// takes reports whether the API accepts the number in that unit.
func (l Lifetime) takes(v any, unit string) bool {
	n, ok := v.(json.Number)
	count, err := n.Int64()
	seconds := map[string]int64{"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}[unit]
	if !ok || err != nil || seconds == 0 {
		return true
	}
	return count >= (int64(l.Least.Seconds())+seconds-1)/seconds && count <= int64(l.Most.Seconds())/seconds
}

// values returns the plain values that a requirement names.
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
	redirectPath     = Clients + ".DefaultRedirectURI"
	grantsPath       = Clients + ".AllowedOAuthFlows"
	rotationPath     = Clients + ".RefreshTokenRotation.Feature"
)

// contradictions are the sets of values that the API rejects together. found returns the path to report, or "".
var contradictions = []struct {
	found   func(w wanted) string
	message string
}{
	{func(w wanted) string {
		return when(w.text(modePath) != "" && w.text(modePath) != "OFF" && w.text(tierPath) != "" &&
			w.text(tierPath) != "PLUS", modePath)
	}, "AUDIT and ENFORCED need UserPoolTier PLUS, but another tier is required"},
	{func(w wanted) string {
		given := w.given(verifiedPath) || w.off[verifiedPath]
		return when(given && len(beyond(w.texts(verifyPath), w.texts(verifiedPath))) > 0, verifyPath)
	}, "every attribute here must be in AutoVerifiedAttributes, which is required without it"},
	{func(w wanted) string {
		mechanisms := canonical(w.holds(recoveryPath))
		return when(len(w.holds(recoveryPath)) > 1 && strings.Contains(mechanisms, `"admin_only"`), recoveryPath)
	}, "admin_only cannot be combined with other ways"},
	{func(w wanted) string {
		return when(twice(w.holds(recoveryPath), "Priority") || twice(w.holds(recoveryPath), "Name"), recoveryPath)
	}, "two ways cannot have the same Priority or the same Name"},
	{func(w wanted) string {
		r := w.said[factorsPath]
		password := slices.Contains(list(r.Value), any("PASSWORD"))
		return when(r.Op == Equal && !password || r.Op == Without && password, factorsPath)
	}, "the API does not accept first factors without PASSWORD"},
	{func(w wanted) string {
		return when(w.text(mfaPath) == "OFF" && (w.under(totpPath) || w.under(smsMFAPath) || w.under(emailMFAPath)), mfaPath)
	}, "OFF cannot be combined with a factor that is required to be on"},
	{func(w wanted) string {
		on := w.text(mfaPath) == "ON" || w.text(mfaPath) == "OPTIONAL"
		totp := w.off[totpPath] || w.off["SoftwareTokenMfaConfiguration"]
		return when(on && totp && w.off[smsMFAPath] && w.off[emailMFAPath], mfaPath)
	}, "ON and OPTIONAL need a factor, but all three are required to be off"},
	{func(w wanted) string {
		return when(w.under(emailMFAPath) && w.text(accountPath) == "COGNITO_DEFAULT", emailMFAPath)
	}, "e-mail MFA needs EmailSendingAccount DEVELOPER, but COGNITO_DEFAULT is required"},
	{func(w wanted) string {
		return when(w.text(keyTypePath) == "AWS_OWNED_KEY" && w.under(keyPath), keyPath)
	}, "AWS_OWNED_KEY cannot have a KmsKeyArn"},
	{func(w wanted) string {
		return when(w.text(keyTypePath) == "CUSTOMER_MANAGED_KEY" && (w.exactly("KeyConfiguration") && !w.under(keyPath) ||
			w.off[keyPath]), keyTypePath)
	}, "CUSTOMER_MANAGED_KEY needs a KmsKeyArn"},
	{func(w wanted) string {
		return when(w.under(smsPath+".SnsCallerArn") && w.under(smsPath+".EumsSms"), smsPath)
	}, "text messages use either SNS (SnsCallerArn) or EumsSms, not both"},
	{func(w wanted) string {
		senders := w.under("LambdaConfig.CustomSMSSender") || w.under("LambdaConfig.CustomEmailSender")
		return when(senders && (w.exactly("LambdaConfig") && !w.under("LambdaConfig.KMSKeyID") ||
			w.off["LambdaConfig.KMSKeyID"]), "LambdaConfig")
	}, "CustomSMSSender and CustomEmailSender need KMSKeyID"},
	{func(w wanted) string {
		lacks := w.exactly("EmailConfiguration") && !w.under("EmailConfiguration.SourceArn") ||
			w.off["EmailConfiguration.SourceArn"]
		return when(w.text(accountPath) == "DEVELOPER" && lacks, accountPath)
	}, "DEVELOPER needs a SourceArn"},
	{func(w wanted) string {
		beyondPassword := len(beyond(w.texts(factorsPath), []string{"PASSWORD"})) > 0
		return when(w.text(tierPath) == "LITE" && (beyondPassword || w.text(dcrStatusPath) == "Enabled" ||
			w.under("AcrConfiguration") || w.under(emailMFAPath)), tierPath)
	}, "LITE supports no first factors besides PASSWORD, no e-mail MFA, no dynamic client registration and no custom " +
		"names in AcrConfiguration"},
	{func(w wanted) string {
		off := w.text(modePath) == "OFF" || w.off[modePath] || w.off["UserPoolAddOns"]
		return when(off && w.under("RiskConfiguration"), "RiskConfiguration")
	}, "a risk configuration needs UserPoolAddOns.AdvancedSecurityMode AUDIT or ENFORCED, but it is required to be OFF"},
	{func(w wanted) string {
		return when(w.under(userEventsPath) && w.text(tierPath) != "" && w.text(tierPath) != "PLUS", userEventsPath)
	}, "needs UserPoolTier PLUS, but another tier is required"},
	{func(w wanted) string {
		return when(w.under(notificationPath+".S3Configuration") || w.under(notificationPath+".FirehoseConfiguration"),
			notificationPath)
	}, "supports only a CloudWatchLogsConfiguration"},
	{func(w wanted) string {
		older := beyond(w.texts(flowsPath), slices.DeleteFunc(w.texts(flowsPath),
			func(flow string) bool { return !strings.HasPrefix(flow, "ALLOW_") }))
		return when(len(older) > 0 && len(older) < len(w.texts(flowsPath)), flowsPath)
	}, "flows that begin with ALLOW_ cannot be combined with the older ones"},
	{func(w wanted) string {
		return when(w.given(callbacksPath) && w.text(redirectPath) != "" &&
			!slices.Contains(w.texts(callbacksPath), w.text(redirectPath)),
			redirectPath)
	}, "must be one of CallbackURLs, which are required without it"},
	{func(w wanted) string {
		grants := w.texts(grantsPath)
		return when(slices.Contains(grants, "client_credentials") && len(grants) > 1, grantsPath)
	}, "client_credentials cannot be combined with code or implicit"},
	{func(w wanted) string {
		return when(w.text(rotationPath) == "ENABLED" && slices.Contains(w.texts(flowsPath), "ALLOW_REFRESH_TOKEN_AUTH"),
			flowsPath)
	}, "ALLOW_REFRESH_TOKEN_AUTH cannot be combined with RefreshTokenRotation ENABLED"},
}

// twice reports whether two elements of a list have the same value of a member.
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

func when(found bool, path string) string {
	if found {
		return path
	}
	return ""
}

// beyond returns the elements of part that are not in whole.
func beyond(part, whole []string) []string {
	var rest []string
	for _, s := range part {
		if !slices.Contains(whole, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

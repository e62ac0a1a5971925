package baseline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// contradictions finds settings that the API cannot hold together: within each rule, and over the rules that select
// every pool, merged. What only some pools combine shows at run time.
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
		return // as one rule or none, it was just looked at
	}
	// Any client stands for those that every client rule in them selects.
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

// lifetimes finds numbers that the API does not take in any unit that the number may have.
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

// lifetimesOf are the numbers of units of time, by their paths.
var lifetimesOf = sync.OnceValue(func() map[string]*Lifetime {
	of := map[string]*Lifetime{}
	for _, m := range clientSettings {
		if m.Lifetime != nil {
			of[Clients+"."+m.Name] = m.Lifetime
		}
	}
	return of
})

// unitsOf returns the units that a number may have beside what is required.
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

// takes says whether a number of a unit is within what the API takes.
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

// twins finds facts that one rule requires under both of their names, and differently. Of two rules, the later one
// wins.
func (p *parser) twins(w wanted) {
	for path, here := range w.said {
		other, ok := TwinOf(path)
		there, both := w.said[other]
		if ok && both && path < other && !agree(here, there) {
			p.add(Error{Position: w.position(path), Path: path,
				Message: "is the same fact as " + other + ", which is required otherwise"})
		}
	}
}

// agree says whether two requirements of one fact can hold together: what the one writes has to satisfy the other. Of
// one that writes nothing, that cannot be said.
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

// contradictions are the sets of values that the API cannot hold together. found returns the path to complain about,
// or "".
var contradictions = []struct {
	found   func(w wanted) string
	message string
}{
	{func(w wanted) string {
		return when(w.text(modePath) != "" && w.text(modePath) != "OFF" && w.text(tierPath) != "" &&
			w.text(tierPath) != "PLUS", modePath)
	}, "AUDIT and ENFORCED need UserPoolTier PLUS, and another one is required"},
	{func(w wanted) string {
		given := w.given(verifiedPath) || w.off[verifiedPath]
		return when(given && len(beyond(w.texts(verifyPath), w.texts(verifiedPath))) > 0, verifyPath)
	}, "every attribute here has to be in AutoVerifiedAttributes, which is required without it"},
	{func(w wanted) string {
		mechanisms := canonical(w.holds(recoveryPath))
		return when(len(w.holds(recoveryPath)) > 1 && strings.Contains(mechanisms, `"admin_only"`), recoveryPath)
	}, "admin_only has to stand alone"},
	{func(w wanted) string {
		return when(twice(w.holds(recoveryPath), "Priority") || twice(w.holds(recoveryPath), "Name"), recoveryPath)
	}, "no two ways may have the same Priority or the same Name"},
	{func(w wanted) string {
		r := w.said[factorsPath]
		password := slices.Contains(list(r.Value), any("PASSWORD"))
		return when(r.Op == Equal && !password || r.Op == Without && password, factorsPath)
	}, "the API does not take first factors without PASSWORD"},
	{func(w wanted) string {
		return when(w.text(mfaPath) == "OFF" && (w.under(totpPath) || w.under(smsMFAPath) || w.under(emailMFAPath)), mfaPath)
	}, "OFF cannot stand beside a factor that is required to be on"},
	{func(w wanted) string {
		on := w.text(mfaPath) == "ON" || w.text(mfaPath) == "OPTIONAL"
		totp := w.off[totpPath] || w.off["SoftwareTokenMfaConfiguration"]
		return when(on && totp && w.off[smsMFAPath] && w.off[emailMFAPath], mfaPath)
	}, "ON and OPTIONAL need a factor, and all three are required to be off"},
	{func(w wanted) string {
		return when(w.under(emailMFAPath) && w.text(accountPath) == "COGNITO_DEFAULT", emailMFAPath)
	}, "e-mail MFA needs EmailSendingAccount DEVELOPER, and COGNITO_DEFAULT is required"},
	{func(w wanted) string {
		return when(w.text(keyTypePath) == "AWS_OWNED_KEY" && w.under(keyPath), keyPath)
	}, "AWS_OWNED_KEY takes no KmsKeyArn"},
	{func(w wanted) string {
		return when(w.text(keyTypePath) == "CUSTOMER_MANAGED_KEY" && (w.exactly("KeyConfiguration") && !w.under(keyPath) ||
			w.off[keyPath]), keyTypePath)
	}, "CUSTOMER_MANAGED_KEY needs a KmsKeyArn"},
	{func(w wanted) string {
		return when(w.under(smsPath+".SnsCallerArn") && w.under(smsPath+".EumsSms"), smsPath)
	}, "text messages go through SNS (SnsCallerArn) or through EumsSms, never both"},
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
	}, "LITE has no first factors beyond PASSWORD, no e-mail MFA, no dynamic client registration and no names of one's " +
		"own in AcrConfiguration"},
	{func(w wanted) string {
		off := w.text(modePath) == "OFF" || w.off[modePath] || w.off["UserPoolAddOns"]
		return when(off && w.under("RiskConfiguration"), "RiskConfiguration")
	}, "a risk configuration needs UserPoolAddOns.AdvancedSecurityMode AUDIT or ENFORCED, and it is required to be OFF"},
	{func(w wanted) string {
		return when(w.under(userEventsPath) && w.text(tierPath) != "" && w.text(tierPath) != "PLUS", userEventsPath)
	}, "needs UserPoolTier PLUS, and another one is required"},
	{func(w wanted) string {
		return when(w.under(notificationPath+".S3Configuration") || w.under(notificationPath+".FirehoseConfiguration"),
			notificationPath)
	}, "takes a CloudWatchLogsConfiguration only"},
	{func(w wanted) string {
		older := beyond(w.texts(flowsPath), slices.DeleteFunc(w.texts(flowsPath),
			func(flow string) bool { return !strings.HasPrefix(flow, "ALLOW_") }))
		return when(len(older) > 0 && len(older) < len(w.texts(flowsPath)), flowsPath)
	}, "flows that begin with ALLOW_ cannot stand beside the older ones"},
	{func(w wanted) string {
		return when(w.given(callbacksPath) && w.text(redirectPath) != "" &&
			!slices.Contains(w.texts(callbacksPath), w.text(redirectPath)),
			redirectPath)
	}, "has to be one of CallbackURLs, which are required without it"},
	{func(w wanted) string {
		grants := w.texts(grantsPath)
		return when(slices.Contains(grants, "client_credentials") && len(grants) > 1, grantsPath)
	}, "client_credentials cannot stand beside code or implicit"},
	{func(w wanted) string {
		return when(w.text(rotationPath) == "ENABLED" && slices.Contains(w.texts(flowsPath), "ALLOW_REFRESH_TOKEN_AUTH"),
			flowsPath)
	}, "ALLOW_REFRESH_TOKEN_AUTH cannot stand beside RefreshTokenRotation ENABLED"},
}

// twice says whether two elements of a list have the same value of a member.
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

// beyond returns the elements of part that whole lacks.
func beyond(part, whole []string) []string {
	var rest []string
	for _, s := range part {
		if !slices.Contains(whole, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

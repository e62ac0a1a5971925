package cognitotest

import (
	"encoding/json"
	"strings"

	"poolkeeper/baseline"
)

// keptWhenMeasured are the members that were seen to stay as they were when UpdateUserPool left them out, whatever the
// reference says.
var keptWhenMeasured = map[string]bool{
	"MfaConfiguration": true, "Policies": true, "UserAttributeUpdateSettings": true, "SmsConfiguration": true,
	"UserPoolTier": true, "UserPoolTags": true,
}

// resets is what a member becomes that is left out, where that is not to be absent.
func resets(name string) any {
	switch name {
	case "DeletionProtection":
		return "INACTIVE"
	case "MfaConfiguration":
		return "OFF"
	case "UserPoolTier":
		return "ESSENTIALS"
	case "EmailConfiguration":
		return map[string]any{"EmailSendingAccount": "COGNITO_DEFAULT"}
	case "LambdaConfig", "UserPoolTags":
		return map[string]any{}
	case "VerificationMessageTemplate":
		return map[string]any{"DefaultEmailOption": "CONFIRM_WITH_CODE"}
	case "Policies":
		return map[string]any{"PasswordPolicy": map[string]any{"MinimumLength": json.Number("8"),
			"TemporaryPasswordValidityDays": json.Number("7"),
			"RequireUppercase":              false, "RequireLowercase": false, "RequireNumbers": false, "RequireSymbols": false}}
	case "AdminCreateUserConfig":
		return map[string]any{"AllowAdminCreateUserOnly": false}
	default:
		return nil
	}
}

func (s *Server) updateUserPool(request map[string]any) (any, error) {
	old, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	if s.validators {
		if err := validate(userPoolTable(), request); err != nil {
			return nil, err
		}
	}
	next := &pool{userPool: s.merge(old.userPool, request), mfaConfig: cloneObject(old.mfaConfig), more: old.more}
	if _, given := request["MfaConfiguration"]; given || s.mode == Contract {
		applyMFA(next)
	}
	mirrorPool(old, next, request)
	dropEmailMFA(old, next)
	showDefaults(next.userPool)
	if s.validators {
		if err := judge("UpdateUserPool", change{request: request, old: old, next: next}); err != nil {
			return nil, err
		}
	}
	*old = *next
	return map[string]any{}, nil
}

// showDefaults sets what a pool shows after a write although nobody set it.
func showDefaults(userPool map[string]any) {
	for path, value := range map[string]any{
		"UserPoolTier": "ESSENTIALS", "EmailConfiguration.EmailSendingAccount": "COGNITO_DEFAULT",
		"VerificationMessageTemplate.DefaultEmailOption": "CONFIRM_WITH_CODE",
		"Policies.SignInPolicy.AllowedFirstAuthFactors":  []any{"PASSWORD"},
	} {
		names := strings.Split(path, ".")
		inner := userPool
		for _, name := range names[:len(names)-1] {
			setDefault(inner, name, map[string]any{})
			inner = object(inner[name])
		}
		if last := names[len(names)-1]; baseline.Empty(inner[last]) {
			inner[last] = value
		}
	}
}

// merge makes the pool that an update leaves.
func (s *Server) merge(old, request map[string]any) map[string]any {
	next := map[string]any{}
	known := map[string]bool{"UserPoolId": true}
	for _, m := range userPoolTable() {
		known[m.Name] = true
		shown := m.Name
		if m.ReadName != "" {
			shown, known[m.ReadName] = m.ReadName, true
		}
		v, given := request[m.Name]
		switch {
		case m.Trip == baseline.ReadOnly:
			v, given = old[shown], old[shown] != nil
		case given:
			v = s.given(m, v, old[shown])
		case m.Name == "PoolName", m.KeptOmitted, s.mode == Measured && keptWhenMeasured[m.Name]:
			v, given = old[shown], old[shown] != nil
		case m.Name == "AcrConfiguration":
			v, given = levels(nil), old[shown] != nil
		case old[shown] == nil, old[shown] == "":
			// What was not there already is at its default.
		default:
			v = s.given(m, resets(m.Name), old[shown])
			given = v != nil
		}
		if given {
			next[shown] = clone(v)
		}
	}
	for name, v := range request {
		if !known[name] {
			next[name] = clone(v)
		}
	}
	for name, v := range old {
		if _, given := request[name]; !known[name] && !given && s.mode == Measured {
			next[name] = clone(v)
		}
	}
	next["LastModifiedDate"] = json.Number("1767225601.5")
	return next
}

// given is what a member becomes that an update sends.
func (s *Server) given(m baseline.Member, v, old any) any {
	switch m.Name {
	case "AcrConfiguration":
		return levels(v)
	case "UserPoolTags":
		tags, _ := clone(v).(map[string]any)
		was, _ := old.(map[string]any)
		for key, e := range was {
			if strings.HasPrefix(key, systemTag) && tags != nil {
				tags[key] = e
			}
		}
		return tags
	case "Policies":
		return s.policies(v, old)
	case "DcrConfiguration":
		registration, _ := clone(v).(map[string]any)
		if registration != nil {
			setDefault(registration, "EnableStatus", "Enabled")
		}
		return registration
	case "AdminCreateUserConfig":
		config, _ := clone(v).(map[string]any)
		if config["UnusedAccountValidityDays"] == json.Number("0") {
			delete(config, "UnusedAccountValidityDays")
		}
		return config
	default:
		return v
	}
}

// policies are what a pool has after an update that sends some. The password policy left out is kept or the default
// one, and 0 days are not given ones.
func (s *Server) policies(v, old any) any {
	policies, _ := clone(v).(map[string]any)
	if policies == nil {
		return nil
	}
	if s.mode == Measured {
		for key, e := range object(old) {
			setDefault(policies, key, clone(e))
		}
	}
	if usual := object(resets("Policies")); at(old, "PasswordPolicy") != nil {
		setDefault(policies, "PasswordPolicy", usual["PasswordPolicy"])
	}
	if password := object(policies["PasswordPolicy"]); password["TemporaryPasswordValidityDays"] == json.Number("0") {
		password["TemporaryPasswordValidityDays"] = json.Number("7")
	}
	return policies
}

// systemTag is how the keys of tags begin that only AWS writes.
const systemTag = "aws:"

// levels are the names of the authentication levels: the default where none is given.
func levels(v any) any {
	all := map[string]any{}
	given, _ := v.(map[string]any)
	for _, n := range []string{"1", "2", "3", "4"} {
		all["Level"+n] = map[string]any{"AcrValue": "urn:cognito:loa:" + n}
		if name, ok := given["Level"+n]; ok {
			all["Level"+n] = clone(name)
		}
	}
	return all
}

// applyMFA lets an update that carries MfaConfiguration, or resets it, change the mode. Turned off, MFA loses its
// factors.
func applyMFA(next *pool) {
	mode, _ := next.userPool["MfaConfiguration"].(string)
	if mode == "" {
		mode = "OFF"
	}
	was, _ := next.mfaConfig["MfaConfiguration"].(string)
	if mode == "OFF" && was != "OFF" && was != "" {
		for _, block := range factorBlocks {
			delete(next.mfaConfig, block)
		}
	}
	next.mfaConfig["MfaConfiguration"] = mode
}

var factorBlocks = []string{"SmsMfaConfiguration", "SoftwareTokenMfaConfiguration", "EmailMfaConfiguration"}

func (s *Server) setMfaConfig(request map[string]any) (any, error) {
	old, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	if s.validators {
		if err := validate(mfaTable(), request); err != nil {
			return nil, err
		}
	}
	next := &pool{userPool: cloneObject(old.userPool), mfaConfig: cloneObject(request), more: old.more}
	delete(next.mfaConfig, "UserPoolId")
	setDefault(next.mfaConfig, "MfaConfiguration", "OFF")
	next.userPool["MfaConfiguration"] = next.mfaConfig["MfaConfiguration"]
	mirrorMFA(old, next)
	if s.validators {
		if err := judge("SetUserPoolMfaConfig", change{request: request, old: old, next: next}); err != nil {
			return nil, err
		}
	}
	*old = *next
	return old.shownMFA(), nil
}

func userPoolTable() []baseline.Member { return baseline.Documents()[0].Members }

func mfaTable() []baseline.Member { return baseline.Documents()[1].Members }

// dropEmailMFA takes e-mail MFA from a pool that moves to sending through Cognito.
func dropEmailMFA(old, next *pool) {
	const account = "EmailConfiguration.EmailSendingAccount"
	if at(next.userPool, account) == "COGNITO_DEFAULT" && at(old.userPool, account) != "COGNITO_DEFAULT" {
		delete(next.mfaConfig, "EmailMfaConfiguration")
	}
}

// at returns the value at a dotted path, or nil.
func at(v any, path string) any {
	for _, name := range strings.Split(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

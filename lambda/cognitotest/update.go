package cognitotest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// keptWhenMeasured are the members that were measured to stay unchanged if UpdateUserPool leaves them out, although the
// reference says otherwise.
var keptWhenMeasured = []string{"MfaConfiguration", "Policies", "UserAttributeUpdateSettings", "SmsConfiguration",
	"UserPoolTier", "UserPoolTags"}

// The dates of resources that were created and then updated.
const (
	created  = json.Number("1767225600.0")
	modified = json.Number("1767225601.5")
)

// resets are the values of members that are left out, if they do not become absent.
var resets = object{
	"DeletionProtection": "INACTIVE", "MfaConfiguration": "OFF", "UserPoolTier": "ESSENTIALS",
	"EmailConfiguration": object{"EmailSendingAccount": "COGNITO_DEFAULT"},
	"LambdaConfig":       object{}, "UserPoolTags": object{},
	"AdminCreateUserConfig": object{"AllowAdminCreateUserOnly": false},
	"Policies": object{"PasswordPolicy": object{"MinimumLength": json.Number("8"),
		"TemporaryPasswordValidityDays": json.Number("7"), "RequireUppercase": false, "RequireLowercase": false,
		"RequireNumbers": false, "RequireSymbols": false}},
}

func (s *Server) updateUserPool(old *pool, request object) (any, error) {
	if err := s.validate(tableOf(baseline.UserPool), request); err != nil {
		return nil, err
	}
	next := *old
	next.userPool, next.mfaConfig = s.merge(old.userPool, request), clone(old.mfaConfig)
	if _, given := request["MfaConfiguration"]; given || s.mode == Contract {
		mode, was := cmp.Or(text(next.userPool, "MfaConfiguration"), "OFF"), text(next.mfaConfig, "MfaConfiguration")
		if mode == "OFF" && was != "OFF" && was != "" {
			for _, block := range factorBlocks { // which are removed if MFA is turned off
				delete(next.mfaConfig, block)
			}
		}
		next.mfaConfig["MfaConfiguration"] = mode
	}
	mirrorPool(old, &next, request)
	const sender = "EmailConfiguration.EmailSendingAccount"
	if at(next.userPool, sender) == "COGNITO_DEFAULT" && at(old.userPool, sender) != "COGNITO_DEFAULT" {
		delete(next.mfaConfig, "EmailMfaConfiguration") // which needs the pool's own sender
	}
	for path, value := range shownDefaults {
		if baseline.Empty(at(next.userPool, path)) {
			baseline.Put(next.userPool, strings.Split(path, "."), clone(value))
		}
	}
	if err := s.check(onPool, request, old, &next); err != nil {
		return nil, err
	}
	*old = next
	return object{}, nil
}

// levelNames are the names of the authentication levels, for those that are not named.
var levelNames = object{
	"Level1": object{"AcrValue": "urn:cognito:loa:1"}, "Level2": object{"AcrValue": "urn:cognito:loa:2"},
	"Level3": object{"AcrValue": "urn:cognito:loa:3"}, "Level4": object{"AcrValue": "urn:cognito:loa:4"},
}

// shownDefaults are the values that reads return after a write although nobody set them.
var shownDefaults = object{
	"UserPoolTier": "ESSENTIALS", "EmailConfiguration.EmailSendingAccount": "COGNITO_DEFAULT",
	"VerificationMessageTemplate.DefaultEmailOption": "CONFIRM_WITH_CODE",
	"Policies.SignInPolicy.AllowedFirstAuthFactors":  []any{"PASSWORD"},
}

// merge returns a pool after an update. Members that the table does not know are set like any other, and kept in
// Measured.
func (s *Server) merge(old, request object) object {
	next, unknown := clone(request), clone(old)
	delete(next, "UserPoolId")
	for _, m := range tableOf(baseline.UserPool) {
		shown := cmp.Or(m.ReadName, m.Name)
		v, was := request[m.Name], old[shown]
		delete(next, m.Name)
		delete(unknown, shown)
		switch {
		case v != nil && m.Trip != baseline.ReadOnly:
			v = s.given(m, v, was)
		case m.Trip == baseline.ReadOnly, m.Name == "PoolName", m.KeptOmitted,
			s.mode == Measured && slices.Contains(keptWhenMeasured, m.Name):
			v = clone(was)
		case was != nil && was != "": // else a new member has its default
			v = s.given(m, resets[m.Name], was)
		}
		if v != nil {
			next[shown] = v
		}
	}
	if s.mode == Measured {
		setDefaults(next, unknown)
	}
	next["LastModifiedDate"] = modified
	return next
}

// given returns the value of a member after an update with a value. 0 days means not given.
func (s *Server) given(m baseline.Member, v, old any) any {
	v = clone(v)
	o := asObject(v)
	switch {
	case m.Name == "AcrConfiguration":
		levels := clone(levelNames)
		maps.Copy(levels, o)
		return levels
	case o == nil:
	case m.Name == "UserPoolTags":
		for key, e := range asObject(old) {
			if strings.HasPrefix(key, m.KeyReserved) {
				o[key] = e
			}
		}
	case m.Name == "Policies":
		if s.mode == Measured {
			setDefaults(o, asObject(old))
		}
		if at(old, "PasswordPolicy") != nil { // a password policy is kept or reset, but does not become absent
			setDefaults(o, asObject(resets["Policies"]))
		}
		if password := asObject(o["PasswordPolicy"]); password["TemporaryPasswordValidityDays"] == json.Number("0") {
			password["TemporaryPasswordValidityDays"] = json.Number("7")
		}
	case m.Name == "DcrConfiguration":
		setDefaults(o, object{"EnableStatus": "Enabled"})
	case m.Name == "AdminCreateUserConfig" && o["UnusedAccountValidityDays"] == json.Number("0"):
		delete(o, "UnusedAccountValidityDays")
	}
	return v
}

func (s *Server) setMfaConfig(old *pool, request object) (any, error) {
	if err := s.validate(tableOf(baseline.MfaConfig), request); err != nil {
		return nil, err
	}
	next := *old
	next.userPool, next.mfaConfig = clone(old.userPool), clone(request)
	delete(next.mfaConfig, "UserPoolId")
	setDefaults(next.mfaConfig, object{"MfaConfiguration": "OFF"})
	next.userPool["MfaConfiguration"] = next.mfaConfig["MfaConfiguration"]
	block := asObject(next.mfaConfig["SmsMfaConfiguration"])
	if block == nil && old.mfaConfig["SmsMfaConfiguration"] != nil {
		delete(next.userPool, "SmsConfiguration") // with the block, as reported for the service
	}
	for _, name := range smsMembers {
		if v := cmp.Or(block[name], next.userPool[name]); block != nil && v != nil {
			next.userPool[name], block[name] = clone(v), clone(v)
		}
	}
	if err := s.check(onMFA, request, old, &next); err != nil {
		return nil, err
	}
	*old = next
	return s.getMfaConfig(old, nil)
}

// smsMembers are the members of a pool that the SMS block of its MFA document also has, with equal values.
var smsMembers = []string{"SmsConfiguration", "SmsAuthenticationMessage"}

// mirrorPool keeps the twins of a pool equal after an update: setting one also sets the other.
func mirrorPool(old, next *pool, request object) {
	for legacy, name := range map[string]string{
		"SmsVerificationMessage": "SmsMessage", "EmailVerificationMessage": "EmailMessage",
		"EmailVerificationSubject": "EmailSubject",
	} {
		// It is not known which of two different values wins; here it is the template.
		path := "VerificationMessageTemplate." + name
		if v := cmp.Or(at(next.userPool, path), next.userPool[legacy]); v != nil {
			next.userPool[legacy] = v
			baseline.Put(next.userPool, strings.Split(path, "."), v)
		}
	}
	if triggers := asObject(next.userPool["LambdaConfig"]); triggers["PreTokenGenerationConfig"] != nil {
		setDefaults(triggers, object{"PreTokenGeneration": at(triggers, "PreTokenGenerationConfig.LambdaArn")})
	} else if legacy := triggers["PreTokenGeneration"]; legacy != nil {
		triggers["PreTokenGenerationConfig"] = object{"LambdaArn": legacy, "LambdaVersion": "V1_0"}
	}
	// If the older validity setting was returned before, it is still returned, with the effective value.
	temporary := at(next.userPool, "Policies.PasswordPolicy.TemporaryPasswordValidityDays")
	config := asObject(next.userPool["AdminCreateUserConfig"])
	if shown := at(old.userPool, "AdminCreateUserConfig.UnusedAccountValidityDays"); config != nil && shown != nil &&
		request["AdminCreateUserConfig"] != nil && config["UnusedAccountValidityDays"] == nil && temporary != nil {
		config["UnusedAccountValidityDays"] = temporary
	}
	block := asObject(next.mfaConfig["SmsMfaConfiguration"])
	for _, name := range smsMembers {
		if block != nil && (next.userPool[name] != nil || old.userPool[name] != nil) {
			baseline.Put(block, []string{name}, clone(next.userPool[name]))
		}
	}
	if block != nil && len(block) == 0 {
		delete(next.mfaConfig, "SmsMfaConfiguration")
	}
}

// getMfaConfig returns the MFA document. Even with MFA off, it has the SMS block if the pool has a sender, because
// verification messages use the sender too.
func (s *Server) getMfaConfig(p *pool, _ object) (any, error) {
	shown := clone(p.mfaConfig)
	sender := asObject(p.userPool["SmsConfiguration"])
	if mode := shown["MfaConfiguration"]; (mode == nil || mode == "OFF") && len(sender) > 0 {
		block := object{"SmsConfiguration": clone(sender)}
		baseline.Put(block, []string{"SmsAuthenticationMessage"}, p.userPool["SmsAuthenticationMessage"])
		setDefaults(shown, object{"SmsMfaConfiguration": block})
	}
	return shown, nil
}

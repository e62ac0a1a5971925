package cognitotest

// mirrorPool keeps the twins of a pool equal after an update of it: setting either side shows up on both.
func mirrorPool(old, next *pool, request map[string]any) {
	template := templateOf(next)
	for legacy, name := range map[string]string{
		"SmsVerificationMessage": "SmsMessage", "EmailVerificationMessage": "EmailMessage",
		"EmailVerificationSubject": "EmailSubject",
	} {
		switch {
		case template[name] != nil: // which of two different ones wins is unknown; here the template does
			next.userPool[legacy] = template[name]
		case next.userPool[legacy] != nil:
			template[name] = next.userPool[legacy]
		}
	}
	if triggers := object(next.userPool["LambdaConfig"]); triggers != nil {
		legacy, config := triggers["PreTokenGeneration"], object(triggers["PreTokenGenerationConfig"])
		switch {
		case config == nil && legacy != nil:
			triggers["PreTokenGenerationConfig"] = map[string]any{"LambdaArn": legacy, "LambdaVersion": "V1_0"}
		case config != nil && legacy == nil:
			triggers["PreTokenGeneration"] = config["LambdaArn"]
		}
	}
	mirrorDays(old, next, request)
	block := object(next.mfaConfig["SmsMfaConfiguration"])
	if block == nil {
		return
	}
	for _, name := range []string{"SmsConfiguration", "SmsAuthenticationMessage"} {
		if next.userPool[name] != nil || old.userPool[name] != nil {
			follow(block, name, next.userPool[name])
		}
	}
	if len(block) == 0 {
		delete(next.mfaConfig, "SmsMfaConfiguration")
	}
}

// templateOf returns the template of the pool's verification messages, which is made where only the legacy texts are
// there.
func templateOf(p *pool) map[string]any {
	template := object(p.userPool["VerificationMessageTemplate"])
	if template != nil {
		return template
	}
	template = map[string]any{}
	for _, legacy := range []string{"SmsVerificationMessage", "EmailVerificationMessage", "EmailVerificationSubject"} {
		if p.userPool[legacy] != nil {
			p.userPool["VerificationMessageTemplate"] = template
		}
	}
	return template
}

// mirrorDays goes on showing the older validity days, as those that count, where it was shown before.
func mirrorDays(old, next *pool, request map[string]any) {
	temporary := at(next.userPool, "Policies.PasswordPolicy.TemporaryPasswordValidityDays")
	config := object(next.userPool["AdminCreateUserConfig"])
	shown := at(old.userPool, "AdminCreateUserConfig.UnusedAccountValidityDays") != nil
	if config != nil && request["AdminCreateUserConfig"] != nil && shown && config["UnusedAccountValidityDays"] == nil &&
		temporary != nil {
		config["UnusedAccountValidityDays"] = temporary
	}
}

// mirrorMFA keeps the sender and the text of text messages equal after the MFA document was replaced. A call that
// drops the SMS block takes the pool's sender with it, as was reported of the service; a call that never had the block
// leaves it alone.
func mirrorMFA(old, next *pool) {
	block := object(next.mfaConfig["SmsMfaConfiguration"])
	if block == nil {
		if old.mfaConfig["SmsMfaConfiguration"] != nil {
			delete(next.userPool, "SmsConfiguration")
		}
		return
	}
	for _, name := range []string{"SmsConfiguration", "SmsAuthenticationMessage"} {
		if block[name] != nil {
			next.userPool[name] = clone(block[name])
		} else if next.userPool[name] != nil {
			block[name] = clone(next.userPool[name])
		}
	}
}

// shownMFA is the MFA document as GetUserPoolMfaConfig shows it. With MFA off, the SMS block is there all the same
// where the pool has a sender, for verification sends through it too.
func (p *pool) shownMFA() map[string]any {
	shown := cloneObject(p.mfaConfig)
	sender := object(p.userPool["SmsConfiguration"])
	if mode := shown["MfaConfiguration"]; (mode == nil || mode == "OFF") && len(sender) > 0 {
		block := map[string]any{"SmsConfiguration": clone(sender)}
		follow(block, "SmsAuthenticationMessage", p.userPool["SmsAuthenticationMessage"])
		setDefault(shown, "SmsMfaConfiguration", block)
	}
	return shown
}

func follow(o map[string]any, name string, v any) {
	if v == nil {
		delete(o, name)
		return
	}
	o[name] = clone(v)
}

package cognitotest

// mirrorPool keeps the twins of a pool equal after an update of it: setting either side shows up on both.
func mirrorPool(old, next *pool, request object) {
	template := asObject(next.userPool["VerificationMessageTemplate"])
	for legacy, name := range map[string]string{
		"SmsVerificationMessage": "SmsMessage", "EmailVerificationMessage": "EmailMessage",
		"EmailVerificationSubject": "EmailSubject",
	} {
		switch {
		case template[name] != nil: // which of two different ones wins is unknown; here the template does
			next.userPool[legacy] = template[name]
		case next.userPool[legacy] != nil && template == nil:
			template = object{name: next.userPool[legacy]}
			next.userPool["VerificationMessageTemplate"] = template
		case next.userPool[legacy] != nil:
			template[name] = next.userPool[legacy]
		}
	}
	if triggers := asObject(next.userPool["LambdaConfig"]); triggers != nil {
		legacy, config := triggers["PreTokenGeneration"], asObject(triggers["PreTokenGenerationConfig"])
		switch {
		case config == nil && legacy != nil:
			triggers["PreTokenGenerationConfig"] = object{"LambdaArn": legacy, "LambdaVersion": "V1_0"}
		case config != nil && legacy == nil:
			triggers["PreTokenGeneration"] = config["LambdaArn"]
		}
	}
	// The older validity days go on being shown, as those that count, where they were shown before.
	temporary := at(next.userPool, "Policies.PasswordPolicy.TemporaryPasswordValidityDays")
	config := asObject(next.userPool["AdminCreateUserConfig"])
	if shown := at(old.userPool, "AdminCreateUserConfig.UnusedAccountValidityDays"); config != nil && shown != nil &&
		request["AdminCreateUserConfig"] != nil && config["UnusedAccountValidityDays"] == nil && temporary != nil {
		config["UnusedAccountValidityDays"] = temporary
	}
	block := asObject(next.mfaConfig["SmsMfaConfiguration"])
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

// mirrorMFA keeps the sender and the text of text messages equal after the MFA document was replaced. A call that
// drops the SMS block takes the pool's sender with it, as was reported of the service; a call that never had the block
// leaves it alone.
func mirrorMFA(old, next *pool) {
	block := asObject(next.mfaConfig["SmsMfaConfiguration"])
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
func (p *pool) shownMFA() object {
	shown := cloneObject(p.mfaConfig)
	sender := asObject(p.userPool["SmsConfiguration"])
	if mode := shown["MfaConfiguration"]; (mode == nil || mode == "OFF") && len(sender) > 0 {
		block := object{"SmsConfiguration": clone(sender)}
		follow(block, "SmsAuthenticationMessage", p.userPool["SmsAuthenticationMessage"])
		setDefault(shown, "SmsMfaConfiguration", block)
	}
	return shown
}

func follow(o object, name string, v any) {
	if v == nil {
		delete(o, name)
		return
	}
	o[name] = clone(v)
}

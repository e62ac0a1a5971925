package oracle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

// A kind is what values a fact has, and so which operators there are for it.
type kind string

const (
	flag   kind = "flag"   // true or false
	choice kind = "choice" // one of a few words
	number kind = "number"
	text   kind = "text"
	list   kind = "list"  // a set of words
	there  kind = "there" // whether an object is there, whatever it holds
)

// A fact is one thing about a pool, under one name or two.
type fact struct {
	kind   kind
	values []any    // to draw from; nil is none
	names  []string // paths of the baseline
	usual  any      // what an absent one means
	needed bool     // a pool always has it
	mfa    bool     // it is read with GetUserPoolMfaConfig
}

const (
	mode    = "MfaConfiguration"
	totp    = "SoftwareTokenMfaConfiguration.Enabled"
	email   = "EmailMfaConfiguration"
	sms     = "SmsMfaConfiguration"
	devices = "DeviceConfiguration"
	tier    = "UserPoolTier"
	threat  = "UserPoolAddOns.AdvancedSecurityMode"
	first   = "Policies.SignInPolicy.AllowedFirstAuthFactors"
	checked = "AutoVerifiedAttributes"
	updates = "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate"
	trigger = "LambdaConfig.PreTokenGeneration"
	version = "LambdaConfig.PreTokenGenerationConfig.LambdaVersion"
	days    = "Policies.PasswordPolicy.TemporaryPasswordValidityDays"
	older   = "AdminCreateUserConfig.UnusedAccountValidityDays"
	invite  = "AdminCreateUserConfig.InviteMessageTemplate"
	tags    = "UserPoolTags"
	lambdas = "LambdaConfig"
	client  = "Client" // stands for Clients[] and the id of the one that rules select
	// The form in which a pool shows the validity days: under the newer name, both or the older.
	form = "form"
)

var (
	flags     = []any{true, false}
	invites   = []any{nil, "one {username} {####}", "two {username} {####}"}
	arns      = []any{nil, arn("one"), arn("two"), arn("three")}
	words     = []any{nil, "one", "two", "three"}
	codes     = []any{nil, "one {####}", "two {####} ", "three {####}"}
	addresses = []any{nil, []string{}, []string{"email"}, []string{"phone_number"}, []string{"email", "phone_number"}}
)

func arn(name string) string { return "arn:aws:lambda:eu-west-1:111122223333:function:" + name }

// facts are what is drawn. All else in a pool is unmanaged, and has to stay as it is.
var facts = []fact{
	{kind: choice, values: []any{nil, "ACTIVE", "INACTIVE"}, names: []string{"DeletionProtection"}, usual: "INACTIVE"},
	{kind: number, values: []any{6, 8, 12, 14}, names: []string{"Policies.PasswordPolicy.MinimumLength"}, needed: true},
	{kind: flag, values: flags, names: []string{"Policies.PasswordPolicy.RequireUppercase"}},
	{kind: flag, values: flags, names: []string{"Policies.PasswordPolicy.RequireNumbers"}},
	{kind: number, values: []any{nil, 0, 3, 5}, names: []string{"Policies.PasswordPolicy.PasswordHistorySize"}, usual: 0},
	{kind: number, values: []any{1, 3, 7, 30}, names: []string{days, older}, needed: true},
	{kind: flag, values: flags, names: []string{"AdminCreateUserConfig.AllowAdminCreateUserOnly"}},
	{kind: text, values: invites, names: []string{invite + ".EmailMessage"}},
	{kind: text, values: words, names: []string{invite + ".EmailSubject"}},
	{kind: text, values: invites, names: []string{invite + ".SMSMessage"}},
	{kind: list, values: addresses, names: []string{checked}},
	{kind: list, values: addresses, names: []string{updates}},
	{kind: text, values: codes, names: []string{"VerificationMessageTemplate.EmailMessage", "EmailVerificationMessage"}},
	{kind: text, values: words, names: []string{"VerificationMessageTemplate.EmailSubject", "EmailVerificationSubject"}},
	{kind: text, values: codes, names: []string{"VerificationMessageTemplate.SmsMessage", "SmsVerificationMessage"}},
	{kind: text, values: words, names: []string{"VerificationMessageTemplate.EmailSubjectByLink"}},
	{kind: choice, values: []any{"CONFIRM_WITH_CODE", "CONFIRM_WITH_LINK"},
		names: []string{"VerificationMessageTemplate.DefaultEmailOption"}, usual: "CONFIRM_WITH_CODE", needed: true},
	{kind: text, values: []any{nil, "a@example.com", "b@example.com"},
		names: []string{"EmailConfiguration.ReplyToEmailAddress"}},
	{kind: text, values: words, names: []string{"EmailConfiguration.ConfigurationSet"}},
	{kind: text, values: arns, names: []string{"LambdaConfig.PreSignUp"}},
	{kind: text, values: arns, names: []string{"LambdaConfig.UserMigration"}},
	{kind: text, values: arns, names: []string{trigger, "LambdaConfig.PreTokenGenerationConfig.LambdaArn"}},
	{kind: choice, values: []any{"V1_0", "V2_0"}, names: []string{version}},
	{kind: text, values: words, names: []string{"UserPoolTags.env"}},
	{kind: text, values: words, names: []string{"UserPoolTags.note"}},
	{kind: there, values: flags, names: []string{devices}},
	{kind: flag, values: flags, names: []string{devices + ".ChallengeRequiredOnNewDevice"}},
	{kind: flag, values: flags, names: []string{devices + ".DeviceOnlyRememberedOnUserPrompt"}},
	{kind: text, values: []any{"one", "two"}, names: []string{"SmsConfiguration.ExternalId"}},
	{kind: text, values: codes, names: []string{"SmsAuthenticationMessage"}},
	{kind: choice, values: []any{"ESSENTIALS", "PLUS"}, names: []string{tier}, usual: "ESSENTIALS", needed: true},
	{kind: choice, values: []any{nil, "OFF", "AUDIT", "ENFORCED"}, names: []string{threat}, usual: "OFF"},
	{kind: list, values: []any{nil, []string{"PASSWORD"}, []string{"EMAIL_OTP", "PASSWORD"},
		[]string{"PASSWORD", "SMS_OTP", "WEB_AUTHN"}, []string{"PASSWORD", "WEB_AUTHN"}}, names: []string{first},
		usual: []string{"PASSWORD"}},
	{kind: choice, values: []any{"OFF", "OPTIONAL", "ON"}, names: []string{mode}, usual: "OFF", mfa: true},
	{kind: flag, values: flags, names: []string{totp}, mfa: true},
	{kind: there, values: flags, names: []string{sms}, mfa: true},
	{kind: there, values: flags, names: []string{email}, mfa: true},
	{kind: text, values: codes, names: []string{email + ".Message"}, mfa: true},
	{kind: text, values: words, names: []string{email + ".Subject"}, mfa: true},
	{kind: choice, values: []any{"LEGACY", "ENABLED"}, names: []string{client + ".PreventUserExistenceErrors"},
		needed: true},
	{kind: flag, values: flags, names: []string{client + ".EnableTokenRevocation"}},
	{kind: number, values: []any{3, 5, 15}, names: []string{client + ".AuthSessionValidity"}, needed: true},
	{kind: list, values: []any{nil, []string{}, []string{"https://one"}, []string{"https://one", "https://two"}},
		names: []string{client + ".LogoutURLs"}},
}

// objects are those that can be required as a whole.
var objects = []string{lambdas, tags, invite, devices, email, sms}

func factOf(name string) fact {
	for _, f := range facts {
		if slices.Contains(f.names, name) {
			return f
		}
	}
	panic("no fact " + name)
}

// A state is the value of each fact by its first name. One that is absent is what is usual.
type state map[string]any

func (s state) equal(name string, v any) bool { return canonical(name, s[name]) == canonical(name, v) }

// canonical writes a value so that all that means the same is the same.
func canonical(name string, v any) string {
	f := factOf(name)
	if empty(v) && f.usual != nil {
		v = f.usual
	}
	if empty(v) {
		return "absent"
	}
	if words, ok := v.([]string); ok {
		v = slices.Sorted(slices.Values(words))
	}
	return fmt.Sprint(v)
}

func empty(v any) bool {
	words, isList := v.([]string)
	return v == nil || v == false || v == 0 || v == "" || isList && len(words) == 0
}

// plant brings the pool of the fake into a state. All that is no fact stays as it is.
func (s state) plant(fake *cognitotest.Server) {
	web := fake.Client(poolID, cognitotest.RichClient)
	fake.Edit(poolID, func(pool, mfa map[string]any) {
		pool["LambdaConfig"], pool["UserPoolTags"], pool[client] = map[string]any{}, map[string]any{}, web
		delete(pool, devices)
		delete(pool, "UserPoolAddOns")
		for _, f := range facts {
			for _, name := range f.names {
				remove(pool, name)
				remove(mfa, name)
			}
		}
		for _, f := range facts {
			s.show(f, pool, mfa)
		}
		pool[mode] = mfa[mode]
		delete(pool, client)
	})
	fake.PutClient(poolID, cognitotest.RichClient, web)
}

func (s state) show(f fact, pool, mfa map[string]any) {
	v, root := s[f.names[0]], pool
	if f.mfa {
		root = mfa
	}
	switch {
	case v == nil, v == false && (f.kind == there || f.mfa):
	case f.names[0] == days:
		if s[form] != 2 {
			put(root, days, v)
		}
		if s[form] != 0 {
			put(root, older, v)
		}
	case f.names[0] == sms:
		block := map[string]any{"SmsConfiguration": pool["SmsConfiguration"]}
		if words := pool["SmsAuthenticationMessage"]; words != nil {
			block["SmsAuthenticationMessage"] = words
		}
		mfa[sms] = block
	case f.kind == there:
		put(root, f.names[0], map[string]any{})
	default:
		for _, name := range f.names {
			put(root, name, v)
		}
	}
}

// read returns the state that the fake shows, and the rest of the pool. A twin that differs from the other is in the
// rest.
func read(fake *cognitotest.Server) (s state, rest map[string]string) {
	pool, mfa, _ := fake.Pool(poolID)
	pool[client], pool["other"] = fake.Client(poolID, cognitotest.RichClient), fake.Client(poolID, "mobile")
	pool["risk"], pool["logs"] = fake.Risk(poolID, ""), fake.Logs(poolID)
	remove(pool, client+".LastModifiedDate")
	s = state{}
	delete(pool, "LastModifiedDate")
	delete(pool, mode)
	s[sms] = mfa[sms] != nil
	delete(mfa, sms)
	for i := range facts {
		f := facts[len(facts)-1-i] // the members of an object before it
		root := pool
		if f.mfa {
			root = mfa
		}
		for _, name := range slices.Backward(f.names) {
			if v, ok := get(root, name); ok && (s[f.names[0]] == nil || fmt.Sprint(v) == fmt.Sprint(s[f.names[0]])) {
				s[f.names[0]] = v
				if f.kind == there {
					s[f.names[0]] = true
				}
				remove(root, name)
			}
		}
	}
	rest = map[string]string{}
	flatten("", pool, rest)
	flatten("mfa:", mfa, rest)
	return s, rest
}

// flatten collects the leaves below a path. What is empty is none.
func flatten(path string, v any, leaves map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			flatten(path+"."+name, inner, leaves)
		}
	case nil:
	default:
		if raw, _ := json.Marshal(v); string(raw) != "[]" {
			leaves[path] = string(raw)
		}
	}
}

func put(root map[string]any, path string, v any) {
	if words, ok := v.([]string); ok {
		all := []any{}
		for _, w := range words {
			all = append(all, w)
		}
		v = all
	}
	baseline.Put(root, strings.Split(path, "."), v)
}

func get(root map[string]any, path string) (any, bool) {
	v := baseline.At(root, strings.Split(path, "."))
	switch typed := v.(type) {
	case json.Number:
		n, _ := typed.Int64()
		v = int(n)
	case []any:
		all := []string{}
		for _, e := range typed {
			all = append(all, fmt.Sprint(e))
		}
		v = all
	}
	return v, v != nil
}

// remove removes a value, and leaves the objects around it.
func remove(root map[string]any, path string) {
	names := strings.Split(path, ".")
	last := len(names) - 1
	if object, ok := baseline.At(root, names[:last]).(map[string]any); ok {
		delete(object, names[last])
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"

	"poolkeeper/lambda/event"
)

// TestHeard: a baseline hears of the calls that can change what it owns or watches, and of no other.
func TestHeard(t *testing.T) {
	t.Parallel()
	const rule = "version: 1\nrules: [{name: a, %s}]"
	const (
		pool   = "CreateUserPool SetUserPoolMfaConfig TagResource UntagResource UpdateUserPool"
		risk   = "require: {RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}}"
		client = "clients: [{require: {PreventUserExistenceErrors: ENABLED}}]"
		tagged = "pools: {tags: {env: [prod]}}, "
	)
	for name, c := range map[string]struct{ rule, want string }{
		"the pool":                 {"require: {DeletionProtection: ACTIVE}", pool},
		"MFA":                      {"require: {SoftwareTokenMfaConfiguration: {Enabled: true}}", pool},
		"risk":                     {risk, "CreateUserPool SetRiskConfiguration UpdateUserPool"},
		"logs":                     {"require: {LogConfigurations: {userAuthEvents: {LogLevel: INFO}}}", "CreateUserPool SetLogDeliveryConfiguration UpdateUserPool"},
		"clients":                  {client, "CreateUserPool CreateUserPoolClient UpdateUserPoolClient"},
		"risk of clients":          {"clients: [{" + risk + "}]", "CreateUserPool CreateUserPoolClient SetRiskConfiguration UpdateUserPool"},
		"clients of tagged pools":  {tagged + client, "CreateUserPool CreateUserPoolClient TagResource UntagResource UpdateUserPool UpdateUserPoolClient"},
		"a pool by its id":         {"pools: {ids: [eu-west-1_AbCdEf123]}, require: {LogConfigurations: {userNotification: {absent: true}}}", "CreateUserPool DeleteUserPool SetLogDeliveryConfiguration UpdateUserPool"},
		"watched clients":          {"watch: [clients]", "AddUserPoolClientSecret CreateUserPoolClient DeleteUserPoolClient"},
		"watched providers":        {"watch: [identityProviders]", "CreateIdentityProvider DeleteIdentityProvider UpdateIdentityProvider"},
		"watched domains":          {"watch: [domains]", "CreateUserPoolDomain DeleteUserPoolDomain UpdateUserPoolDomain"},
		"watched resource servers": {"watch: [resourceServers]", "CreateResourceServer DeleteResourceServer UpdateResourceServer"},
		"watched groups":           {"watch: [groups]", "CreateGroup DeleteGroup UpdateGroup"},
		"watched triggers":         {"watch: [triggers]", "CreateUserPool UpdateUserPool"},
	} {
		s := read(t, fmt.Sprintf(rule, c.rule), nil)
		if got := strings.Join(heard(s.Baseline), " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	every := strings.Fields(`AddUserPoolClientSecret CreateGroup CreateIdentityProvider CreateResourceServer CreateUserPool CreateUserPoolClient CreateUserPoolDomain
		DeleteGroup DeleteIdentityProvider DeleteResourceServer DeleteUserPool DeleteUserPoolClient DeleteUserPoolDomain SetLogDeliveryConfiguration SetRiskConfiguration SetUserPoolMfaConfig
		TagResource UntagResource UpdateGroup UpdateIdentityProvider UpdateResourceServer UpdateUserPool UpdateUserPoolClient UpdateUserPoolDomain`)
	if got := strings.Join(event.Names(), " "); got != strings.Join(every, " ") {
		t.Errorf("the event table has %s", got)
	}
	if got := strings.Join(heard(read(t, ownsAll, nil).Baseline), " "); got != strings.Join(every, " ") {
		t.Errorf("a baseline that owns and watches everything hears %s", got)
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
)

const riskRule = "{RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}}"

// calls are, for parts of a baseline's rule, the calls that concern it.
var calls = map[string]struct{ rule, want string }{
	"the pool": {"require: {DeletionProtection: ACTIVE}",
		"CreateUserPool SetUserPoolMfaConfig TagResource UntagResource UpdateUserPool"},
	"MFA": {"require: {SoftwareTokenMfaConfiguration: {Enabled: true}}",
		"CreateUserPool SetUserPoolMfaConfig TagResource UntagResource UpdateUserPool"},
	"risk": {"require: " + riskRule, "CreateUserPool SetRiskConfiguration UpdateUserPool"},
	"logs": {"require: {LogConfigurations: {userAuthEvents: {LogLevel: INFO}}}",
		"CreateUserPool SetLogDeliveryConfiguration UpdateUserPool"},
	"clients": {"clients: [{require: {PreventUserExistenceErrors: ENABLED}}]",
		"CreateUserPool CreateUserPoolClient UpdateUserPoolClient"},
	"risk of clients": {"clients: [{require: " + riskRule + "}]",
		"CreateUserPool CreateUserPoolClient SetRiskConfiguration UpdateUserPool"},
	"clients of tagged pools": {
		"pools: {tags: {env: [prod]}}, clients: [{require: {PreventUserExistenceErrors: ENABLED}}]",
		"CreateUserPool CreateUserPoolClient TagResource UntagResource UpdateUserPool UpdateUserPoolClient"},
	"a pool by its id": {
		"pools: {ids: [eu-west-1_AbCdEf123]}, require: {LogConfigurations: {userNotification: {absent: true}}}",
		"CreateUserPool DeleteUserPool SetLogDeliveryConfiguration UpdateUserPool"},
	"watched clients": {"watch: [clients]", "AddUserPoolClientSecret CreateUserPoolClient DeleteUserPoolClient"},
	"watched providers": {"watch: [identityProviders]",
		"CreateIdentityProvider DeleteIdentityProvider UpdateIdentityProvider"},
	"watched domains": {"watch: [domains]", "CreateUserPoolDomain DeleteUserPoolDomain UpdateUserPoolDomain"},
	"watched resource servers": {"watch: [resourceServers]",
		"CreateResourceServer DeleteResourceServer UpdateResourceServer"},
	"watched groups":   {"watch: [groups]", "CreateGroup DeleteGroup UpdateGroup"},
	"watched triggers": {"watch: [triggers]", "CreateUserPool UpdateUserPool"},
}

// TestCallsOfBaseline: the rule matches the calls that can change what the baseline requires or watches, and no other.
func TestCallsOfBaseline(t *testing.T) {
	t.Parallel()
	for name, c := range calls {
		s := read(t, fmt.Sprintf("version: 1\nrules: [{name: a, %s}]", c.rule), nil)
		if got := strings.Join(callsOf(s.Baseline), " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	var names []string
	for _, call := range event.Table() {
		names = append(names, call.Name)
	}
	if diff := cmp.Diff(names, callsOf(read(t, ownsAll, nil).Baseline)); diff != "" {
		t.Errorf("a baseline that requires and watches everything (-want +got):\n%s", diff)
	}
}

package main

import (
	"maps"
	"testing"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/userpool"
)

// TestWeaker: a setting is weaker where what is there is stricter. One that only changes is not.
func TestWeaker(t *testing.T) {
	t.Parallel()
	type settings = map[string]any
	password := func(length int, symbols bool) settings {
		return settings{"Policies": settings{"PasswordPolicy": settings{"MinimumLength": length, "RequireSymbols": symbols}}}
	}
	protection := func(value string) settings { return settings{protected: value} }
	const minimum, symbol = "Policies.PasswordPolicy.MinimumLength", "Policies.PasswordPolicy.RequireSymbols"
	for name, c := range map[string]struct {
		now, target settings
		planned     string
		weaker      bool
	}{
		"protection off":      {protection("ACTIVE"), protection("INACTIVE"), protected, true},
		"protection on":       {protection("INACTIVE"), protection("ACTIVE"), protected, false},
		"shorter password":    {password(12, true), password(8, true), minimum, true},
		"longer password":     {password(8, true), password(12, true), minimum, false},
		"no symbol":           {password(12, true), password(12, false), symbol, true},
		"another trigger":     {trigger("a"), trigger("b"), "LambdaConfig.PreSignUp", false},
		"not planned":         {password(12, true), password(8, true), protected, false},
		"no setting of these": {settings{"PoolName": "a"}, settings{"PoolName": "b"}, "PoolName", false},
	} {
		got, err := weaker(state(c.now), state(c.target), []string{c.planned})
		if err != nil || (len(got) > 0) != c.weaker {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

const protected = "DeletionProtection"

func trigger(name string) map[string]any {
	arn := "arn:aws:lambda:eu-west-1:111122223333:function:" + name
	return map[string]any{"LambdaConfig": map[string]any{"PreSignUp": arn}}
}

// state returns a rich pool with some members of its own.
func state(members map[string]any) userpool.State {
	pool, mfa := cognitotest.Rich()
	maps.Copy(pool, members)
	return userpool.State{ID: servedPool,
		Documents: map[baseline.DocumentName]map[string]any{baseline.UserPool: pool, baseline.MfaConfig: mfa}}
}

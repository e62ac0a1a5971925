package userpool

import (
	"slices"
	"strings"

	"poolkeeper/baseline"
)

type view struct {
	docs   documents
	before documents // as the pool was read
	client string    // id that replaces "Clients[]" in settings
}

func (v view) path(setting string) string {
	return strings.Replace(setting, baseline.Clients, baseline.ClientPath(v.client), 1)
}

func (v view) get(setting string) any { return v.docs.get(v.path(setting)) }

// unoffered reports whether a fix changes a risk configuration that the pool does not offer.
func (v view) unoffered(risk string) bool {
	return !threatens(v.docs) && v.set(risk) && !same(v.get(risk), v.before.get(v.path(risk)))
}

func (v view) text(path string) string {
	text, _ := v.get(path).(string)
	return text
}

func (v view) set(path string) bool { return !baseline.Empty(v.get(path)) }

func (v view) list(path string) []string {
	values, _ := v.get(path).([]any)
	var list []string
	for _, e := range values {
		if text, ok := e.(string); ok {
			list = append(list, text)
		}
	}
	return list
}

func (v view) has(path string, any ...string) bool {
	return slices.ContainsFunc(v.list(path), func(s string) bool { return slices.Contains(any, s) })
}

func (v view) recovery() []string {
	var names []string
	mechanisms, _ := v.get(recovery).([]any)
	for _, e := range mechanisms {
		mechanism, _ := e.(map[string]any)
		name, _ := mechanism["Name"].(string)
		names = append(names, name)
	}
	return names
}

func mfaOn(docs documents) bool {
	mode, _ := docs.get(mfa).(string)
	return mode != "" && mode != "OFF"
}

func (v view) emailMFA() bool { return mfaOn(v.docs) && v.get(emailMFA) != nil }

// factor reports whether an MFA factor is on. While MFA is off, Cognito may return the SMS block as a mirror of the
// pool's SmsConfiguration. Then the block counts only if it was absent before and is required.
func (v view) factor() bool {
	mirror := !mfaOn(v.docs) && !mfaOn(v.before) && !baseline.Empty(v.before.get(smsMFA))
	return v.set(totp) || v.get(emailMFA) != nil || v.set(smsMFA) && !mirror
}

func (v view) twoSenders(path string) bool {
	return v.set(path) && v.set(path+".SnsCallerArn") == v.set(path+".EumsSms")
}

func all(list []string, holds func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !holds(s) })
}

// namesLevels reports whether an authentication level has another name than the default, which the service returns if
// nothing was set.
func namesLevels(v any) bool {
	table, _ := baseline.UserPool.Table()
	return len(baseline.Leaves(table.Members, map[string]any{"AcrConfiguration": v})) > 0
}

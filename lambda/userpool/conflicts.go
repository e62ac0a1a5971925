package userpool

import (
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// Settings that a write treats specially.
const (
	threat   = "UserPoolAddOns.AdvancedSecurityMode"
	totp     = "SoftwareTokenMfaConfiguration"
	mfa      = "MfaConfiguration"
	smsMFA   = "SmsMfaConfiguration"
	emailMFA = "EmailMfaConfiguration"
	sms      = "SmsConfiguration"
	ofClient = baseline.Clients + "."
	publish  = ofClient + "PublishSecretsInAWSSecretsManager"
)

func has(all []baseline.Conflict, id string) bool {
	return slices.ContainsFunc(all, func(c baseline.Conflict) bool { return c.ID == id })
}

// conflicts returns the table of baseline, and the conflicts of a change. A write that breaks one is rejected, so they
// are detected before the first write: the fixes that cause one are left out of the plan, and the rest is written.
func conflicts(v view) []baseline.Conflict {
	return append(baseline.Conflicts(),
		baseline.Conflict{ID: "sms-sender-removed", Settings: []string{sms},
			Broken: func(baseline.Facts) bool {
				return !baseline.Empty(v.before.get(sms)) && baseline.Empty(v.docs.get(sms))
			},
			Reason: "no call removes a pool's SMS sender"},
		baseline.Conflict{ID: "no-secret-to-publish", Settings: []string{publish},
			Broken: func(baseline.Facts) bool { return v.get(publish) == true && v.before.get(v.path(publish)) == nil },
			Reason: "the client has no secret that Secrets Manager could store"})
}

// broken returns the conflicts of a pool: those in the table, and objects without a mandatory member.
func broken(docs, before documents) []baseline.Conflict {
	var found []baseline.Conflict
	clients := []string{""} // sorted, like the names
	for _, name := range namesOf(docs) {
		table, _ := name.Table()
		for _, m := range table.Members {
			if m.Trip == baseline.Echo {
				found = append(found, incomplete(m, docs[name][m.Name], name.Prefix()+m.Name)...)
			}
		}
		clients = append(clients, name.Client())
	}
	for _, client := range slices.Compact(clients) {
		v := view{docs: docs, before: before, client: client}
		for _, c := range conflicts(v) {
			if (client != "") != strings.HasPrefix(c.Settings[0], ofClient) || !c.Broken(v.know) {
				continue
			}
			c.ID += " " + client
			c.Settings = slices.Clone(c.Settings)
			for i, setting := range c.Settings {
				c.Settings[i] = v.path(setting)
			}
			found = append(found, c)
		}
	}
	return found
}

// incomplete finds the objects in v that cannot be written because a mandatory member is missing.
func incomplete(m baseline.Member, v any, path string) []baseline.Conflict {
	object, ok := v.(map[string]any)
	if !ok || baseline.Empty(v) {
		return nil
	}
	var found []baseline.Conflict
	for _, below := range m.Members {
		inner := object[below.Name]
		if below.Required && below.Kind != baseline.Boolean && (inner == nil || inner == "") {
			found = append(found, baseline.Conflict{ID: "lacks " + path + "." + below.Name, Settings: []string{path},
				Reason: fmt.Sprintf("%s cannot be written without %s: require it too", path, below.Name)})
		}
		found = append(found, incomplete(below, inner, path+"."+below.Name)...)
	}
	return found
}

type view struct {
	docs   documents
	before documents // as the pool was read
	client string    // id that replaces "Clients[]" in settings
}

func (v view) path(setting string) string {
	return strings.Replace(setting, baseline.Clients, baseline.ClientPath(v.client), 1)
}

func (v view) get(setting string) any { return v.docs.get(v.path(setting)) }

func (v view) know(setting string) baseline.Known {
	k := baseline.KnownOf(setting, v.get(setting))
	switch setting {
	case smsMFA:
		// While MFA is off, Cognito may return the block as a mirror of the pool's SmsConfiguration. Then the block counts
		// only if it was absent before and is required.
		k.Present = k.Present && (mfaOn(v.docs) || mfaOn(v.before) || baseline.Empty(v.before.get(smsMFA)))
	case string(baseline.RiskConfiguration), ofClient + string(baseline.RiskConfiguration):
		// What the pool already has may stay: the service's response decides.
		k.Present = k.Present && !same(v.get(setting), v.before.get(v.path(setting)))
	}
	return k
}

func mfaOn(docs documents) bool {
	mode, _ := docs.get(mfa).(string)
	return mode != "" && mode != "OFF"
}

package userpool

import (
	"cmp"
	"slices"

	"poolkeeper/baseline"
)

// Twins are two settings with the same meaning, under two names or in two documents (baseline.Member.Twin). This file
// keeps them equal:
//
//   - The legacy verification texts mirror VerificationMessageTemplate. Both are written with the same value, because
//     it is unknown which of two different values the service would use.
//   - PreTokenGeneration mirrors PreTokenGenerationConfig.LambdaArn. The service rejects two different ARNs.
//     PreTokenGeneration alone means version V1_0, so the pair is written with that version if the pool has none.
//   - UpdateUserPool and the SMS block of SetUserPoolMfaConfig both have SmsConfiguration and SmsAuthenticationMessage.
//     The block enables the SMS factor, so a requirement on the pool's setting never creates it. While MFA is off, the
//     block cannot be written.
//   - The service rejects UnusedAccountValidityDays together with TemporaryPasswordValidityDays. See validity.

// spread copies the value of the setting, and of everything below it, to the twins.
func spread(docs, before documents, setting string) {
	for _, path := range baseline.Twinned(setting) {
		other, _ := baseline.TwinOf(path)
		v := docs.get(path)
		if superseded(path) && (v == nil || docs.get(other) == nil) || superseded(other) || !carried(docs, other) {
			continue // validity handles the first two, and the last cannot be written at present
		}
		newer := before.get(other)
		if superseded(path) && (same(v, before.get(path)) || same(v, newer)) && !same(docs.get(other), newer) {
			continue // a fix has just set its successor
		}
		if baseline.Covers(setting, other) && baseline.Empty(v) {
			continue // both twins are below the setting: the one that is set wins
		}
		switch {
		case v != nil:
			if object, _ := docs.get(parent(other)).(map[string]any); len(object) == 0 {
				fillVersion(docs, parent(other))
			}
			docs.set(other, baseline.Clone(v))
		case path == setting || !stays(docs, before, path, other):
			docs.unset(other)
			dropHollow(docs, other)
		}
	}
	complete(docs, setting)
}

// stays reports whether a pool keeps its SMS sender or text although the block of the factor does not have it: the
// factor is removed, or added with the pool's sender or another fix's text.
func stays(docs, before documents, path, other string) bool {
	added := before.get(path) == nil && (other == sms || !same(docs.get(other), before.get(other)))
	return inMFA(path) && !inMFA(other) && (added || baseline.Empty(docs.get(smsMFA)))
}

func inMFA(path string) bool {
	name, _ := baseline.DocumentOf(path)
	return name == baseline.MfaConfig
}

// carried reports whether the twin can be written: the SMS block of the MFA document can be only if it exists and MFA
// is on.
func carried(docs documents, path string) bool {
	return !inMFA(path) || mfaOn(docs) && !baseline.Empty(docs.get(smsMFA))
}

// fillVersion adds the version to an object with only an ARN: the version that the ARN alone implies.
func fillVersion(docs documents, path string) {
	m, _ := baseline.Lookup(path)
	for _, below := range m.Members {
		if below.Required && len(below.Enum) > 0 {
			docs.set(path+"."+below.Name, below.Enum[0])
		}
	}
}

// create fills an object that is about to be created. It copies the values of the object's twin, or of the twins of its
// mandatory members, such as the ARN of a legacy trigger. Other mandatory members get their defaults, which is what
// absence meant: a client without RefreshTokenRotation is equal to one with Feature DISABLED.
func create(docs, before documents, path string) {
	m, _ := baseline.Lookup(path)
	switch {
	case !baseline.Empty(docs.get(path)):
		return
	case m.Twin != "" && !baseline.Empty(before.get(m.Twin)):
		docs.set(path, baseline.Clone(before.get(m.Twin)))
		return
	}
	for _, below := range m.Members {
		own := path + "." + below.Name
		other, hasTwin := baseline.TwinOf(own)
		switch {
		case !below.Required:
		case hasTwin:
			fillVersion(docs, path)
			if v := before.get(other); !baseline.Empty(v) {
				docs.set(own, baseline.Clone(v))
			}
		case below.Default != "":
			docs.set(own, below.Default)
		}
	}
}

// dropHollow removes the object around a removed twin if the object cannot be written without it.
func dropHollow(docs documents, twin string) {
	if m, _ := baseline.Lookup(twin); m.Required && docs.get(parent(twin)) != nil {
		docs.unset(parent(twin))
	}
}

// complete adds the pool's own sender to an SMS block that a requirement creates, because the service rejects a block
// without one.
func complete(docs documents, setting string) {
	block, _ := docs.get(smsMFA).(map[string]any)
	if baseline.Covers(smsMFA, setting) && len(block) > 0 && baseline.Empty(block["SmsConfiguration"]) &&
		!baseline.Empty(docs.get(sms)) {
		block["SmsConfiguration"] = baseline.Clone(docs.get(sms))
	}
}

const (
	temporaryDays = "Policies.PasswordPolicy.TemporaryPasswordValidityDays"
	unusedDays    = "AdminCreateUserConfig.UnusedAccountValidityDays"
)

func superseded(path string) bool {
	m, _ := baseline.Lookup(path)
	return m.Superseded
}

// validity handles the two settings for the validity of temporary passwords in a body. Once a pool has
// TemporaryPasswordValidityDays, the service rejects UnusedAccountValidityDays but still returns it. A pool with only
// the older setting keeps it, unless move is set: then the value is sent under the newer name. A requirement on the
// older name is written under the newer one.
func validity(pool map[string]any, move bool) {
	unused := baseline.ValueAt(pool, unusedDays)
	if baseline.Empty(baseline.ValueAt(pool, temporaryDays)) {
		if baseline.Empty(unused) || !move {
			return
		}
		baseline.Put(pool, baseline.Keys(temporaryDays), unused)
	}
	removeAt(pool, baseline.Keys(unusedDays))
}

// follows reports whether the difference at a path only comes from a mirror that follows its twin: the value is the
// same, under one name or both.
func follows(path string, want, have map[string]string) bool {
	if mirrors(path, want, have) {
		return true
	}
	// Members that the service adds to a mirror, such as the version next to an ARN.
	outer := parent(path)
	m, _ := baseline.Lookup(outer)
	return want[path] == "" && slices.ContainsFunc(m.Members, func(below baseline.Member) bool {
		sibling := outer + "." + below.Name
		return below.Required && sibling != path && want[sibling] == "" && have[sibling] != "" && mirrors(sibling, want, have)
	})
}

func mirrors(path string, want, have map[string]string) bool {
	other, ok := baseline.TwinOf(path)
	was, is := one(want[path], want[other]), one(have[path], have[other])
	replaced := path == unusedDays && want[temporaryDays] != "" // it has no effect if its successor is set
	return ok && (replaced || was != "" && was == is)
}

// one returns the value of one of two twins, or of both, and "" if there is none or they differ.
func one(a, b string) string {
	if a == "" || b == "" || a == b {
		return cmp.Or(a, b)
	}
	return ""
}

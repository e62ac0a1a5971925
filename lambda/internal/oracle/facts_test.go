package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
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
	Kind   kind
	Values []any    // to draw from; nil is none
	Names  []string // paths of the baseline
	Usual  any      // what an absent one means
	Needed bool     // a pool always has it
	MFA    bool     // it is read with GetUserPoolMfaConfig
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
	flows   = "Client.ExplicitAuthFlows"
	rotates = "Client.RefreshTokenRotation.Feature"
	client  = "Client" // stands for Clients[] and the id of the one that rules select
	// The form in which a pool shows the validity days: under the newer name, both or the older.
	form = "form"
)

func arn(name string) string { return "arn:aws:lambda:eu-west-1:111122223333:function:" + name }

// facts are what is drawn. All else in a pool is unmanaged, and has to stay as it is.
var facts = func() (all []fact) {
	raw, err := os.ReadFile("testdata/facts.json")
	if err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		panic(err)
	}
	for i, f := range all {
		all[i].Usual = typed(f.Usual)
		for j, v := range f.Values {
			f.Values[j] = typed(v)
		}
	}
	return all
}()

// objects are those that can be required as a whole.
var objects = []string{lambdas, tags, invite, devices, email, sms}

func factOf(name string) fact {
	for _, f := range facts {
		if slices.Contains(f.Names, name) {
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
	if empty(v) && f.Usual != nil {
		v = f.Usual
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
			for _, name := range f.Names {
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
	v, root := s[f.Names[0]], pool
	if f.MFA {
		root = mfa
	}
	switch {
	case v == nil, v == false && (f.Kind == there || f.MFA):
	case f.Names[0] == days:
		if s[form] != 2 {
			put(root, days, v)
		}
		if s[form] != 0 {
			put(root, older, v)
		}
	case f.Names[0] == sms:
		block := map[string]any{"SmsConfiguration": pool["SmsConfiguration"]}
		if words := pool["SmsAuthenticationMessage"]; words != nil {
			block["SmsAuthenticationMessage"] = words
		}
		mfa[sms] = block
	case f.Kind == there:
		put(root, f.Names[0], map[string]any{})
	default:
		for _, name := range f.Names {
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
		if f.MFA {
			root = mfa
		}
		for _, name := range slices.Backward(f.Names) {
			if v, ok := get(root, name); ok && (s[f.Names[0]] == nil || fmt.Sprint(v) == fmt.Sprint(s[f.Names[0]])) {
				s[f.Names[0]] = v
				if f.Kind == there {
					s[f.Names[0]] = true
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
	v := typed(baseline.At(root, strings.Split(path, ".")))
	return v, v != nil
}

// typed returns a number of JSON as an int, and a list as texts.
func typed(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return int(n)
	case []any:
		all := []string{}
		for _, e := range v {
			all = append(all, fmt.Sprint(e))
		}
		return all
	}
	return v
}

// remove removes a value, and leaves the objects around it.
func remove(root map[string]any, path string) {
	names := strings.Split(path, ".")
	last := len(names) - 1
	if object, ok := baseline.At(root, names[:last]).(map[string]any); ok {
		delete(object, names[last])
	}
}

// A requirement is one of a rule: of a fact, or of an object as a whole.
type requirement struct {
	name string // of the names of a fact, or an object
	op   string
	want any
	set  any
}

// A rule is one of a baseline.
type rule struct {
	selects bool
	audits  bool
	require []requirement
}

// A document is a baseline: rules, and a setting that is exempted, if any is.
type document struct {
	rules    []rule
	exempted string
}

// yaml writes the baseline, as JSON.
func (d document) yaml() []byte {
	var rules []any
	for i, r := range d.rules {
		required := map[string]any{}
		for _, q := range r.require {
			put(required, q.name, q.value())
		}
		names := "customers"
		if !r.selects {
			names = "others-*"
		}
		mode := "enforce"
		if r.audits {
			mode = "audit"
		}
		of := map[string]any{"name": fmt.Sprint("rule-", i), "mode": mode, "pools": map[string]any{"names": []any{names}}}
		if web := required[client]; web != nil {
			of["clients"] = []any{map[string]any{"names": []any{"web-app"}, "require": web}}
		}
		if delete(required, client); len(required) > 0 {
			of["require"] = required
		}
		rules = append(rules, of)
	}
	whole := map[string]any{"version": 1, "rules": rules}
	if d.exempted != "" {
		whole["exemptions"] = []any{map[string]any{"pools": map[string]any{"names": []any{"customers"}},
			"settings": []string{strings.Replace(d.exempted, client+".", "Clients[].", 1)},
			"until":    "2027-03-01T00:00:00Z", "reason": "it is drawn", "owner": "nobody"}}
	}
	raw, _ := json.Marshal(whole)
	return raw
}

func (q requirement) value() any {
	switch q.op {
	case "value":
		return q.want
	case "exactly":
		object := map[string]any{}
		for name, v := range q.want.(map[string]any) {
			put(object, strings.TrimPrefix(name, q.name+"."), v)
		}
		return map[string]any{"exactly": object}
	}
	operator := map[string]any{q.op: q.want}
	if q.set != nil {
		operator["set"] = q.set
	}
	return operator
}

// A demand is what the rules come to for one fact.
type demand struct {
	requirement
	audits   bool
	exempted bool
	whole    bool // of a requirement on the object around it
}

// demands merges the rules in their order: a later one wins fact by fact, and for a part of what an earlier one asks
// to be absent, or exactly something, leaves the rest absent.
func (d document) demands() map[string]demand {
	all := map[string]demand{}
	for _, r := range d.rules {
		if !r.selects {
			continue
		}
		for _, q := range r.require {
			if !slices.Contains(objects, q.name) {
				all[factOf(q.name).Names[0]] = demand{requirement: q, audits: r.audits}
				continue
			}
			parts, _ := q.want.(map[string]any)
			for _, f := range facts {
				name := f.Names[0]
				if name != q.name && !strings.HasPrefix(name, q.name+".") || name == version {
					continue
				}
				of := requirement{name: name, op: "absent", want: true}
				if v, ok := parts[name]; ok {
					of = requirement{name: name, op: "value", want: v}
				}
				if f.Kind == there && q.op != "absent" {
					of = requirement{name: name, op: "value", want: true}
				}
				all[name] = demand{requirement: of, audits: r.audits, whole: true}
			}
		}
	}
	for name, of := range all {
		of.exempted = d.exempted != "" && slices.ContainsFunc(factOf(name).Names, func(n string) bool {
			// The SMS factor holds the pool's text and sender under other names.
			return under(n, d.exempted) || d.exempted == sms && (n == "SmsAuthenticationMessage" ||
				under(n, "SmsConfiguration"))
		})
		all[name] = of
	}
	return all
}

// holds reports whether a value meets the requirement.
func (q requirement) holds(v any) bool {
	name := factOf(q.name).Names[0]
	n, _ := v.(int)
	if empty(v) {
		v = factOf(name).Usual
	}
	words, _ := v.([]string)
	given, _ := q.want.([]string)
	switch q.op {
	case "value":
		return canonical(name, v) == canonical(name, q.want)
	case "oneOf":
		return slices.ContainsFunc(q.want.([]any), func(w any) bool { return canonical(name, w) == canonical(name, v) })
	case "absent":
		return canonical(name, v) == canonical(name, nil)
	case "present":
		// What every pool has is present as its default, too.
		return factOf(name).Needed || name == first || canonical(name, v) != canonical(name, nil)
	case "atLeast":
		return n >= q.want.(int)
	case "atMost":
		return n <= q.want.(int)
	case "contains":
		return !slices.ContainsFunc(given, func(w string) bool { return !slices.Contains(words, w) })
	case "without":
		return !slices.ContainsFunc(given, func(w string) bool { return slices.Contains(words, w) })
	case "matches":
		matched, _ := path.Match(q.want.(string), fmt.Sprint(v))
		return v != nil && matched
	default:
		panic(q.op)
	}
}

// written returns what is written where a value does not meet the requirement, if anything is.
func (q requirement) written(v any) (any, bool) {
	if empty(v) {
		v = factOf(q.name).Usual
	}
	words, _ := v.([]string)
	given, _ := q.want.([]string)
	switch {
	case q.set != nil:
		return q.set, true
	case q.op == "present", q.op == "matches":
		return nil, false
	case q.op == "absent":
		return nil, true
	case q.op == "oneOf":
		return q.want.([]any)[0], true
	case q.op == "contains":
		for _, w := range given {
			if !slices.Contains(words, w) {
				words = append(slices.Clone(words), w)
			}
		}
		return words, true
	case q.op == "without":
		return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(given, w) }), true
	default:
		return q.want, true
	}
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// drawState draws a pool that the API holds, from one that it holds, by changing some facts.
func drawState(r *rand.Rand, from state, changes int) state {
	for {
		s := maps.Clone(from)
		for range changes {
			f := pick(r, facts)
			s[f.Names[0]] = pick(r, f.Values)
		}
		s[form] = r.IntN(3)
		if s.equal(mode, "OFF") {
			s[totp], s[sms], s[email] = false, false, false
		}
		if s = s.with(nil); possible(s) {
			return s
		}
	}
}

// firstState is a pool in which every fact is at its first value.
func firstState() state {
	s := state{form: 0}
	for _, f := range facts {
		s[f.Names[0]] = f.Values[0]
	}
	s[mode], s[totp], s[sms], s[email], s[devices] = "OFF", false, false, false, false
	return s.with(nil)
}

// drawDocument draws a baseline.
func drawDocument(r *rand.Rand) document {
	var d document
	for range 1 + r.IntN(3) {
		of := rule{selects: r.IntN(8) > 0, audits: r.IntN(5) == 0}
		whole := map[string]bool{}
		for range 1 + r.IntN(5) {
			if r.IntN(6) == 0 {
				object := pick(r, objects)
				if whole[object] || slices.ContainsFunc(of.require, func(q requirement) bool { return under(q.name, object) }) {
					continue
				}
				whole[object] = true
				of.require = append(of.require, drawWhole(r, object))
				continue
			}
			f := pick(r, facts)
			same := func(q requirement) bool { return slices.Contains(f.Names, q.name) }
			if f.Kind == there || f.Names[0] == version || slices.ContainsFunc(of.require, same) ||
				slices.ContainsFunc(slices.Collect(maps.Keys(whole)), func(o string) bool { return under(f.Names[0], o) }) {
				continue
			}
			of.require = append(of.require, drawRequirement(r, f))
		}
		if len(of.require) > 0 {
			d.rules = append(d.rules, of)
		}
	}
	if len(d.rules) == 0 {
		return drawDocument(r)
	}
	if q := pick(r, pick(r, d.rules).require); r.IntN(5) == 0 {
		d.exempted = q.name
	}
	return d
}

func under(name, object string) bool { return strings.HasPrefix(name, object+".") || name == object }

// drawWhole requires an object to be absent, or exactly some of its parts.
func drawWhole(r *rand.Rand, object string) requirement {
	parts := map[string]any{}
	for _, f := range facts {
		if name := f.Names[0]; under(name, object) && name != object && name != version && r.IntN(2) == 0 {
			if v := pick(r, f.Values); !empty(v) {
				parts[name] = v
			}
		}
	}
	if len(parts) == 0 || r.IntN(2) == 0 {
		return requirement{name: object, op: "absent", want: true}
	}
	return requirement{name: object, op: "exactly", want: parts}
}

// drawRequirement draws an operator of a fact, and its values.
func drawRequirement(r *rand.Rand, f fact) requirement {
	ops := map[kind][]string{flag: {"value"}, choice: {"value", "oneOf", "present"}, text: {"value", "oneOf", "present",
		"matches"}, number: {"value", "oneOf", "atLeast", "atMost", "present"}, list: {"value", "contains", "without",
		"present"}}[f.Kind]
	clearable := []string{"DeletionProtection", mode, "Policies.PasswordPolicy.PasswordHistorySize"}
	if !f.Needed && f.Usual == nil || slices.Contains(clearable, f.Names[0]) {
		ops = append(slices.Clone(ops), "absent")
	}
	var some []any // to require; what is empty is not there to be written
	for _, v := range f.Values {
		if !empty(v) || v == false && f.Kind == flag {
			some = append(some, v)
		}
	}
	q := requirement{name: pick(r, f.Names), op: pick(r, ops)}
	switch q.op {
	case "absent":
		q.want, q.name = true, f.Names[0] // the other name may be a part without which the API takes no object
	case "present":
		q.want = true
	case "oneOf":
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		q.want = some[:1+r.IntN(len(some))]
	case "contains", "without":
		q.want = []string{pick(r, pick(r, some).([]string))}
		if q.op == "without" && f.Names[0] == first {
			q.want = []string{pick(r, []string{"EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"})}
		}
	case "matches":
		q.want = pick(r, some).(string)[:1] + "*"
	default:
		q.want = pick(r, some)
	}
	if q.op == "value" || r.IntN(3) > 0 {
		return q
	}
	for _, v := range some { // the first value that the operator takes, if there is one
		if q.op != "absent" && q.op != "contains" && q.op != "without" && q.holds(v) {
			q.set = v
		}
	}
	return q
}

// related are the facts that the API does not hold in every combination.
var related = []string{mode, totp, sms, email, email + ".Message", email + ".Subject", tier, threat, first, checked,
	updates, flows, rotates}

// possible reports whether the API holds a state.
func possible(s state) bool {
	list, _ := s[first].([]string)
	verified, _ := s[checked].([]string)
	settings, _ := s[updates].([]string)
	codes := slices.Contains(list, "EMAIL_OTP") || slices.Contains(list, "SMS_OTP")
	allowed, _ := s[flows].([]string)
	isOld := func(flow string) bool { return !strings.HasPrefix(flow, "ALLOW_") }
	someOld := slices.ContainsFunc(allowed, isOld)
	factor := s.equal(totp, true) || s.equal(sms, true) || s.equal(email, true)
	switch {
	case s.equal(mode, "OFF") == factor, s.equal(mode, "ON") && codes:
		return false
	case !s.equal(threat, "OFF") && !s.equal(tier, "PLUS"):
		return false
	case s.equal(rotates, "ENABLED") && refreshes(s), someOld && len(slices.DeleteFunc(slices.Clone(allowed), isOld)) > 0:
		return false
	default:
		return !slices.ContainsFunc(settings, func(a string) bool { return !slices.Contains(verified, a) })
	}
}

// refreshes reports whether a client may refresh its tokens with the flow for that.
func refreshes(s state) bool {
	allowed, _ := s[flows].([]string)
	return slices.Contains(allowed, "ALLOW_REFRESH_TOKEN_AUTH")
}

// stranded reports whether the API keeps something on: the refresh flow of a client that does not rotate tokens, or the
// SMS factor of a pool that verifies phone numbers.
func stranded(before, after state) bool {
	if refreshes(before) && !refreshes(after) && !after.equal(rotates, "ENABLED") {
		return true
	}
	for _, s := range []state{before, after} {
		if verified, _ := s[checked].([]string); !slices.Contains(verified, "phone_number") {
			return false // it goes while phone numbers are not verified
		}
	}
	return before.equal(sms, true) && !after.equal(sms, true)
}

// with returns the state after some facts were written, with what that brings along.
func (s state) with(written map[string]any) state {
	after := maps.Clone(s)
	maps.Copy(after, written)
	for _, object := range []string{email, devices} {
		for name, v := range written {
			if strings.HasPrefix(name, object+".") && !empty(v) {
				after[object] = true
			}
		}
		for name := range after {
			if strings.HasPrefix(name, object+".") && !after.equal(object, true) {
				after[name] = nil
			}
		}
	}
	switch {
	case after[trigger] == nil:
		after[version] = nil
	case after[version] == nil:
		after[version] = "V1_0"
	}
	return after
}

// A verdict is what a run may come to: the states, and the outcome.
type verdict struct {
	states  []state
	outcome outcome.Ending
}

// verdictOf says what a run has to make of a pool. What is required and can be met is met: a state is right where no
// further requirement could be met in it.
func verdictOf(d document, s state, ownWrite bool) verdict {
	if !slices.ContainsFunc(d.rules, func(r rule) bool { return r.selects }) {
		return verdict{[]state{s}, outcome.Ignored}
	}
	demands := d.demands()
	for _, object := range []string{devices, email} {
		if demands[object].op == "absent" && stays(demands, s, object) {
			delete(demands, object)
		}
		if demands[object].op == "absent" {
			maps.DeleteFunc(demands, func(name string, of demand) bool { // they go with the object
				return of.whole && strings.HasPrefix(name, object+".")
			})
		}
	}
	fixes, certain := map[string]any{}, map[string]any{}
	var tangled []string
	reported, exempted, valueless := 0, 0, 0
	for name, of := range demands {
		v, writable := of.written(s[name])
		switch {
		case of.holds(s[name]):
		case of.exempted:
			exempted++
		case of.audits || ownWrite:
			reported++
		case !writable:
			valueless++
		case slices.Contains(related, name):
			fixes[name] = v
			tangled = append(tangled, name)
		default:
			fixes[name], certain[name] = v, v
		}
	}
	slices.Sort(tangled)
	var found verdict
	best := []int{}
	for set := 1<<len(tangled) - 1; set >= 0; set-- {
		if slices.ContainsFunc(best, func(b int) bool { return set&b == set }) {
			continue
		}
		written := maps.Clone(certain)
		for i, name := range tangled {
			if set&(1<<i) != 0 {
				written[name] = fixes[name]
			}
		}
		if after := s.with(written); possible(after) && !stranded(s, after) && kept(demands, s, after, written) {
			best = append(best, set)
			found.states = append(found.states, after)
		}
	}
	fixed := len(certain) > 0 || len(tangled) > 0 && best[0] > 0
	all := len(best) == 1 && best[0] == 1<<len(tangled)-1
	switch {
	case fixed && (!all || valueless > 0):
		found.outcome = outcome.Partial
	case fixed:
		found.outcome = outcome.Remediated
	case !all:
		found.outcome = outcome.Unfixable
	case reported+valueless > 0:
		found.outcome = outcome.Drifted
	case exempted > 0:
		found.outcome = outcome.Exempted
	default:
		found.outcome = outcome.Unchanged
	}
	return found
}

// stays reports whether an object that one rule requires to be absent is there for a part that a later one requires.
func stays(demands map[string]demand, s state, object string) bool {
	for name, of := range demands {
		v, writable := of.written(s[name])
		if of.holds(s[name]) || of.exempted || of.audits || !writable {
			v = s[name]
		}
		if strings.HasPrefix(name, object+".") && (!of.whole || of.exempted) && !empty(v) {
			return true
		}
	}
	return false
}

// kept reports whether what was met before, or was written, is met after.
func kept(demands map[string]demand, before, after state, written map[string]any) bool {
	for name, of := range demands {
		_, wrote := written[name]
		if !of.exempted && (wrote || of.holds(before[name])) && !of.holds(after[name]) {
			return false
		}
	}
	return true
}

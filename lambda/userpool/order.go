package userpool

import (
	"fmt"
	"slices"

	"poolkeeper/baseline"
)

// orderOf returns the documents to write, in an order that breaks no rule of the service between two writes.
// UpdateUserPool comes first if both orders are allowed. If no order is allowed, orderOf returns the reason.
//
// No fixed order works. MFA ON is rejected while one-time codes are allowed as first factors, so they must be removed
// first. And they are rejected while MFA is ON, so MFA must be lowered first. The conflicts of the state between the
// two calls decide.
//
// The other documents follow in the order of the table. By then the pool has the threat protection or the tier that
// they need.
func orderOf(before, after documents, touched map[baseline.DocumentName]bool,
) (order []baseline.DocumentName, clash string) {
	mfaFirst := []baseline.DocumentName{baseline.MfaConfig, baseline.UserPool}
	for _, name := range namesOf(after) {
		if touched[name] {
			order = append(order, name)
		}
		if touched[name] && !slices.Contains(mfaFirst, name) {
			mfaFirst = append(mfaFirst, name)
		}
	}
	switch {
	case touched[baseline.MfaConfig] && dropsSMS(before, after):
		// SetUserPoolMfaConfig without the SMS block may clear the pool's SmsConfiguration, so UpdateUserPool follows
		// and sets it again.
		return mfaFirst, ""
	case !touched[baseline.MfaConfig] || !touched[baseline.UserPool]:
		return order, ""
	}
	first := newBetween(before, after, baseline.UserPool)
	if first == "" {
		return order, ""
	}
	second := newBetween(before, after, baseline.MfaConfig)
	if second == "" {
		return mfaFirst, ""
	}
	return order, "both orders of the two calls would be rejected: " + first + "; " + second
}

// newBetween returns the rule that the pool would break after the first of two writes, if the named document is written
// first.
func newBetween(before, after documents, first baseline.DocumentName) string {
	between := documents{baseline.UserPool: before[baseline.UserPool], baseline.MfaConfig: before[baseline.MfaConfig]}
	between[first] = after[first]
	had := broken(before, before)
	ends := broken(after, before)
	for _, c := range broken(between, before) {
		if !c.in(had) && !c.in(ends) {
			return c.reason
		}
	}
	return ""
}

// dropsSMS reports whether the write of the MFA document lacks the SMS block although the pool sends text messages.
func dropsSMS(before, after documents) bool {
	block := mfaOn(after) && !baseline.Empty(after.get(smsMFA))
	return !block && !baseline.Empty(before.get(sms)) && !baseline.Empty(after.get(sms))
}

// request builds the write calls in the given order. UpdateUserPool sends the MfaConfiguration that is live at that
// time.
func (p *Plan) request(order []baseline.DocumentName, before, after documents) error {
	live := p.Before.liveMFA()
	for _, name := range order {
		body, err := EncodeObject(p.body(name, before, after, live))
		if err != nil {
			return fmt.Errorf("planning the write of %s: %w", name, err)
		}
		table, _ := name.Table()
		r := Request{Call: table.WriteCall, Document: name, Body: body, after: after[name]}
		if name == baseline.MfaConfig && dropsSMS(before, after) {
			r.Restores = []baseline.Drift{{Setting: sms, Action: baseline.Write, Value: baseline.Clone(after.get(sms))}}
		}
		for _, i := range writing(before, p.Fixes, name, nil) {
			r.Fixes = append(r.Fixes, p.Fixes[i])
		}
		p.Writes = append(p.Writes, r)
		if name == baseline.MfaConfig {
			live = "OFF"
			if mfaOn(after) {
				live, _ = after.get(mfa).(string)
			}
		}
	}
	return nil
}

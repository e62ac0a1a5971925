package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// inQuestion returns the settings that the event's call can have set and that a write of the record replaced, as the written document names them. They go by the names of the request's parameters: a
// parameter that this build does not know, and a request that CloudTrail left out, put the document as a whole in question.
func (r *run) inQuestion(ctx context.Context, rec Record, at int) []string {
	name, call, named := rec.Sent[at].Document, r.request.Call, r.request.Named
	if r.request.ClientID != "" && r.request.ClientID != name.Client() {
		return nil
	}
	if len(named) == 0 {
		return []string{string(name)}
	}
	whole := sync.OnceValue(func() Record { return r.whole(ctx, rec) })
	if ofClient := slices.ContainsFunc(named, is(event.ClientParameter)); ofClient && name.Client() == "" {
		return nil // of a client whose id is hidden
	} else if !ofClient && name.Kind() == baseline.ClientRisk && !copied(whole(), name) {
		return nil
	}
	var settings []string
	unknown := false
	for _, parameter := range named {
		setting, known := settingOf(call, parameter, name)
		unknown = unknown || !known
		if setting == "" {
			continue
		}
		held := name.Holds(setting)
		settings = append(settings, held...)
		if !slices.Contains(held, setting) && tookAway(whole, at, setting, name) {
			settings = append(settings, setting)
		}
	}
	if unknown {
		settings = append(settings, string(name))
	}
	return settings
}

// settingOf returns the setting that a parameter of the call sets, "" if that is none. Where the call writes documents of several kinds or clients, it is the setting of the one that is named. known is
// false for a parameter that is in no table.
func settingOf(call event.Name, parameter string, name baseline.DocumentName) (setting string, known bool) {
	for _, p := range call.Parameters {
		if strings.EqualFold(p.Name, parameter) {
			return p.Sets, true
		}
	}
	for _, kind := range call.Changes {
		of := baseline.DocumentName(kind)
		if of == name.Kind() {
			of = name
		}
		table, _ := of.Table()
		i := slices.IndexFunc(table.Members, func(m baseline.Member) bool {
			return m.Trip != baseline.ReadOnly && strings.EqualFold(m.Name, parameter)
		})
		if table.WriteCall != call.Name || i < 0 {
			continue
		}
		setting, known = of.Prefix()+table.Members[i].Name, true
		if of == name {
			break
		}
	}
	return setting, known
}

func is(parameter string) func(string) bool {
	return func(named string) bool { return strings.EqualFold(named, parameter) }
}

// copied says whether a write gave a client a risk configuration of its own that was the pool's before: what a call set for the pool meanwhile does not reach that client any more.
// Where the state before it was not kept, it may have.
func copied(rec Record, name baseline.DocumentName) bool {
	return rec.Before == nil || rec.Before.State().Inherits(name.Client())
}

// tookAway says whether a write of one document took a setting of another away, as it turned off what that cannot be without. Where its body was not kept, what was turned off is told and no more.
func tookAway(whole func() Record, at int, setting string, name baseline.DocumentName) bool {
	m, _ := baseline.Lookup(setting)
	if m.GoneWith == "" || len(name.Holds(m.GoneWith)) == 0 {
		return false
	}
	needed, _ := baseline.Lookup(m.GoneWith)
	var sent map[string]any
	rec := whole()
	return len(rec.Sent) > at && json.Unmarshal(rec.Sent[at].Body, &sent) == nil && sent[m.GoneWith] == needed.Default
}

// whole returns the record with the state before it and the bodies of its writes, if the ledger has them.
func (r *run) whole(ctx context.Context, rec Record) Record {
	if rec.Before != nil || !r.remembers() {
		return rec
	}
	whole, err := r.Ledger.Record(ctx, rec.ID)
	switch {
	case err == nil:
		return whole
	case !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrNoRecord):
		r.fault("reading a record that the call may have been lost to", err)
	}
	return rec
}

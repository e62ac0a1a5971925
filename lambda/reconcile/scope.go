package reconcile

import (
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// What a run has seen of the pool, and how much of it is looked at.
type sight struct {
	wide       bool                      // everything is looked at, whatever the event's call can have changed
	unseen     bool                      // the pool is not to be seen here
	unreadable error                     // why the pool could not be read, if it is not for us to read
	judged     time.Time                 // when the latest read began that showed the pool
	planned    time.Time                 // when the read began that the latest plan is based on
	again      time.Time                 // when the documents of the pool itself were read again after that
	shown      func(setting string) bool // whether the latest look shows if a setting is as it is to be
}

// owned returns the kinds of documents that the baseline owns and that the event's call can have changed: of a call about one client, those of clients.
func (r *run) owned() []baseline.DocumentName {
	if r.everything() {
		return r.Baseline.Owns(r.id)
	}
	kinds := r.Baseline.OwnsOf(r.id, changeOf(r.request.Call))
	if r.request.ClientID == "" {
		return kinds
	}
	return slices.DeleteFunc(kinds, func(kind baseline.DocumentName) bool { d, _ := kind.Table(); return !d.PerClient })
}

// everything says whether the whole pool is looked at.
func (r *run) everything() bool { return r.wide || r.stood || r.request.Call.Name == "" }

// concerned says whether there is any need to look at the pool.
func (r *run) concerned() bool {
	return r.request.Call.Name == "" || r.Baseline.Concerns(r.id, changeOf(r.request.Call))
}

func changeOf(call event.Name) baseline.Change {
	return baseline.Change{Documents: call.Changes, Selection: call.Selection, Watched: call.Watched, Deletes: call.Name == event.DeleteUserPool}
}

// want returns what is to be read: the documents that the baseline owns and that the event's call can have changed, or all that it owns.
func (r *run) want() userpool.Want {
	var w userpool.Want
	for _, kind := range baseline.WithCompanions(r.owned()) {
		if d, _ := kind.Table(); d.PerClient {
			w.Clients = r.ofClient
		} else {
			w.Documents = append(w.Documents, kind)
		}
	}
	return w
}

// ofClient returns the documents of a client that the rules that select it require something of.
func (r *run) ofClient(pool baseline.Identity, client baseline.ClientIdentity) []baseline.DocumentName {
	if !r.wide && !r.stood && r.request.ClientID != "" && r.request.ClientID != client.ID {
		return nil
	}
	pool.Clients = []baseline.ClientIdentity{client}
	changed := r.owned()
	var kinds []baseline.DocumentName
	for _, o := range r.Baseline.Policy(pool, r.Now()).Requirements {
		name, _ := baseline.DocumentOf(o.Setting)
		if name.Client() == client.ID && slices.Contains(changed, name.Kind()) && !slices.Contains(kinds, name.Kind()) {
			kinds = append(kinds, name.Kind())
		}
	}
	return kinds
}

// counts says which documents are compared: those that were read whole. Where everything was looked for, a client that is named and was not found counts too: it is missing.
func (r *run) counts(state userpool.State) func(baseline.DocumentName) bool {
	return func(name baseline.DocumentName) bool {
		return state.Has(name) || name.Client() != "" && r.everything()
	}
}

// requires says whether the policy requires something of the setting, or of a part of it.
func requires(policy baseline.Policy, setting string) bool {
	return slices.ContainsFunc(policy.Requirements, func(o baseline.Owned) bool {
		return baseline.Concerns(o.Setting, setting) || userpool.Touches(o.Setting, setting)
	})
}

// shows says whether a look at the state shows if the setting is as it is to be: of what is compared, and of a trigger that is only watched. Of a call that was denied it says whether it is not any more.
func (r *run) shows(state userpool.State, policy baseline.Policy, setting string) bool {
	if call, denied := strings.CutPrefix(setting, reading); denied {
		return r.reads(state, call)
	}
	name, ok := baseline.DocumentOf(setting)
	trigger := userpool.Touches(setting, triggers) && policy.Watch[baseline.WatchTriggers] != "" && !requires(policy, setting)
	return ok && (r.counts(state)(name) || trigger)
}

// notShown returns the settings that were left when they were last looked at and that this look does not show. unknown says that not everything was looked at yet.
func (r *run) notShown() (left []string, unknown bool) {
	if r.everything() {
		return nil, false
	}
	return slices.DeleteFunc(slices.Clone(r.known.Left), r.shown), r.known.Whole.IsZero()
}

// reads says whether the state was read by the call, among others.
func (r *run) reads(state userpool.State, call string) bool {
	for name := range state.Documents {
		if table, _ := name.Table(); table.ReadCall == call {
			return true
		}
	}
	return call == "ListUserPoolClients" && r.want().Clients != nil
}

// triggers is the setting that holds a pool's triggers.
const triggers = "LambdaConfig"

// watched reports what came, changed or went and is watched, and the triggers that no rule requires.
func (r *run) watched(state userpool.State, policy baseline.Policy) []Drift {
	var drifts []Drift
	call := r.request.Call
	if rule := policy.Watch[baseline.Watched(call.Watched)]; rule != "" && call.Happened != "" {
		by := r.cause.Actor
		if by == "" {
			by = "somebody unknown"
		}
		drifts = append(drifts, Drift{Setting: call.Watched + "[" + r.request.Subject + "]", Rule: rule, Want: "no change", Have: call.Happened, State: Reported,
			Reason: call.Happened + " by " + by + "; this is watched, and never undone"})
	}
	if rule := policy.Watch[baseline.WatchTriggers]; rule != "" {
		drifts = append(drifts, r.strangers(rule, state, policy)...)
	}
	return drifts
}

// strangers reports the triggers of a pool that no rule requires, and whose call may have brought them.
func (r *run) strangers(rule string, state userpool.State, policy baseline.Policy) []Drift {
	var drifts []Drift
	reason := "triggers are watched, and never undone"
	if call := r.request.Call; call.Watched == string(baseline.WatchTriggers) && r.cause.Actor != "" {
		reason = "found after " + call.Name + " by " + r.cause.Actor + "; " + reason
	}
	attached, _ := state.Settings()[triggers].(map[string]any)
	m, _ := baseline.Lookup(triggers)
	for _, trigger := range m.Members {
		path := triggers + "." + trigger.Name
		v := attached[trigger.Name]
		if baseline.Empty(v) || requires(policy, path) {
			continue
		}
		drifts = append(drifts, Drift{Setting: path, Rule: rule, Want: "no trigger that no rule requires", Have: baseline.Mask(trigger, v), State: Reported,
			Reason: reason, Left: LeftWatched})
	}
	return drifts
}

// deleted ends a run about a pool that a rule names and that somebody deleted. Nothing brings it back.
func (r *run) deleted(rule string) {
	r.out.Outcome, r.out.Reason, r.out.Critical = Drifted, "the user pool was deleted", true
	by := r.cause.Actor
	if by == "" {
		by = "somebody unknown"
	}
	r.out.Drifts = append(r.out.Drifts, Drift{Setting: "UserPool", Rule: rule, Want: "a pool that a rule names", Have: "deleted", State: Reported, Reason: "deleted by " + by})
}

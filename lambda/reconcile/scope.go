package reconcile

import (
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// A Scope is the set of documents of a pool that a run reads and compares.
type Scope struct {
	Ignored string                  // why there is nothing to do, or ""
	Whole   bool                    // everything that the baseline requires
	Kinds   []baseline.DocumentName // the kinds of documents, in the order of the table
	Clients []string                // the app clients, nil for all
}

// ScopeOf returns the scope of a request: the documents that its call may have changed, or the whole pool.
func ScopeOf(b *baseline.Baseline, request event.Request) Scope {
	id, call := request.UserPoolID, request.Call
	change := call.Change()
	kinds := b.OwnsOf(id, change)
	switch {
	case request.Kind == event.Ignored:
		return Scope{Ignored: string(request.Reason) + ": " + request.Detail}
	case !b.MaySelect(id):
		return Scope{Ignored: "no rule selects this pool"}
	case call.Name == "" && len(request.Clients) > 0:
		return Scope{Kinds: ofClients(b.Owns(id)), Clients: request.Clients}
	case call.Name == "":
		return wholeScope(b, id)
	case len(kinds) == 0 && !b.Concerns(id, change):
		return Scope{Ignored: "the baseline neither requires nor watches anything that " + call.Name + " changes"}
	case request.ClientID != "":
		return Scope{Kinds: ofClients(kinds), Clients: []string{request.ClientID}}
	default:
		return Scope{Kinds: kinds}
	}
}

func wholeScope(b *baseline.Baseline, id string) Scope { return Scope{Whole: true, Kinds: b.Owns(id)} }

func ofClients(kinds []baseline.DocumentName) []baseline.DocumentName {
	return slices.DeleteFunc(slices.Clone(kinds), func(kind baseline.DocumentName) bool {
		table, _ := kind.Table()
		return !table.PerClient
	})
}

// covers reports whether the scope includes the other scope.
func (s Scope) covers(other Scope) bool {
	clients := s.Clients == nil || other.Clients != nil && containsAll(s.Clients, other.Clients)
	return clients && containsAll(s.Kinds, other.Kinds)
}

func containsAll[T comparable](all, some []T) bool {
	return !slices.ContainsFunc(some, func(v T) bool { return !slices.Contains(all, v) })
}

// A selection is what the scope of a run selects in its pool.
type selection struct {
	run      *run
	selected int      // number of app clients
	rest     []string // app clients that are too many for one run
}

// want returns the documents to read. Want.Clients is called once per client.
func (s *selection) want() userpool.Want {
	var want userpool.Want
	for _, kind := range baseline.WithCompanions(s.run.scope.Kinds) {
		if table, _ := kind.Table(); table.PerClient {
			want.Clients = s.ofClient
		} else {
			want.Documents = append(want.Documents, kind)
		}
	}
	return want
}

// ofClient returns the documents of a client that a rule has requirements on.
func (s *selection) ofClient(pool baseline.Identity, client baseline.ClientIdentity) []baseline.DocumentName {
	if s.run.scope.Clients != nil && !slices.Contains(s.run.scope.Clients, client.ID) {
		return nil
	}
	pool.Clients = []baseline.ClientIdentity{client}
	var kinds []baseline.DocumentName
	for _, o := range s.run.rules.Baseline.Policy(pool, s.run.rules.Now).Requirements {
		name, _ := baseline.DocumentOf(o.Setting)
		kind := name.Kind()
		if name.Client() == client.ID && slices.Contains(s.run.scope.Kinds, kind) && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	most := s.run.with.MostClients // the clients that a request names are few enough
	if s.selected++; len(s.run.request.Clients) == 0 && most > 0 && s.selected > most {
		s.rest = append(s.rest, client.ID)
		return nil
	}
	return kinds
}

// A Unit is a set of documents that are read, decided, written and verified together.
type Unit []baseline.DocumentName

// poolUnit is the pool with its MFA configuration: each write of one also sends settings of the other.
var poolUnit = Unit{baseline.UserPool, baseline.MfaConfig}

// Units returns the units of a state in the scope, in the order of their dependencies.
func (s Scope) Units(state userpool.State) []Unit {
	var units []Unit
	has := func(kind baseline.DocumentName) bool { return slices.Contains(s.Kinds, kind) }
	if has(baseline.UserPool) || has(baseline.MfaConfig) {
		units = append(units, poolUnit)
	}
	for _, kind := range []baseline.DocumentName{baseline.RiskConfiguration, baseline.LogDelivery} {
		if has(kind) {
			units = append(units, Unit{kind})
		}
	}
	for _, client := range state.Clients {
		var unit Unit
		for _, kind := range []baseline.DocumentName{baseline.AppClient, baseline.ClientRisk} {
			if name := kind.Of(client.ID); has(kind) && state.Has(name) {
				unit = append(unit, name)
			}
		}
		if len(unit) > 0 {
			units = append(units, unit)
		}
	}
	return units
}

func (u Unit) isPool() bool { return u[0] == baseline.UserPool }

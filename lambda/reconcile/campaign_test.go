package reconcile_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// fewest is how many cells have to be struck for the campaign to say anything.
const fewest = 2000

// sample is which of the cells are tried without POOLKEEPER_CAMPAIGN=full: every so manyth.
const sample = 60

// longLease is longer than a lease lasts that nobody renews.
const longLease = 2 * time.Minute

// TestCampaign strikes each call of a remediation with each fault: those to Cognito on the wire, those to the ledger,
// and the one that notifies people. It kills the process before and after each of its calls, and has it start again
// with a clock that is wrong. Whatever the event comes to: once the fault is over and the event is delivered again,
// the pool holds the baseline, everything else is exactly what it was, and people are notified of what was put right.
//
// The environment variable POOLKEEPER_CAMPAIGN=full has it try every cell, which takes minutes; else it tries a sample
// of seconds. `make campaign` sets it.
func TestCampaign(t *testing.T) {
	t.Parallel()
	var every []cell
	for _, incident := range slices.Sorted(maps.Keys(incidents)) {
		every = append(every, cells(t, incident)...)
	}
	tried := every
	if len(every) < fewest {
		t.Errorf("there are only %d cells", len(every))
	}
	if !full {
		tried = nil
		for i := 0; i < len(every); i += sample {
			tried = append(tried, every[i])
		}
	}
	counts, struck := tryAll(t, tried), 0
	for place := range faultsAt {
		struck += counts["at: "+place]
		if full && counts["at: "+place] == 0 {
			t.Errorf("%s was never struck", place)
		}
	}
	t.Logf("%d cells, of which %d were struck; by place and by fault: %v", len(tried), struck, counts)
	if len(tried)-struck > len(tried)/10 || full && struck < fewest {
		t.Errorf("%d of %d cells were struck", struck, len(tried))
	}
}

// TestKilledAnywhere kills the process at each of its calls, before it took effect and after, and has the message
// delivered again, or an event of a client before it.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, incident := range all("the pool", "the text messages", "the risk", "a client") {
		t.Run(incident, func(t *testing.T) {
			t.Parallel()
			tryAll(t, slices.DeleteFunc(cells(t, incident), func(c cell) bool {
				return c.place != atKill || c.restart != restart{} && !c.restart.narrower
			}))
		})
	}
}

// tryAll tries cells, and counts those that were struck by the fault and by the place.
func tryAll(t *testing.T, some []cell) map[string]int {
	t.Helper()
	counts, busy := map[string]int{}, make(chan bool, 4)
	var mutex sync.Mutex
	var working sync.WaitGroup
	for _, c := range some {
		busy <- true
		working.Go(func() {
			defer func() { <-busy }()
			struck, lost := c.try(t)
			if lost != "" {
				t.Errorf("%+v: %s", c, lost)
			}
			mutex.Lock()
			defer mutex.Unlock()
			if struck {
				counts[fmt.Sprint(c.fault, " ", c.restart)]++
				counts["at: "+c.place]++
			}
		})
	}
	working.Wait()
	return counts
}

// The places of a remediation in which a call goes wrong.
const (
	atCognito = "Cognito"
	atLedger  = "ledger"
	atNotify  = "notification"
	atKill    = "any call"
)

var faultsAt = map[string]map[string]wrong{atCognito: wireFaults, atLedger: localFaults, atNotify: localFaults,
	atKill: kills}

// A cell is one fault at one call of one remediation.
type cell struct {
	incident, fault string
	target
	times   int  // how many calls are struck, from that one on; 0 is all
	warm    bool // the event comes again to the same process
	restart restart
}

// A target is a call of a remediation: the nth one of an operation, counted from 1.
type target struct {
	place, operation string
	n                int
}

// A restart is how the process comes back that was killed, once its lease has expired.
type restart struct {
	skew     time.Duration // its clock is so much too fast
	again    int           // it is killed as well, before this write of its own, counted from 1; 0 is not at all
	narrower bool          // an event of a client comes first
}

// wrong is what the cell's fault does.
func (c cell) wrong() wrong { return faultsAt[c.place][c.fault] }

// cells generates the campaign of an incident: each call of an undisturbed remediation, with each fault.
func cells(t *testing.T, incident string) []cell {
	t.Helper()
	var all []cell
	for _, at := range targets(t, incident) {
		for _, fault := range slices.Sorted(maps.Keys(faultsAt[at.place])) {
			c := cell{incident: incident, fault: fault, target: at, times: 1}
			if c.exists() {
				all = append(all, c.variants()...)
			}
		}
	}
	return all
}

// exists reports whether the fault is one at this call, and not another one under a second name.
func (c cell) exists() bool {
	w := c.wrong()
	asks := c.operation == "Record" || c.operation == "History"
	reads := c.place == atCognito && !writesOf()[c.operation]
	if c.fault == "the service changes something on its own" { // at a read, it is somebody who does
		return !reads
	}
	return !reads && !asks || !w.Apply || w.Body != nil // a read has nothing to apply
}

// variants are the ways in which a fault strikes and what comes after it.
func (c cell) variants() (all []cell) {
	w := c.wrong()
	if w.kills {
		for _, r := range []restart{{}, {narrower: true}, {again: 1}, {again: 2}, {skew: 4 * time.Second},
			{skew: -4 * time.Second}, {skew: 5 * time.Minute}, {skew: -5 * time.Minute}} {
			c.restart = r
			if (c.operation == "Write" || r.skew == 0 && r.again == 0) && (!r.narrower || incidents[c.incident].texts) {
				all = append(all, c)
			}
		}
		return all
	}
	// Where the log configurations or the clients are always empty, there are none.
	none := c.fault == "an empty object" &&
		(c.operation == "GetLogDeliveryConfiguration" || c.operation == "ListUserPoolClients")
	warm, always := c, c
	warm.warm, always.times = true, 0
	if all = []cell{c, warm}; !none && !w.lapses && w.Delay == 0 && c.place != atNotify {
		all = append(all, always)
	}
	return all
}

// targets has an incident put right without a fault, and returns the calls of it that can go wrong: of an incident of
// one document, the calls to Cognito about that document.
func targets(t *testing.T, incident string) []target {
	t.Helper()
	a := newArena(t, cell{incident: incident})
	p := a.process()
	if d := a.deliver(t, p, a.reconciler(p, 0)); d.err != nil || len(a.messages) == 0 {
		t.Errorf("%s: %s (%s), %d messages: %v", incident, d.out.Outcome, d.out.Reason, len(a.messages), d.err)
	}
	about := map[string]bool{}
	for _, d := range baseline.Documents() {
		if slices.Contains(a.writes(), d.WriteCall) {
			about[d.WriteCall], about[d.ReadCall] = true, true
		}
	}
	var all []target
	count := map[string]int{}
	for _, call := range a.fake.Calls() {
		count[call.Operation]++
		if a.of.many || about[call.Operation] {
			all = append(all, target{atCognito, call.Operation, count[call.Operation]})
		}
	}
	for operation, met := range p.met {
		for n := range met {
			all = append(all, target{atKill, operation, n + 1})
			if operation == "Notify" {
				all = append(all, target{atNotify, operation, n + 1})
			} else if !slices.Contains(ofPools, operation) {
				all = append(all, target{atLedger, operation, n + 1})
			}
		}
	}
	slices.SortFunc(all, func(a, b target) int {
		return cmp.Or(strings.Compare(a.place, b.place), strings.Compare(a.operation, b.operation), a.n-b.n)
	})
	return slices.Compact(all)
}

// ofPools are the operations of reconcile.Pools.
var ofPools = []string{"Read", "Document", "Write"}

// A wrong is a way in which a call goes wrong: a call to Cognito, to the ledger or to whoever notifies people.
type wrong struct {
	cognitotest.Fault
	lapses bool          // the time of the invocation is used up while nothing is answered
	passes time.Duration // so long does the call take
	kills  bool          // the process dies
	lapse  func()
}

func errored(code string, status int, applied bool) wrong {
	return wrong{Fault: cognitotest.Fault{Error: code, Message: "no", Status: status, Apply: applied}}
}

func answered(body string) wrong {
	return wrong{Fault: cognitotest.Fault{Body: []byte(body), Apply: true}}
}

func meanwhile(pool, _ map[string]any) { object(pool, "UserPoolTags")["meanwhile"] = "x" }

// wireFaults strike calls to Cognito, on the wire.
var wireFaults = map[string]wrong{
	"throttled":                    errored("TooManyRequestsException", 0, false),
	"concurrent modification":      errored("ConcurrentModificationException", 0, false),
	"server error before applying": errored("InternalErrorException", 500, false),
	"server error after applying":  errored("InternalErrorException", 500, true),
	"access denied":                errored("AccessDeniedException", 0, false),
	"expired credentials":          errored("ExpiredTokenException", 0, false),
	"gone":                         errored("ResourceNotFoundException", 0, false),
	"refused":                      errored("InvalidParameterException", 0, false),
	"unknown error":                errored("BrandNewException", 0, false),
	"malformed JSON":               answered(`{"UserPool": <html>`),
	"an empty object":              answered(`{}`),
	"truncated body":               answered(`{"UserPool":{"Id":"eu-we`),
	"reset before applying":        {Fault: cognitotest.Fault{Drop: true}},
	"reset after applying":         {Fault: cognitotest.Fault{Drop: true, Apply: true}},
	"timeout before applying":      {Fault: cognitotest.Fault{Drop: true}, lapses: true},
	"timeout after applying":       {Fault: cognitotest.Fault{Drop: true, Apply: true}, lapses: true},
	"slow":                         {Fault: cognitotest.Fault{Delay: 3 * time.Millisecond}},
	"slower than the lease":        {passes: 90 * time.Second},
	"an unknown member comes": {Fault: cognitotest.Fault{Then: func(s *cognitotest.Server) {
		s.Edit(poolID, func(pool, _ map[string]any) { pool["FutureThing"] = "new" })
	}}},
	"somebody changes another setting": {Fault: cognitotest.Fault{
		Then: func(s *cognitotest.Server) { s.Edit(poolID, meanwhile) }}},
	"the service changes something on its own": {Fault: cognitotest.Fault{Change: meanwhile}},
}

// localFaults strike calls to the ledger and to whoever notifies people.
var localFaults = map[string]wrong{
	"failed before applying":  errored("unavailable", 0, false),
	"failed after applying":   errored("unavailable", 0, true),
	"timeout before applying": {Fault: cognitotest.Fault{Drop: true}, lapses: true},
	"timeout after applying":  {Fault: cognitotest.Fault{Drop: true, Apply: true}, lapses: true},
	"slower than the lease":   {passes: 90 * time.Second},
}

// kills strike every call of a process.
var kills = map[string]wrong{
	"killed before the call": {kills: true},
	"killed after the call":  {kills: true, Fault: cognitotest.Fault{Apply: true}},
}

// campaignBaseline requires something of every document.
const campaignBaseline = `version: 1
rules:
  - name: all
    require:
      DeletionProtection: ACTIVE
      UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}
      SoftwareTokenMfaConfiguration: {Enabled: true}
      RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
      LogConfigurations:
        userAuthEvents:
          LogLevel: INFO
          FirehoseConfiguration:
            {StreamArn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/cognito-events"}
    clients:
      - names: ["web-*"]
        require:
          PreventUserExistenceErrors: ENABLED
          RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
`

// textsBaseline takes a factor from a pool that loses its SMS sender with it, until a second write restores the
// sender.
const textsBaseline = `version: 1
rules: [{name: all, require: {DeletionProtection: ACTIVE, SmsMfaConfiguration: {absent: true}},
  clients: [{names: [web-*], require: {EnableTokenRevocation: true}}]}]
`

// An incident is what somebody does to a pool that is at the baseline.
type incident struct {
	harm  func(b bench)
	texts bool // it is about the text messages, with a baseline of its own
	many  bool // more than one document is harmed, or written
	begun bool // a process that was killed has made the write that takes the sender
}

var incidents = map[string]incident{
	"the pool":                   {harm: func(b bench) { b.fake.Edit(poolID, unprotected) }},
	"MFA":                        {harm: bench.factorOff},
	"the risk":                   {harm: func(b bench) { b.weakenRisk("") }},
	"the logs":                   {harm: bench.logsOff},
	"a client":                   {harm: bench.weakenClient},
	"a client's risk":            {harm: func(b bench) { b.weakenRisk(web) }},
	"threat protection and risk": {harm: func(b bench) { b.threatOff(); b.weakenRisk("") }, many: true},
	"the text messages":          {harm: textsOn, texts: true, many: true},
	"the text messages, begun":   {harm: textsOn, texts: true, many: true, begun: true},
	"everything": {many: true, harm: func(b bench) {
		b.fake.Edit(poolID, unprotected)
		b.factorOff()
		b.weakenRisk("")
		b.weakenRisk(web)
		b.weakenClient()
		b.logsOff()
	}},
}

// noTexts leaves the pool nothing that needs text messages but its sender.
func noTexts(pool, mfa map[string]any) {
	sets("AutoVerifiedAttributes", list("email"), verifies, list("email"), factors, list("PASSWORD"),
		"mfa:SmsMfaConfiguration", nil)(pool, mfa)
}

func textsOn(b bench) {
	_, mfa := cognitotest.Rich()
	b.fake.Edit(poolID, func(_, is map[string]any) { is["SmsMfaConfiguration"] = mfa["SmsMfaConfiguration"] })
}

func (b bench) factorOff() { b.fake.Edit(poolID, sets("mfa:SoftwareTokenMfaConfiguration", nil)) }

func (b bench) logsOff() {
	b.fake.PutLogs(poolID, slices.DeleteFunc(b.fake.Logs(poolID), func(e any) bool {
		entry, _ := e.(map[string]any)
		return entry["EventSource"] == "userAuthEvents"
	}))
}

// weakenRisk weakens the risk configuration of a client, or of the pool where there is none.
func (b bench) weakenRisk(client string) {
	b.editRisk(client, "CompromisedCredentialsRiskConfiguration.Actions.EventAction", "NO_ACTION")
}

func (b bench) weakenClient() { b.editClient(web, "PreventUserExistenceErrors", "LEGACY") }

func (b bench) threatOff() { b.fake.Edit(poolID, sets(threat, "OFF")) }

// writesOf returns the write calls of the API.
func writesOf() map[string]bool {
	names := map[string]bool{}
	for _, d := range baseline.Documents() {
		names[d.WriteCall] = true
	}
	return names
}

// everyDocument returns the names of all documents: the event's call may have changed any of them.
func everyDocument() []baseline.DocumentName {
	var names []baseline.DocumentName
	for _, d := range baseline.Documents() {
		names = append(names, d.Name)
	}
	return names
}

// An arena is where a cell is tried: a fake of Cognito, a ledger, people and a clock.
type arena struct {
	bench
	cell     cell
	of       incident
	required *baseline.Baseline
	request  event.Request
	healthy  map[string]string // the pool before the incident
	harmed   []string          // the paths at which the incident made it another one

	mutex    sync.Mutex
	struck   int                // times the fault struck
	lapse    context.CancelFunc // ends the time of the invocation
	messages []outcome.Outcome
	unsent   int // messages that could not be sent
}

// newArena plants the pool and lets the incident happen to it.
func newArena(t *testing.T, c cell) *arena {
	t.Helper()
	a := &arena{cell: c, of: incidents[c.incident], lapse: func() {}}
	mode, text, pool := cognitotest.Contract, campaignBaseline, func(_, _ map[string]any) {}
	if a.of.texts {
		mode, text, pool = cognitotest.Measured, textsBaseline, noTexts
	}
	a.bench = serve(t, mode)
	a.required = parse(t, text)
	a.whole(pool)
	a.healthy = a.snapshot(t)
	a.of.harm(a.bench)
	a.harmed = difference(a.healthy, a.snapshot(t))
	a.request = call("event", "Admin", a.time())
	a.request.Call.Changes = everyDocument()
	a.pass(time.Minute)
	if a.of.begun {
		a.kill(t, a.required, a.request, 2) // after the trial, and the write that takes the sender
		a.pass(longLease)
	}
	a.fake.ResetCalls()
	return a
}

// inject makes the fault of the cell ready to strike a call to Cognito.
func (a *arena) inject() {
	w := a.cell.wrong()
	f := w.Fault
	f.Operation, f.Skip, f.Times = a.cell.operation, a.cell.n-1, a.cell.times
	if w.lapses && w.Apply { // nobody waits for the answer, so what is applied has to be by then
		w.lapses, f.Change = false, func(_, _ map[string]any) { a.endInvocation() }
	}
	f.Then = func(*cognitotest.Server) { a.strike(w) }
	a.fake.Inject(f)
}

// strike does what a fault does besides the answer.
func (a *arena) strike(w wrong) {
	a.mutex.Lock()
	a.struck++
	a.mutex.Unlock()
	if w.Then != nil {
		w.Then(a.fake)
	}
	if w.lapses {
		a.endInvocation()
	}
	a.pass(w.passes)
}

func (a *arena) endInvocation() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.lapse()
}

// process is one to which nothing happens.
func (a *arena) process() *process {
	return &process{Pools: a.client, Ledger: a.ledger, strike: func(string, int) wrong { return wrong{} }}
}

// struckProcess is the one that the fault of the cell strikes.
func (a *arena) struckProcess() *process {
	p, c := a.process(), a.cell
	if c.place == atCognito {
		return p
	}
	down := false
	p.strike = func(operation string, n int) wrong {
		ofLedger := operation != "Notify" && !slices.Contains(ofPools, operation)
		here := operation == c.operation && n == c.n
		down = down || c.place == atLedger && c.times == 0 && here
		if !here && (!down || !ofLedger) {
			return wrong{}
		}
		w := c.wrong()
		late := w
		late.lapses = w.lapses && !w.Apply
		a.strike(late)
		if w.lapses && w.Apply {
			w.lapse = a.endInvocation
		}
		return w
	}
	return p
}

// reconciler is that of a process whose clock is too fast by so much.
func (a *arena) reconciler(p *process, skew time.Duration) *reconcile.Reconciler {
	r := a.bench.reconciler(a.required)
	r.Pools, r.Ledger = p, p
	r.Now = func() time.Time { return a.time().Add(skew) }
	return r
}

// A delivery is what became of the event, delivered once.
type delivery struct {
	out    outcome.Outcome
	err    error
	closed error
	died   bool
}

// deliver gives the event to a process, which notifies people and then closes its records, as the function does.
func (a *arena) deliver(t *testing.T, p *process, r *reconcile.Reconciler) (d delivery) {
	ctx, lapse := context.WithCancel(t.Context())
	defer lapse()
	a.mutex.Lock()
	a.lapse = lapse
	a.mutex.Unlock()
	d.out, d.err = r.Reconcile(ctx, a.request)
	if !p.dead && notifies(d.out) {
		sent := false
		err := p.do(ctx, "Notify", func() error {
			a.messages, sent = append(a.messages, d.out), true
			return nil
		})
		if err != nil && !sent && !p.dead {
			a.unsent++
		}
	}
	if !p.dead {
		d.closed = r.Close(ctx, d.out)
	}
	d.died = p.dead
	return d
}

// notifies reports whether people are notified of an outcome.
func notifies(out outcome.Outcome) bool {
	return len(out.Writes) > 0 || out.Record != "" || slices.Contains([]outcome.Ending{outcome.Unconverged,
		outcome.Partial, outcome.Unfixable, outcome.Remediated, outcome.Drifted}, out.Outcome)
}

// try lets the fault of a cell strike and go, delivers the event again, and says whether it struck and what was lost.
func (c cell) try(t *testing.T) (struck bool, lost string) {
	t.Helper()
	a := newArena(t, c)
	defer a.fake.Close()
	if c.place == atCognito {
		a.inject()
	}
	p := a.struckProcess()
	r := a.reconciler(p, 0)
	first := a.deliver(t, p, r)
	a.fake.ClearFaults()
	a.fake.Edit(poolID, sets("FutureThing", nil))
	p.strike = func(string, int) wrong { return wrong{} }
	if struck = a.struck > 0; struck && c.wrong().kills && !first.died {
		lost = "the process that was killed lived on"
	}
	again := func(t *testing.T, first delivery) string {
		if c.warm {
			return a.again(t, first, p, r)
		}
		next := a.process()
		return a.again(t, first, next, a.reconciler(next, c.restart.skew))
	}
	for _, law := range []func(*testing.T, delivery) string{a.truth, a.admitted, a.interleaved, again, a.informed, a.quiet,
		a.skewed} {
		if lost == "" {
			lost = law(t, first)
		}
	}
	return struck, lost
}

// moved returns the paths at which the pool is not what it was before the incident, but for what the fault changed, and
// for what people were notified of that it could not be restored.
func (a *arena) moved(t *testing.T) []string {
	return slices.DeleteFunc(difference(a.healthy, a.snapshot(t)), func(path string) bool {
		return path == "UserPoolTags.meanwhile" || a.saidGone() || a.said(path, func(d outcome.Finding) bool {
			return d.Code == outcome.CodeRestore
		})
	})
}

// said reports whether people were notified of such a finding about a path.
func (a *arena) said(path string, such func(outcome.Finding) bool) bool {
	return slices.ContainsFunc(a.messages, func(out outcome.Outcome) bool {
		return slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool {
			return such(d) && userpool.Touches(d.Setting, plainPath(path))
		})
	})
}

// saidGone reports whether people were notified of an interrupted run whose pool the service said is gone.
func (a *arena) saidGone() bool {
	return slices.ContainsFunc(a.messages, func(out outcome.Outcome) bool {
		return out.Reason == outcome.GoneReason && hasCode(out, outcome.CodeInterrupted)
	})
}

// truth compares what was said of the struck delivery with the pool: nothing is called fixed that is not, no record is
// named that does not exist, and no planted secret is shown.
func (a *arena) truth(t *testing.T, d delivery) string {
	moved := a.moved(t)
	right := d.out.Outcome == outcome.Remediated || d.out.Outcome == outcome.Unchanged
	// What another process took stands in the ledger alone, which is said to have failed.
	blind := a.of.begun && d.out.Details.LedgerError != ""
	if d.err == nil && !d.died && !blind && len(moved) > 0 && right {
		return fmt.Sprintf("%s, and %s is not right", d.out.Outcome, moved[0])
	}
	for _, drift := range d.out.Drifts {
		for _, path := range moved {
			if !d.died && drift.State == outcome.StateFixed && userpool.Touches(drift.Setting, plainPath(path)) {
				return drift.Setting + " is called fixed, and is not"
			}
		}
	}
	if d.out.Record != "" && !d.died && d.out.Details.LedgerError == "" {
		if _, err := a.ledger.Record(t.Context(), d.out.Record); err != nil {
			return "the outcome names a record that does not exist"
		}
	}
	records := must(a.ledger.History(t.Context(), poolID, time.Time{}, true))(t).Records
	raw := marshal(t, []any{d.out, d.out.Details.LedgerError, records, a.messages})
	if bytes.Contains(raw, []byte("CANARY")) {
		return "a planted secret was shown"
	}
	return ""
}

// plainPath is the setting of a path of a snapshot.
func plainPath(path string) string { return strings.TrimPrefix(path, "mfa:") }

// admitted checks that a failure of the ledger is said, and that a message that could not be sent changes nothing else.
func (a *arena) admitted(t *testing.T, d delivery) string {
	if a.cell.place == atNotify && !d.died && (d.out.Outcome != outcome.Remediated || len(a.moved(t)) > 0) {
		return fmt.Sprintf("a message that could not be sent made it %s: %s", d.out.Outcome, d.out.Reason)
	}
	failed := a.cell.place == atLedger && a.cell.wrong().passes == 0 && a.struck > 0
	if failed && d.out.Details.LedgerError == "" && d.closed == nil && d.err == nil {
		return "the ledger failed, and nothing says so"
	}
	return ""
}

// interleaved lets another invocation come while a dead one has the lease: it writes nothing of the pool itself.
func (a *arena) interleaved(t *testing.T, first delivery) string {
	skew := a.cell.restart.skew
	if !first.died || skew.Abs() >= time.Minute {
		return ""
	}
	free, err := a.ledger.Acquire(t.Context(), poolID, "probe", a.time(), a.time().Add(time.Millisecond))
	if err != nil || free {
		return ""
	}
	a.pass(time.Second) // an id of a record is its pool and the time
	made := len(a.writes())
	p := a.process()
	d := a.deliver(t, p, a.reconciler(p, skew))
	for _, call := range a.writes()[made:] {
		if call == "UpdateUserPool" || call == "SetUserPoolMfaConfig" {
			return fmt.Sprintf("while the lease was held: %s (%s), %v", d.out.Outcome, d.out.Reason, d.out.Writes)
		}
	}
	return ""
}

// again delivers the event again, and compares the pool with what it was.
func (a *arena) again(t *testing.T, first delivery, p *process, r *reconcile.Reconciler) string {
	how := a.cell.restart
	a.pass(longLease)
	if how.again > 0 {
		doomed := a.process()
		doomed.strike = func(operation string, n int) wrong {
			return wrong{kills: operation == "Write" && n == how.again}
		}
		a.deliver(t, doomed, a.reconciler(doomed, 0))
		a.pass(longLease)
	}
	before := a.moved(t)
	if how.narrower {
		if half := a.narrower(t, before); half != "" {
			return half
		}
		before = a.moved(t)
	}
	a.fake.ResetCalls()
	second := a.deliver(t, p, r)
	for try := 1; how.skew < -time.Minute && try < 4; try++ { // by that clock, the dead run may live, with its lease
		a.pass(longLease)
		second = a.deliver(t, p, r)
	}
	said := fmt.Sprintf("%s (%s), then %s (%s)", first.out.Outcome, first.out.Reason, second.out.Outcome,
		second.out.Reason)
	if second.err != nil || second.closed != nil {
		return fmt.Sprintf("the event, delivered again: %s: %v", said, second.closed)
	}
	if moved := a.moved(t); len(moved) > 0 {
		return fmt.Sprintf("%s is not what it was: %s", moved[0], said)
	}
	if len(before) == 0 && len(a.writes()) > 0 {
		return fmt.Sprintf("a pool that was right was written: %v, %s", a.writes(), said)
	}
	return ""
}

// narrower delivers an event of a client: then the pool is as it was before the incident, or as the incident left it.
func (a *arena) narrower(t *testing.T, before []string) string {
	whole := a.request
	a.request.Cause.EventID, a.request.ClientID, a.request.Call = "client", web, tabled("UpdateUserPoolClient")
	p := a.process()
	d := a.deliver(t, p, a.reconciler(p, 0))
	a.request = whole
	if after := a.moved(t); len(after) > 0 && (!slices.Equal(after, before) || !slices.Equal(after, a.harmed)) {
		return fmt.Sprintf("after a client's event, %v is not what it was: %s (%s)", after, d.out.Outcome, d.out.Reason)
	}
	return ""
}

// informed checks that people are notified of what was put right, whichever process did it and whoever died: unless a
// message could not be sent.
func (a *arena) informed(*testing.T, delivery) string {
	if a.unsent > 0 || a.saidGone() {
		return ""
	}
	for _, path := range a.harmed {
		notified := a.said(path, func(d outcome.Finding) bool {
			return d.State == outcome.StateFixed || d.Code == outcome.CodeUnverified
		})
		if !notified {
			return fmt.Sprintf("%s was put right, and none of %d messages says so", path, len(a.messages))
		}
	}
	return ""
}

// quiet delivers the event once more: nothing is written, and nobody is notified twice.
func (a *arena) quiet(t *testing.T, _ delivery) string {
	a.pass(10 * time.Minute)
	a.fake.ResetCalls()
	messages := len(a.messages)
	p := a.process()
	d := a.deliver(t, p, a.reconciler(p, 0))
	if d.err != nil || len(a.writes()) > 0 || len(a.messages) > messages {
		return fmt.Sprintf("the event, delivered once more: %s (%s), %v", d.out.Outcome, d.out.Reason, a.writes())
	}
	return ""
}

// skewed lets the incident happen once more, after a process whose clock was wrong has read the pool.
func (a *arena) skewed(t *testing.T, _ delivery) string {
	if a.cell.restart.skew == 0 {
		return ""
	}
	a.of.harm(a.bench)
	a.pass(10 * time.Second)
	a.request.Cause = event.Cause{EventID: "another", EventName: "UpdateUserPool", Time: a.time()}
	a.pass(longLease)
	p := a.process()
	d := a.deliver(t, p, a.reconciler(p, 0))
	if moved := a.moved(t); d.err != nil || len(moved) > 0 {
		return fmt.Sprintf("the next event was lost to a wrong clock: %s (%s), %v", d.out.Outcome, d.out.Reason, moved)
	}
	return ""
}

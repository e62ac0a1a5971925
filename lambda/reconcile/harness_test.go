package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

const poolID = "eu-west-1_AbCdEf123"

var modes = map[string]cognitotest.Mode{"contract": cognitotest.Contract, "measured": cognitotest.Measured}

// clock is the time of every test that does not care: the exemptions of the tests are dated around it.
var clock = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// A bench is a fake with one pool, a ledger that outlives a process, and a clock that moves when somebody sleeps.
type bench struct {
	fake    *cognitotest.Server
	mode    cognitotest.Mode
	client  *cognito.Client
	clients []string // app clients that count for a snapshot
	ledger  reconcile.Ledger
	mutex   *sync.Mutex
	now     *time.Time
}

func newBench(fake *cognitotest.Server, client *cognito.Client) bench {
	now := clock
	return bench{fake: fake, client: client, ledger: ledger.NewMemory(), mutex: &sync.Mutex{}, now: &now}
}

// A tester is a testing.T or a rapid.T.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(end func())
	Context() context.Context
}

// must returns what a call has returned, and ends the test where it has failed: must(call())(t).
func must[T any](v T, err error) func(t tester) T {
	return func(t tester) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v", err)
		}
		return v
	}
}

// each runs a test of each case, all at once.
func each[C any](t *testing.T, cases map[string]C, test func(c C, t *testing.T)) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(c, t)
		})
	}
}

// inBoth does so in both worlds: the outcome must not depend on what the service does with what is left out.
func inBoth[C any](t *testing.T, cases map[string]C, test func(c C, t *testing.T, b bench),
	options ...cognitotest.Option) {
	t.Helper()
	for world, mode := range modes {
		t.Run(world, func(t *testing.T) {
			t.Parallel()
			each(t, cases, func(c C, t *testing.T) { test(c, t, serve(t, mode, options...)) })
		})
	}
}

// serve serves a fake without a pool.
func serve(t tester, mode cognitotest.Mode, options ...cognitotest.Option) bench {
	t.Helper()
	fake := cognitotest.New(mode, options...)
	url := must(fake.Start(""))(t)
	t.Cleanup(func() { _ = fake.Close() })
	client := cognito.New(sdk(t, url))
	client.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	b := newBench(fake, client)
	b.mode = mode
	return b
}

func drawMode(t *rapid.T) cognitotest.Mode {
	return rapid.SampledFrom([]cognitotest.Mode{cognitotest.Contract, cognitotest.Measured}).Draw(t, "mode")
}

func sdk(t tester, url string) *idp.Client {
	transport := must(cognito.NewHTTPClient(nil))(t)
	return idp.NewFromConfig(mototest.Config(url), func(o *idp.Options) {
		o.HTTPClient = transport
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { // a throttled read is tried again at once
			o.MaxBackoff, o.RateLimiter = time.Nanosecond, ratelimit.None
		})
	})
}

// reconciler returns that of a new process, which knows nothing but what is in the ledger.
func (b bench) reconciler(required *baseline.Baseline) *reconcile.Reconciler {
	r := reconcile.New(b.client, required, b.ledger)
	r.OwnRole, r.Now = ownRole, b.time
	r.Sleep = func(ctx context.Context, d time.Duration) error { b.pass(max(d, 0)); return ctx.Err() }
	r.Jitter = func(d time.Duration) time.Duration { return d }
	return r
}

// reconcile runs one reconcile of the pool and demands that it ends without an error.
func (b bench) reconcile(t tester, required *baseline.Baseline) outcome.Outcome {
	t.Helper()
	return b.answer(t, required, onPool(event.Cause{EventID: "test", EventName: "UpdateUserPool"}))
}

// require parses a baseline of one rule for every pool.
func require(t tester, settings string) *baseline.Baseline {
	t.Helper()
	return parse(t, "version: 1\nrules:\n  - name: every-pool\n    require:\n"+indent(settings, "      "))
}

func parse(t tester, text string) *baseline.Baseline {
	t.Helper()
	return must(baseline.Parse("test.yaml", []byte(text)))(t)
}

func indent(text, by string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = by + line
	}
	return strings.Join(lines, "\n") + "\n"
}

// tree reads a JSON object as the fake keeps it.
func tree(t tester, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("reading %s: %v", text, err)
	}
	return object
}

// rich plants the pool with every member set, changed by edit.
func (b bench) rich(edit func(pool, mfa map[string]any)) {
	pool, mfa := cognitotest.Rich()
	if edit != nil {
		edit(pool, mfa)
	}
	b.fake.Put(poolID, pool, mfa)
}

// snapshot is the pool as the fake shows it, flattened to its set leaves: the tests' own idea of what a pool is,
// independent of the product's. Absent and empty are one; everything else counts to the byte.
func (b bench) snapshot(t tester) map[string]string {
	pool, mfa, ok := b.fake.Pool(poolID)
	if !ok {
		t.Fatalf("the pool is gone")
	}
	leaves := map[string]string{}
	flatten("", pool, leaves)
	delete(leaves, "LastModifiedDate")
	flatten("mfa:", mfa, leaves)
	flatten("RiskConfiguration.", b.fake.Risk(poolID, ""), leaves)
	for _, e := range b.fake.Logs(poolID) {
		entry, _ := e.(map[string]any)
		source, _ := entry["EventSource"].(string)
		flatten("LogConfigurations."+source+".", entry, leaves)
		delete(leaves, "LogConfigurations."+source+".EventSource")
	}
	for _, id := range b.clients {
		flatten("Clients["+id+"].", b.fake.Client(poolID, id), leaves)
		flatten("Clients["+id+"].RiskConfiguration.", b.fake.Risk(poolID, id), leaves)
	}
	for path := range leaves {
		if strings.HasSuffix(path, ".LastModifiedDate") || strings.HasSuffix(path, "].UserPoolId") {
			delete(leaves, path)
		}
	}
	return leaves
}

// flatten adds the set leaves of a value, below a prefix that ends in a separator.
func flatten(prefix string, v any, leaves map[string]string) {
	path := strings.TrimSuffix(prefix, ".")
	if object, ok := v.(map[string]any); ok {
		for name, e := range object {
			flatten(prefix+name+".", e, leaves)
		}
		if strings.HasSuffix(path, "DeviceConfiguration") || strings.HasSuffix(path, "EmailMfaConfiguration") {
			leaves[path] = "present"
		}
		return
	}
	if text, _ := json.Marshal(v); !slices.Contains(all("null", "[]", `""`, "false", "0"), string(text)) {
		leaves[path] = string(text)
	}
}

// shownDefaults are the values that the service shows after a write where nothing was set, by the member.
var shownDefaults = map[string]string{"EmailSendingAccount": `"COGNITO_DEFAULT"`,
	"DefaultEmailOption": `"CONFIRM_WITH_CODE"`, "AllowedFirstAuthFactors": `["PASSWORD"]`,
	"UserPoolTier": `"ESSENTIALS"`, "Feature": `"DISABLED"`, "RetryGracePeriodSeconds": "0"}

// shownDefault is the value that the service shows at a path where nothing was set.
func shownDefault(path string) string {
	if level, ok := strings.CutPrefix(path, "AcrConfiguration.Level"); ok {
		return `"urn:cognito:loa:` + strings.TrimSuffix(level, ".AcrValue") + `"`
	}
	return shownDefaults[path[strings.LastIndexByte(path, '.')+1:]]
}

// difference returns the paths at which two snapshots differ, sorted.
func difference(a, b map[string]string) []string {
	every := maps.Clone(a)
	maps.Copy(every, b)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(every)), func(path string) bool {
		_, was := a[path]
		return a[path] == b[path] || !was && b[path] == shownDefault(path)
	})
}

// writes returns the names of the calls that the fake took, without the reads.
func (b bench) writes() []string {
	names := []string{}
	for _, call := range b.fake.Calls() {
		if !strings.HasPrefix(call.Operation, "Describe") && !strings.HasPrefix(call.Operation, "Get") &&
			!strings.HasPrefix(call.Operation, "List") {
			names = append(names, call.Operation)
		}
	}
	return names
}

// whole plants everything that a pool can have.
func (b *bench) whole(edit func(pool, mfa map[string]any)) {
	b.fake.PutRich(poolID)
	b.clients = []string{cognitotest.RichClient, "mobile"}
	if edit != nil {
		b.fake.Edit(poolID, edit)
	}
}

// editClient gives members of a client other values.
func (b bench) editClient(id string, pairs ...any) {
	client := b.fake.Client(poolID, id)
	sets(pairs...)(client, nil)
	b.fake.PutClient(poolID, id, client)
}

// editRisk gives settings of the risk configuration of a client, or of the pool where there is none, other values.
func (b bench) editRisk(client string, pairs ...any) {
	risk := b.fake.Risk(poolID, client)
	sets(pairs...)(risk, nil)
	b.fake.PutRisk(poolID, client, risk)
}

// set gives a setting another value, as a call of the API would.
func (b bench) set(setting string, v any) {
	name, _ := baseline.DocumentOf(setting)
	path := strings.TrimPrefix(setting, name.Prefix())
	switch name.Kind() {
	case baseline.RiskConfiguration, baseline.ClientRisk:
		b.editRisk(name.Client(), path, v)
	case baseline.AppClient:
		b.editClient(name.Client(), path, v)
	case baseline.LogDelivery:
		logs := b.fake.Logs(poolID)
		for _, e := range logs {
			entry, _ := e.(map[string]any)
			if below, ok := strings.CutPrefix(path, "LogConfigurations."+fmt.Sprint(entry["EventSource"])+"."); ok {
				put(entry, below, v)
			}
		}
		b.fake.PutLogs(poolID, logs)
	case baseline.MfaConfig:
		b.fake.Edit(poolID, sets("mfa:"+path, v))
	default:
		b.fake.Edit(poolID, sets(strings.Replace(path, "PoolName", "Name", 1), v)) // as the read call shows it
	}
	if setting == "MfaConfiguration" {
		b.fake.Edit(poolID, sets("MfaConfiguration", v, "mfa:MfaConfiguration", v))
	}
}

// states returns what became of each drift.
func states(out outcome.Outcome) map[string]outcome.State {
	of := map[string]outcome.State{}
	for _, d := range out.Drifts {
		of[d.Setting] = d.State
	}
	return of
}

// object returns the object at the path in a tree, making it where it is absent.
func object(root map[string]any, path ...string) map[string]any {
	for _, name := range path {
		inner, ok := root[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			root[name] = inner
		}
		root = inner
	}
	return root
}

// put sets a value at a path, or takes it away where it is nil.
func put(root map[string]any, path string, v any) {
	keys := strings.Split(path, ".")
	in, last := object(root, keys[:len(keys)-1]...), keys[len(keys)-1]
	if v == nil {
		delete(in, last)
	} else {
		in[last] = v
	}
}

// deep returns the value at a path.
func deep(object map[string]any, path string) any {
	return baseline.At(object, strings.Split(path, "."))
}

func list(values ...any) []any { return values }

// onPool asks for the whole pool.
func onPool(cause event.Cause) event.Request {
	return event.Request{Kind: event.One, UserPoolID: poolID, Cause: cause}
}

// handle does what an event asks for, as the function does: it ends with Close.
func handle(ctx context.Context, r *reconcile.Reconciler, payload []byte, home event.Home) (outcome.Outcome, error) {
	request := event.Decode(payload, home)
	if request.Kind != event.One {
		return outcome.Outcome{Outcome: outcome.Ignored, Reason: string(request.Reason)}, nil
	}
	return deliver(ctx, r, request)
}

// withPool serves the pool with every member set, changed by edit.
func withPool(t tester, mode cognitotest.Mode, edit func(pool, mfa map[string]any)) bench {
	t.Helper()
	b := serve(t, mode)
	b.rich(edit)
	return b
}

// weakened is a pool that lost its deletion protection, which is required, and the event of that a minute later.
func weakened(t tester) (w bench, required *baseline.Baseline, request event.Request) {
	t.Helper()
	w, required = withPool(t, cognitotest.Measured, unprotected), require(t, deletionProtection)
	request = call("one", "Admin", w.time())
	w.pass(time.Minute)
	return w, required, request
}

// pass lets time go by.
func (w bench) pass(d time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	*w.now = w.now.Add(d)
}

func (w bench) time() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return *w.now
}

const ownRole = "arn:aws:iam::111122223333:role/Poolkeeper"

// call is the request of an event about an UpdateUserPool by a role, made at a time.
func call(id, role string, at time.Time, named ...string) event.Request {
	return event.Request{Kind: event.One, UserPoolID: poolID, Named: named, Call: tabled("UpdateUserPool"),
		Cause: event.Cause{EventID: id, EventName: "UpdateUserPool", Time: at, RequestID: "request-" + id,
			Actor:  "arn:aws:sts::111122223333:assumed-role/" + role + "/x",
			Issuer: "arn:aws:iam::111122223333:role/" + role}}
}

// tabled is a call of the event table.
func tabled(name string) event.Name {
	table := event.Table()
	return table[slices.IndexFunc(table, func(n event.Name) bool { return n.Name == name })]
}

// deliver has a process do what a request asks for, as the function does: it ends with Close.
func deliver(ctx context.Context, r *reconcile.Reconciler, request event.Request) (outcome.Outcome, error) {
	out, err := r.Reconcile(ctx, request)
	if closed := r.Close(ctx, out); err == nil {
		err = closed
	}
	return out, err
}

// answer delivers a request to a new process, and demands that it ends without an error.
func (w bench) answer(t tester, required *baseline.Baseline, request event.Request) outcome.Outcome {
	t.Helper()
	return must(deliver(t.Context(), w.reconciler(required), request))(t)
}

// kill delivers a request to a process that dies before a write, once so many of its writes were made.
func (w bench) kill(t tester, required *baseline.Baseline, request event.Request, made int) {
	t.Helper()
	doomed := w.reconciler(required)
	p := &process{Pools: w.client, Ledger: w.ledger, strike: func(operation string, n int) wrong {
		return wrong{kills: operation == "Write" && n > made}
	}}
	doomed.Pools, doomed.Ledger = p, p
	_, _ = doomed.Reconcile(t.Context(), request)
	if !p.dead {
		t.Fatalf("it was not killed")
	}
}

// A process makes the calls of a run, of which some go wrong. From its death on, none has any effect.
type process struct {
	reconcile.Pools
	reconcile.Ledger
	// strike says what goes wrong with the nth call of an operation, counted from 1.
	strike func(operation string, n int) wrong

	mutex sync.Mutex
	met   map[string]int
	dead  bool
}

// do makes a call, or what a fault makes of it.
func (p *process) do(ctx context.Context, operation string, call func() error) error {
	w, err := p.meet(ctx, operation)
	if err != nil {
		return err
	}
	fails := w.kills || w.Error != "" || w.Drop
	if !fails || w.Apply {
		if err := call(); err != nil && !fails {
			return err
		}
	}
	p.mutex.Lock()
	p.dead = p.dead || w.kills
	p.mutex.Unlock()
	if w.lapse != nil {
		w.lapse()
	}
	if fails {
		return errors.New(w.Error + ": " + w.Message)
	}
	return nil
}

func (p *process) meet(ctx context.Context, operation string) (w wrong, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.dead {
		return wrong{}, errors.New("the process is dead")
	}
	if p.met == nil {
		p.met = map[string]int{}
	}
	p.met[operation]++
	w = p.strike(operation, p.met[operation])
	p.dead = w.kills && !w.Apply
	return w, ctx.Err()
}

// via makes a call that has a result.
func via[T any](ctx context.Context, p *process, operation string, call func() (T, error)) (result T, err error) {
	err = p.do(ctx, operation, func() (err error) { result, err = call(); return err })
	return result, err
}

func (p *process) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	return via(ctx, p, "Read", func() (userpool.State, error) { return p.Pools.Read(ctx, id, want) })
}

func (p *process) Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	return via(ctx, p, "Document", func() (map[string]any, error) { return p.Pools.Document(ctx, id, name) })
}

func (p *process) Write(ctx context.Context, id string, r userpool.Request) (string, error) {
	return via(ctx, p, "Write", func() (string, error) { return p.Pools.Write(ctx, id, r) })
}

func (p *process) Acquire(ctx context.Context, pool, owner string, now, until time.Time) (bool, error) {
	return via(ctx, p, "Acquire", func() (bool, error) { return p.Ledger.Acquire(ctx, pool, owner, now, until) })
}

func (p *process) History(ctx context.Context, pool string, since time.Time, all bool) (outcome.History, error) {
	return via(ctx, p, "History", func() (outcome.History, error) { return p.Ledger.History(ctx, pool, since, all) })
}

func (p *process) Record(ctx context.Context, id string) (outcome.Record, error) {
	return via(ctx, p, "Record", func() (outcome.Record, error) { return p.Ledger.Record(ctx, id) })
}

func (p *process) Put(ctx context.Context, r outcome.Record) error {
	return p.do(ctx, "Put", func() error { return p.Ledger.Put(ctx, r) })
}

// A scenario is a pool, what somebody did to it, what the baseline requires, what goes wrong meanwhile, and what has to
// come of it. Each leaf that is neither of a fixed setting nor among moves must be exactly what it was.
type scenario struct {
	pool     func(pool, mfa map[string]any) // edits the rich pool
	live     []any                          // settings of any document of the pool, and their values
	incident func(b bench)                  // what happened to that pool; all of it has to be undone
	rule     string                         // the settings of a rule for every pool; or a whole baseline
	change   func(r *reconcile.Reconciler)
	event    string // the fixture of an event; "" asks for the whole pool
	cause    event.Cause
	faults   []cognitotest.Fault
	refused  bool // the service itself refuses writes

	fixed, left []string // settings: fixed, and those that cannot be fixed, or are fixed once the faults are over
	others      map[string]outcome.State
	later       []string       // leaves that are only what they were once the faults are over
	outcome     outcome.Ending // where it does not follow from the states
	says, lacks string         // what the outcome's text holds, parts of it separated by ..., and what it does not
	moves       []string       // paths below which leaves may move, or path=JSON for a leaf to be so; quotes may lack
	writes      []string       // where they do not follow from what is fixed
	most        int            // how many writes are tried at most, if not 0
}

// wants returns the outcome and what becomes of each drift.
func (c scenario) wants() (outcome.Ending, map[string]outcome.State) {
	of := map[string]outcome.State{}
	ending := outcome.Unchanged
	for setting, state := range c.others {
		of[setting] = state
		if state == outcome.StateReported {
			ending = outcome.Drifted
		} else if ending == outcome.Unchanged {
			ending = outcome.Exempted
		}
	}
	for _, setting := range c.left {
		ending, of[setting] = outcome.Unfixable, left
	}
	for _, setting := range c.fixed {
		of[setting] = fixed
	}
	switch {
	case c.outcome != "":
		ending = c.outcome
	case len(c.fixed) > 0 && len(c.left) > 0:
		ending = outcome.Partial
	case len(c.fixed) > 0:
		ending = outcome.Remediated
	}
	return ending, of
}

// calls returns the writes that the scenario wants: of each document of a fixed setting, in the order of the units.
func (c scenario) calls() []string {
	if c.writes != nil {
		return c.writes
	}
	var calls []string
	for _, d := range baseline.Documents() {
		writes := func(setting string) bool {
			name, _ := baseline.DocumentOf(setting)
			return name.Kind() == d.Name
		}
		if slices.ContainsFunc(c.fixed, writes) {
			calls = append(calls, d.WriteCall)
		}
	}
	return calls
}

func (c scenario) plant(t *testing.T, b *bench) (required *baseline.Baseline, before map[string]string) {
	t.Helper()
	b.whole(c.pool)
	for i := 0; i < len(c.live); i += 2 {
		b.set(c.live[i].(string), c.live[i+1])
	}
	before = b.snapshot(t)
	if c.incident != nil {
		c.incident(*b)
	}
	if strings.HasPrefix(c.rule, "version") {
		return parse(t, c.rule), before
	}
	return require(t, c.rule), before
}

func (c scenario) run(t *testing.T, r *reconcile.Reconciler) outcome.Outcome {
	t.Helper()
	if c.event != "" {
		return onEvent(t, r, c.event)
	}
	out, err := r.Reconcile(t.Context(), onPool(c.cause))
	if closed := r.Close(t.Context(), out); err == nil && out.Details.LedgerError == "" {
		err = closed
	}
	var deferred *outcome.DeferredError
	if errors.As(err, &deferred) != (out.Outcome == outcome.Deferred) || deferred == nil && err != nil {
		t.Fatalf("%s: %v", out.Outcome, err)
	}
	return out
}

func (c scenario) check(t *testing.T, b bench) {
	required, before := c.plant(t, &b)
	smooth := c.faults == nil && !c.refused
	whole := smooth && c.event == "" && c.change == nil && c.cause == event.Cause{}
	var preview outcome.Preview
	if whole {
		preview = must(b.reconciler(required).Plan(t.Context(), poolID))(t)
	}
	for _, f := range c.faults {
		b.fake.Inject(f)
	}
	r := b.reconciler(required)
	if c.change != nil {
		c.change(r)
	}
	out := c.run(t, r)
	ending, of := c.wants()
	texts := string(marshal(t, []any{out, out.Details.LedgerError}))
	silent := func(part string) bool { return !strings.Contains(texts, part) }
	if !silent("CANARY") || c.lacks != "" && !silent(c.lacks) {
		t.Errorf("it tells what it must not: %s", texts)
	}
	if out.Outcome != ending || slices.ContainsFunc(strings.Split(c.says, "..."), silent) ||
		c.most > 0 && len(b.writes()) > c.most {
		t.Errorf("outcome %s after %v, want %s with %q: %s", out.Outcome, b.writes(), ending, c.says, texts)
	}
	if diff := cmp.Diff(of, states(out), cmpopts.EquateEmpty()); diff != "" && ending != outcome.Deferred {
		t.Errorf("drifts (-want +got):\n%s", diff)
	}
	if whole {
		c.planned(t, preview, out, of)
	}
	for _, d := range out.Drifts {
		if d.State == outcome.StateReported && d.Code == "" && c.event == "" || d.State == fixed && d.Code != "" {
			t.Errorf("%s is %s, with the code %q", d.Setting, d.State, d.Code)
		}
		if ending == outcome.Deferred && c.moves == nil && c.later == nil && strings.HasPrefix(d.Reason, "written") {
			t.Errorf("nothing was written, but it says: %s", d.Reason)
		}
	}
	if smooth || c.writes != nil {
		wrote := b.writes()
		if !smooth {
			wrote = out.Writes
		}
		if diff := cmp.Diff(c.calls(), wrote, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	}
	c.compare(t, before, b.snapshot(t), append(c.later, c.moves...))
	b.fake.ClearFaults()
	b.fake.ResetCalls()
	b.pass(15 * time.Second) // no message is delivered again before
	again := c.run(t, r)
	writes, right := len(b.writes()) > 0, again.Outcome == outcome.Unchanged || c.others != nil || c.refused
	if smooth && writes || ending == outcome.Remediated && (writes || !right) ||
		c.faults != nil && !right && again.Outcome != outcome.Remediated {
		t.Errorf("a second reconcile wrote %v (%s: %s)", b.writes(), again.Outcome, again.Reason)
	}
	if ending == outcome.Deferred {
		c.fixed = append(c.fixed, c.left...)
		c.compare(t, before, b.snapshot(t), c.moves)
	}
}

// planned demands that what was planned is what was done.
func (c scenario) planned(t *testing.T, preview outcome.Preview, out outcome.Outcome, of map[string]outcome.State) {
	t.Helper()
	for setting, state := range states(preview.Outcome) {
		if (state == outcome.StatePlanned) != (of[setting] == fixed) {
			t.Errorf("%s is %s in the plan", setting, state)
		}
	}
	if diff := cmp.Diff(preview.Writes, out.Writes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("planned, and written (-planned +written):\n%s", diff)
	}
}

// compare demands that nothing moved but what is fixed or among moves, and of an incident nothing but moves.
func (c scenario) compare(t *testing.T, before, after map[string]string, may []string) {
	t.Helper()
	for _, path := range difference(before, after) {
		ofFixed := func(setting string) bool { return strings.HasPrefix(plainPath(path)+".", setting+".") }
		moves := func(move string) bool {
			leaf, _, _ := strings.Cut(move, "=")
			return strings.HasPrefix(path, leaf)
		}
		if !slices.ContainsFunc(may, moves) && (c.incident != nil || !slices.ContainsFunc(c.fixed, ofFixed)) {
			t.Errorf("%s moved from %q to %q", path, before[path], after[path])
		}
	}
	for _, move := range may {
		path, want, exact := strings.Cut(move, "=")
		if got := after[path]; exact && got != want && got != `"`+want+`"` {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

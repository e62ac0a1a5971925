package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/userpool"
)

// A watcher is a channel of machines, which gets every report and keeps the finding; it may be out of order.
type watcher struct {
	got     int
	finding report.Finding
	broken  bool
}

func (*watcher) Name() string { return "Watcher" }

func (w *watcher) Send(_ context.Context, r report.Report) error {
	if w.broken {
		return errors.New("out of order")
	}
	w.got++
	if f, ok := report.FindingOf(r, time.Time{}); ok {
		w.finding = f
	}
	return nil
}

// A reader is a channel of people.
type reader struct {
	watcher
	read []string // the subjects
}

func (*reader) Name() string { return "Reader" }

func (p *reader) Send(_ context.Context, r report.Report) error {
	if p.broken {
		return errors.New("out of order")
	}
	if r.Told {
		p.read = append(p.read, report.Subject(r))
	}
	return nil
}

func (*reader) Digest(context.Context, report.Digest) error { return nil }

// A shift is a handler with a ledger and a clock, to which events are given.
type shift struct {
	*testing.T
	handler
	fake    *cognitotest.Server
	now     *time.Time
	people  *reader
	machine *watcher
	log     *bytes.Buffer
	metrics *bytes.Buffer
	events  *int
}

// begin begins a shift by a baseline that audits the length of passwords, and requires something else of the pool's threat protection.
func begin(t *testing.T, book reconcile.Ledger) shift {
	t.Helper()
	fake, url := served(t)
	fake.PutRich(pool)
	fake.PutRisk(pool, "", map[string]any{})
	required, err := baseline.Parse("test.yaml", []byte(`version: 1
rules:
  - {name: audited, mode: audit, require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}}}
  - {name: risk, mode: audit, require: {RiskConfiguration: {RiskExceptionConfiguration: {absent: true}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 10, 1, 10, 0, 0, 0, time.UTC)
	s := shift{T: t, fake: fake, now: &now, people: &reader{}, machine: &watcher{}, log: &bytes.Buffer{}, metrics: &bytes.Buffer{}, events: new(int)}
	counted := &calls{}
	transport, err := userpool.NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := account{Config: Config{Region: "eu-west-1", AccessKeyID: "AKIAEXAMPLE", SecretKey: "example", Endpoints: map[string]string{cognitoService: url}}, transport: userpool.NewClock(transport)}
	client := userpool.New(newClient(a, counted))
	client.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	keeper := reconcile.New(client, required, "")
	keeper.Ledger, keeper.Now = book, func() time.Time { return now }
	keeper.Sleep = func(ctx context.Context, d time.Duration) error { now = now.Add(max(d, 0)); return ctx.Err() }
	s.handler = handler{log: slog.New(slog.NewJSONHandler(s.log, nil)), metrics: s.metrics, function: "keeper", calls: counted, reconciler: keeper, channels: []notify.Channel{s.machine, s.people}}
	return s
}

const pool = "eu-west-1_AbCdEf123"

// length sets the shortest password.
func (s shift) length(to int) {
	s.fake.Edit(pool, func(pool, _ map[string]any) {
		pool["Policies"].(map[string]any)["PasswordPolicy"].(map[string]any)["MinimumLength"] = json.Number(fmt.Sprint(to))
	})
}

// of gives the handler the event of one more call, which comes a minute later, and returns what people read of it.
func (s shift) of(name string) (read []string) {
	s.Helper()
	*s.events++
	number := fmt.Sprintf("%012d", *s.events)
	text := strings.NewReplacer("2026-10-01T09:15:40Z", s.now.Format(time.RFC3339), "000000000001", number, "000000000100", number).Replace(string(payload(s.T, name)))
	*s.now = s.now.Add(time.Minute)
	return s.give(text)
}

// sweep gives the handler the event of a sweep about the pool.
func (s shift) sweep() []string {
	s.Helper()
	*s.events++
	at := s.now.Format(time.RFC3339)
	return s.give(fmt.Sprintf(`{"id": "sweep%d", "source": "poolkeeper", "detail-type": %q, "time": %q, "detail": {"userPoolId": %q, "sweep": %q}}`, *s.events, event.ReconcilePool, at, pool, at))
}

func (s shift) give(text string) []string {
	s.Helper()
	s.people.read = nil
	s.log.Reset()
	s.metrics.Reset()
	if answer, err := s.Invoke(s.Context(), []byte(text)); err != nil {
		s.Fatalf("%v: %s", err, answer)
	}
	return s.people.read
}

// TestHandlerTellsOnce: people read of what lasts once an hour, or once it could be sent; machines get each outcome, and the log and the metrics have it.
func TestHandlerTellsOnce(t *testing.T) {
	t.Parallel()
	s := begin(t, ledger.NewMemory())
	s.length(8)
	s.people.broken = true
	if read := s.of("update-user-pool"); len(read) != 0 || !strings.Contains(s.log.String(), "telling Reader: out of order") {
		t.Errorf("%v %s", read, s.log)
	}
	s.people.broken = false
	const drifted = "[MEDIUM] customers drifted: MinimumLength"
	if read := s.of("update-user-pool"); len(read) != 1 || read[0] != drifted+", by AppAdmin/mallory" {
		t.Errorf("what could not be sent: %v", read)
	}
	got := s.machine.got
	for i := range 50 {
		s.machine.broken = i%2 == 0
		read := s.of("update-user-pool")
		if len(read) != 0 || !strings.Contains(s.log.String(), `"repeated":true`) || !strings.Contains(s.metrics.String(), `"Drifted":1`) {
			t.Fatalf("%v\n%s\n%s", read, s.log, s.metrics)
		}
	}
	if got += 25; s.machine.got != got || !s.machine.finding.Failed {
		t.Errorf("machines got %d reports, want %d, and the finding %+v", s.machine.got, got, s.machine.finding)
	}
	s.machine.broken = false
	*s.now = s.now.Add(10 * time.Minute)
	if read := s.of("update-user-pool"); len(read) != 1 || read[0] != drifted {
		t.Errorf("an hour later: %v", read)
	}
}

// TestFindingOutlivesALook: a look at one part of the pool, where all is right, does not pass the finding of another part.
func TestFindingOutlivesALook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		book  reconcile.Ledger
		knows bool // that all is right, when the event's look has put the last thing right
	}{"with a ledger": {ledger.NewMemory(), true}, "without": {nil, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := begin(t, c.book)
			s.length(8)
			s.sweep()
			for i, call := range []string{"set-log-delivery-configuration", "set-risk-configuration"} {
				*s.now = s.now.Add(time.Minute)
				s.of(call)
				if !s.machine.finding.Failed || !strings.Contains(s.machine.finding.Description, "MinimumLength") {
					t.Errorf("%d: %+v\n%s", i, s.machine.finding, s.log)
				}
			}
			s.length(12)
			if s.of("update-user-pool"); s.machine.finding.Failed == c.knows {
				t.Errorf("%+v", s.machine.finding)
			}
			if s.sweep(); s.machine.finding.Failed {
				t.Errorf("%+v", s.machine.finding)
			}
		})
	}
}

package coldstart

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// rounds is how often the functions that are compared run alternately.
const rounds = 41

// BenchmarkStart compares the start of the function, from exec to the first poll, and the memory after it, with those
// of a function that does nothing on the same runtime library and of a function in Python on boto3, and the CPU of a
// start with a baseline of 100 rules with that of the baseline that ships.
func BenchmarkStart(b *testing.B) {
	own, base, python := build(b, keeper, deployed, ""), build(b, hello, deployed, ""), boto3(b)
	var wall, cpu, memory, hundred, pythonWall, pythonMemory comparison
	rules := "BASELINE_FILE=" + file(b, "baseline.yaml", hundredRules())
	for b.Loop() {
		for round := range rounds {
			first, second, third := start(b, "", base), start(b, "", own), start(b, "", own, rules)
			wall.add(second.start, first.start)
			memory.add(second.memory(b), first.memory(b))
			if python != nil && round%4 == 0 { // it takes a hundred times as long
				slow := start(b, "", python)
				pythonWall.add(second.start, slow.start)
				pythonMemory.add(second.memory(b), slow.memory(b))
				slow.stop()
			}
			spent := second.stop()
			cpu.add(spent, first.stop())
			hundred.add(third.stop(), spent)
		}
	}
	wall.report(b, "start/hello")
	cpu.report(b, "start-cpu/hello")
	memory.report(b, "start-rss/hello")
	hundred.report(b, "start-cpu-100-rules/start-cpu")
	pythonWall.report(b, "start/boto3")
	pythonMemory.report(b, "start-rss/boto3")
}

// hundredRules is a baseline of 100 rules, each of which requires eight settings of the pools of a team.
func hundredRules() []byte {
	text := []byte("version: 1\nrules:\n")
	for i := range 100 {
		text = fmt.Appendf(text, `  - name: team-%d
    pools: {names: ["team-%d-*"]}
    require:
      DeletionProtection: ACTIVE
      MfaConfiguration: {oneOf: [OPTIONAL, ON], set: OPTIONAL}
      SoftwareTokenMfaConfiguration: {Enabled: true}
      Policies: {PasswordPolicy: {MinimumLength: {atLeast: %d}, RequireNumbers: true, RequireSymbols: true}}
      AdminCreateUserConfig: {AllowAdminCreateUserOnly: true}
      UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}
`, i, i, 8+i%8)
	}
	return text
}

// An incident is an event of one kind.
type incident struct {
	name    string
	drifted bool
	outcome string
	pause   time.Duration // between events, because the function paces its calls of Cognito
}

var (
	compliant = incident{"compliant", false, "unchanged", 450 * time.Millisecond}
	drifted   = incident{"drifted", true, "remediated", 1350 * time.Millisecond}
)

// posts has the function handle the incident, warm, and returns the environment that has raw make the same calls.
func (i incident) posts(b *testing.B, own []string) (trips string) {
	b.Helper()
	s := newService(b, 50*time.Millisecond)
	server := httptest.NewServer(s)
	defer server.Close()
	p := start(b, server.URL, own)
	defer p.stop()
	for range 2 {
		s.begin(i.drifted)
		p.invoke(b, time.Now(), i.outcome)
	}
	b.Logf("%s: %v", i.name, s.trips)
	if !i.drifted && (len(s.trips) != 1 || len(s.trips[0]) != 3) {
		b.Fatal("a compliant event is not three calls at once")
	}
	return "TRIPS=" + file(b, "trips.json", must(json.Marshal(s.trips))(b))
}

// BenchmarkEvent compares a whole event, through the runtime, with the same calls in the same trips as plain POSTs.
func BenchmarkEvent(b *testing.B) {
	own, plain := build(b, keeper, deployed, ""), build(b, raw, deployed, "")
	for _, i := range []incident{compliant, drifted} {
		trips := i.posts(b, own)
		for _, ms := range []time.Duration{0, 20} {
			metric := fmt.Sprintf("%s-%dms/raw", i.name, ms)
			b.Run(metric, func(b *testing.B) {
				s := newService(b, ms*time.Millisecond)
				server := httptest.NewServer(s)
				defer server.Close()
				first, second := start(b, server.URL, plain, trips), start(b, server.URL, own)
				defer first.stop()
				defer second.stop()
				var c comparison
				for b.Loop() {
					for round := range rounds + 3 {
						time.Sleep(i.pause)
						s.begin(i.drifted)
						base := first.invoke(b, time.Now(), "posted")
						s.begin(i.drifted)
						took := second.invoke(b, time.Now(), i.outcome)
						if round >= 3 { // the first ones are to warm
							c.add(took, base)
						}
					}
				}
				c.report(b, metric)
			})
		}
	}
}

// BenchmarkFirstHTTPS compares the first event after a start, which opens connections and reads the root certificates,
// with plain POSTs with the certificates read once.
func BenchmarkFirstHTTPS(b *testing.B) {
	roots, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		b.Skip("the system has no root certificates: ", err)
	}
	own, plain := build(b, keeper, deployed, ""), build(b, raw, deployed, "")
	trips := compliant.posts(b, own)
	server := httptest.NewUnstartedServer(newService(b, 0))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that a process left open
	server.StartTLS()
	defer server.Close()
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	bundle := "SSL_CERT_FILE=" + file(b, "bundle.pem", bytes.Join([][]byte{roots, root}, []byte("\n")))
	var c comparison
	for b.Loop() {
		for range rounds {
			first := start(b, server.URL, plain, trips, bundle, "SSL_CERT_DIR=/nonexistent")
			second := start(b, server.URL, own, bundle)
			base := first.invoke(b, time.Now(), "posted")
			c.add(second.invoke(b, time.Now(), compliant.outcome), base)
			first.stop()
			second.stop()
		}
	}
	c.report(b, "first-https/raw")
}

// BenchmarkMemory reports the memory of the function after 30 events that each wrote, and after 3,000 more. The latter
// are of a time before the last read, which answers them: the function paces its calls of Cognito.
func BenchmarkMemory(b *testing.B) {
	s := newService(b, 0)
	server := httptest.NewServer(s)
	defer server.Close()
	p := start(b, server.URL, build(b, keeper, deployed, ""))
	defer p.stop()
	for b.Loop() {
		for range 30 {
			s.begin(true)
			p.invoke(b, time.Now(), drifted.outcome)
		}
		after, before := p.memory(b), time.Now().Add(-time.Hour)
		for range 3000 {
			s.begin(false)
			p.invoke(b, before, compliant.outcome)
		}
		report(b, "rss-30-MB", after)
		report(b, "rss-3000/30", p.memory(b)/after)
	}
}

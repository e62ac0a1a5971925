package coldstart

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/internal/speed"
)

// BenchmarkStart reports the start of the function, from exec to the first poll, and the memory after it, of those of
// a function that does nothing on the same runtime library and of a function in Python on boto3.
func BenchmarkStart(b *testing.B) {
	own, base, python := build(b, "", keeper), build(b, "", hello), boto3(b)
	var wall, cpu, memory, pythonWall, pythonMemory ratios
	for b.Loop() {
		for range rounds {
			first, second := startProcess(b, []string{base}), startProcess(b, []string{own}, deployment...)
			memory = append(memory, second.memory(b)/first.memory(b))
			wall.add(second.start, first.start)
			cpu.add(second.stop(), first.stop())
		}
		if python == nil {
			continue
		}
		for range rounds / 3 { // it takes a hundred times as long
			first, second := startProcess(b, python), startProcess(b, []string{own}, deployment...)
			pythonWall.add(second.start, first.start)
			pythonMemory = append(pythonMemory, second.memory(b)/first.memory(b))
			first.stop()
			second.stop()
		}
	}
	b.ReportMetric(wall.median(), speed.StartWall)
	b.ReportMetric(cpu.median(), speed.StartCPU)
	b.ReportMetric(memory.median(), speed.StartRSS)
	if python != nil {
		b.ReportMetric(pythonWall.median(), speed.BotoStart)
		b.ReportMetric(pythonMemory.median(), speed.BotoRSS)
	}
}

// boto3 returns the command of the function in Python, or nil where no Python on PATH has boto3.
func boto3(b *testing.B) []string {
	b.Helper()
	// The interpreter itself: what stands on PATH may be a script that looks for it.
	output, err := exec.CommandContext(b.Context(), "python3", "-c", "import sys, boto3; print(sys.executable)").Output()
	if err != nil {
		b.Log("absent: no Python with boto3 on PATH, so nothing is compared with it")
		return nil
	}
	return []string{strings.TrimSpace(string(output)), "-I", "testdata/keeper.py"}
}

// BenchmarkEvent reports the time of a whole event, through the runtime, of that of a function that makes the same
// calls as plain POSTs.
func BenchmarkEvent(b *testing.B) {
	own, plain, event := build(b, "", keeper), build(b, "", raw), update(b)
	for _, c := range []struct {
		name    string
		scene   scene
		latency time.Duration
		metric  string
		events  int
	}{
		{"compliant-20ms", compliant, 20 * time.Millisecond, speed.Compliant20, rounds},
		{"drifted-20ms", drifted, 20 * time.Millisecond, speed.Drifted20, rounds},
		{"compliant-0ms", compliant, 0, speed.Compliant0, 10 * rounds},
		{"drifted-0ms", drifted, 0, speed.Drifted0, 10 * rounds},
	} {
		b.Run(c.name, func(b *testing.B) {
			answers, trips := record(b, own, c.scene)
			url := answers.serve(b, c.latency)
			first := startProcess(b, []string{plain}, "URL="+url, "TRIPS="+trips)
			second := startProcess(b, []string{own}, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+url)
			defer first.stop()
			defer second.stop()
			var whole, boto ratios
			var third *process
			if c.metric == speed.Drifted0 {
				if python := boto3(b); python != nil {
					third = startProcess(b, python, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+url)
					defer third.stop()
				}
			}
			for range 5 { // warm
				first.invoke(b, event, "posted")
				second.invoke(b, event, c.scene.outcome)
				if third != nil {
					third.invoke(b, event, c.scene.outcome)
				}
			}
			for b.Loop() {
				for range c.events {
					base, took := first.invoke(b, event, "posted"), second.invoke(b, event, c.scene.outcome)
					whole.add(took, base)
					if third != nil {
						boto.add(took, third.invoke(b, event, c.scene.outcome))
					}
				}
			}
			b.ReportMetric(whole.median(), c.metric)
			if third != nil {
				b.ReportMetric(boto.median(), speed.BotoDrifted0)
			}
		})
	}
}

// BenchmarkMemory reports the memory of the function after 100 events that each wrote, and after 3,000 of that.
func BenchmarkMemory(b *testing.B) {
	own, event := build(b, "", keeper), update(b)
	answers, _ := record(b, own, drifted)
	url := answers.serve(b, 0)
	var after, growth ratios
	for b.Loop() {
		p := startProcess(b, []string{own}, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+url)
		for range 100 {
			p.invoke(b, event, drifted.outcome)
		}
		at100 := p.memory(b)
		for range 2900 {
			p.invoke(b, event, drifted.outcome)
		}
		after = append(after, at100/1e6)
		growth = append(growth, p.memory(b)/at100)
		p.stop()
	}
	b.ReportMetric(after.median(), speed.RSS100)
	b.ReportMetric(growth.median(), speed.RSSGrowth)
}

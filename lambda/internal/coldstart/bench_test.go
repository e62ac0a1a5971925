package coldstart

import (
	"archive/zip"
	"compress/flate"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"poolkeeper/lambda/runtimeapi"
)

// rounds is how often each of the two functions is started, one after the other.
const rounds = 31

// BenchmarkColdStart reports the start of the function, from exec to the first poll, as a multiple of that of a function that does
// nothing on the same runtime library: the median over rounds of both in one run. It reports the sizes of the zips too.
func BenchmarkColdStart(b *testing.B) {
	ours, hello := build(b, "poolkeeper/lambda"), build(b, "poolkeeper/lambda/internal/coldstart/hello")
	var ratios []float64
	var times []time.Duration
	for b.Loop() {
		for range rounds {
			base, own := start(b, hello), start(b, ours)
			ratios = append(ratios, float64(own)/float64(base))
			times = append(times, own)
		}
	}
	slices.Sort(ratios)
	slices.Sort(times)
	b.ReportMetric(ratios[len(ratios)/2], "x-hello")
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-start")
	b.ReportMetric(float64(zipped(b, ours)), "zip-bytes")
	b.ReportMetric(float64(zipped(b, hello)), "hello-zip-bytes")
}

func build(b *testing.B, path string) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "bootstrap")
	command := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-tags", "lambda.norpc", "-o", binary, path)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		b.Fatalf("building %s: %v\n%s", path, err, output)
	}
	return binary
}

// start starts the binary in an environment of just what it needs, and returns the time until it polls.
func start(b *testing.B, binary string) time.Duration {
	b.Helper()
	api, err := runtimeapi.New()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = api.Close() }()
	command := exec.CommandContext(context.Background(), binary)
	command.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + api.Addr(), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example"}
	from := time.Now()
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}()
	select {
	case <-api.FirstPoll():
		return time.Since(from)
	case <-time.After(10 * time.Second):
		b.Fatalf("%s does not poll", binary)
		return 0
	}
}

func zipped(b *testing.B, binary string) int64 {
	b.Helper()
	content, err := os.ReadFile(binary)
	if err != nil {
		b.Fatal(err)
	}
	var size counter
	archive := zip.NewWriter(&size)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	file, err := archive.Create("bootstrap")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		b.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		b.Fatal(err)
	}
	return int64(size)
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

package coldstart

import (
	"archive/zip"
	"compress/flate"
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"poolkeeper/lambda/internal/speed"
)

var zips = map[string]string{"amd64": speed.ZipAMD64, "arm64": speed.ZipARM64}

// TestSize: what is deployed stays small, so that a start has little to load.
func TestSize(t *testing.T) {
	t.Parallel()
	for architecture, metric := range zips {
		if size, limit := zipped(t, build(t, architecture, keeper)), speed.Of(metric).Fail; size > limit || size == 0 {
			t.Errorf("the zip for %s has %.2f MB, more than %.2f", architecture, size, limit)
		}
	}
}

// TestInitAllocates: what every start does before main, used or not, stays little.
func TestInitAllocates(t *testing.T) {
	t.Parallel()
	if allocations, limit := initAllocations(t, build(t, "", keeper)),
		speed.Of(speed.InitAllocs).Fail; allocations > limit || allocations == 0 {
		t.Errorf("the packages allocate %.0f times, more than %.0f", allocations, limit)
	}
}

// BenchmarkSize reports what the tests hold.
func BenchmarkSize(b *testing.B) {
	measured := map[string]float64{}
	for b.Loop() {
		for architecture, metric := range zips {
			measured[metric] = zipped(b, build(b, architecture, keeper))
		}
		measured[speed.ZipEverything] = zipped(b, buildWith(b, everything, "amd64", keeper))
		measured[speed.InitAllocs] = initAllocations(b, build(b, "", keeper))
	}
	for metric, v := range measured {
		b.ReportMetric(v, metric)
	}
}

// initAllocations starts a function that cannot poll, and returns how often the initialisation of its packages
// allocates.
func initAllocations(t testing.TB, binary string) float64 {
	t.Helper()
	command := exec.CommandContext(context.Background(), binary)
	// A faulty environment ends the process right after the start.
	command.Env = []string{"GODEBUG=inittrace=1", "MODE=none"}
	output, _ := command.CombinedOutput()
	sum, packages := 0, 0
	for line := range strings.Lines(string(output)) {
		// init net/http @1.2 ms, 0.03 ms clock, 5672 bytes, 49 allocs
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "init" || words[len(words)-1] != "allocs" {
			continue
		}
		n, err := strconv.Atoi(words[len(words)-2])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		sum += n
		packages++
	}
	if packages < 50 {
		t.Fatalf("%d packages say what they allocate", packages)
	}
	return float64(sum)
}

// zipped returns the megabytes of the zip of a function, compressed as well as zip can.
func zipped(t testing.TB, binary string) float64 {
	t.Helper()
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var size counter
	archive := zip.NewWriter(&size)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser,
		error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	file, err := archive.Create("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return float64(size) / 1e6
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

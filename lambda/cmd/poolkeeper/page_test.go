package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	_ "image/png" // to read the screenshot
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

// pageOf makes the page of three pools: one in sync, one with a drift and an exemption, one whose name is an attack.
func pageOf(t *testing.T) []byte {
	t.Helper()
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	fake.PutRich("eu-west-1_Healthy01")
	fake.PutRich("eu-west-1_AbCdEf123")
	fake.Edit("eu-west-1_AbCdEf123", func(pool, _ map[string]any) {
		pool["DeletionProtection"], pool["AutoVerifiedAttributes"] = "INACTIVE", []any{"phone_number"}
	})
	fake.PutRich("eu-west-1_Nasty0001")
	fake.Edit("eu-west-1_Nasty0001", func(pool, _ map[string]any) {
		pool["Name"], pool["UserPoolTags"] = `<script>document.title="owned"</script>`, map[string]any{"env": `"><img src=x onerror=document.title="owned">`}
	})
	fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", PoolID: "eu-west-1_Denied001", Error: "AccessDeniedException", Message: "no"})
	fake.PutRich("eu-west-1_Denied001")
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"} {
		t.Setenv(name, v)
	}
	file := filepath.Join(t.TempDir(), "b.yaml")
	text := "version: 1\nrules:\n  - name: every-pool\n    require: {DeletionProtection: ACTIVE, AutoVerifiedAttributes: {contains: [email]}, UserPoolTags: {env: prod}}\n" +
		"    clients: [{names: [mobile-*], require: {EnableTokenRevocation: false}}]\n" +
		"exemptions:\n  - {pools: {ids: [eu-west-1_AbCdEf123]}, settings: [AutoVerifiedAttributes], until: 2099-01-01T00:00:00Z, reason: migration, owner: team}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if status := run(context.Background(), []string{"report", "--all", "--baseline", file}, &stdout, &stderr, os.Getenv); status != exitError {
		t.Fatalf("exit status %d, want that of a pool that failed\n%s", status, stderr.Bytes())
	}
	return stdout.Bytes()
}

// TestPage holds the page to what it says, and to needing nothing beside it.
func TestPage(t *testing.T) {
	page := string(pageOf(t))
	for _, part := range []string{
		`<html lang="en">`, `<a class="skip" href="#pools">`, "<header>", `<main id="pools">`, "<footer>", `<th scope="col">DeletionProtection</th>`, `<th scope="row">`, "<caption>",
		`is <code>INACTIVE</code>, required <code>ACTIVE</code>`, "exempted until 2099-01-01T00:00:00Z, team: migration", "unfixable: calling DescribeUserPool: AccessDeniedException", `<dt>Pools</dt><dd>4</dd>`, `<dt>Failed</dt><dd class="bad">1</dd>`,
		"poolkeeper apply --pool eu-west-1_AbCdEf123", "Security Hub Cognito.6", "Clients[mobile].EnableTokenRevocation",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	for _, bad := range []string{"<script", "http://", "https://", "@import", "url(", "<img"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
}

// TestPageContrast: every colour of text has a contrast of 4.5 or more to every ground it stands on, as WCAG 2 asks.
func TestPageContrast(t *testing.T) {
	t.Parallel()
	colours := map[string]float64{}
	for _, m := range regexp.MustCompile(`--(\w+): #(\w{6})`).FindAllStringSubmatch(pageHead, -1) {
		colours[m[1]] = luminance(t, m[2])
	}
	grounds := []float64{colours["paper"], luminance(t, "eef1f4"), luminance(t, "f6f8fa")}
	for _, text := range []string{"ink", "good", "bad", "left", "calm"} {
		l, ok := colours[text]
		if !ok {
			t.Fatalf("no colour %s", text)
		}
		for _, ground := range grounds {
			if ratio := (ground + .05) / (l + .05); ratio < 4.5 {
				t.Errorf("%s has a contrast of %.1f", text, ratio)
			}
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	channel := func(v uint64) float64 {
		c := float64(v&0xff) / 255
		if c <= .03928 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*channel(n>>16) + .7152*channel(n>>8) + .0722*channel(n)
}

// TestPageInBrowser shows the page in a real browser: it is drawn, what is wrong stands out, nothing that a stranger wrote runs, and it prints. Without a browser on PATH the test is skipped, unless
// REQUIRE_BROWSER demands it.
func TestPageInBrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("REQUIRE_BROWSER") != "" {
			t.Fatal("chromium is not on PATH")
		}
		t.Skip("chromium is not on PATH")
	}
	page := pageOf(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	show := func(arguments ...string) []byte {
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		all := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
			"--user-data-dir=" + filepath.Join(dir, "profile"), "--window-size=1280,1000", "--hide-scrollbars"}, arguments...)
		command := exec.CommandContext(ctx, browser, append(all, server.URL)...)
		var stderr bytes.Buffer
		command.Stderr = &stderr
		output, err := command.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", arguments, err, stderr.Bytes())
		}
		return output
	}
	dom := string(show("--dump-dom"))
	if strings.Contains(dom, "<title>owned") || !strings.Contains(dom, "<title>User pools and their baseline</title>") {
		t.Error("what a stranger wrote has run")
	}
	shot := filepath.Join(dir, "page.png")
	show("--screenshot=" + shot)
	file, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	picture, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	marks, bad := 0, 0
	for x := range picture.Bounds().Dx() {
		for y := range picture.Bounds().Dy() {
			c, _ := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			if c.R < 0xe0 || c.G < 0xe0 || c.B < 0xe0 {
				marks++
			}
			if c == (color.NRGBA{0xa4, 0x0e, 0x26, 0xff}) {
				bad++
			}
		}
	}
	share := float64(marks) / float64(picture.Bounds().Dx()*picture.Bounds().Dy())
	if share < .01 || share > .4 || bad < 50 {
		t.Errorf("%.1f %% of the picture is drawn, %d dots in the colour of what is wrong", 100*share, bad)
	}
	pdf := filepath.Join(dir, "page.pdf")
	show("--print-to-pdf=" + pdf)
	if printed, err := os.ReadFile(pdf); err != nil || !bytes.HasPrefix(printed, []byte("%PDF-")) || len(printed) < 5000 {
		t.Errorf("it does not print: %d bytes, %v", len(printed), err)
	}
}

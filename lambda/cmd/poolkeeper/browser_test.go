package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"image"
	"image/color"
	_ "image/png" // to read the screenshot
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A browser shows the page that it serves: as it is, measured by a script that the test adds, or measured as it is laid
// out on paper.
type browser struct {
	path, url, dir string
}

// measuring writes what a script finds out about the layout into the document, where --dump-dom shows it.
const measuring = `<script>addEventListener("load", () => {
const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom].map(Math.round); };
const all = q => [...document.querySelectorAll(q)];
const found = q => all(q).find(e => e.textContent.includes("INACTIVE"));
const target = document.querySelector(":target");
const out = document.createElement("pre");
const wide = document.querySelector(".wide");
out.id = "measured";
const label = e => (document.getElementById(e.getAttribute("aria-labelledby")) || {}).textContent || "";
const invisible = e => e.getBoundingClientRect().height === 0 || !e.checkVisibility();
const clipped = e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0;
const measured = {window: innerWidth, page: document.documentElement.scrollWidth,
 matrix: wide.scrollWidth, room: wide.clientWidth, below: wide.scrollHeight - wide.clientHeight,
 clipped: all("td, th, li, p, dd").filter(clipped).map(e => e.textContent.slice(0, 60)),
 bad: box(found("td.bad")), good: box(all("td.good")[0]),
 hidden: all("details li").filter(invisible).length, items: all("details li").length,
 opened: target ? target.closest("details").open : false, header: 0, side: 0,
 names: all("main section, main .wide").map(label)};
wide.scrollTop = 200; wide.scrollLeft = 40;
const place = q => document.querySelector(q).getBoundingClientRect();
measured.header = Math.round(place("thead th:nth-child(2)").top - wide.getBoundingClientRect().top);
measured.side = Math.round(place("tbody th").left - wide.getBoundingClientRect().left);
out.textContent = JSON.stringify(measured);
document.body.append(out); });</script></body>`

type layout struct {
	Window, Page, Matrix, Room, Below, Hidden, Items, Header, Side int
	Clipped, Names                                                 []string
	Bad, Good                                                      [4]int
	Opened                                                         bool
}

// startBrowser serves the page and finds chromium. Without it the test is skipped, but fails in CI.
func startBrowser(t *testing.T, page string) browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not on PATH")
		}
		t.Skip("chromium is not on PATH")
	}
	measured := strings.Replace(page, "</body>", measuring, 1)
	served := map[string]string{"/": page, "/measured": measured,
		"/paper": strings.Replace(measured, "@media print {", "@media all {", 1)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := served[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return browser{path: path, url: server.URL, dir: t.TempDir()}
}

func (b browser) show(t *testing.T, place, size string, arguments ...string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	all := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--force-device-scale-factor=1", "--user-data-dir=" + filepath.Join(b.dir, "profile"),
		"--window-size=" + size, "--hide-scrollbars"}, arguments...)
	command := exec.CommandContext(ctx, b.path, append(all, b.url+place)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", arguments, err, stderr.Bytes())
	}
	return string(output)
}

func (b browser) measure(t *testing.T, place, size string) layout {
	t.Helper()
	dom := b.show(t, place, size, "--dump-dom")
	_, text, found := strings.Cut(dom, `<pre id="measured">`)
	text, _, _ = strings.Cut(text, "</pre>")
	var l layout
	if err := json.Unmarshal([]byte(html.UnescapeString(text)), &l); err != nil || !found {
		t.Fatalf("%s: nothing was measured: %v", place, err)
	}
	return l
}

// TestPageInBrowser shows the page in a real browser: nothing that a stranger wrote runs, nothing is cut off in a wide
// window, in a narrow one and on paper, what is wrong stands out, and a pool's name leads to its details.
func TestPageInBrowser(t *testing.T) {
	b := startBrowser(t, pageOf(t))
	dom := b.show(t, "/", "1280,1000", "--dump-dom")
	if strings.Contains(dom, "<title>owned") || !strings.Contains(dom, "<title>User pools and their baseline</title>") {
		t.Error("what a stranger wrote has run")
	}
	wide := b.measure(t, "/measured#pool-eu-west-1_AbCdEf123", "1280,1000")
	narrow, paper := b.measure(t, "/measured", "420,500"), b.measure(t, "/paper", "700,300")
	for name, l := range map[string]layout{"wide": wide, "narrow": narrow, "paper": paper} {
		if l.Page > l.Window {
			t.Errorf("%s: the page is %d wide, its window %d", name, l.Page, l.Window)
		}
		if len(l.Clipped) > 0 {
			t.Errorf("%s: cut off: %q", name, l.Clipped)
		}
		if slices.Contains(l.Names, "") {
			t.Errorf("%s: a region has no name: %q", name, l.Names)
		}
	}
	if !wide.Opened {
		t.Error("a pool's link does not open its details")
	}
	if narrow.Window > 520 || narrow.Matrix <= narrow.Room || narrow.Below < 200 || narrow.Side > 1 || narrow.Header > 1 {
		t.Errorf("narrow: the matrix does not scroll under the names of the pools: %+v", narrow)
	}
	if paper.Matrix > paper.Room+1 || paper.Below > 1 || paper.Hidden > 0 || paper.Items == 0 || wide.Hidden == 0 {
		t.Errorf("paper: something is hidden: %+v (%d hidden on the screen)", paper, wide.Hidden)
	}
	b.checkPicture(t, b.measure(t, "/measured", "1280,1000"))
	b.checkPrint(t)
}

// checkPrint prints the page, on sheets that are wider than high.
func (b browser) checkPrint(t *testing.T) {
	t.Helper()
	pdf := filepath.Join(b.dir, "page.pdf")
	b.show(t, "/", "1280,1000", "--no-pdf-header-footer", "--print-to-pdf="+pdf)
	printed, err := os.ReadFile(pdf)
	if err != nil || !bytes.HasPrefix(printed, []byte("%PDF-")) {
		t.Fatalf("it does not print: %v", err)
	}
	sheets := regexp.MustCompile(`/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]`).FindAllSubmatch(printed, -1)
	for _, sheet := range sheets {
		across, _ := strconv.ParseFloat(string(sheet[1]), 64)
		down, _ := strconv.ParseFloat(string(sheet[2]), 64)
		if across <= down {
			t.Errorf("a sheet of %s by %s is upright", sheet[1], sheet[2])
		}
	}
	if len(sheets) == 0 {
		t.Error("no sheet was printed")
	}
}

// checkPicture compares the screenshot with the layout: the cell of a drift has the ground and the text color of what
// is wrong, a cell that holds has neither.
func (b browser) checkPicture(t *testing.T, l layout) {
	t.Helper()
	shot := filepath.Join(b.dir, "page.png")
	b.show(t, "/", "1280,1000", "--screenshot="+shot)
	file, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	picture, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size.X != 1280 || size.Y < 900 {
		t.Errorf("a picture of %v", size)
	}
	dots := func(box [4]int, name string) (n int) {
		hex := regexp.MustCompile(`--` + name + `: #(\w{6})`).FindStringSubmatch(pageText)[1]
		v, _ := strconv.ParseUint(hex, 16, 32)
		for x := box[0]; x < box[2]; x++ {
			for y := box[1]; y < box[3]; y++ {
				c, _ := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
				if c == (color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff}) {
					n++
				}
			}
		}
		return n
	}
	area := func(box [4]int) int { return (box[2] - box[0]) * (box[3] - box[1]) }
	if ground, text := dots(l.Bad, "wrong"), dots(l.Bad, "bad"); ground < area(l.Bad)/2 || text < 20 {
		t.Errorf("what is wrong does not stand out: %d of %d dots of ground, %d of text", ground, area(l.Bad), text)
	}
	ground, text, wrong := dots(l.Good, "paper"), dots(l.Good, "good"), dots(l.Good, "wrong")
	if ground < area(l.Good)/2 || text < 5 || wrong > 0 {
		t.Errorf("what holds looks wrong: %d of %d dots of ground, %d of text, %d of what is wrong", ground, area(l.Good),
			text, wrong)
	}
}

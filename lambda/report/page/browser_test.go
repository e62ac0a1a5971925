package page

import (
	"context"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// measuring writes what a script finds out about the layout into the document, where --dump-dom shows it.
const measuring = `<script>addEventListener("load", () => {
const all = q => [...document.querySelectorAll(q)];
const seen = e => e.checkVisibility() && e.getBoundingClientRect().height > 0;
const clipped = e => seen(e) && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && !e.matches(".sr");
const label = e => (document.getElementById(e.getAttribute("aria-labelledby")) || {}).textContent || "";
const target = document.querySelector(":target");
const out = document.createElement("pre");
out.id = "measured";
out.textContent = JSON.stringify({Title: document.title, Window: innerWidth, Page: document.documentElement.scrollWidth,
 Pools: all("tbody tr").filter(seen).length, Details: all("details").filter(seen).length,
 Compliant: all("td.good").filter(seen).length, Hidden: all("details li").filter(e => !seen(e)).length,
 Clipped: all("td, th, li, p, dd").filter(clipped).map(e => e.textContent.slice(0, 60)),
 Names: all("main section").map(label), Opened: !!target && target.closest("details").open,
 Wide: Math.max(...all("thead th[scope=col]").slice(1).map(e => e.getBoundingClientRect().width)),
 Box: all("main *").filter(e => ["auto", "scroll"].includes(getComputedStyle(e).overflowX)).length});
document.body.append(out); });</script></body>`

type layout struct {
	Title                                                      string
	Window, Page, Pools, Details, Compliant, Hidden, Box, Wide float64
	Clipped, Names                                             []string
	Opened                                                     bool
}

// measure shows a page in a window of that size. Without chromium the test is skipped, but fails in CI.
func measure(t *testing.T, page, place, size string) layout {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not on PATH")
		}
		t.Skip("chromium is not on PATH")
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(strings.Replace(page, "</body>", measuring, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	dom, err := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), "--window-size="+size, "--dump-dom", "file://"+file+place).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(dom), `<pre id="measured">`)
	text, _, _ = strings.Cut(text, "</pre>")
	var l layout
	if err := json.Unmarshal([]byte(html.UnescapeString(text)), &l); err != nil || !found {
		t.Fatalf("nothing was measured: %v", err)
	}
	return l
}

// TestInBrowser shows the page in a real browser: nothing that a stranger wrote runs, nothing is cut off in a wide
// window, on a phone and on paper, no box scrolls inside the page, a column is a word wide, a pool's name leads to its
// details, and the filters work.
func TestInBrowser(t *testing.T) {
	page := written(t, 50)
	paper := strings.NewReplacer("@media print {", "@media all {", "@media screen", "@media print").Replace(page)
	filtered := func(id string) string {
		return strings.Replace(page, `id="`+id+`"`, `id="`+id+`" checked`, 1)
	}
	for name, c := range map[string]struct {
		page, place, size string
		pools, details    float64
	}{
		"desktop": {page, "#pool-1", "1400,900", 50, 16}, "phone": {page, "", "500,900", 50, 16},
		"paper": {paper, "", "1000,700", 50, 16}, "account": {filtered("a111122223333"), "", "1400,900", 26, 9},
		"Region": {filtered("reu-west-1"), "", "1400,900", 17, 7}, "drift": {filtered("drift"), "", "1400,900", 10, 9},
	} {
		t.Run(name, func(t *testing.T) {
			l := measure(t, c.page, c.place, c.size)
			if l.Title != "User pools and their baseline" || l.Box > 0 || len(l.Clipped) > 0 || l.Page > l.Window ||
				slices.Contains(l.Names, "") || l.Opened != (c.place != "") {
				t.Errorf("%+v", l)
			}
			if l.Pools != c.pools || l.Details != c.details {
				t.Errorf("%v pools and %v details, want %v and %v", l.Pools, l.Details, c.pools, c.details)
			}
			if (l.Compliant == 0) != (name == "phone") || (l.Hidden == 0) != (name == "paper") || l.Wide > 110 {
				t.Errorf("%+v", l)
			}
		})
	}
}

package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// written is the page of so many pools by the baseline that ships, in two accounts and three Regions. Of seven pools,
// one is to change and one is exempted. One cannot be read, one was ignored, and one has names that are attacks.
func written(t *testing.T, n int) string {
	t.Helper()
	var pools []struct {
		outcome.Outcome
		Name, Unread string
	}
	content, err := os.ReadFile("testdata/pools.json")
	required, parsing := baseline.Parse("baseline.yaml", baseline.Default())
	if err := errors.Join(err, parsing, json.Unmarshal(content, &pools)); err != nil {
		t.Fatal(err)
	}
	p := New(time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC))
	p.Require(required)
	for i := range n {
		kind := pools[i%7]
		if i > 6 && i%7 > 3 {
			kind = pools[1]
		}
		region := []string{"eu-west-1", "us-east-1", "ap-southeast-2"}[i%3]
		account := []string{"111122223333", "444455556666"}[i/3%2]
		out, unread := kind.Outcome, error(nil)
		out.UserPoolID = fmt.Sprintf("%s_Pool%05d", region, i)
		out.Details.PoolName = cmp.Or(kind.Name, fmt.Sprint("customers-", i))
		out.Details.PoolARN = "arn:aws:cognito-idp:" + region + ":" + account + ":userpool/" + out.UserPoolID
		if kind.Unread != "" {
			unread = errors.New(kind.Unread)
		}
		p.Add(out.UserPoolID, outcome.Preview{Outcome: out, Required: slices.Collect(maps.Keys(p.columns))}, unread)
	}
	return rendered(t, p)
}

func rendered(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var update = flag.Bool("update", false, "write the golden anew")

// TestPage checks what the page says, in which order, and that it needs no other file.
func TestPage(t *testing.T) {
	t.Parallel()
	page := written(t, 8)
	_, body, _ := strings.Cut(page, "<body>")
	if *update {
		if err := os.WriteFile("testdata/body.html", []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/body.html")
	if diff := gocmp.Diff(string(want), body); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"<script", "http://", "https://", "@import", "url(", "<img", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if one := written(t, 1); strings.Contains(one, "<legend>Account") || strings.Contains(one, "<legend>Region") {
		t.Error("one pool needs no filters")
	}
}

// TestStrangers: whatever strangers choose, the page has the elements that it has with harmless texts, and nothing that
// is not printable.
func TestStrangers(t *testing.T) {
	t.Parallel()
	with := func(text string) string {
		p := New(time.Unix(0, 0))
		p.columns["UserPoolTags.x"] = true
		out := outcome.Outcome{Outcome: outcome.Drifted, UserPoolID: "eu-west-1_AbCdEf123", Reason: text,
			Details: outcome.Details{PoolName: text}}
		for _, state := range []outcome.State{outcome.StateUnfixable, outcome.StateExempted,
			outcome.StateReported, outcome.StatePlanned} {
			out.Drifts = append(out.Drifts, outcome.Finding{Setting: "UserPoolTags." + text, Rule: text, Reason: text,
				Have: text, Want: []any{text}, State: state})
		}
		p.Add(out.UserPoolID, outcome.Preview{Outcome: out}, nil)
		p.Add("eu-west-1_B", outcome.Preview{}, errors.New(text))
		return strings.ReplaceAll(rendered(t, p), "<wbr>", "") // where a long name may break depends on its letters
	}
	harmless := with("y")
	for _, nasty := range []string{"<script>alert(1)</script>", "</td></tr><tr>", `" onclick="x`, "<!--", "\n\x1b[2J",
		"\u202e", "&lt;b&gt;", "{{.}}", "javascript:x"} {
		got := with(nasty)
		for _, mark := range []string{"<", ">", "\n"} {
			if strings.Count(got, mark) != strings.Count(harmless, mark) {
				t.Errorf("%q: the page has %d %q, not %d", nasty, strings.Count(got, mark), mark, strings.Count(harmless, mark))
			}
		}
		odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
		if strings.ContainsFunc(got, odd) || strings.Contains(got, `href="javascript`) {
			t.Errorf("%q went onto the page as it is", nasty)
		}
	}
}

// TestContrast: every color of text has a contrast of 4.5 or more to every ground, and lines have one of 3, as WCAG 2
// asks, in light and in dark.
func TestContrast(t *testing.T) {
	t.Parallel()
	schemes := regexp.MustCompile(`:root[^{]*\{[^}]*\}`).FindAllString(text, -1)
	if len(schemes) != 3 || schemes[0][strings.Index(schemes[0], "--"):] != schemes[2][strings.Index(schemes[2], "--"):] {
		t.Fatalf("%d schemes, want a light one, a dark one and the light one for paper", len(schemes))
	}
	for _, scheme := range schemes {
		colors := map[string]float64{}
		for _, m := range regexp.MustCompile(`--(\w+): #(\w{6})`).FindAllStringSubmatch(scheme, -1) {
			colors[m[1]] = luminance(t, m[2])
		}
		check := func(color, ground string, least float64) {
			a, b := colors[color], colors[ground]
			if ratio := (max(a, b) + .05) / (min(a, b) + .05); ratio < least || len(colors) != 11 {
				t.Errorf("%s on %s has a contrast of %.1f (%d colors)", color, ground, ratio, len(colors))
			}
		}
		for _, color := range []string{"ink", "good", "bad", "warn", "calm", "link"} {
			for _, ground := range []string{"paper", "head", "wrong", "warned"} {
				check(color, ground, 4.5)
			}
		}
		check("line", "paper", 3)
	}
	unnamed := regexp.MustCompile(`--\w+: #\w{6}`).ReplaceAllString(text, "")
	if other := regexp.MustCompile(`: [^;{]*#[0-9a-f]{3,6}\b`).FindAllString(unnamed, -1); other != nil {
		t.Errorf("colors without a name: %v", other)
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var color [3]uint8
	if _, err := fmt.Sscanf(hex, "%02x%02x%02x", &color[0], &color[1], &color[2]); err != nil {
		t.Fatal(err)
	}
	light := 0.
	for i, weight := range []float64{.2126, .7152, .0722} {
		c := float64(color[i]) / 255
		if c <= .03928 {
			light += weight * c / 12.92
		} else {
			light += weight * math.Pow((c+.055)/1.055, 2.4)
		}
	}
	return light
}

package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

const pageBaseline = `version: 1
rules:
  - name: every-pool
    require:
      DeletionProtection: ACTIVE
      AutoVerifiedAttributes: {contains: [email]}
      UserPoolTags: {env: prod}
      LambdaConfig: {PreSignUp: "arn:aws:lambda:eu-west-1:111122223333:function:pre-sign-up"}
      Policies:
        PasswordPolicy:
          MinimumLength: {atLeast: 8}
          RequireLowercase: true
          RequireUppercase: true
          RequireNumbers: true
          RequireSymbols: true
          TemporaryPasswordValidityDays: {atMost: 7}
    clients: [{names: [mobile-*], require: {EnableTokenRevocation: false}}]
exemptions:
  - pools: {ids: [eu-west-1_AbCdEf123]}
    settings: [AutoVerifiedAttributes]
    until: 2099-01-01T00:00:00Z
    reason: migration
    owner: team
`

// pageOf makes the page of five pools: one in sync, one with a drift and an exemption, one whose name is an attack, one
// with very long values, one that cannot be read.
func pageOf(t *testing.T) string {
	t.Helper()
	fake := connected(t)
	edit := func(id string, change func(pool map[string]any)) {
		fake.PutRich(id)
		fake.Edit(id, func(pool, _ map[string]any) { change(pool) })
	}
	fake.PutRich("eu-west-1_Healthy01")
	edit("eu-west-1_AbCdEf123", func(pool map[string]any) {
		pool["DeletionProtection"], pool["AutoVerifiedAttributes"] = "INACTIVE", []any{"phone_number"}
	})
	edit("eu-west-1_Nasty0001", func(pool map[string]any) {
		pool["Name"] = `<script>document.title="owned"</script>`
		pool["UserPoolTags"] = map[string]any{"env": `"><img src=x onerror=document.title="owned">`}
	})
	edit("eu-west-1_Verbose01", func(pool map[string]any) {
		pool["Name"] = strings.Repeat("customers-of-everywhere-", 5)
		arn := "arn:aws:lambda:eu-west-1:111122223333:function:" + strings.Repeat("a", 64)
		pool["LambdaConfig"] = map[string]any{"PreSignUp": arn}
	})
	fake.PutRich("eu-west-1_Denied001")
	fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", PoolID: "eu-west-1_Denied001",
		Error: "AccessDeniedException", Message: "no"})
	got := execute(t.Context(), "report", "--all", "--baseline", write(t, "b.yaml", pageBaseline))
	if got.status != exitError {
		t.Fatalf("exit status %d, want that of a pool that failed\n%s", got.status, got.stderr)
	}
	return got.stdout
}

// TestPage checks what the page says, and that it needs no other file.
func TestPage(t *testing.T) {
	page := pageOf(t)
	for _, part := range []string{
		`<html lang="en">`, `<a class="skip" href="#pools">`, "<header>", `<main id="pools">`, "<footer>",
		`<th scope="col">Deletion<wbr>Protection</th>`, `<th scope="row">`, "<caption>",
		`<td class="bad"><span>is <code>INACTIVE</code></span><span>required <code>ACTIVE</code></span></td>`,
		"exempted until 2099-01-01T00:00:00Z</span>", "exempted: until 2099-01-01T00:00:00Z, team: migration",
		"could not be read: calling DescribeUserPool: AccessDeniedException", `<dt>Pools</dt><dd>5</dd>`,
		`<dt>Failed</dt><dd class="bad">1</dd>`, `<dt>Exempted</dt><dd class="calm">0</dd>`,
		"poolkeeper apply --pool eu-west-1_AbCdEf123 --region eu-west-1", "Security Hub Cognito.6",
		"Clients[mobile].<wbr>Enable<wbr>Token<wbr>Revocation", `aria-labelledby="matrix" tabindex="0"`,
		`<section aria-labelledby="summary">`,
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

// TestPageContrast: every color of text has a contrast of 4.5 or more to every ground, as WCAG 2 asks.
func TestPageContrast(t *testing.T) {
	t.Parallel()
	colors := map[string]float64{}
	for _, m := range regexp.MustCompile(`--(\w+): #(\w{6})`).FindAllStringSubmatch(pageText, -1) {
		colors[m[1]] = luminance(t, m[2])
	}
	texts := []string{"ink", "good", "bad", "warn", "calm", "link"}
	grounds := []string{"paper", "head", "side", "wrong", "warned"}
	for _, text := range texts {
		for _, ground := range grounds {
			if ratio := (colors[ground] + .05) / (colors[text] + .05); ratio < 4.5 || colors[ground] == 0 {
				t.Errorf("%s on %s has a contrast of %.1f", text, ground, ratio)
			}
		}
	}
	// Lines are no text: 3 is what WCAG asks of them.
	if ratio := (colors["paper"] + .05) / (colors["line"] + .05); ratio < 3 {
		t.Errorf("lines have a contrast of %.1f", ratio)
	}
	if named := len(texts) + len(grounds) + 1; len(colors) != named {
		t.Errorf("the page has %d colors, %d are checked", len(colors), named)
	}
	unnamed := regexp.MustCompile(`--\w+: #\w{6}`).ReplaceAllString(pageText, "")
	if other := regexp.MustCompile(`: [^;]*#[0-9a-f]{3,6}`).FindAllString(unnamed, -1); other != nil {
		t.Errorf("colors without a name: %v", other)
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

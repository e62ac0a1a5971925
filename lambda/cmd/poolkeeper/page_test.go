package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// pageOf makes the page of five pools: one in sync, one with a drift and an exemption, one whose name is an attack, one with very long values, one that cannot be read.
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
	fake.PutRich("eu-west-1_Verbose01")
	fake.Edit("eu-west-1_Verbose01", func(pool, _ map[string]any) {
		pool["Name"] = strings.Repeat("customers-of-everywhere-", 5)
		pool["LambdaConfig"] = map[string]any{"PreSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:" + strings.Repeat("a", 64)}
	})
	fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", PoolID: "eu-west-1_Denied001", Error: "AccessDeniedException", Message: "no"})
	fake.PutRich("eu-west-1_Denied001")
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"} {
		t.Setenv(name, v)
	}
	file := filepath.Join(t.TempDir(), "b.yaml")
	text := "version: 1\nrules:\n  - name: every-pool\n    require: {DeletionProtection: ACTIVE, AutoVerifiedAttributes: {contains: [email]}, UserPoolTags: {env: prod},\n" +
		"      LambdaConfig: {PreSignUp: \"arn:aws:lambda:eu-west-1:111122223333:function:pre-sign-up\"},\n" +
		"      Policies: {PasswordPolicy: {MinimumLength: {atLeast: 8}, RequireLowercase: true, RequireUppercase: true, RequireNumbers: true, RequireSymbols: true, TemporaryPasswordValidityDays: {atMost: 7}}}}\n" +
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
		`<html lang="en">`, `<a class="skip" href="#pools">`, "<header>", `<main id="pools">`, "<footer>", `<th scope="col">Deletion<wbr>Protection</th>`, `<th scope="row">`, "<caption>",
		`<td class="bad"><span>is <code>INACTIVE</code></span><span>required <code>ACTIVE</code></span></td>`, "exempted until 2099-01-01T00:00:00Z</span>", "exempted: until 2099-01-01T00:00:00Z, team: migration", "could not be looked at: calling DescribeUserPool: AccessDeniedException", `<dt>Pools</dt><dd>5</dd>`, `<dt>Failed</dt><dd class="bad">1</dd>`,
		"poolkeeper apply --pool eu-west-1_AbCdEf123 --region eu-west-1", "Security Hub Cognito.6", "Clients[mobile].<wbr>Enable<wbr>Token<wbr>Revocation", `aria-labelledby="matrix" tabindex="0"`, `<section aria-labelledby="summary">`,
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
	for _, m := range regexp.MustCompile(`--(\w+): #(\w{6})`).FindAllStringSubmatch(pageText, -1) {
		colours[m[1]] = luminance(t, m[2])
	}
	texts, grounds := []string{"ink", "good", "bad", "left", "calm", "link"}, []string{"paper", "head", "side", "wrong", "kept"}
	for _, text := range texts {
		for _, ground := range grounds {
			if ratio := (colours[ground] + .05) / (colours[text] + .05); ratio < 4.5 || colours[ground] == 0 {
				t.Errorf("%s on %s has a contrast of %.1f", text, ground, ratio)
			}
		}
	}
	// Lines are no text: 3 is what WCAG asks of them.
	if ratio := (colours["paper"] + .05) / (colours["line"] + .05); ratio < 3 {
		t.Errorf("lines have a contrast of %.1f", ratio)
	}
	if named := len(texts) + len(grounds) + 1; len(colours) != named {
		t.Errorf("the page has %d colours, %d are looked at", len(colours), named)
	}
	if other := regexp.MustCompile(`: [^;]*#[0-9a-f]{3,6}`).FindAllString(regexp.MustCompile(`--\w+: #\w{6}`).ReplaceAllString(pageText, ""), -1); other != nil {
		t.Errorf("colours without a name: %v", other)
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

package baseline

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Text formats that the API documents in addition to patterns. That of an ARN shows what it looks like.
const (
	formatCIDR     = "cidr"
	formatDomain   = "domain"
	formatRegion   = "region"
	formatInvite   = "invite" // the text of an invitation
	formatSender   = "sender"
	formatURL      = "url"
	formatRedirect = "redirect" // a URL that a sign-in returns to

	formatFunction = "arn:aws:lambda:REGION:ACCOUNT:function:NAME"
	formatKey      = "arn:aws:kms:REGION:ACCOUNT:key/NAME"
	formatRole     = "arn:aws:iam::ACCOUNT:role/NAME"
	formatIdentity = "arn:aws:ses:REGION:ACCOUNT:identity/NAME"
	formatLogGroup = "arn:aws:logs:REGION:ACCOUNT:log-group:NAME"
	formatBucket   = "arn:aws:s3:::NAME"
	formatStream   = "arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME"
)

// formats are the formats other than ARNs, with what a text must be.
var formats = map[string]struct {
	valid func(text string) bool
	want  string
}{
	formatCIDR: {func(text string) bool {
		_, err := netip.ParsePrefix(text)
		return err == nil
	}, "a range of addresses, such as 10.0.0.0/8 or 10.0.0.1/32"},
	formatDomain: {func(text string) bool { return Wholly(`([\p{L}\d-]+\.)*[\p{L}\d-]*[\p{L}-][\p{L}\d-]*`, text) },
		"just a domain, such as login.example.com"},
	formatRegion: {func(text string) bool { return Wholly(regionForm, text) }, "a Region, such as eu-west-1"},
	formatSender: {func(text string) bool { return Wholly(`[^<>@\s]+@[^<>@\s]+|[^<>]*<[^<>@\s]+@[^<>@\s]+>`, text) },
		"an address, or a name and an address, such as Example <no-reply@example.com>"},
	formatURL: {func(text string) bool { return parsed(text) != nil },
		"a URL with a scheme, such as https://app.example.com/callback"},
	formatRedirect: {func(text string) bool {
		u := parsed(text)
		return u != nil && !strings.Contains(text, "#") &&
			(u.Scheme != "http" || slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()))
	}, "a URL with a scheme, such as https://app.example.com/callback, without a fragment (the part after the #); http " +
		"only for localhost"},
}

// parsed returns a URL with a scheme, and a host if it needs one, or nil. javascript:CODE and HOST:PORT are none.
func parsed(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" && (u.Scheme == "https" || u.Scheme == "http") ||
		Wholly(`(?i:javascript|data):.*|[^:/]+:\d+(/.*)?`, text) {
		return nil
	}
	return u
}

// arnPatterns turns the format of an ARN into a pattern.
var arnPatterns = strings.NewReplacer("arn:aws", `arn:aws[\w-]*`, "REGION", `[\w-]+`, "ACCOUNT", `\d{12}`,
	"key/", "(key|alias)/", "NAME", `[^*]+`)

func offFormat(format, text string) string {
	form := formats[format]
	switch {
	case strings.HasPrefix(format, "arn:") && !Wholly(arnPatterns.Replace(format), text):
		return fmt.Sprintf("is %s: it must look like %s", quoted(text), format)
	case form.valid != nil && !form.valid(text):
		return fmt.Sprintf("is %s: it must be %s", quoted(text), form.want)
	}
	return ""
}

// regionIn returns the Region in a text of a format, or "".
func regionIn(format, text string) string {
	if format == formatRegion {
		return text
	}
	if parts := strings.Split(text, ":"); strings.HasPrefix(format, "arn:") && len(parts) > 3 {
		return parts[3]
	}
	return ""
}

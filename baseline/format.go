package baseline

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Text formats that the API documents in addition to patterns. The format of an ARN is "arn:", the service, and the
// allowed prefixes of the resource name.
const (
	formatCIDR     = "cidr"
	formatDomain   = "domain"
	formatRegion   = "region"
	formatSender   = "sender"
	formatURL      = "url"
	formatRedirect = "redirect" // a URL that a sign-in returns to

	formatFunction = "arn:lambda:function:"
	formatKey      = "arn:kms:key/|alias/"
	formatRole     = "arn:iam:role/"
	formatIdentity = "arn:ses:identity/"
	formatLogGroup = "arn:logs:log-group:"
	formatStream   = "arn:firehose:deliverystream/"
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
	formatDomain: {func(text string) bool {
		_, err := netip.ParseAddr(text)
		return err != nil && !strings.ContainsAny(text, "/:") && !strings.ContainsFunc(text, unprintable)
	}, "just a domain, such as login.example.com"},
	formatRegion: {func(text string) bool { return regionForm().MatchString(text) }, "a Region, such as eu-west-1"},
	formatSender: {func(text string) bool { return strings.Contains(text, "@") },
		"an address, or a name and an address, such as Example <no-reply@example.com>"},
	formatURL: {func(text string) bool {
		u, err := url.Parse(text)
		return err == nil && reaches(u)
	}, "a URL with a scheme, such as https://app.example.com/callback"},
	formatRedirect: {func(text string) bool {
		u, err := url.Parse(text)
		return err == nil && reaches(u) && !strings.Contains(text, "#") &&
			(u.Scheme != "http" || slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()))
	}, "a URL with a scheme, such as https://app.example.com/callback, without a fragment (the part after the #); http " +
		"only for localhost"},
}

// reaches reports whether a URL has a scheme, and a host if the scheme needs one.
func reaches(u *url.URL) bool {
	return u.Scheme != "" && (u.Host != "" || u.Scheme != "https" && u.Scheme != "http")
}

func offFormat(format, text string) string {
	service, resources, arn := strings.Cut(strings.TrimPrefix(format, "arn:"), ":")
	if !arn {
		if form := formats[format]; form.valid != nil && !form.valid(text) {
			return fmt.Sprintf("is %s: it must be %s", quoted(text), form.want)
		}
		return ""
	}
	const accountDigits = 12
	parts := strings.SplitN(text, ":", 6)
	all := strings.Split(resources, "|")
	if len(parts) == 6 && parts[2] == service && len(parts[4]) == accountDigits && !strings.Contains(text, "*") &&
		slices.ContainsFunc(all, func(r string) bool { return strings.HasPrefix(parts[5], r) }) {
		return ""
	}
	region := "REGION"
	if service == "iam" {
		region = "" // global service: its ARNs have no Region
	}
	return fmt.Sprintf("is %s: it must look like arn:aws:%s:%s:ACCOUNT:%sNAME", quoted(text), service, region, all[0])
}

// regionIn returns the Region in a text of a format, or "".
func regionIn(format, text string) string {
	parts := strings.Split(text, ":")
	switch {
	case format == formatRegion:
		return text
	case strings.HasPrefix(format, "arn:") && len(parts) > 3:
		return parts[3]
	default:
		return ""
	}
}

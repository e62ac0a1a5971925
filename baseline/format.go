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
	formatURL      = "url"
	formatRedirect = "redirect" // a URL that a sign-in returns to

	formatFunction = "arn:lambda:function:"
	formatKey      = "arn:kms:key/|alias/"
	formatRole     = "arn:iam:role/"
	formatIdentity = "arn:ses:identity/"
	formatLogGroup = "arn:logs:log-group:"
	formatStream   = "arn:firehose:deliverystream/"
)

func offFormat(format, text string) string {
	switch format {
	case "":
		return ""
	case formatCIDR:
		return offCIDR(text)
	case formatDomain:
		if strings.ContainsAny(text, "/:") || strings.ContainsFunc(text, unprintable) {
			return fmt.Sprintf("is %s: it must be just a domain, such as login.example.com", quoted(text))
		}
		return ""
	case formatURL, formatRedirect:
		return offURL(format, text)
	}
	service, resources, _ := strings.Cut(strings.TrimPrefix(format, "arn:"), ":")
	parts := strings.SplitN(text, ":", 6)
	if len(parts) == 6 && parts[2] == service &&
		slices.ContainsFunc(strings.Split(resources, "|"), func(r string) bool { return strings.HasPrefix(parts[5], r) }) {
		return ""
	}
	first, _, _ := strings.Cut(resources, "|")
	region := "REGION"
	if service == "iam" {
		region = "" // global service: its ARNs have no Region
	}
	return fmt.Sprintf("is %s: it must look like arn:aws:%s:%s:ACCOUNT:%sNAME", quoted(text), service, region, first)
}

func offCIDR(text string) string {
	if _, err := netip.ParsePrefix(text); err == nil {
		return ""
	}
	remedy := "10.0.0.0/8"
	if address, err := netip.ParseAddr(text); err == nil {
		remedy = fmt.Sprintf("%s/%d", text, address.BitLen())
	}
	return fmt.Sprintf("is %s: it must be a range of addresses, %s", quoted(text), remedy)
}

func offURL(format, text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "":
		return fmt.Sprintf("is %s: it must be a URL with a scheme, such as https://app.example.com/callback", quoted(text))
	case format == formatURL:
		return ""
	case strings.Contains(text, "#"):
		return fmt.Sprintf("is %s: it cannot have a fragment (the part after the #)", quoted(text))
	case u.Scheme == "http" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()):
		return fmt.Sprintf("is %s: it must use https, except for localhost", quoted(text))
	}
	return ""
}

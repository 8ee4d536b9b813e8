// Package urlform puts web addresses into one form, so that two spellings of
// one address are one target. It takes away only what never selects what a
// server sends: the fragment, the default port, credentials, letter case of
// scheme and host, and the parameters by which advertisers and newsletters mark
// a click. Everything else stays byte for byte, order of parameters included,
// since any of it may matter to the server.
package urlform

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Canonical gives the one form of an http(s) address. It gives false for other
// schemes and for addresses without a host.
func Canonical(u *url.URL) (string, bool) {
	if u == nil || u.Opaque != "" {
		return "", false
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return "", false
	}
	host := Host(u)
	if host == "" {
		return "", false
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	} else if path[0] != '/' {
		path = "/" + path
	}
	var b strings.Builder
	b.Grow(len(scheme) + 3 + len(host) + len(path) + len(u.RawQuery) + 1)
	b.WriteString(scheme)
	b.WriteString("://")
	b.WriteString(host)
	b.WriteString(path)
	if query := withoutTracking(u.RawQuery); query != "" {
		b.WriteByte('?')
		escapeQuery(&b, query)
	}
	return b.String(), true
}

// CanonicalString is Canonical of an address that is still text.
func CanonicalString(raw string) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return "", false
	}
	return Canonical(u)
}

// Host gives the host of u in lower case and ASCII, with its port unless that
// is the scheme's own. It is "" for a host that cannot be one.
func Host(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if host == "" || strings.ContainsAny(host, " \t\r\n/\\<>\"'%?#@^|`{}") {
		return ""
	}
	if !ascii(host) {
		a, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return ""
		}
		host = a
	}
	if strings.Contains(host, ":") { // IPv6
		if addr, err := netip.ParseAddr(host); err != nil || addr.Zone() != "" {
			return ""
		}
		host = "[" + host + "]"
	}
	port := u.Port()
	scheme := strings.ToLower(u.Scheme)
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return host
	}
	return host + ":" + port
}

// SameSite reports whether two addresses belong to one site: one registrable
// domain (example.co.uk, name.blogspot.com), or one and the same host where
// there is none (an IP address, localhost). Ports must be equal, http and https
// count as one.
func SameSite(a, b *url.URL) bool {
	ha, hb := Host(a), Host(b)
	if ha == "" || hb == "" {
		return false
	}
	return ha == hb || a.Port() == b.Port() && Site(a) == Site(b)
}

// Site gives the registrable domain of u's host, or the host itself where it
// has none.
func Site(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(host, ".")); err == nil {
		return site
	}
	return host
}

// Tracking reports whether a query parameter only marks where a click came from.
func Tracking(name string) bool {
	name = strings.ToLower(name)
	if strings.HasPrefix(name, "utm_") || strings.HasPrefix(name, "mtm_") || strings.HasPrefix(name, "pk_") || strings.HasPrefix(name, "hsa_") {
		return true
	}
	switch name {
	case "fbclid", "fb_action_ids", "fb_action_types", "fb_source", "fb_ref", "mibextid", "igshid", "igsh", // Meta
		"gclid", "gclsrc", "dclid", "wbraid", "gbraid", "_ga", "_gl", "srsltid", // Google
		"msclkid", "yclid", "ymclid", "yadclid", "_openstat", "twclid", "ttclid", "li_fat_id", "epik", "rdt_cid", "scclid", // other networks
		"__twitter_impression",
		"mc_cid", "mc_eid", "mkt_tok", "_hsenc", "_hsmi", "hsctatracking", "vero_id", "vero_conv", "oly_enc_id", "oly_anon_id", "wickedid", "ml_subscriber", "ml_subscriber_hash": // newsletters
		return true
	}
	return false
}

func withoutTracking(query string) string {
	if query == "" {
		return ""
	}
	drop := false
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if Tracking(name) {
			drop = true
			break
		}
	}
	if !drop {
		return query
	}
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if !Tracking(name) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// escapeQuery writes a query as browsers send it: bytes that may not stand in
// an address are percent-encoded, everything else is left alone.
func escapeQuery(b *strings.Builder, query string) {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(query); i++ {
		c := query[i]
		if c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

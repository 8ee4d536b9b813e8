// Package link gives the addresses that posts link to one form, so that two posts
// that link to one page are seen to do so, however each of them spells it.
//
// Two things must not become one: a rule is here only if it holds on every server,
// or on the named hosts. What is taken away, or made equal:
//
//   - all that internal/urlform takes away: letter case of scheme and host, default
//     port, credentials, parameters that mark a click (utm_*, fbclid, gclid, …);
//   - http and https; a leading "www."; a dot after the host;
//   - the fragment, unless it selects what is shown ("#!/…", "#/…");
//   - a slash at the end of a path, and "index.html" after one; "." and ".." segments;
//   - percent-encoding of characters that need none, and the case of its digits;
//   - the order of parameters of different names (of equal names it stays);
//   - hosts for telephones and AMP of the sites in mobileHosts, "HOST.m.wikipedia.org",
//     Google's and the AMP project's caches, "?amp=1" and a last segment "amp";
//   - parameters of the hosts in hostTracking that mark who shared the address;
//   - wrappers that carry the address in a parameter (l.facebook.com, google.com/url,
//     youtube.com/redirect, vk.com/away.php, …), and web.archive.org.
//
// The address of a post on a platform that has a collector becomes that platform's
// native key where Options.Native knows it: x.com and twitter.com, youtu.be and
// youtube.com/shorts are so one.
//
// A short link stays as it was seen, since only its server knows what it means. Where
// the archive has the redirect, Options.Resolved gives what it led to.
//
// What is shared by many is no evidence, whatever it is: see Weight.
package link

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/refrain-archive/refrain/internal/urlform"
)

// MaxBytes is the longest address that is read.
const MaxBytes = 8 << 10

// maxSteps bounds how many wrappers and redirects are followed from one address.
const maxSteps = 6

// Options say what is known beyond the address itself. The zero value is usable.
type Options struct {
	// Native gives the native key of what an address names on a platform,
	// "youtube:dQw4w9WgXcQ", and false where the address alone does not tell it
	// (handles, short codes). nil knows none.
	Native func(u *url.URL) (key string, ok bool)
	// Resolved gives where a redirect led that the archive has seen, for a
	// canonical address (Target.URL). nil knows none. An answer counts as it was
	// on the day it was recorded: pass the one nearest to the post.
	Resolved func(canonical string) (to string, ok bool)
}

// A Target is what an address leads to.
type Target struct {
	// Key is equal for all addresses of one target: the native key, or the
	// canonical address without its scheme.
	Key string `json:"key"`
	// URL is the canonical address, with a scheme, as it can be opened.
	URL string `json:"url"`
	// Domain is the registrable domain: "example.co.uk", "name.blogspot.com".
	Domain string `json:"domain"`
	// Via are the canonical addresses of wrappers and redirects before URL.
	Via []string `json:"via,omitempty"`
	// Native: Key is a platform's key.
	Native bool `json:"native,omitempty"`
	// Short: URL is of a shortener, and what it led to is not known.
	Short bool `json:"short,omitempty"`
	// Home: the address names a whole site and nothing on it.
	Home bool `json:"home,omitempty"`
}

// Of gives the target of an address as it stands in a post. It gives false for what
// is no address of the web.
func (o Options) Of(raw string) (Target, bool) {
	if len(raw) > MaxBytes {
		return Target{}, false
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return Target{}, false
	}
	var t Target
	for range maxSteps {
		var ok bool
		if t.URL, ok = canonical(u); !ok {
			return Target{}, false
		}
		if u, err = url.Parse(t.URL); err != nil {
			return Target{}, false
		}
		next, ok := unwrapped(u)
		if !ok && o.Resolved != nil {
			next, ok = o.Resolved(t.URL)
		}
		if !ok || len(next) > MaxBytes {
			break
		}
		n, err := url.Parse(next)
		if err != nil {
			break
		}
		c, ok := canonical(n)
		if !ok || c == t.URL || slices.Contains(t.Via, c) {
			break // a circle, or a way out of the web: what was seen stays
		}
		t.Via = append(t.Via, t.URL)
		u = n
	}
	if t.URL, _ = canonical(u); t.URL == "" {
		return Target{}, false
	}
	if u, err = url.Parse(t.URL); err != nil {
		return Target{}, false
	}
	t.Domain = urlform.Site(u)
	t.Key = strings.TrimSuffix(key(t.URL), "/")
	t.Home = strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
	t.Short = Shortener(u.Host) && !t.Home
	if o.Native != nil {
		if k, ok := o.Native(u); ok {
			t.Key, t.Native, t.Short = k, true, false
		}
	}
	return t, true
}

func key(canonical string) string {
	_, rest, _ := strings.Cut(canonical, "://")
	return strings.TrimPrefix(rest, "www.")
}

// canonical gives the one form of an address, with its scheme and www.
func canonical(u *url.URL) (string, bool) {
	base, ok := urlform.Canonical(u)
	if !ok {
		return "", false
	}
	c, err := url.Parse(base)
	if err != nil {
		return "", false
	}
	if f := u.EscapedFragment(); strings.HasPrefix(f, "!") || strings.HasPrefix(f, "/") && len(f) > 1 {
		c.Fragment, c.RawFragment = u.Fragment, u.RawFragment
	}
	c.Host = host(c.Host)
	path := cleanPath(c.EscapedPath())
	query := c.RawQuery
	path, query = withoutAMP(path, query)
	query = parameters(c.Host, query)
	out := c.Scheme + "://" + c.Host + path
	if query != "" {
		out += "?" + query
	}
	if c.Fragment != "" {
		out += "#" + c.EscapedFragment()
	}
	return out, len(out) <= 2*MaxBytes
}

// host drops the dot at the end, and what only says that a site is for telephones.
func host(h string) string {
	name, port, _ := strings.Cut(h, ":")
	if strings.HasPrefix(h, "[") {
		return h
	}
	name = strings.TrimSuffix(name, ".")
	if to, ok := mobileHosts[name]; ok {
		name = to
	}
	for _, site := range []string{".m.wikipedia.org", ".m.wiktionary.org", ".m.wikinews.org"} {
		if lang, ok := strings.CutSuffix(name, site); ok && !strings.Contains(lang, ".") {
			name = lang + site[2:]
		}
	}
	if port != "" {
		name += ":" + port
	}
	return name
}

// cleanPath resolves "." and ".." as browsers do, gives each byte its one encoding,
// and takes the slash and "index.html" from the end.
func cleanPath(path string) string {
	var out []string
	for _, s := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		switch s {
		case ".":
			continue
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			continue
		}
		out = append(out, encode(s))
	}
	if n := len(out); n > 0 && (out[n-1] == "index.html" || out[n-1] == "index.htm") {
		out = out[:n-1]
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return "/" + strings.Join(out, "/")
}

// encode decodes what need not be encoded (RFC 3986, 2.3), writes the digits of the
// rest in upper case, and encodes bytes that are not ASCII.
func encode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		coded := false
		if c == '%' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0 {
			c = byte(hex(s[i+1])<<4 | hex(s[i+2]))
			i += 2
			coded = true
		}
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
		if !plain && (coded || c >= 0x80) {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// withoutAMP drops what asks for the AMP form of the same page.
func withoutAMP(path, query string) (string, string) {
	for {
		p, ok := strings.CutSuffix(path, "/amp")
		if !ok || p == "" {
			break
		}
		path = p
	}
	for {
		p, ok := strings.CutSuffix(path, ".amp.html")
		if !ok {
			break
		}
		path = p + ".html"
	}
	query = filter(query, func(name, value string) bool {
		switch name {
		case "amp", "amp_js_v", "_amp":
			return value != "" && value != "1" && value != "true"
		case "outputType":
			return value != "amp"
		}
		return true
	})
	return path, query
}

// parameters drops those that mark who shared an address of this host, and sorts
// the rest by name.
func parameters(host, query string) string {
	if query == "" {
		return ""
	}
	names := hostTracking[strings.TrimPrefix(host, "www.")]
	query = filter(query, func(name, _ string) bool {
		return !slices.Contains(names, name) && !slices.Contains(everywhere, name)
	})
	parts := strings.Split(query, "&")
	slices.SortStableFunc(parts, func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	})
	for i, p := range parts {
		parts[i] = encode(p)
	}
	return strings.Join(parts, "&")
}

func filter(query string, keep func(name, value string) bool) string {
	if query == "" {
		return ""
	}
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part != "" && keep(name, value) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// unwrapped gives the address that a wrapper carries.
func unwrapped(u *url.URL) (string, bool) {
	h := strings.TrimPrefix(u.Host, "www.")
	if w, ok := wrappers[h]; ok && (w.path == "" || u.Path == w.path) {
		for _, name := range w.names {
			if to := u.Query().Get(name); strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
				return to, true
			}
		}
	}
	path := u.EscapedPath()
	switch {
	case h == "google.com" && strings.HasPrefix(path, "/amp/"):
		rest := path[len("/amp/"):]
		if r, ok := strings.CutPrefix(rest, "s/"); ok {
			return whole("https", r, u)
		}
		return whole("http", rest, u)
	case strings.HasSuffix(h, ".safelinks.protection.outlook.com"):
		if to := u.Query().Get("url"); strings.HasPrefix(to, "http") {
			return to, true
		}
	case strings.HasSuffix(h, ".cdn.ampproject.org"):
		for _, kind := range []string{"/c/", "/v/", "/i/"} {
			if rest, ok := strings.CutPrefix(path, kind); ok {
				if r, ok := strings.CutPrefix(rest, "s/"); ok {
					return whole("https", r, u)
				}
				return whole("http", rest, u)
			}
		}
	case h == "web.archive.org" && strings.HasPrefix(path, "/web/"):
		stamp, rest, ok := strings.Cut(path[len("/web/"):], "/")
		if !ok || len(stamp) < 4 || strings.Trim(stamp[:4], "0123456789") != "" {
			return "", false
		}
		// A path has no two slashes in a row where it was written carelessly.
		for _, scheme := range []string{"http", "https"} {
			if r, ok := strings.CutPrefix(rest, scheme+":/"); ok {
				return whole(scheme, strings.TrimPrefix(r, "/"), u)
			}
		}
	}
	return "", false
}

func whole(scheme, rest string, u *url.URL) (string, bool) {
	if rest == "" {
		return "", false
	}
	to := scheme + "://" + rest
	if u.RawQuery != "" {
		to += "?" + u.RawQuery
	}
	return to, true
}

// Shortener reports whether a host only gives other addresses short names.
func Shortener(host string) bool {
	host = strings.TrimPrefix(strings.ToLower(host), "www.")
	if shorteners[host] {
		return true
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	return err == nil && site != host && brandedShorteners[site]
}

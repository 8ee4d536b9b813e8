package crawlers

import (
	"net/url"
	"strings"
)

// Serves reports whether route r can start from a target of this kind.
func Serves(r Route, kind RefKind) bool {
	if len(r.Kinds) == 0 {
		return true
	}
	for _, k := range r.Kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// HostAllowed reports whether a platform's requests for ref may go to host: it
// is one of About.Hosts ("*.example.com" covers subdomains, "*" every host), or
// the target's own host (custom domains).
func HostAllowed(about About, ref Ref, host string) bool {
	host = strings.ToLower(host)
	for _, pattern := range about.Hosts {
		if hostMatches(pattern, host) {
			return true
		}
	}
	if host == "" {
		return false
	}
	if u, err := url.Parse(ref.URL); err == nil && strings.EqualFold(u.Hostname(), host) {
		return true
	}
	return strings.EqualFold(ref.Of, host) || strings.EqualFold(ref.ID, host)
}

func hostMatches(pattern, host string) bool {
	if pattern == "*" || strings.EqualFold(pattern, host) {
		return true
	}
	suffix, ok := strings.CutPrefix(strings.ToLower(pattern), "*.")
	return ok && strings.HasSuffix(host, "."+suffix)
}

package importers

import (
	"net/url"
	"strings"
)

// Redacted stands in place of a secret in an address.
const Redacted = "REDACTED"

// redactURL replaces what an address says about the session or device of the
// person who exported it: tokens, signatures, fingerprints, ids of the browser.
// What it says about the query (words, cursor, ids of posts) stays. An address
// that cannot be read becomes its part before the query.
func redactURL(address string) string {
	head, query, found := strings.Cut(address, "?")
	if i := strings.Index(head, "#"); i >= 0 {
		head, query, found = head[:i], "", false
	}
	if scheme, rest, ok := strings.Cut(head, "://"); ok {
		host, path, slash := strings.Cut(rest, "/")
		if i := strings.LastIndex(host, "@"); i >= 0 {
			head = scheme + "://" + host[i+1:]
			if slash {
				head += "/" + path
			}
		}
	}
	if !found {
		return head
	}
	query, _, _ = strings.Cut(query, "#")
	var b strings.Builder
	b.WriteString(head)
	for i, pair := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		b.WriteByte("?&"[min(i, 1)])
		name, value, ok := strings.Cut(pair, "=")
		b.WriteString(name)
		if !ok {
			continue
		}
		b.WriteByte('=')
		if isSecret(name, value) {
			value = Redacted
		}
		b.WriteString(value)
	}
	return b.String()
}

// personal are parameters that name the exporter's browser, device or visit.
var personal = map[string]bool{
	"device_id": true, "odinid": true, "webidlasttime": true, "verifyfp": true, "fp": true, "did": true, "wid": true, "webid": true,
	"iid": true, "openudid": true, "cdid": true, "user_is_login": true, "jazoest": true, "lsd": true, "av": true, "__user": true, "__s": true,
	"__hs": true, "__hsi": true, "__dyn": true, "__csr": true, "__rev": true, "__spin_t": true, "__spin_r": true, "x-bogus": true, "x-gnarly": true,
	"a_bogus": true, "sid": true, "uid": true, "igsh": true, "igshid": true, "fbclid": true, "gclid": true, "rank_token": true, "key": true, "apikey": true,
}

func isSecret(name, value string) bool {
	n, err := url.QueryUnescape(name)
	if err != nil {
		n = name
	}
	n = strings.ToLower(n)
	if personal[n] {
		return true
	}
	for _, word := range []string{"token", "sig", "sess", "auth", "csrf", "secret", "password", "cookie", "bogus", "api_key", "client_id"} {
		if strings.Contains(n, word) {
			return true
		}
	}
	v, err := url.QueryUnescape(value)
	if err != nil {
		return true
	}
	// A long value without structure is a token under a name that is not known yet.
	return len(v) > 80 && !strings.ContainsAny(v, "{}[]: /") && !strings.Contains(n, "cursor")
}

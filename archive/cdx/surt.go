package cdx

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// SURT gives the key under which url stands in a CDX server's index, in the
// form of the Internet Archive: the scheme and user are dropped, the host is
// lower-cased, loses www and www2 and is turned round ("com,example,blog"), a
// port other than the scheme's own is kept, path and query are unescaped as far
// as it goes, lower-cased and escaped again where they must be, dot segments,
// doubled slashes and the trailing slash are removed, arguments are sorted,
// session ids and the fragment are dropped. What has another scheme than http,
// https or ftp (urn:, dns:, file:, metadata:) is its own key, unchanged but for
// blanks, which would end the key: %20.
//
// Two URLs with one key may be two things: a key is for finding, the url of the
// line decides.
func SURT(url string) string {
	if key, ok := plainSURT(url); ok {
		return key
	}
	return fullSURT(url)
}

// fullSURT is SURT for whatever URL.
func fullSURT(url string) string {
	s := trimURL(url)
	if s == "" {
		return "-"
	}
	scheme, rest, ok := splitScheme(s)
	if !ok {
		// A bare host, as old indexes have it.
		scheme, rest = "http", "//"+s
	}
	if scheme != "http" && scheme != "https" && scheme != "ftp" {
		return opaque(s)
	}
	authority, path, query, hasQuery := splitURL(rest)
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	host, port := splitPort(authority)
	host = iaHost(host)
	if host == "" {
		return opaque(s)
	}
	var b strings.Builder
	b.WriteString(host)
	if port != "" && port != defaultPort(scheme) {
		b.WriteString(":" + port)
	}
	b.WriteByte(')')
	path = strings.ToLower(escapeMinimal(normalizePath(unescapeAll(path))))
	path = stripPathSession(path)
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	b.WriteString(path)
	if hasQuery && query != "" {
		query = escapeMinimal(unescapeAll(query))
		query = sortArguments(strings.ToLower(stripQuerySession(query)))
		if query != "" {
			b.WriteString("?" + query)
		}
	}
	return b.String()
}

// trimURL removes blanks around a URL and line breaks and tabs within, as
// browsers do.
func trimURL(s string) string {
	s = strings.Trim(s, " \t\r\n\x00\f\v")
	if strings.ContainsAny(s, "\t\r\n") {
		s = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(s)
	}
	return s
}

// opaque is the key of what is not taken apart.
func opaque(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			clean = false
		}
	}
	if clean {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			b = appendEscaped(b, s[i])
		} else {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// splitScheme gives the scheme in lower case and what follows its colon.
func splitScheme(s string) (scheme, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == ':' && i > 0:
			// "example.com:8080/x" is a host with a port, not a scheme.
			if strings.IndexByte(s[:i], '.') >= 0 && !strings.HasPrefix(s[i:], "://") {
				return "", "", false
			}
			return strings.ToLower(s[:i]), s[i+1:], true
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return "", "", false
		}
	}
	return "", "", false
}

// splitURL takes //authority/path?query#fragment apart.
func splitURL(s string) (authority, path, query string, hasQuery bool) {
	s, _, _ = strings.Cut(s, "#")
	s, query, hasQuery = strings.Cut(s, "?")
	s = strings.TrimLeft(s, `/\`)
	if i := strings.IndexAny(s, `/\`); i >= 0 {
		return s[:i], s[i:], query, hasQuery
	}
	return s, "", query, hasQuery
}

func splitPort(authority string) (host, port string) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.IndexByte(authority[i:], ']') >= 0 {
		return authority, ""
	}
	for _, c := range []byte(authority[i+1:]) {
		if c < '0' || c > '9' {
			return authority, ""
		}
	}
	port = strings.TrimLeft(authority[i+1:], "0")
	return authority[:i], port
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	case "ftp":
		return "21"
	}
	return ""
}

// iaHost gives the host of a key, turned round.
func iaHost(host string) string {
	host = unescapeAll(host)
	if strings.HasPrefix(host, "[") {
		return strings.ToLower(opaque(strings.Trim(host, "[]")))
	}
	host = toASCII(host)
	for strings.Contains(host, "..") {
		host = strings.ReplaceAll(host, "..", ".")
	}
	host = strings.Trim(host, ".")
	host = ipv4(host)
	host = strings.ToLower(escapeMinimal(host))
	for {
		rest, ok := cutWWW(host)
		if !ok || rest == "" {
			break
		}
		host = rest
	}
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ",")
}

func cutWWW(host string) (string, bool) {
	rest, ok := strings.CutPrefix(host, "www")
	if !ok {
		return host, false
	}
	rest = strings.TrimLeft(rest, "0123456789")
	return strings.CutPrefix(rest, ".")
}

var profile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

func toASCII(host string) string {
	for i := 0; i < len(host); i++ {
		if host[i] >= 0x80 {
			if ascii, err := profile.ToASCII(host); err == nil {
				return ascii
			}
			return host
		}
	}
	return host
}

var (
	octalIP   = regexp.MustCompile(`^0[0-7]*(\.[0-7]+){0,3}$`)
	decimalIP = regexp.MustCompile(`^[1-9][0-9]*(\.[0-9]+){0,3}$`)
)

// ipv4 writes the short and octal spellings of an address as four numbers.
func ipv4(host string) string {
	base := 0
	switch {
	case octalIP.MatchString(host):
		base = 8
	case decimalIP.MatchString(host):
		base = 10
	default:
		return host
	}
	parts := strings.Split(host, ".")
	var address uint64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, base, 64)
		most := uint64(0xff)
		if i == len(parts)-1 {
			most = 1<<(8*(5-len(parts))) - 1
		}
		if err != nil || n > most {
			return host
		}
		if i == len(parts)-1 {
			address = address<<(8*(5-len(parts))) | n
		} else {
			address = address<<8 | n
		}
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}).String()
}

// unescapeAll removes percent-encoding until none is left.
func unescapeAll(s string) string {
	for strings.IndexByte(s, '%') >= 0 {
		next := unescapeOnce(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

func unescapeOnce(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if h, l := unhex(s[i+1]), unhex(s[i+2]); h >= 0 && l >= 0 {
				b = append(b, byte(h<<4|l))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func unhex(c byte) int {
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

func appendEscaped(b []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	return append(b, '%', hex[c>>4], hex[c&15])
}

// escapeMinimal encodes what cannot stand in a key.
func escapeMinimal(s string) string {
	needs := func(c byte) bool { return c <= ' ' || c >= 0x7f || c == '#' || c == '%' }
	if strings.IndexFunc(s, func(r rune) bool { return r >= 0x7f || needs(byte(r)) }) < 0 {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); i++ {
		if needs(s[i]) {
			b = appendEscaped(b, s[i])
		} else {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// normalizePath removes empty and dot segments. A trailing slash stays.
func normalizePath(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	var kept []string
	segments := strings.Split(path, "/")
	for _, s := range segments {
		switch s {
		case "", ".":
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, s)
		}
	}
	clean := "/" + strings.Join(kept, "/")
	if last := segments[len(segments)-1]; len(kept) > 0 && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean
}

var pathSessions = []*regexp.Regexp{
	regexp.MustCompile(`(?i)^(.*/)(?:\((?:[a-z]\([0-9a-z]{24}\))+\)/)([^?]+\.aspx.*)$`),
	regexp.MustCompile(`(?i)^(.*/)(?:\([0-9a-z]{24}\)/)([^?]+\.aspx.*)$`),
}

// stripPathSession removes the session ids that ASP.NET puts into paths.
func stripPathSession(path string) string {
	if !strings.Contains(path, "(") {
		return path
	}
	for _, re := range pathSessions {
		if m := re.FindStringSubmatch(path); m != nil {
			return m[1] + m[2]
		}
	}
	return path
}

var querySessions = []*regexp.Regexp{
	regexp.MustCompile(`(?i)^(.*)(?:jsessionid=[0-9a-z]{32})(?:&(.*))?$`),
	regexp.MustCompile(`(?i)^(.*)(?:phpsessid=[0-9a-z]{32})(?:&(.*))?$`),
	regexp.MustCompile(`(?i)^(.*)(?:sid=[0-9a-z]{32})(?:&(.*))?$`),
	regexp.MustCompile(`(?i)^(.*)(?:aspsessionid[a-z]{8}=[a-z]{24})(?:&(.*))?$`),
	regexp.MustCompile(`(?i)^(.*)(?:cfid=[^&]+&cftoken=[^&]+)(?:&(.*))?$`),
}

// stripQuerySession removes the session ids of the usual servers.
func stripQuerySession(query string) string {
	lower := strings.ToLower(query)
	if !strings.Contains(lower, "sid=") && !strings.Contains(lower, "sessionid") && !strings.Contains(lower, "cfid=") {
		return query
	}
	for _, re := range querySessions {
		if m := re.FindStringSubmatch(query); m != nil {
			if m[2] != "" {
				query = m[1] + m[2]
			} else {
				query = m[1]
			}
		}
	}
	return query
}

// sortArguments sorts by name, then by value, as bytes.
func sortArguments(query string) string {
	if strings.IndexByte(query, '&') < 0 {
		return query
	}
	args := strings.Split(query, "&")
	slices.SortStableFunc(args, func(a, b string) int {
		an, av, aok := strings.Cut(a, "=")
		bn, bv, bok := strings.Cut(b, "=")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		if aok != bok {
			if bok {
				return -1
			}
			return 1
		}
		return strings.Compare(av, bv)
	})
	return strings.Join(args, "&")
}

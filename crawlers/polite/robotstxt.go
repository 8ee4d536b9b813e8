package polite

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// This is a reader of robots.txt after RFC 9309. It is our own because
// temoto/robotstxt v1.1.2, which the driver's HTTP library brings along, differs
// from the RFC where it matters: a pattern with "*" matches anywhere in the path
// instead of from its start, one rule before the first User-agent or a wrong
// Crawl-delay makes the whole file unreadable, groups are chosen by prefix ("re"
// would bind "refrain"), on equal length the first rule wins instead of Allow,
// and %7E and ~ are different.

// maxRobots is how much of a robots.txt is read: RFC 9309 section 2.5 asks for
// at least 500 KiB.
const maxRobots = 500 << 10

// A rule is an Allow or Disallow line of the group that binds us.
type rule struct {
	allow bool
	text  string // as it stands: "Disallow: /private"
	line  int
	group string // value of the User-agent line that chose the group
	size  int    // octets of the normalised pattern: the longest match wins

	plain, query []string // the pattern cut at its "*", in both forms of normalise
	end          bool     // it must match to the end ("$")
}

// rules is what a robots.txt says to one crawler. The zero rules allow all.
type rules struct {
	list  []rule
	delay time.Duration // Crawl-delay; 0 is none
}

// parseRobots reads what body says to the crawler with the given product token
// (case is ignored): the groups that name it, all together, or else the groups
// for "*". Anything that cannot be understood is passed over. Of a body longer
// than maxRobots the part to the last whole line within it is read.
func parseRobots(body []byte, token string) rules {
	if len(body) > maxRobots {
		body = body[:maxRobots]
		if i := bytes.LastIndexAny(body, "\r\n"); i >= 0 {
			body = body[:i]
		}
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))

	var own, star rules
	var named bool               // a group names us, even if it has no rules
	var inOwn, inStar bool       // the group being read binds us, or all
	var ownName, starName string // as they stand
	heading := false             // the last line that counts was a User-agent
	for line := 1; len(body) > 0; line++ {
		var raw []byte
		raw, body = cutLine(body)
		field, value, ok := splitLine(string(raw))
		if !ok {
			continue
		}
		switch field {
		case "user-agent":
			if !heading {
				inOwn, inStar, heading = false, false, true
			}
			switch name := productToken(value); {
			case value == "*" || strings.HasPrefix(value, "* ") || strings.HasPrefix(value, "*\t"):
				inStar, starName = true, "*"
			case strings.EqualFold(name, token):
				inOwn, named, ownName = true, true, value
			}
		case "allow", "disallow":
			heading = false
			if value == "" || !inOwn && !inStar {
				continue
			}
			r := newRule(field == "allow", value, line)
			if inOwn {
				r.group = shown(ownName)
				own.list = append(own.list, r)
			}
			if inStar {
				r.group = starName
				star.list = append(star.list, r)
			}
		case "crawl-delay": // other records do not end a group's heading (RFC 9309 section 2.2.4)
			delay, ok := crawlDelay(value)
			if ok && inOwn {
				own.delay = max(own.delay, delay)
			}
			if ok && inStar {
				star.delay = max(star.delay, delay)
			}
		}
	}
	if named {
		return own
	}
	return star
}

// cutLine splits off the first line; CR, LF and CRLF end one.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
		return b[:i], b[i+2:]
	}
	return b[:i], b[i+1:]
}

// splitLine gives the field, in lower case and its usual misspellings mended,
// and the value without comment and white space. The colon may be forgotten
// where two words make the line.
func splitLine(line string) (field, value string, ok bool) {
	line, _, _ = strings.Cut(line, "#")
	line = strings.Trim(line, " \t\x00\v\f")
	field, value, ok = strings.Cut(line, ":")
	if !ok {
		words := strings.Fields(line)
		if len(words) != 2 {
			return "", "", false
		}
		field, value = words[0], words[1]
	}
	switch field = strings.ToLower(strings.Trim(field, " \t")); field {
	case "useragent", "user agent":
		field = "user-agent"
	case "dissallow", "dissalow", "disalow", "diasllow", "disallaw":
		field = "disallow"
	case "crawldelay", "crawl delay":
		field = "crawl-delay"
	}
	return field, strings.Trim(value, " \t"), true
}

// productToken is the part of a User-agent value that names a crawler: letters,
// "_" and "-" (RFC 9309 section 2.2.1). What follows it ("/1.0") is not compared.
func productToken(value string) string {
	for i := range len(value) {
		c := value[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-') {
			return value[:i]
		}
	}
	return value
}

// crawlDelay reads a number of seconds. More than maxRest is taken as maxRest.
func crawlDelay(value string) (time.Duration, bool) {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || !(seconds >= 0) {
		return 0, false
	}
	if seconds > maxRest.Seconds() {
		return maxRest, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// newRule reads the value of an Allow or Disallow line, which is not empty.
func newRule(allow bool, value string, line int) rule {
	r := rule{allow: allow, line: line, text: "Disallow: " + shown(value)}
	if allow {
		r.text = "Allow: " + shown(value)
	}
	pattern := value
	if pattern[0] != '/' && pattern[0] != '*' && pattern[0] != '$' {
		pattern = "/" + pattern // often forgotten
	}
	if strings.HasSuffix(pattern, "$") {
		r.end = true
		pattern = pattern[:len(pattern)-1]
	}
	plain, query := normalise(pattern, true)
	r.size = len(plain)
	if r.end {
		r.size++
	}
	r.plain, r.query = strings.Split(plain, "*"), strings.Split(query, "*")
	return r
}

// shown is a value as it may stand in a record or an error.
func shown(value string) string { return clip(oneLine(value), 200) }

// match reports whether the path, in both forms of normalise, is one that r is
// about.
func (r *rule) match(plain, query string) bool {
	return matchParts(r.plain, plain, r.end) || strings.Contains(query, "?") && matchParts(r.query, query, r.end)
}

// matchParts reports whether path begins with the parts in their order, with
// anything between them; to its end if end is set. It takes no more than
// len(path) steps per part.
func matchParts(parts []string, path string, end bool) bool {
	rest, ok := strings.CutPrefix(path, parts[0])
	if !ok {
		return false
	}
	if len(parts) == 1 {
		return !end || rest == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	if end {
		return strings.HasSuffix(rest, parts[last])
	}
	return strings.Contains(rest, parts[last])
}

// find gives the rule that decides about path (with its query): the one with the
// longest pattern, Allow before Disallow on equal length. nil is none, which
// allows. /robots.txt is always allowed.
func (rs *rules) find(path string) *rule {
	if path == "/robots.txt" {
		return nil
	}
	plain, query := normalise(path, false)
	var best *rule
	for i := range rs.list {
		r := &rs.list[i]
		if best != nil && (r.size < best.size || r.size == best.size && (best.allow || !r.allow)) {
			continue
		}
		if r.match(plain, query) {
			best = r
		}
	}
	return best
}

// robotsPath is the part of a URL that rules are compared with.
func robotsPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.Opaque != "" {
		path = u.Opaque
	}
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + u.RawQuery
	}
	return path
}

// normalise makes paths and patterns comparable (RFC 9309 section 2.2.2):
// octets outside of ASCII are percent-encoded, percent-encoded unreserved ones
// are decoded, hex digits are upper case. "*" and "$" stand for themselves only
// in encoded form; in a pattern, "*" is left as it is.
//
// The RFC's table also has a query in which ":" and "/" compare equal to their
// encoded forms, though a path's "/" does not. A pattern may reach into the
// query by a "*" without showing a "?", so both forms are made, and a match in
// either counts: query has the reserved characters of the query encoded.
func normalise(s string, pattern bool) (plain, query string) {
	const hex = "0123456789ABCDEF"
	p := make([]byte, 0, len(s)+16)
	q := make([]byte, 0, len(s)+16)
	inQuery := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		encode := c >= 0x80 || c <= ' ' || c == 0x7f || c == '$' || c == '*' && !pattern
		if c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
			encode = !unreserved(c)
		}
		if encode {
			p = append(p, '%', hex[c>>4], hex[c&15])
			q = append(q, '%', hex[c>>4], hex[c&15])
			continue
		}
		p = append(p, c)
		if inQuery && strings.IndexByte(":/?#[]@!'()+,;", c) >= 0 {
			q = append(q, '%', hex[c>>4], hex[c&15])
		} else {
			q = append(q, c)
		}
		inQuery = inQuery || c == '?'
	}
	return string(p), string(q)
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

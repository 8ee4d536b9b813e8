package polite

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// The files of RFC 9309, sections 2.2.1, 2.2.2, 2.2.3, 5.1 and 5.2, with
// "refrain" for one of their crawlers where that is what is tested.
const (
	rfcSimple = `User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot

EOF`
	rfcLongest = `User-Agent: foobot
Allow: /example/page/
Disallow: /example/page/disallowed.gif
`
	rfcMerge = `user-agent: ExampleBot
disallow: /foo
disallow: /bar

user-agent: *
disallow: /

user-agent: ExampleBot
disallow: /baz
`
)

func TestRobotsMatch(t *testing.T) {
	for _, test := range []struct {
		name, file, token, path string
		allow                   bool
	}{
		{"5.1: any other, within a disallowed folder", rfcSimple, "otherbot", "/example/x", false},
		{"5.1: any other, gif by wildcard and end", rfcSimple, "otherbot", "/pictures/a.gif", false},
		{"5.1: any other, gif not at the end", rfcSimple, "otherbot", "/pictures/a.gif?size=2", true},
		{"5.1: any other, allowed folder", rfcSimple, "otherbot", "/publications/x", true},
		{"5.1: any other, the gif pattern is shorter than Allow", rfcSimple, "otherbot", "/publications/x.gif", true},
		{"5.1: any other, nothing matches", rfcSimple, "otherbot", "/", true},
		{"5.1: foobot, everything is disallowed", rfcSimple, "foobot", "/x", false},
		{"5.1: foobot, but a page", rfcSimple, "foobot", "/example/page.html", true},
		{"5.1: foobot, but a picture", rfcSimple, "foobot", "/example/allowed.gif", true},
		{"5.1: foobot, another picture", rfcSimple, "foobot", "/example/other.gif", false},
		{"5.1: barbot shares a group", rfcSimple, "barbot", "/example/page.html", false},
		{"5.1: bazbot shares a group", rfcSimple, "bazbot", "/example/page.html", false},
		{"5.1: bazbot is not bound by *", rfcSimple, "bazbot", "/example/x.gif", true},
		{"5.1: quxbot has an empty group", rfcSimple, "quxbot", "/example/", true},
		{"5.2: the longest match wins", rfcLongest, "foobot", "/example/page/disallowed.gif", false},
		{"5.2: the shorter allows the rest", rfcLongest, "foobot", "/example/page/x", true},
		{"5.2: others have no group at all", rfcLongest, "otherbot", "/example/page/disallowed.gif", true},
		{"2.2.1: groups of one crawler are one, first", rfcMerge, "examplebot", "/foo", false},
		{"2.2.1: groups of one crawler are one, last", rfcMerge, "examplebot", "/baz", false},
		{"2.2.1: and * does not add to them", rfcMerge, "examplebot", "/qux", true},
		{"2.2.1: a version after the token is no part of it", "User-agent: refrain/1.0\nDisallow: /x", Token, "/x", false},
		{"2.2.1: case of the token", "User-agent: ReFrain\nDisallow: /x", Token, "/x", false},
		{"2.2.1: a prefix of the token is another crawler", "User-agent: ref\nDisallow: /x", Token, "/x", true},
		{"2.2.1: a longer token is another crawler", "User-agent: refrain-images\nDisallow: /x", Token, "/x", true},

		{"2.2.2: path with query", "User-agent: *\nDisallow: /foo/bar?baz=quz", Token, "/foo/bar?baz=quz", false},
		{"2.2.2: reserved in a query, encoded in the URL", "User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar", Token, "/foo/bar?baz=https%3A%2F%2Ffoo.bar", false},
		{"2.2.2: reserved in a query, encoded in the rule", "User-agent: *\nDisallow: /foo/bar?baz=https%3a%2F%2ffoo.bar", Token, "/foo/bar?baz=https://foo.bar", false},
		{"2.2.2: beyond ASCII in the rule", "User-agent: *\nDisallow: /foo/bar/ツ", Token, "/foo/bar/%E3%83%84", false},
		{"2.2.2: beyond ASCII in the URL", "User-agent: *\nDisallow: /foo/bar/%e3%83%84", Token, "/foo/bar/ツ", false},
		{"2.2.2: needlessly encoded rule", "User-agent: *\nDisallow: /foo/bar/%62%61%7A", Token, "/foo/bar/baz", false},
		{"2.2.2: needlessly encoded URL", "User-agent: *\nDisallow: /~joe", Token, "/%7Ejoe", false},
		{"2.2.2: an encoded slash is not a slash", "User-agent: *\nDisallow: /a/b", Token, "/a%2Fb", true},
		{"2.2.2: paths have case", "User-agent: *\nDisallow: /A", Token, "/a", true},
		{"2.2.2: equal length, Allow wins", "User-agent: *\nDisallow: /page\nAllow: /page", Token, "/page", true},
		{"2.2.2: /robots.txt is always allowed", "User-agent: *\nDisallow: /", Token, "/robots.txt", true},
		{"2.2.2: something before a match is no match", "User-agent: *\nDisallow: /a*b", Token, "/x/a1b", true},

		{"2.2.3: comment after a rule", "User-agent: * # all\nDisallow: /x # secret", Token, "/x", false},
		{"2.2.3: $ ends", "User-agent: *\nDisallow: /this/path/exactly$", Token, "/this/path/exactly", false},
		{"2.2.3: $ ends, longer path", "User-agent: *\nDisallow: /this/path/exactly$", Token, "/this/path/exactly/", true},
		{"2.2.3: * in the middle", "User-agent: *\nDisallow: /this/*/exactly", Token, "/this/very/path/exactly?x", false},
		{"2.2.3: a literal * is encoded", "User-agent: *\nDisallow: /path/file-with-a-%2A.html", Token, "/path/file-with-a-*.html", false},
		{"2.2.3: and is no wildcard", "User-agent: *\nDisallow: /path/file-with-a-%2A.html", Token, "/path/file-with-a-b.html", true},
		{"2.2.3: a literal $ is encoded", "User-agent: *\nDisallow: /path/foo-%24", Token, "/path/foo-$", false},
		{"a $ that is not at the end is literal", "User-agent: *\nDisallow: /a$b", Token, "/a$b", false},
		{"a * reaches into the query", "User-agent: *\nDisallow: /a*x=/y", Token, "/a?x=/y", false},
		{"* and $", "User-agent: *\nDisallow: /*.php$", Token, "/a/b.php", false},
		{"* and $, repeated suffix", "User-agent: *\nDisallow: /*.php$", Token, "/a.php/b.php", false},
		{"many *", "User-agent: *\nDisallow: /a**b***c", Token, "/aXbYc", false},
		{"* at the end changes nothing", "User-agent: *\nDisallow: /fish*", Token, "/fishheads", false},

		{"2.2.4: a Sitemap line ends no heading", "User-agent: refrain\nSitemap: https://a.example/s.xml\nUser-agent: b\nDisallow: /x", Token, "/x", false},
		{"2.2.4: nor does Crawl-delay", "User-agent: refrain\nCrawl-delay: 1\nUser-agent: b\nDisallow: /x", Token, "/x", false},
		{"a rule before any User-agent is no rule", "Disallow: /x\nUser-agent: *\nDisallow: /y", Token, "/x", true},
		{"and spoils nothing", "Disallow: /x\nUser-agent: *\nDisallow: /y", Token, "/y", false},
		{"empty Disallow allows", "User-agent: *\nDisallow:", Token, "/x", true},
		{"a number that is none spoils nothing", "User-agent: *\nCrawl-delay: soon\nDisallow: /x", Token, "/x", false},
		{"byte order mark", "\ufeffUser-agent: *\nDisallow: /x", Token, "/x", false},
		{"CRLF", "User-agent: *\r\nDisallow: /x\r\n", Token, "/x", false},
		{"CR", "User-agent: *\rDisallow: /x\r", Token, "/x", false},
		{"an empty line ends no group", "User-agent: *\n\nDisallow: /x", Token, "/x", false},
		{"blanks around everything", " \t User-agent \t:\t * \n  Disallow :  /x  ", Token, "/x", false},
		{"a forgotten colon", "User-agent *\nDisallow /x", Token, "/x", false},
		{"a misspelt field", "useragent: *\ndissallow: /x", Token, "/x", false},
		{"a forgotten slash", "User-agent: *\nDisallow: x/", Token, "/x/y", false},
		{"a page in place of a file", "<!DOCTYPE html><html><head><title>User-agent: *</title></head>\n<body>Disallow: /</body>", Token, "/x", true},
		{"nothing at all", "", Token, "/x", true},
		{"no line is text", "\x00\x01\xff\xfe\n\n:::\n:", Token, "/x", true},
	} {
		rs := parseRobots([]byte(test.file), test.token)
		r := rs.find(test.path)
		if got := r == nil || r.allow; got != test.allow {
			t.Errorf("%s: %s allowed is %v, want %v (rule %+v)", test.name, test.path, got, test.allow, r)
		}
	}
}

func TestRobotsRuleSaysWhereItStands(t *testing.T) {
	rs := parseRobots([]byte("# ours\r\n\r\nUser-agent: *\r\nAllow: /\r\n\r\nUser-agent: Refrain/2\r\nDisallow: /a  # no\r\nDisallow: /a/b\x01c\r\n"), Token)
	if len(rs.list) != 2 {
		t.Fatalf("rules %+v, want the two of our group", rs.list)
	}
	if r := rs.list[0]; r.text != "Disallow: /a" || r.line != 7 || r.group != "Refrain/2" {
		t.Errorf("rule %q line %d group %q", r.text, r.line, r.group)
	}
	if r := rs.list[1]; r.text != "Disallow: /a/b c" || r.line != 8 {
		t.Errorf("rule %q line %d: control characters must not reach a record", r.text, r.line)
	}
}

func TestCrawlDelay(t *testing.T) {
	for _, test := range []struct {
		file string
		want time.Duration
	}{
		{"User-agent: *\nCrawl-delay: 10", 10 * time.Second},
		{"User-agent: *\nCrawl-delay: 0.5", 500 * time.Millisecond},
		{"User-agent: *\nDisallow: /x\nCrawl-delay: 3\nCrawl-delay: 2", 3 * time.Second},
		{"User-agent: a\nCrawl-delay: 10\n\nUser-agent: *\nDisallow: /x", 0},
		{"User-agent: *\nCrawl-delay: 10\n\nUser-agent: refrain\nDisallow: /x", 0},
		{"User-agent: *\nCrawl-delay: -1", 0},
		{"User-agent: *\nCrawl-delay: NaN", 0},
		{"User-agent: *\nCrawl-delay: 1e300", maxRest},
	} {
		if rs := parseRobots([]byte(test.file), Token); rs.delay != test.want {
			t.Errorf("%q: delay %v, want %v", test.file, rs.delay, test.want)
		}
	}
}

// A file longer than what is read must not end in half a rule: "/private-not"
// cut to "/" would forbid everything.
func TestRobotsCutAtLine(t *testing.T) {
	head := "User-agent: *\nDisallow: /first\n"
	last := "Disallow: /private-not"
	filler := strings.Repeat("#", maxRobots-len(head)-len("\n")-len("Disallow: /"))
	file := head + filler + "\n" + last + "\nDisallow: /late\n"
	rs := parseRobots([]byte(file), Token)
	if len(rs.list) != 1 || rs.find("/first") == nil {
		t.Errorf("rules %+v, want /first only", rs.list)
	}
}

func TestRobotsPath(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"https://a.example", "/"},
		{"https://a.example?q", "/?q"},
		{"https://a.example/a%2fb?", "/a%2fb?"},
		{"https://a.example/a b#c", "/a%20b"},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := robotsPath(u); got != test.want {
			t.Errorf("%s: %q, want %q", test.url, got, test.want)
		}
	}
}

// matchNaive is the match of one pattern by trying everything.
func matchNaive(pattern, path string, end bool) bool {
	switch {
	case pattern == "":
		return !end || path == ""
	case pattern[0] == '*':
		for i := 0; i <= len(path); i++ {
			if matchNaive(pattern[1:], path[i:], end) {
				return true
			}
		}
		return false
	}
	return path != "" && path[0] == pattern[0] && matchNaive(pattern[1:], path[1:], end)
}

func FuzzRobots(f *testing.F) {
	f.Add([]byte(rfcSimple), "/example/page.html")
	f.Add([]byte(rfcMerge), "/baz?x=%41%zz")
	f.Add([]byte("\ufeffuser-agent *\rdisallow: /*a*b$\r\ncrawl-delay: 1e9"), "/xaxb")
	f.Add([]byte("User-agent: refrain\nAllow: /$\nDisallow: $\nDisallow: *"), "/")
	f.Fuzz(func(t *testing.T, file []byte, path string) {
		rs := parseRobots(file, Token)
		if rs.delay < 0 || rs.delay > maxRest {
			t.Fatalf("delay %v", rs.delay)
		}
		r := rs.find(path)
		if r == nil {
			return
		}
		plain, query := normalise(path, false)
		if again, _ := normalise(plain, false); again != plain {
			t.Fatalf("normalise %q gives %q, and of that %q", path, plain, again)
		}
		for i := range rs.list {
			other := &rs.list[i]
			if len(plain) > 30 || len(strings.Join(other.plain, "*")) > 30 {
				continue // the naive match takes too long
			}
			naive := matchNaive(strings.Join(other.plain, "*"), plain, other.end) || matchNaive(strings.Join(other.query, "*"), query, other.end)
			if naive != other.match(plain, query) {
				t.Fatalf("%q on %q: match is %v", other.text, path, !naive)
			}
			if naive && other.size > r.size {
				t.Fatalf("%q on %q: %q is longer", r.text, path, other.text)
			}
		}
	})
}

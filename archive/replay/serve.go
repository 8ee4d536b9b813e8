package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// Options is what a Server is made from.
type Options struct {
	Source Source // required
	Name   string // first part of the paths; empty is "archive". Letters, digits and dashes.
	Title  string // of the start page; empty is "Archive"

	CDX       http.Handler // answers /cdx; nil: there is none
	Blocklist Blocklist    // nil: nothing is blocked

	// Held names the act by which a record must not be shown although its bytes
	// are still there, "" if there is none. A revisit is not shown either where
	// the record with its payload is held. Where it fails nothing is shown. It is
	// asked for each request, as acts happen while a server runs. nil: no record
	// is held.
	Held func(ctx context.Context, recordID string) (act string, err error)

	// Outcome says what was made of an answer when it was captured ("deleted",
	// "login_wall"), for the banner; "" is nothing. nil: never anything.
	Outcome func(ctx context.Context, recordID string) string

	// LocalOnly refuses requests whose Host is not a name of this machine. It
	// keeps web sites from reading the archive by giving their own name the
	// address 127.0.0.1.
	LocalOnly bool

	Log *slog.Logger // nil is slog.Default
}

// A Server shows an archive. It is an http.Handler for a listener of its own:
// see the package comment.
type Server struct {
	o    Options
	root string // "/archive/"

	mu       sync.Mutex
	verdicts map[place]string // of the blocklist: "" is none
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if o.Source == nil {
		return nil, errors.New("replay: Options.Source is missing")
	}
	if o.Name == "" {
		o.Name = "archive"
	}
	for _, c := range []byte(o.Name) {
		if !isAlnum(c) && c != '-' {
			return nil, fmt.Errorf("replay: Options.Name %q is not of letters, digits and dashes", o.Name)
		}
	}
	if o.Title == "" {
		o.Title = "Archive"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Server{o: o, root: "/" + o.Name + "/"}, nil
}

// The policies. What is archived gets an origin of its own, runs nothing, and
// loads from this server only. Links may replace the page around it, or open in
// a new window, when they are clicked; all of them lead back here.
const (
	contentPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; " +
		"default-src 'none'; img-src 'self' data:; media-src 'self'; font-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-src 'self'; " +
		"script-src 'none'; object-src 'none'; form-action 'none'; base-uri 'none'"
	rawPolicy  = "sandbox; default-src 'none'; form-action 'none'; base-uri 'none'"
	pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
)

func setPolicy(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), autoplay=()")
	h.Set("X-DNS-Prefetch-Control", "off")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// A request is one for something archived, taken apart.
type request struct {
	url string
	at  time.Time // zero: the latest
	ts  string    // digits as asked; may be empty
	mod Mod
}

// ServeHTTP answers. All routes stand here.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setPolicy(w.Header(), pagePolicy)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "An archive can be read only.", http.StatusMethodNotAllowed)
		return
	case r.Header.Get("Service-Worker") != "":
		http.Error(w, "Nothing that is archived may become a service worker.", http.StatusForbidden)
		return
	case s.o.LocalOnly && !localHost(r.Host):
		http.Error(w, "This server is for its own machine: open it as http://localhost or http://127.0.0.1.", http.StatusMisdirectedRequest)
		return
	}
	path := r.URL.EscapedPath()
	switch path {
	case "/", s.root, strings.TrimSuffix(s.root, "/"):
		s.start(w, r)
		return
	case "/replay.css":
		s.stylesheet(w, r)
		return
	case "/favicon.ico", "/robots.txt":
		http.NotFound(w, r)
		return
	case "/cdx", s.root + "cdx":
		if s.o.CDX != nil {
			s.o.CDX.ServeHTTP(w, r)
			return
		}
	}
	rest, ok := strings.CutPrefix(path, s.root)
	if !ok {
		s.message(w, r, http.StatusNotFound, message{Title: "There is nothing at this address", Text: "Captures are at " + s.root + "TIME/URL. The start page lists them."})
		return
	}
	if r.URL.RawQuery != "" {
		rest += "?" + r.URL.RawQuery
	}
	switch {
	case strings.HasPrefix(rest, "timemap/link/"):
		s.timemap(w, r, fixURL(rest[len("timemap/link/"):]), "link")
	case strings.HasPrefix(rest, "timemap/json/"):
		s.timemap(w, r, fixURL(rest[len("timemap/json/"):]), "json")
	case strings.HasPrefix(rest, "*/"):
		s.captures(w, r, fixURL(rest[2:]))
	default:
		q, isTime := parseRequest(rest)
		switch {
		case !isTime:
			s.timegate(w, r, q.url)
		case q.mod == Frame:
			s.frame(w, r, q)
		default:
			s.content(w, r, q)
		}
	}
}

// localHost reports whether a Host header names this machine.
func localHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// parseRequest takes TIMEmod_/URL apart. It reports false for a URL alone.
func parseRequest(rest string) (request, bool) {
	first, url, ok := strings.Cut(rest, "/")
	digits := 0
	for digits < len(first) && '0' <= first[digits] && first[digits] <= '9' {
		digits++
	}
	mod := first[digits:]
	if !ok || digits > 17 || digits == 0 && mod == "" || mod != "" && (len(mod) != 3 || mod[2] != '_') {
		return request{url: fixURL(rest)}, false
	}
	q := request{url: fixURL(url), ts: first[:min(digits, 14)], mod: Mod(mod)}
	switch q.mod {
	case Frame, Page, Inner, Image, Style, Script, Raw:
	default:
		q.mod = Page
	}
	if digits > 0 {
		q.at = parseTime(q.ts)
	}
	return q, true
}

// parseTime reads the first digits of a timestamp: "2026" is the start of 2026.
// What is no time is the nearest that is one. Years are kept to those whose
// distance from any capture fits a time.Duration.
func parseTime(digits string) time.Time {
	for len(digits) < 4 {
		digits += "0"
	}
	full := digits + "00000101000000"[min(len(digits), 14):]
	n := func(from, to, least, most int) int {
		v := 0
		for _, c := range full[from:to] {
			v = v*10 + int(c-'0')
		}
		return min(max(v, least), most)
	}
	return time.Date(n(0, 4, 1900, 2200), time.Month(n(4, 6, 1, 12)), n(6, 8, 1, 31), n(8, 10, 0, 23), n(10, 12, 0, 59), n(12, 14, 0, 59), 0, time.UTC)
}

// fixURL gives a URL from a path its scheme, and back the slash that some
// proxies take from it.
func fixURL(url string) string {
	for _, scheme := range []string{"http:/", "https:/"} {
		if len(url) > len(scheme) && strings.EqualFold(url[:len(scheme)], scheme) {
			if url[len(scheme)] != '/' {
				return scheme + "/" + url[len(scheme):]
			}
			return url
		}
	}
	if scheme, _ := splitScheme([]byte(url)); scheme != "" && !strings.Contains(scheme, ".") && scheme != "localhost" {
		return url
	}
	if url == "" {
		return ""
	}
	return "http://" + url
}

// path is the path of a capture.
func (s *Server) path(timestamp string, mod Mod, url string) string {
	return s.root + timestamp + string(mod) + "/" + escapeURL(url)
}

// escapeURL makes a URL that stands in a record one that can stand in a path.
func escapeURL(url string) string {
	if url != "" && clean([]byte(url)) || url != "" && !hasOdd(url) {
		return url
	}
	var l linker
	return string(l.escape(nil, []byte(url), false))
}

func hasOdd(url string) bool {
	for i := range len(url) {
		if urlClass[url[i]] == oddByte || url[i] == '%' && !escaped([]byte(url[i:])) {
			return true
		}
	}
	return false
}

// stamp is a capture's timestamp in 14 digits.
func stamp(c *Capture) string { return c.Timestamp[:min(len(c.Timestamp), 14)] }

// maxTries bounds how many captures are looked at for one request.
const maxTries = 50

var errNotFound = errors.New("not in the archive")

// choose gives the capture that answers a request: the nearest in time. Of two
// that are as near, the one of that very URL; for files of a page, one that was
// there before one that was not. A redirect to the same key (http to https,
// with or without www) is passed over if there is anything else: it would lead
// to itself.
func (s *Server) choose(ctx context.Context, q request) (Capture, error) {
	var first, self *Capture
	key := cdx.SURT(q.url)
	n := 0
	for c, err := range s.o.Source.Closest(ctx, q.url, q.at) {
		if err != nil {
			return Capture{}, err
		}
		if n++; n > maxTries {
			break
		}
		switch {
		case first != nil && c.Timestamp != first.Timestamp && (isDocument(q.mod) || ok(first)):
			return *first, nil
		case strings.HasPrefix(c.Status, "3") && c.Status != "304" && s.redirectsTo(ctx, c) == key:
			if self == nil {
				self = new(c)
			}
		case first == nil,
			!isDocument(q.mod) && !ok(first) && ok(&c),
			c.Timestamp == first.Timestamp && c.URL == q.url && first.URL != q.url && (isDocument(q.mod) || ok(&c)):
			first = new(c)
		}
	}
	switch {
	case first != nil:
		return *first, nil
	case self != nil:
		return *self, nil
	}
	return Capture{}, errNotFound
}

// isDocument reports whether a modifier is of what a reader asked for by itself:
// that it was gone is then what the archive says about it.
func isDocument(mod Mod) bool { return mod == Frame || mod == Page || mod == Raw }

func ok(c *Capture) bool { return c.Status == "" || c.Status[0] == '2' || c.Status[0] == '3' }

// redirectsTo gives the key of where a capture redirects to, "" if nowhere.
func (s *Server) redirectsTo(ctx context.Context, c Capture) string {
	rec, err := s.o.Source.Open(ctx, c)
	if err != nil {
		return ""
	}
	defer rec.Close()
	m, err := warc.ReadHTTP(rec)
	if err != nil {
		return ""
	}
	return cdx.SURT(location(c.URL, m.Header.Get("Location")))
}

// location resolves a Location header. It gives "" where it leads to nothing
// that an archive could hold.
func location(base, ref string) string {
	if ref == "" {
		return ""
	}
	var l linker
	l.base, _ = parseBase(base)
	out, kind := l.appendURL(nil, []byte(ref), Raw, false)
	if kind != refReplay {
		return ""
	}
	return strings.TrimPrefix(string(out), string(Raw)+"/")
}

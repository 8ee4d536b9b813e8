package replay

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

//go:embed pages
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"when":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" },
	"bytes": sizeText,
}).ParseFS(files, "pages/*.html"))

func sizeText(n int64) string {
	switch {
	case n < 0:
		return "size not known"
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}

func (s *Server) stylesheet(w http.ResponseWriter, r *http.Request) {
	b, err := fs.ReadFile(files, "pages/replay.css")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Write(b) //nolint:errcheck // the reader went away
}

// render writes a page of ours.
func (s *Server) render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		s.o.Log.Error("replay: page", "name", name, "err", err)
		http.Error(w, "This page could not be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck // the reader went away
}

// A message is a page that says why there is nothing to show.
type message struct {
	Root  string
	Title string
	Text  string
	URL   string // that was asked for; may be empty
	Facts []fact
	Hint  string // what to do about it
	All   string // path of the captures of URL; may be empty
	Small bool   // it stands in a frame
}

type fact struct{ Name, Value string }

func (s *Server) message(w http.ResponseWriter, r *http.Request, status int, m message) {
	m.Root = s.root
	s.render(w, status, "message.html", m)
}

// placeholder is an image that says what is missing where an image should be.
const placeholder = `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="60"><rect width="100%%" height="100%%" fill="#eee" stroke="#999"/><text x="50%%" y="50%%" text-anchor="middle" dominant-baseline="middle" font-family="sans-serif" font-size="11" fill="#555">%s</text></svg>`

// fail says why a request cannot be answered, in the form of what was asked for.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, q request, c *Capture, err error) {
	if r.Context().Err() != nil {
		return // the reader went away
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Range", "Cache-Control", "Access-Control-Allow-Origin"} {
		h.Del(name)
	}
	m, short, status := s.explain(q, c, err)
	if status == http.StatusInternalServerError {
		s.o.Log.Error("replay", "url", q.url, "err", err)
	}
	setPolicy(h, pagePolicy)
	h.Set("Cache-Control", "no-store")
	switch q.mod {
	case Image:
		if dest := r.Header.Get("Sec-Fetch-Dest"); dest == "" || dest == "image" {
			h.Set("Content-Type", "image/svg+xml")
			setPolicy(h, rawPolicy)
			w.WriteHeader(status)
			fmt.Fprintf(w, placeholder, template.HTMLEscapeString(short)) //nolint:errcheck // the reader went away
			return
		}
		http.Error(w, short, status)
	case Style:
		h.Set("Content-Type", "text/css; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, "/* %s */\n", short) //nolint:errcheck // the reader went away
	case Script, Raw:
		http.Error(w, short+": "+strings.Join(strings.Fields(m.Text), " "), status)
	default:
		m.Small = q.mod == Inner || q.mod == Page
		s.message(w, r, status, m)
	}
}

// explain puts an error into words for a reader.
func (s *Server) explain(q request, c *Capture, err error) (m message, short string, status int) {
	m.URL = q.url
	if c != nil {
		m.All = s.root + "*/" + escapeURL(q.url)
		m.Facts = append(m.Facts, fact{"captured", c.Time().UTC().Format("2006-01-02 15:04:05") + " UTC"}, fact{"file", c.File}, fact{"offset", fmt.Sprint(c.Offset)})
	}
	var damage *warc.Damage
	var blocked *blockedError
	switch {
	case errors.Is(err, errNotFound):
		m.Title = "Not in the archive"
		m.Text = "No capture of this address is in the archive. That says nothing about whether it existed: it was not asked for, or not saved."
		m.Hint = "refrain collect '" + strings.ReplaceAll(q.url, "'", "%27") + "'"
		return m, "not in the archive", http.StatusNotFound
	case errors.As(err, &blocked):
		m.Title = "Withheld"
		m.Text = "This payload is not shown. It is on the list " + blocked.list + "."
		if blocked.act != "" {
			m.Text = "This record is not shown: it was deleted by a recorded act, " + blocked.act + "."
		}
		return m, "withheld", http.StatusUnavailableForLegalReasons
	case errors.As(err, &damage):
		m.Title = "This record is damaged"
		m.Text = "Its bytes cannot be read: " + damage.Detail + ". " + damage.Code.Meaning()
		m.Facts = append(m.Facts, fact{"record", damage.RecordID})
		m.Hint = "refrain verify"
		return m, "record damaged", http.StatusInternalServerError
	case errors.Is(err, ErrNoOriginal):
		m.Title = "The original is not in the archive"
		m.Text = "This capture found the same bytes as an earlier one and does not repeat them. The record that has them is not in the archive; if it lies in a file elsewhere, link that with refrain import --link FILE."
		return m, "original not in the archive", http.StatusNotFound
	case errors.Is(err, warc.ErrTooLarge):
		m.Title = "Too large to show"
		m.Text = fmt.Sprintf("The document unpacks to more than %d MiB. It can be saved as it is: the bar above it has a link.", MaxDocument>>20)
		return m, "too large to show", http.StatusInsufficientStorage
	}
	m.Title = "This capture cannot be shown"
	m.Text = err.Error()
	m.Hint = "refrain verify"
	return m, "cannot be shown", http.StatusInternalServerError
}

// aside stands in a frame for a file that cannot be shown there.
func (s *Server) aside(w http.ResponseWriter, r *http.Request, a *answer, kind string) error {
	setPolicy(w.Header(), pagePolicy)
	m := message{Small: true, Title: "A file", URL: a.capture.URL, Text: "This capture is a file that is not shown here. It can be saved as it is: the bar above it has a link.", Facts: []fact{{"type", kind}}}
	if n, ok := a.size(); ok {
		m.Facts = append(m.Facts, fact{"size", sizeText(n)})
	}
	s.message(w, r, http.StatusOK, m)
	return nil
}

// A startPage lists what was captured.
type startPage struct {
	Root, Title string
	Query       string
	Kind        string // "pages", or "all"
	Rows        []urlRow
	More        bool
	Error       string
}

// A urlRow is one URL with its captures.
type urlRow struct {
	URL, Path, All string
	First, Last    time.Time
	Captures       int
	Status, MIME   string
}

// The start page shows so many URLs, and looks at so many lines for them.
const (
	startRows  = 200
	startLines = 200_000
)

// GET /?q=&kind=: the captured pages whose address begins with q.
func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	p := startPage{Root: s.root, Title: s.o.Title, Query: strings.TrimSpace(r.FormValue("q")), Kind: r.FormValue("kind")}
	lines, opened := 0, 0
	key := ""
	for c, err := range s.o.Source.List(r.Context(), p.Query) {
		if err != nil {
			if r.Context().Err() != nil {
				return
			}
			s.o.Log.Error("replay: list", "err", err)
			p.Error = err.Error()
			break
		}
		if lines++; lines > startLines {
			p.More = true
			break
		}
		if p.Kind != "all" && !listed(&c) && !(c.Revisit() && strings.HasPrefix(c.URL, "http") && (c.Key == key || s.isPage(r.Context(), c, &opened))) {
			continue
		}
		if len(p.Rows) == 0 || c.Key != key {
			if len(p.Rows) == startRows {
				p.More = true
				break
			}
			key = c.Key
			p.Rows = append(p.Rows, urlRow{First: c.Time()})
		}
		row := &p.Rows[len(p.Rows)-1]
		row.Captures++
		row.URL, row.Last, row.Status, row.MIME = c.URL, c.Time(), c.Status, c.MIME
		row.Path, row.All = s.path(stamp(&c), Frame, c.URL), s.root+"*/"+escapeURL(c.URL)
	}
	s.render(w, http.StatusOK, "start.html", p)
}

// listed reports whether a capture is a page that the start page lists.
func listed(c *Capture) bool {
	return (c.MIME == "text/html" || c.MIME == "application/xhtml+xml") && strings.HasPrefix(c.URL, "http")
}

// maxOpened bounds the revisits that are opened for one start page: their lines
// do not say what they are of.
const maxOpened = 300

// isPage reports whether a revisit is of a page, as its own head says.
func (s *Server) isPage(ctx context.Context, c Capture, opened *int) bool {
	if *opened++; *opened > maxOpened {
		return false
	}
	rec, err := s.o.Source.Open(ctx, c)
	if err != nil {
		return false
	}
	defer rec.Close()
	m, err := warc.ReadHTTP(rec)
	return err == nil && (m.MediaType() == "text/html" || m.MediaType() == "application/xhtml+xml")
}

// A capturesPage lists the captures of a URL.
type capturesPage struct {
	Root, URL string
	Timemap   string
	Rows      []captureRow
	More      bool
}

type captureRow struct {
	At           time.Time
	Path, Raw    string
	URL          string // where it differs from the page's
	Status, MIME string
	File, Digest string
	Same         bool // the payload of the row before
	Offset       int64
}

const captureRows = 5000

// GET /NAME/*/URL: the captures of a URL, the latest first.
func (s *Server) captures(w http.ResponseWriter, r *http.Request, url string) {
	p := capturesPage{Root: s.root, URL: url, Timemap: s.root + "timemap/link/" + escapeURL(url)}
	for c, err := range s.o.Source.Captures(r.Context(), url) {
		if err != nil {
			s.fail(w, r, request{url: url}, nil, err)
			return
		}
		if len(p.Rows) == captureRows {
			p.More = true
			break
		}
		row := captureRow{At: c.Time(), Path: s.path(stamp(&c), Frame, c.URL), Raw: s.path(stamp(&c), Raw, c.URL), Status: c.Status, MIME: c.MIME, File: c.File, Digest: c.Digest, Offset: c.Offset}
		if c.URL != url {
			row.URL = c.URL
		}
		row.Same = len(p.Rows) > 0 && c.Digest != "" && p.Rows[len(p.Rows)-1].Digest == c.Digest
		p.Rows = append(p.Rows, row)
	}
	if len(p.Rows) == 0 {
		s.fail(w, r, request{url: url}, nil, errNotFound)
		return
	}
	s.render(w, http.StatusOK, "captures.html", p)
}

// sameKey reports whether two URLs are the same to an index.
func sameKey(a, b string) bool { return a == b || cdx.SURT(a) == cdx.SURT(b) }

// neighbours gives the captures before and after one, as far as they are near.
func (s *Server) neighbours(ctx context.Context, c *Capture) (before, after *Capture) {
	n := 0
	for o, err := range s.o.Source.Closest(ctx, c.URL, c.Time()) {
		if n++; err != nil || n > maxTries || before != nil && after != nil {
			return before, after
		}
		switch {
		case o.Timestamp < c.Timestamp && before == nil:
			before = new(o)
		case o.Timestamp > c.Timestamp && after == nil:
			after = new(o)
		}
	}
	return before, after
}

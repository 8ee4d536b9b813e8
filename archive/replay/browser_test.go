package replay

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/browsertest"
)

const outside = "http://evil.example"

func redSquare() string {
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range m.Pix {
		m.Pix[i] = 255
		if i%4 == 1 || i%4 == 2 {
			m.Pix[i] = 0
		}
	}
	m.Set(0, 0, color.White)
	var b bytes.Buffer
	png.Encode(&b, m)
	return b.String()
}

// settle gives what a page still wants to do the time to do it: longer than its
// refresh of one second.
func settle() { time.Sleep(1500 * time.Millisecond) }

func ran(b *browsertest.Browser, s browsertest.Snapshot) string {
	if strings.Contains(s.Source, "data-pwned 1") || strings.Contains(s.Source, "PWNED<") {
		return "the document was changed"
	}
	for _, u := range append(b.Outside(), b.Inside()...) {
		if strings.Contains(u, "/ran-") {
			return u
		}
	}
	if d := b.Dialogs(); len(d) > 0 {
		return d[0]
	}
	return ""
}

// The hostile page runs its scripts and asks the other server where nothing
// prevents it, and neither in the replay: neither by what rewriting alone does,
// nor, of scripts, by what the policy alone does.
func TestHostilePageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	b := browsertest.Start(t)
	const self = "http://hostile.example"
	doc := hostilePage(outside, self)
	var rewritten []byte
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/bare": // it must not go on to another page so soon
			w.Write([]byte(strings.Replace(doc, `content="1;url`, `content="60;url`, 1)))
		case "/policy":
			setPolicy(w.Header(), contentPolicy)
			w.Write([]byte(doc))
		case "/rewritten":
			w.Write(rewritten)
		default:
			http.NotFound(w, r)
		}
	}))
	defer bare.Close()
	rewritten = AppendHTML(nil, []byte(doc), "text/html; charset=utf-8", Target{Prefix: "/archive/20260101120000", URL: self + "/", Mod: Page})

	// The policy alone.
	p := b.Open(bare.URL + "/policy")
	p.UntilText("The hostile text is shown.")
	settle()
	s, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if what := ran(b, s); what != "" {
		t.Errorf("under the policy alone a script ran: %s", what)
	}
	// Rewriting alone.
	before := len(b.Outside())
	p.Go(bare.URL + "/rewritten")
	p.UntilText("The hostile text is shown.")
	settle()
	if s, err = p.Snapshot(); err != nil {
		t.Fatal(err)
	}
	if what := ran(b, s); what != "" {
		t.Errorf("of the rewritten page without policy a script ran: %s", what)
	}
	if out := b.Outside()[before:]; len(out) > 0 {
		t.Errorf("the rewritten page without policy asked for %q", out)
	}

	// The replay, opened as a reader does.
	m := newMaker(t)
	m.page(day(1), self+"/", "text/html", doc)
	m.page(day(1), self+"/inner.html", "text/html", "<p>frame text<script>"+"new Image().src='"+outside+"/ran-99'</script><img src='"+outside+"/inner'>")
	m.page(day(1), self+"/hostile.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload="new Image().src='`+outside+`/ran-98'"><script>new Image().src='`+outside+`/ran-97'</script><image href="`+outside+`/svg" width="9" height="9"/><text y="20">svg text</text></svg>`)
	m.page(day(1), self+"/utf7", "text/html; charset=utf-7", "+ADw-script+AD4-new Image().src='"+outside+"/ran-96'+ADw-/script+AD4-<p>seven")
	m.page(day(1), self+"/utf16", "text/html", "\xff\xfe"+utf16("<p>sixteen<script>new Image().src='"+outside+"/ran-95'</script><img src="+outside+"/u16>"))
	m.page(day(1), self+"/jis", "text/html; charset=iso-2022-jp", "<p>jis<img title=\"\x1b$B\" src=\"x onerror=new(Image)().src='"+outside+"/ran-94'\">\x1b(B<img src="+outside+"/jis>")
	server := httptest.NewServer(m.server(Options{LocalOnly: true}))
	defer server.Close()
	before = len(b.Outside())
	for path, shown := range map[string]string{"/": "The hostile text is shown.", "/inner.html": "frame text", "/hostile.svg": "svg text", "/utf7": "seven", "/utf16": "sixteen", "/jis": "jis"} {
		p.Go(server.URL + "/archive/20260101120000mp_/" + self + path)
		s = p.UntilText(shown)
		if !strings.Contains(s.Text, "2026-01-01 12:00:00 UTC") {
			t.Errorf("%s: the banner is not shown: %s", path, s.Text)
		}
		if path == "/" {
			settle()
			// Text in frames and of noscript is shown, and where it forwards.
			for _, want := range []string{"inner text", "frame text", "noscript text", outside + "/refresh", "files missing"} {
				if s = p.UntilText(want); !strings.Contains(s.Text, want) {
					t.Errorf("not shown: %s", want)
				}
			}
			p.Click(100, 400) // a javascript: link was there
			settle()
		}
		if s, err = p.Snapshot(); err != nil {
			t.Fatal(err)
		}
		if what := ran(b, s); what != "" {
			t.Errorf("%s: in the replay a script ran: %s", path, what)
		}
	}
	if out := b.Outside()[before:]; len(out) > 0 {
		t.Errorf("the replay asked other servers for %q", out)
	}
	for _, u := range b.Inside() {
		if !strings.Contains(u, strings.TrimPrefix(server.URL, "http:")) && !strings.Contains(u, strings.TrimPrefix(bare.URL, "http:")) {
			t.Errorf("another server of this machine was asked: %s", u)
		}
	}

	// The same page where nothing prevents it: otherwise all this proves nothing.
	p.Go(bare.URL + "/bare")
	p.Until("what the hostile page does without protection", func(s browsertest.Snapshot) bool {
		out := b.Outside()[before:]
		return ran(b, s) != "" && len(scriptsRun(out)) >= 8 && len(out) > 40 && slices.ContainsFunc(out, func(u string) bool { return strings.HasSuffix(u, "/import1.css") })
	})
	t.Logf("without protection %d of the page's scripts ran, and it made %d requests to other servers", len(scriptsRun(b.Outside()[before:])), len(b.Outside())-before)
}

// scriptsRun gives the numbers of the scripts that told of themselves.
func scriptsRun(requests []string) map[string]bool {
	scripts := map[string]bool{}
	for _, u := range requests {
		if _, n, ok := strings.Cut(u, "/ran-"); ok {
			scripts[n] = true
		}
	}
	return scripts
}

func utf16(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

// An ordinary page looks as it did: style, image, frame; and a click leads to
// the next page with its own banner, without any script.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	b := browsertest.Start(t)
	m := newMaker(t)
	m.page(day(1), "http://site.example/", "text/html; charset=utf-8", `<!DOCTYPE html><title>First</title><link rel=stylesheet href="http://cdn.example/s.css"><body><p id=p>First text</p><img src="http://cdn.example/red.png"><iframe src=/frame.html></iframe><a href="/next" style="position:absolute;left:10px;top:300px;width:200px;height:60px;background:#ff0">to the next page</a>`)
	m.page(day(1), "http://cdn.example/s.css", "text/css", `@import "more.css"; #p{position:absolute;left:10px;top:400px}`)
	m.page(day(1), "http://cdn.example/more.css", "text/css", `#p::after{content:" styled"}`)
	m.page(day(1), "http://cdn.example/red.png", "image/png", redSquare())
	m.page(day(1), "http://site.example/frame.html", "text/html", `<p>Frame text`)
	m.page(day(2), "http://site.example/next", "text/html", `<p>Second text<img src=http://cdn.example/lost.png>`)
	server := httptest.NewServer(m.server(Options{}))
	defer server.Close()
	p := b.Open(server.URL)
	p.UntilText("http://site.example/next")
	p.Go(server.URL + "/archive/http://site.example/")
	s := p.Until("the page with its style, image and frame", func(s browsertest.Snapshot) bool {
		return strings.Contains(s.Text, "First text") && strings.Contains(s.Text, "styled") && strings.Contains(s.Text, "Frame text") && len(s.Images) > 0 && strings.HasSuffix(s.Images[0], " 64x64")
	})
	if want := server.URL + "/archive/20260101120000/http://site.example/"; s.URL != want {
		t.Errorf("the tab is at %s, want %s", s.URL, want)
	}
	if dir := os.Getenv("REFRAIN_SCREENSHOTS"); dir != "" {
		os.WriteFile(dir+"/page.png", p.Screenshot(), 0o644)
	}
	s = p.ClickUntilText(100, 370, "Second text")
	if !strings.Contains(s.Text, "2026-01-02 12:00:00 UTC") || !strings.Contains(s.Text, "1 of 1 files missing") {
		t.Errorf("the banner of the next page: %s", s.Text)
	}
	if out := b.Outside(); len(out) > 0 {
		t.Errorf("asked other servers for %q", out)
	}
	for _, u := range b.Inside() {
		if !strings.Contains(u, strings.TrimPrefix(server.URL, "http:")) {
			t.Errorf("another server of this machine was asked: %s", u)
		}
	}
}

package replay

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// Every response of the files that other tools wrote is replayed, and an
// independent parser looks at what comes out.
func TestConformanceFilesReplay(t *testing.T) {
	root := sharedtest.Path(t, "conformance/warc")
	files, html, css := 0, 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := d.Name()
		data := func() []byte {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		switch {
		case strings.Contains(name, ".warc") || strings.Contains(name, ".arc"):
			files++
			h, c := replayAll(t, name, data())
			html, css = html+h, css+c
		case strings.HasSuffix(name, ".wacz"):
			z, err := zip.NewReader(bytes.NewReader(data()), int64(len(data())))
			if err != nil {
				return nil //nolint:nilerr // verify is what tells about a ZIP that is none
			}
			for _, f := range z.File {
				if !strings.Contains(f.Name, ".warc") {
					continue
				}
				r, err := f.Open()
				if err != nil {
					continue
				}
				b, err := io.ReadAll(r)
				if err != nil && !errors.Is(err, zip.ErrChecksum) {
					continue
				}
				files++
				h, c := replayAll(t, name+"/"+f.Name, b)
				html, css = html+h, css+c
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files: %d HTML documents, %d stylesheets", files, html, css)
	if files < 100 || html < 100 {
		t.Errorf("only %d files with %d HTML documents were replayed", files, html)
	}
}

// An archive that GNU wget wrote of a site of ours.
func TestWgetReplays(t *testing.T) {
	wget, err := exec.LookPath("wget")
	if err != nil {
		t.Skip("skipped: wget is not installed")
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, `<link rel=stylesheet href=/s.css><script src=/x.js></script><img src=/i.png><a href="/next?a=1&amp;b=2">next</a>`)
		case "/s.css":
			w.Header().Set("Content-Type", "text/css")
			io.WriteString(w, `body{background:url(/i.png)}`)
		case "/next":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "next page")
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), wget, "-q", "-r", "-l", "2", "-p", "-e", "robots=off", "--warc-file=w", "--no-warc-compression", site.URL+"/")
	cmd.Dir = dir
	cmd.Run() // ends with status 8 for the 404s
	data, err := os.ReadFile(filepath.Join(dir, "w.warc"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fileSource{}
	f.addWARC(t, "w.warc", data)
	s, err := New(Options{Source: f})
	if err != nil {
		t.Fatal(err)
	}
	r := ask(t, s, "/archive/*/"+site.URL+"/")
	if body := text(t, r); r.StatusCode != 200 || !strings.Contains(body, "w.warc at ") {
		t.Fatalf("%d %s", r.StatusCode, body)
	}
	ts := f.byKey[f.all[0].Key][0].Timestamp
	for path, want := range map[string]string{"/": "next?a=1&amp;b=2", "/next?a=1&b=2": "next page", "/s.css": "im_/" + site.URL + "/i.png"} {
		for c := range f.Closest(t.Context(), site.URL+path, parseTime(ts)) {
			ts = c.Timestamp
			break
		}
		if body := text(t, ask(t, s, "/archive/"+ts+"mp_/"+site.URL+path)); !strings.Contains(body, want) || strings.Contains(body, "<script") {
			t.Errorf("%s: %s", path, body)
		}
	}
	replayAll(t, "w.warc", data)
}

// replayAll asks for every capture in a WARC in every form, and judges what
// comes. It gives the number of HTML documents and stylesheets.
func replayAll(t *testing.T, name string, data []byte) (html, css int) {
	f := &fileSource{}
	f.addWARC(t, "x.warc", data)
	s, err := New(Options{Source: f})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.all {
		for _, mod := range []Mod{Frame, Page, Inner, Image, Style, Raw} {
			path := s.path(stamp(&c), mod, c.URL)
			r := httptest.NewRequest("GET", path, nil)
			w := httptest.NewRecorder()
			func() {
				defer func() {
					if p := recover(); p != nil && p != http.ErrAbortHandler {
						panic(p)
					}
				}()
				s.ServeHTTP(w, r)
			}()
			body := w.Body.Bytes()
			if w.Code == 200 && w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s: no policy", name, path)
			}
			prefix := s.root + stamp(&c)
			kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
			if mod == Raw || mod == Frame {
				continue
			}
			switch kind {
			case "text/html":
				if !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "sandbox") {
					continue // a page of ours
				}
				html++
				if err := judgeHTML(body, prefix); err != nil {
					t.Errorf("%s %s: %v", name, path, err)
				}
			case "text/css":
				css++
				if err := judgeCSS(string(body), prefix); err != nil && w.Code == 200 {
					t.Errorf("%s %s: %v", name, path, err)
				}
			case "image/svg+xml":
				d := xml.NewDecoder(bytes.NewReader(body))
				for {
					if _, err := d.Token(); err == io.EOF {
						break
					} else if err != nil {
						t.Errorf("%s %s: %v", name, path, err)
						break
					}
				}
			}
			if (kind == "text/html" || kind == "text/css") && !utf8.Valid(body) {
				t.Errorf("%s %s: not UTF-8", name, path)
			}
		}
	}
	return html, css
}

// Pages of real platforms, of years of themes and scripts, come out clean.
func TestRecordedPagesAreClean(t *testing.T) {
	root := sharedtest.Path(t, "recordings")
	pages := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".html") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pages++
		out := AppendHTML(nil, src, "text/html; charset=utf-8", page)
		if err := judgeHTML(out, "/a/20260131120000"); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if !utf8.Valid(out) || bytes.Contains(out, []byte("<script")) {
			t.Errorf("%s: a script, or no UTF-8", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages < 20 {
		t.Errorf("only %d pages", pages)
	}
}

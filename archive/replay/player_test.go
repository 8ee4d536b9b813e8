package replay

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tgz packs files as npm does.
func tgz(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(content))
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func TestUnpackPlayerRefuses(t *testing.T) {
	for _, test := range []struct {
		name, want string
		archive    []byte
	}{
		{"what is no package", "no .tgz", []byte("<html>")},
		{"an empty one", "has no ", tgz(t, nil)},
		{"other bytes", "the one that was tested", tgz(t, map[string]string{"package/ui.js": "alert(1)", "package/sw.js": "alert(1)", "package/LICENSE": "x"})},
		{"a path that leads out", "has no ", tgz(t, map[string]string{"package/../../ui.js": "x", "../ui.js": "x", "/package/ui.js": "x", "package/sw.js": "x", "package/LICENSE": "x"})},
		{"one that is cut", "read the player's package", tgz(t, map[string]string{"package/ui.js": strings.Repeat("x", 100)})[:60]},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "player")
			err := UnpackPlayer(bytes.NewReader(test.archive), dir)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("something was written all the same")
			}
		})
	}
}

// What ReplayWeb.page asks of a server of WACZ files.
func TestPlayerServesRanges(t *testing.T) {
	content := strings.Repeat("0123456789", 20_000)
	file := filepath.Join(t.TempDir(), "a.wacz")
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &Player{o: PlayerOptions{LocalOnly: true, AllowOrigin: "https://player.example"}, waczs: []playerFile{{"a.wacz", file}}}
	for _, test := range []struct {
		method, ask, part, length string
		status                    int
	}{
		{"GET", "", "", "200000", 200},
		{"HEAD", "bytes=0-", "bytes 0-199999/200000", "200000", 206},
		{"GET", "bytes=-65558", "bytes 134442-199999/200000", "65558", 206},
		{"GET", "bytes=10-19", "bytes 10-19/200000", "10", 206},
		{"GET", "bytes=200000-", "bytes */200000", "", 416},
	} {
		r := httptest.NewRequest(test.method, "http://localhost/wacz/a.wacz", nil)
		if test.ask != "" {
			r.Header.Set("Range", test.ask)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		h := w.Header()
		if w.Code != test.status || h.Get("Content-Range") != test.part || test.length != "" && h.Get("Content-Length") != test.length {
			t.Errorf("%s %s: %d %v", test.method, test.ask, w.Code, h)
		}
		if test.status < 300 && (h.Get("Content-Type") != "application/wacz" || h.Get("Accept-Ranges") != "bytes" || h.Get("Content-Encoding") != "" ||
			h.Get("Access-Control-Allow-Origin") != "https://player.example" || !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Content-Range")) {
			t.Errorf("%s %s: %v", test.method, test.ask, h)
		}
	}
	for path, want := range map[string]int{"/wacz/b.wacz": 404, "/wacz/..%2fa.wacz": 404, "/wacz/": 404, "/play/b.wacz": 404, "/ui.js": 404, "/": 200} {
		w := httptest.NewRecorder()
		if p.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil)); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	if p.ServeHTTP(w, httptest.NewRequest("OPTIONS", "http://localhost/wacz/a.wacz", nil)); w.Code != 204 || w.Header().Get("Access-Control-Allow-Headers") != "*" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
	p.o.AllowOrigin = ""
	w = httptest.NewRecorder()
	if p.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/wacz/a.wacz", nil)); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages elsewhere may read the file although nobody allowed it")
	}
	w = httptest.NewRecorder()
	if p.ServeHTTP(w, httptest.NewRequest("GET", "http://evil.example/wacz/a.wacz", nil)); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d", w.Code)
	}
}

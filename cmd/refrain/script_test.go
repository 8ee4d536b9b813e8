package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/demoweb"
)

// TestScripts runs what users type, bad days included. Each script has a folder
// of its own with refrain.yaml, which leads to a small made-up web and to the
// hosts of badWeb, and these commands beside testscript's:
//
//	code N COMMAND…   runs a command, which must end with exit code N
//	asked N           so many requests reached either web since the script began
//	peak N            the last refrain used at most N MiB of memory (Linux)
//	cut FILE N        leaves out the last N bytes
//	flip FILE N       turns the bits of byte N round
//	fulldisk DIR KIB  mounts a file system of that size, or skips the script
func TestScripts(t *testing.T) {
	type asked struct{}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			var n atomic.Int64
			env.Values[asked{}] = &n
			counted := func(h http.Handler) *httptest.Server {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					n.Add(1)
					h.ServeHTTP(w, r)
				}))
				env.Defer(func() { server.CloseClientConnections(); server.Close() })
				return server
			}
			inner, err := demoweb.Start(t.Context(), tinyWorld())
			if err != nil {
				return err
			}
			env.Defer(func() { _ = inner.Close() })
			good, bad := counted(inner), counted(http.HandlerFunc(badWeb))
			// A rest without quick tries again: what fails is left for the next run.
			text := fmt.Sprintf("contact: desk@news.example\narchive: %q\nstate: %q\ncrawl: {pace: {\"*\": 1ms}, max_asset: 20MiB}\norigins:\n",
				filepath.Join(env.WorkDir, "archive"), filepath.Join(env.WorkDir, "state"))
			for _, host := range demoweb.Hosts() {
				text += fmt.Sprintf("  %q: %q\n", host, good.URL)
			}
			for _, host := range []string{"bad.example", "denied.example", "html.tumblr.com", "utf8.tumblr.com", "empty.tumblr.com"} {
				text += fmt.Sprintf("  %q: %q\n", host, bad.URL)
			}
			for _, a := range tinyWorld().Accounts {
				if a.State == "" {
					env.Setenv(strings.ToUpper(a.Platform), a.URL())
				}
			}
			env.Setenv("BAD", bad.URL)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv(peakFile, filepath.Join(env.WorkDir, "peak"))
			return os.WriteFile(filepath.Join(env.WorkDir, "refrain.yaml"), []byte(text), 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				code := 0
				var exit *exec.ExitError
				if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
					code = exit.ExitCode()
				} else {
					ts.Check(err)
				}
				if code != want {
					ts.Fatalf("exit code %d, want %d", code, want)
				}
			},
			"asked": func(ts *testscript.TestScript, _ bool, args []string) {
				if n := ts.Value(asked{}).(*atomic.Int64).Load(); fmt.Sprint(n) != args[0] {
					ts.Fatalf("%d requests arrived, want %s", n, args[0])
				}
			},
			"peak": func(ts *testscript.TestScript, _ bool, args []string) {
				if runtime.GOOS != "linux" {
					return
				}
				limit, err := strconv.Atoi(args[0])
				ts.Check(err)
				_, rest, _ := strings.Cut(ts.ReadFile("peak"), "VmHWM:")
				kib, err := strconv.Atoi(strings.TrimSpace(strings.Split(rest, "kB")[0]))
				ts.Check(err)
				ts.Logf("peak of memory: %d MiB", kib>>10)
				if kib>>10 > limit {
					ts.Fatalf("memory reached %d MiB, want at most %d", kib>>10, limit)
				}
			},
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				data := ts.ReadFile(args[0])
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(data[:len(data)-n]), 0o666))
			},
			"flip": func(ts *testscript.TestScript, _ bool, args []string) {
				data := []byte(ts.ReadFile(args[0]))
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				data[n] ^= 0xff
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
			},
			"fulldisk": func(ts *testscript.TestScript, _ bool, args []string) {
				dir := ts.MkAbs(args[0])
				ts.Check(os.MkdirAll(dir, 0o777))
				if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1]+"k", "none", dir).CombinedOutput(); err != nil {
					ts.Logf("skipped: no file system can be mounted here (%v: %s); archive.TestDiskFull does it in memory", err, out)
					ts.Setenv("NODISK", "1")
					return
				}
				ts.Defer(func() { _ = exec.Command("umount", dir).Run() })
			},
		},
		Condition: func(name string) (bool, error) {
			if name == "mount" {
				return canMount(), nil
			}
			return false, fmt.Errorf("condition %q is not known", name)
		},
	})
}

// canMount reports whether this user may mount a file system.
func canMount() bool {
	dir, err := os.MkdirTemp("", "refrain-mount-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=16k", "none", dir).Run() != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
}

// badWeb is a web on its bad days.
func badWeb(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if r.URL.Path == "/robots.txt" {
		if host == "denied.example" || strings.HasSuffix(host, "reddit.com") {
			crawlertest.RobotsDeny().ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
		return
	}
	var h http.Handler = http.NotFoundHandler()
	switch host {
	case "html.tumblr.com":
		h = crawlertest.Content("text/javascript; charset=utf-8", "<!DOCTYPE html><html><head><title>Tumblr</title></head><body>Something went wrong</body></html>")
	case "utf8.tumblr.com":
		h = crawlertest.Content("text/javascript; charset=utf-8", `var tumblr_api_read = {"tumblelog":{"title":"T","name":"utf8","timezone":"UTC","cname":false,"feeds":[]},"posts-start":0,"posts-total":"1","posts-type":false,"posts":[{"id":"77","url":"https:\/\/utf8.tumblr.com\/post\/77","type":"regular","date-gmt":"2026-11-01 10:00:00 GMT","unix-timestamp":1793527200,"format":"html","slug":"","note-count":"1","regular-title":"caf`+"\xe9"+` ferry","regular-body":"<p>pier `+"\xff"+`<\/p>"}]};`)
	case "empty.tumblr.com":
		h = crawlertest.Content("text/javascript", "")
	default:
		switch r.URL.Path {
		case "/huge":
			h = crawlertest.HugeBody(10 << 30)
		case "/bomb":
			h = crawlertest.GzipBomb(10 << 30)
		case "/loop":
			h = crawlertest.EndlessRedirect()
		case "/utf8":
			h = crawlertest.Content("text/html; charset=utf-8", "<html><head><title>caf\xe9</title></head><body><article><p>The ferry \xff left the pier at nine, and nobody was on board who knew the way.</p></article></body></html>")
		case "/empty":
			h = crawlertest.Content("text/html", "")
		case "/cut":
			h = crawlertest.CutBody("text/html", "<html><head><title>Ferry</title></head><body><p>"+strings.Repeat("The ferry left the pier. ", 100)+"</p></body></html>")
		case "/moved":
			h = crawlertest.Redirect(http.StatusFound, "http://169.254.169.254/latest/meta-data")
		case "/films":
			h = crawlertest.Content("text/html", `<html><head><title>Films</title><meta property="og:image" content="https://bad.example/huge"></head><body><article><p>A film of ten gigabytes stands here, and a picture beside it.</p><img src="/huge"></article></body></html>`)
		}
	}
	h.ServeHTTP(w, r)
}

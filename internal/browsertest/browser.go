// Package browsertest drives a real headless Chromium in tests. All that the
// browser asks for goes through a proxy of the test, which lets requests to this
// machine pass, refuses all others, and keeps a list of both. A test skips where
// no Chromium is installed.
package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long the browser may take for anything. The machine may be
// doing other things.
const patience = 45 * time.Second

// A Browser is a running Chromium with an empty profile.
type Browser struct {
	t     testing.TB
	proxy *proxy
	in    *os.File // commands to the browser

	mu       sync.Mutex
	next     int
	waiting  map[int]chan reply
	sessions map[string][]string // of each page: its session and those of its frames
	parents  map[string]string   // session of a frame: session of the page
	dialogs  []string
	gone     error
}

type reply struct {
	result json.RawMessage
	err    error
}

// Start starts a Chromium, which ends with the test.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("skipped: Chromium is not installed (Debian package chromium)")
	}
	b := &Browser{t: t, proxy: startProxy(t), waiting: map[int]chan reply{}, sessions: map[string][]string{}, parents: map[string]string{}}
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b.in = in
	profile, err := os.MkdirTemp("", "refrain-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	// The process must not end with t.Context, which ends before clean-ups.
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path,
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-default-apps", "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--no-pings", "--disable-breakpad", "--disable-dev-shm-usage",
		"--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,CertificateTransparencyComponentUpdater",
		"--window-size=1100,800", "--user-data-dir="+profile, "--remote-debugging-pipe",
		"--proxy-server="+b.proxy.address, "--proxy-bypass-list=<-loopback>", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"about:blank")
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser}
	cmd.Env = append(os.Environ(), "HOME="+profile, "XDG_CONFIG_HOME="+filepath.Join(profile, "config"), "XDG_CACHE_HOME="+filepath.Join(profile, "cache"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toBrowser.Close()
	fromBrowser.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(out)
	}()
	t.Cleanup(func() {
		b.send("", "Browser.close", nil)
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cancel()
			<-ended
		}
		cancel()
		in.Close()
		out.Close()
		<-read
		// Helpers of the browser may still be writing to the profile.
		for range 20 {
			if os.RemoveAll(profile) == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if t.Failed() {
			t.Logf("Chromium said:\n%s", said(stderr.String()))
		}
	})
	return b
}

// said leaves out of the browser's messages that there is no desktop around it.
func said(stderr string) string {
	var kept []string
	for line := range strings.Lines(stderr) {
		if !strings.Contains(line, "dbus") && !strings.Contains(line, "DBus") {
			kept = append(kept, line)
		}
	}
	return tail(strings.Join(kept, ""), 3000)
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// read takes the browser's messages: JSON, each ended by a zero byte.
func (b *Browser) read(out *os.File) {
	r := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := r.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			b.gone = errors.New("the browser has ended")
			for _, w := range b.waiting {
				close(w)
			}
			b.waiting = map[int]chan reply{}
			b.mu.Unlock()
			return
		}
		var m struct {
			ID        int             `json:"id"`
			Method    string          `json:"method"`
			SessionID string          `json:"sessionId"`
			Params    json.RawMessage `json:"params"`
			Result    json.RawMessage `json:"result"`
			Error     *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if json.Unmarshal(bytes.TrimSuffix(line, []byte{0}), &m) != nil {
			continue
		}
		if m.ID != 0 {
			b.mu.Lock()
			w := b.waiting[m.ID]
			delete(b.waiting, m.ID)
			b.mu.Unlock()
			if w != nil {
				r := reply{result: m.Result}
				if m.Error != nil {
					r.err = errors.New(m.Error.Message)
				}
				w <- r
			}
			continue
		}
		b.event(m.Method, m.SessionID, m.Params)
	}
}

func (b *Browser) event(method, session string, params json.RawMessage) {
	switch method {
	case "Target.attachedToTarget":
		var p struct {
			SessionID  string `json:"sessionId"`
			TargetInfo struct {
				Type string `json:"type"`
			} `json:"targetInfo"`
		}
		json.Unmarshal(params, &p)
		if session == "" || p.TargetInfo.Type != "iframe" {
			return
		}
		b.mu.Lock()
		page := session
		if parent := b.parents[session]; parent != "" {
			page = parent
		}
		b.parents[p.SessionID] = page
		b.sessions[page] = append(b.sessions[page], p.SessionID)
		b.mu.Unlock()
		go b.enable(p.SessionID)
	case "Target.detachedFromTarget":
		var p struct {
			SessionID string `json:"sessionId"`
		}
		json.Unmarshal(params, &p)
		b.mu.Lock()
		page := b.parents[p.SessionID]
		b.sessions[page] = slices.DeleteFunc(b.sessions[page], func(s string) bool { return s == p.SessionID })
		b.mu.Unlock()
	case "Page.javascriptDialogOpening":
		b.mu.Lock()
		b.dialogs = append(b.dialogs, string(params))
		b.mu.Unlock()
		go b.call(session, "Page.handleJavaScriptDialog", map[string]any{"accept": true})
	}
}

func (b *Browser) enable(session string) {
	b.call(session, "Page.enable", nil)
	b.call(session, "Target.setAutoAttach", map[string]any{"autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true})
}

func (b *Browser) send(session, method string, params any) (chan reply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone != nil {
		return nil, b.gone
	}
	b.next++
	m := map[string]any{"id": b.next, "method": method}
	if params != nil {
		m["params"] = params
	}
	if session != "" {
		m["sessionId"] = session
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	w := make(chan reply, 1)
	b.waiting[b.next] = w
	_, err = b.in.Write(append(data, 0))
	return w, err
}

// call gives the answer to a command of the DevTools protocol.
func (b *Browser) call(session, method string, params any) (json.RawMessage, error) {
	w, err := b.send(session, method, params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	select {
	case r, ok := <-w:
		if !ok {
			return nil, fmt.Errorf("%s: the browser has ended", method)
		}
		if r.err != nil {
			return nil, fmt.Errorf("%s: %w", method, r.err)
		}
		return r.result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer in %v", method, patience)
	}
}

// Inside gives the URLs that the browser asked this machine for so far.
func (b *Browser) Inside() []string { return b.proxy.list(true) }

// Outside gives what else it asked for so far: URLs, or host:port of encrypted
// connections.
func (b *Browser) Outside() []string { return b.proxy.list(false) }

// Dialogs gives the dialogs (alert) that pages opened so far.
func (b *Browser) Dialogs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.dialogs)
}

// A Page is a tab.
type Page struct {
	b       *Browser
	session string
}

// Open opens a URL in a new tab.
func (b *Browser) Open(url string) *Page {
	b.t.Helper()
	var target struct {
		TargetID string `json:"targetId"`
	}
	b.must("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	b.must("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p := &Page{b: b, session: attached.SessionID}
	b.mu.Lock()
	b.sessions[p.session] = []string{p.session}
	b.mu.Unlock()
	b.enable(p.session)
	p.Go(url)
	return p
}

// Go goes to a URL.
func (p *Page) Go(url string) {
	p.b.t.Helper()
	p.b.must(p.session, "Page.navigate", map[string]any{"url": url}, nil)
}

func (b *Browser) must(session, method string, params, into any) {
	b.t.Helper()
	result, err := b.call(session, method, params)
	if err == nil && into != nil {
		err = json.Unmarshal(result, into)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// A Snapshot is what a tab shows, frames included.
type Snapshot struct {
	URL    string   // of the tab
	Text   string   // as laid out, pieces joined by blanks
	Source string   // tags and text of all documents, whether shown or not
	Images []string // src of images that take up room
}

// Snapshot looks at the tab as it is now. It needs no scripts in the page.
func (p *Page) Snapshot() (Snapshot, error) {
	p.b.mu.Lock()
	sessions := slices.Clone(p.b.sessions[p.session])
	p.b.mu.Unlock()
	var s Snapshot
	var text, source strings.Builder
	for i, session := range sessions {
		result, err := p.b.call(session, "DOMSnapshot.captureSnapshot", map[string]any{"computedStyles": []string{"background-color"}})
		if err != nil {
			if i > 0 {
				continue // the frame went away
			}
			return s, err
		}
		var shot domSnapshot
		if err := json.Unmarshal(result, &shot); err != nil {
			return s, err
		}
		if i == 0 && len(shot.Documents) > 0 {
			s.URL = shot.str(shot.Documents[0].DocumentURL)
		}
		for _, d := range shot.Documents {
			for k, n := range d.Layout.Text {
				if n >= 0 {
					fmt.Fprint(&text, shot.str(n), " ")
				}
				node := d.Layout.NodeIndex[k]
				if shot.str(d.Nodes.NodeName[node]) == "IMG" && len(d.Layout.Bounds[k]) == 4 && d.Layout.Bounds[k][2] > 0 {
					s.Images = append(s.Images, fmt.Sprintf("%s %.0fx%.0f", shot.attribute(d.Nodes.Attributes[node], "src"), d.Layout.Bounds[k][2], d.Layout.Bounds[k][3]))
				}
			}
			for k, n := range d.Nodes.NodeName {
				fmt.Fprintf(&source, "<%s", shot.str(n))
				for _, a := range d.Nodes.Attributes[k] {
					fmt.Fprint(&source, " ", shot.str(a))
				}
				fmt.Fprint(&source, ">", shot.str(d.Nodes.NodeValue[k]))
			}
		}
	}
	s.Text, s.Source = text.String(), source.String()
	return s, nil
}

type domSnapshot struct {
	Strings   []string `json:"strings"`
	Documents []struct {
		DocumentURL int `json:"documentURL"`
		Nodes       struct {
			NodeName   []int   `json:"nodeName"`
			NodeValue  []int   `json:"nodeValue"`
			Attributes [][]int `json:"attributes"`
		} `json:"nodes"`
		Layout struct {
			NodeIndex []int       `json:"nodeIndex"`
			Text      []int       `json:"text"`
			Bounds    [][]float64 `json:"bounds"`
		} `json:"layout"`
	} `json:"documents"`
}

func (s *domSnapshot) str(i int) string {
	if i < 0 || i >= len(s.Strings) {
		return ""
	}
	return s.Strings[i]
}

func (s *domSnapshot) attribute(pairs []int, name string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if s.str(pairs[i]) == name {
			return s.str(pairs[i+1])
		}
	}
	return ""
}

// Until waits until a snapshot is as asked for, and fails the test where that
// never comes.
func (p *Page) Until(what string, ready func(Snapshot) bool) Snapshot {
	p.b.t.Helper()
	var s Snapshot
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(150 * time.Millisecond) {
		if s, err = p.Snapshot(); err == nil && ready(s) {
			return s
		}
	}
	p.b.t.Fatalf("not seen in the browser: %s\nerror: %v\nURL: %s\ntext: %s\nsource: %s\ninside: %q\noutside: %q", what, err, s.URL, tail(s.Text, 2000), tail(s.Source, 4000), p.b.Inside(), p.b.Outside())
	return s
}

// UntilText waits until the tab shows a text.
func (p *Page) UntilText(text string) Snapshot {
	p.b.t.Helper()
	return p.Until("text "+text, func(s Snapshot) bool { return strings.Contains(s.Text, text) })
}

// Click clicks at a point of the tab, in CSS pixels.
func (p *Page) Click(x, y float64) {
	p.b.t.Helper()
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.b.must(p.session, "Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}, nil)
	}
}

// ClickUntilText clicks at a point until the tab shows a text. Browsers take no
// notice of clicks on what they have only just shown.
func (p *Page) ClickUntilText(x, y float64, text string) Snapshot {
	p.b.t.Helper()
	last := time.Time{}
	return p.Until("text "+text+" after a click", func(s Snapshot) bool {
		if strings.Contains(s.Text, text) {
			return true
		}
		if time.Since(last) > 2*time.Second {
			last = time.Now()
			p.Click(x, y)
		}
		return false
	})
}

// Screenshot gives the tab as PNG.
func (p *Page) Screenshot() []byte {
	p.b.t.Helper()
	var shot struct {
		Data []byte `json:"data"`
	}
	p.b.must(p.session, "Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	return shot.Data
}

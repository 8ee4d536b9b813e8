package browsertest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// browsersOwn are hosts that Chromium asks for its own purposes (updates, the
// time), whatever it shows, and although it is started with all flags that
// should prevent it. No test may use them in a page.
var browsersOwn = []string{"accounts.google.com", "clients2.google.com", "clientservices.googleapis.com", "update.googleapis.com", "optimizationguide-pa.googleapis.com", "content-autofill.googleapis.com", "safebrowsing.googleapis.com", "www.google.com", "edgedl.me.gvt1.com", "redirector.gvt1.com", "android.clients.google.com", "mtalk.google.com", "dl.google.com"}

// A proxy passes on what goes to this machine, and keeps a list of everything.
type proxy struct {
	address string

	mu      sync.Mutex
	inside  []string
	outside []string
}

func startProxy(t testing.TB) *proxy {
	p := &proxy{}
	server := httptest.NewServer(p)
	p.address = server.Listener.Addr().String()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return p
}

func (p *proxy) list(inside bool) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if inside {
		return append([]string(nil), p.inside...)
	}
	return append([]string(nil), p.outside...)
}

var transport = &http.Transport{DisableCompression: true, Proxy: nil}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.URL.Hostname()
	if r.Method == http.MethodConnect {
		host, _, _ = net.SplitHostPort(r.Host) //nolint:errcheck // none: it is refused
	}
	ip := net.ParseIP(host)
	local := r.Method != http.MethodConnect && r.URL.Scheme == "http" && (host == "localhost" || ip != nil && ip.IsLoopback())
	p.mu.Lock()
	if !local && slices.Contains(browsersOwn, host) {
		// refused all the same
	} else if local {
		p.inside = append(p.inside, r.Method+" "+r.URL.String())
	} else {
		what := r.URL.String()
		if r.Method == http.MethodConnect {
			what = r.Host
		}
		p.outside = append(p.outside, r.Method+" "+what)
	}
	p.mu.Unlock()
	if !local {
		http.Error(w, "no network in tests", http.StatusBadGateway)
		return
	}
	r.RequestURI = ""
	r.Header.Del("Proxy-Connection")
	resp, err := transport.RoundTrip(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	io.Copy(w, resp.Body) //nolint:errcheck // the browser went away
}

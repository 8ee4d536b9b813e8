package cdx

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// surtDiffers are the URLs whose key is not the Internet Archive's, and why.
var surtDiffers = map[string]string{
	"urn:text:http://example.com/":            "urn:text:http://example.com/",            // not http: its own key, not damaged
	"urn:thumbnail:https://example.com/A?b=C": "urn:thumbnail:https://example.com/A?b=C", // likewise
}

func TestSURTGolden(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(string(sharedtest.Read(t, "conformance/warc/golden/surt-threeway.tsv"))), "\n")[1:]
	if len(lines) != 39 {
		t.Errorf("%d URLs, want 39", len(lines))
	}
	for _, line := range lines {
		f := strings.Split(line, "\t")
		want := f[1]
		if w, ok := surtDiffers[f[0]]; ok {
			want = w
		}
		if got := SURT(f[0]); got != want {
			t.Errorf("SURT(%q) = %q, want %q", f[0], got, want)
		}
	}
}

func TestWebrecorderKey(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(string(sharedtest.Read(t, "conformance/warc/golden/surt-threeway.tsv"))), "\n")[1:]
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if got := WebrecorderKey(f[0]); got != f[2] {
			t.Errorf("WebrecorderKey(%q) = %q, want %q", f[0], got, f[2])
		}
	}
}

// urlcanonDiffers are the URLs whose key is another than urlcanon's data says.
var urlcanonDiffers = map[string]string{
	"whois://whois.isoc.org.il/shaveh.co.il": "whois://whois.isoc.org.il/shaveh.co.il", // neither http nor ftp: its own key
	// These two stand in the data as bytes, one code point each.
	"http://\x01\u0080.com/": "com,%01%c2%80)/",
	"\u00e2\u0098\u0083.com": "com,%c3%a2%c2%98%c2%83)/",
}

// TestSURTUrlcanon compares with the data of iipc/urlcanon: keys as such, and
// canonical URLs by their key.
func TestSURTUrlcanon(t *testing.T) {
	var data map[string]map[string]string
	if err := json.Unmarshal(sharedtest.Read(t, "conformance/warc/urlcanon/surt.json"), &data); err != nil {
		t.Fatal(err)
	}
	for url, want := range data["defaultIASurt"] {
		if w, ok := urlcanonDiffers[url]; ok {
			want = w
		}
		if got := SURT(url); got != want {
			t.Errorf("SURT(%q) = %q, want %q", url, got, want)
		}
	}
	for _, section := range []string{"Canonicalizer.DefaultIA", "Canonicalizer.IA", "google", "googleSupplementalFromSurt"} {
		for url, canonical := range data[section] {
			want := SURT(canonical)
			if w, ok := urlcanonDiffers[url]; ok {
				want = w
			}
			if got := SURT(url); got != want {
				t.Errorf("%s: SURT(%q) = %q, that of its canonical form %q is %q", section, url, got, canonical, want)
			}
		}
	}
	for host, want := range data["massageHost"] {
		if got, w := SURT("http://"+host+"/"), SURT("http://"+want+"/"); got != w {
			t.Errorf("host %s: %q, want %q", host, got, w)
		}
	}
	for path, want := range data["stripPathSessionId"] {
		if got := stripPathSession(path); got != want {
			t.Errorf("stripPathSession(%q) = %q, want %q", path, got, want)
		}
	}
	for query, want := range data["alphaRorderQuery"] {
		if got := sortArguments(query); got != want {
			t.Errorf("sortArguments(%q) = %q, want %q", query, got, want)
		}
	}
	for s, want := range data["unescapeRepeatedly"] {
		if got := unescapeAll(s); got != want {
			t.Errorf("unescapeAll(%q) = %q, want %q", s, got, want)
		}
	}
}

// TestPlainSURT makes keys of URLs put together from parts in the short way and in
// the full one.
func TestPlainSURT(t *testing.T) {
	hosts := []string{"example.com", "www.example.com", "www2.example.com", "wwwx.example.com", "a.b.c.example", "127.0.0.1", "0x7f.1", "example.1a", "example..com", ".example.com", "example.com.", "EXAMPLE.com", "localhost", "xn--bcher-kva.example", "1.2.3.4.example", "-", "a-b.example", "example.com:80", "example.com:8080", "user@example.com", "[::1]", "", "bücher.example"}
	paths := []string{"", "/", "/a", "/a/", "/A/b/", "//", "/a//b", "/./a", "/a/.", "/a/..", "/../a", "/.hidden", "/a.b", "/a%20b", "/~user/", "/a;b", "/a/(S(abcdefghijklmnopqrstuvwx))/x.aspx", "/a#b", "/a b", "\\a", "/-/_"}
	queries := []string{"", "?", "?a", "?a=1", "?b=1&a=2", "?a=2&a=1", "?a&a=1", "?a=1&a", "?A=B&c=D", "?&a=1", "?a=1&", "?&&", "?=", "?sid=0123456789abcdef0123456789abcdef", "?a=1&PHPSESSID=0123456789abcdef0123456789abcdef&b=2", "?a=%41", "?a=b+c", "?a=1?b=2", "?a-b=1&a=2", "?a=1#b", "?q=a/b.c"}
	plain := 0
	for _, scheme := range []string{"http://", "https://", "HTTP://", "http:/", "httpss://", "http"} {
		for _, h := range hosts {
			for _, p := range paths {
				for _, q := range queries {
					url := scheme + h + p + q
					key, ok := plainSURT(url)
					if !ok {
						continue
					}
					plain++
					if want := fullSURT(url); key != want {
						t.Errorf("%s: %s, want %s", url, key, want)
					}
				}
			}
		}
	}
	if plain < 500 {
		t.Errorf("%d URLs were plain", plain)
	}
}

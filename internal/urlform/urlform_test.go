package urlform_test

import (
	"net/url"
	"testing"

	"github.com/refrain-archive/refrain/internal/urlform"
)

func TestCanonical(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"HTTP://Example.ORG:80", "http://example.org/"},
		{"https://example.org:443/a/../b?x=1#part", "https://example.org/a/../b?x=1"},
		{"https://example.org:8443/", "https://example.org:8443/"},
		{"https://example.org/p?utm_source=x&id=7&fbclid=abc&b=2", "https://example.org/p?id=7&b=2"},
		{"https://example.org/p?gclid=1", "https://example.org/p"},
		{"https://example.org/P%2fq?B=2&a=1&a=1", "https://example.org/P%2fq?B=2&a=1&a=1"},
		{"https://user:secret@example.org/", "https://example.org/"},
		{"https://bücher.example/ä?q=ü b", "https://xn--bcher-kva.example/%C3%A4?q=%C3%BC%20b"},
		{"https://[2001:DB8::1]:443/", "https://[2001:db8::1]/"},
		{"mailto:a@example.org", ""},
		{"javascript:void(0)", ""},
		{"https:///path", ""},
		{"/relative", ""},
		{"https://exa mple.org/", ""},
	} {
		got, ok := urlform.CanonicalString(test.in)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("Canonical(%q) = %q, %v, want %q", test.in, got, ok, test.want)
		}
	}
}

func TestSameSite(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://www.example.org/a", "http://blog.example.org/b", true},
		{"https://example.co.uk/", "https://other.co.uk/", false},
		{"https://ana.blogspot.com/", "https://eva.blogspot.com/", false}, // each blog is a site of its own
		{"http://127.0.0.2:80/", "http://127.0.0.3:80/", false},
		{"http://127.0.0.2:8080/a", "http://127.0.0.2:8080/b", true},
		{"http://127.0.0.2:8080/a", "http://127.0.0.2:8081/b", false},
		{"http://localhost/a", "http://localhost/b", true},
	} {
		a, b := mustParse(t, test.a), mustParse(t, test.b)
		if got := urlform.SameSite(a, b); got != test.want {
			t.Errorf("SameSite(%s, %s) = %v", test.a, test.b, got)
		}
	}
}

// The canonical form of a canonical form is itself, whatever came in.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"http://example.org", "https://example.org/a?utm_a=1&&b=c d#x", "http://[::1]:80/%zz", "https://ü.example/ü?ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, ok := urlform.CanonicalString(s)
		if !ok {
			return
		}
		if twice, ok := urlform.CanonicalString(once); !ok || twice != once {
			t.Errorf("%q: %q becomes %q, %v", s, once, twice, ok)
		}
	})
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

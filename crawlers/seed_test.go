package crawlers_test

import (
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
)

func TestParseSeed(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"https://plaza.example/u/ana", "https://plaza.example/u/ana"},
		{"  plaza.example/u/ana\n", "https://plaza.example/u/ana"},
		{"<https://plaza.example/a'b/../c?x=1#f>", "https://plaza.example/a'b/../c?x=1#f"},
		{"“plaza.example”", "https://plaza.example"},
		{"//plaza.example/x", "https://plaza.example/x"},
		{"HTTP://PLAZA.example:80/X", "http://plaza.example/X"},
		{"plaza.example:8080/x", "https://plaza.example:8080/x"},
		{"localhost:8080", "https://localhost:8080"},
		{"http://[::1]:8080/", "http://[::1]:8080/"},
		{"http://127.0.0.1/", "http://127.0.0.1/"},
		{"https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"},
		{"a_b.plaza.example", "https://a_b.plaza.example"},
		{"feed://plaza.example/rss", "https://plaza.example/rss"},
		{"r/golang", "https://www.reddit.com/r/golang/"},
		{"/u/Some-One/", "https://www.reddit.com/user/Some-One/"},
		{"youtube:@Some.Channel", "https://www.youtube.com/@Some.Channel"},
		{"twitter:@jack_1", "https://x.com/jack_1"},
		{"livejournal:@ab_cd", "https://ab-cd.livejournal.com/"},
		{"@ana@social.example", "https://social.example/@ana"},
	} {
		s, err := crawlers.ParseSeed(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
		} else if s.URL.String() != test.want {
			t.Errorf("%q is %s, want %s", test.text, s.URL, test.want)
		}
	}
	for _, test := range []struct{ text, want string }{
		{"", "empty"},
		{" \t", "empty"},
		{"plaza", "not a host name"},
		{"@ana", "write its platform too"},
		{"nowhere:@ana", "not known here"},
		{"ftp://plaza.example/", "not ftp"},
		{"javascript:alert(1)", "not javascript"},
		{"file:///etc/passwd", "not file"},
		{"mailto:ana@plaza.example", "not mailto"},
		{"https://", "names no host"},
		{"https://plaza.example/a b", "white space"},
		{"https://plaza.example/%zz", "invalid URL escape"},
		{"https://ana:secret@plaza.example/", "leave out the user name"},
		{"https://pla za.example", "white space"},
		{"https://exa$mple.org/", "not a host name"},
		{"a..b", "not a host name"},
	} {
		s, err := crawlers.ParseSeed(test.text)
		if err == nil {
			t.Errorf("%q is taken for %s", test.text, s.URL)
		} else if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %q does not say %q", test.text, err, test.want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}

func TestParseSeeds(t *testing.T) {
	seeds, err := crawlers.ParseSeeds("seeds.txt", strings.NewReader("\ufeff# accounts\nplaza.example/u/ana   # the first\n\nplaza\r\nhttps://plaza.example/#x\r\nftp://x.example\n"))
	if len(seeds) != 2 || seeds[0].URL.String() != "https://plaza.example/u/ana" || seeds[1].URL.Fragment != "x" {
		t.Errorf("seeds %+v", seeds)
	}
	if err == nil || !strings.Contains(err.Error(), "seeds.txt line 4: ") || !strings.Contains(err.Error(), "seeds.txt line 6: ") {
		t.Errorf("error %v does not name lines 4 and 6", err)
	}
	if _, err := crawlers.ParseSeeds("long.txt", strings.NewReader(strings.Repeat("x", 1<<20))); err == nil || !strings.Contains(err.Error(), "long.txt line 1: ") {
		t.Errorf("error %v", err)
	}
}

func FuzzParseSeed(f *testing.F) {
	for _, s := range []string{"plaza.example/u/ana", "<https://bücher.example>", "youtube:@a", "@a@b.example", "[::1]:x", "//", "r/x", ".."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := crawlers.ParseSeed(text)
		if err != nil {
			return
		}
		if s.URL.Host == "" || s.URL.Scheme != "http" && s.URL.Scheme != "https" {
			t.Errorf("%q is taken for %q", text, s.URL)
		}
		again, err := crawlers.ParseSeed(s.URL.String())
		if err != nil || again.URL.String() != s.URL.String() {
			t.Errorf("%q is %q, which is %v (%v)", text, s.URL, again.URL, err)
		}
	})
}

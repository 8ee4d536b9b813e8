package htmltext

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/post"
)

func TestFragment(t *testing.T) {
	base, _ := url.Parse("https://ana.example/2026/post.html")
	for _, test := range []struct {
		name, src, text string
		links           []string
		media           []post.Media
	}{
		{name: "empty"},
		{name: "entities decoded once", src: "a &amp;lt; b", text: "a &lt; b"},
		{name: "paragraphs and breaks", src: "<p>One<br>two</p><p>three  four\n five</p>", text: "One\ntwo\n\nthree four five"},
		{name: "pre keeps blanks", src: "<pre>a  b\n c</pre>d", text: "a  b\n c\n\nd"},
		{name: "scripts are not text", src: "x<script>alert(1)</script><style>p{}</style>y", text: "xy"},
		{name: "inline markup parts no word", src: "wo<b>rd</b> <i>next</i>", text: "word next"},
		{name: "ideographic space stays", src: "你\u3000好", text: "你\u3000好"},
		{name: "links once, absolute", src: `<a href="/x?a=1&amp;b=2">x</a><a href="/x?a=1&b=2">again</a><a href="javascript:x">j</a>`, text: "xagainj", links: []string{"https://ana.example/x?a=1&b=2"}},
		{name: "images without counting pixel", src: `<img src="a.png" alt="A" width="300" height="200"><img src="/stat" width=1 height=1>`,
			media: []post.Media{{Kind: "image", URL: "https://ana.example/2026/a.png", Alt: "A", Width: 300, Height: 200}}},
		{name: "video source", src: `<video><source src="//v.example/a.mp4"></video>`, media: []post.Media{{Kind: "video", URL: "https://v.example/a.mp4"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Fragment(test.src, base)
			if got.Text != test.text {
				t.Errorf("text %q, want %q", got.Text, test.text)
			}
			if !reflect.DeepEqual(got.Links, test.links) {
				t.Errorf("links %q, want %q", got.Links, test.links)
			}
			if !reflect.DeepEqual(got.Media, test.media) {
				t.Errorf("media %+v, want %+v", got.Media, test.media)
			}
		})
	}
}

// plainTexts have no tags: they are read without a parser.
var plainTexts = []string{"", " ", "a  b\r\n c", "a &amp; b &copy &notit; &#39;&#13;&#0; &x= &", "\u00a0a\u00a0", "\ufeffa", "a > b ]]> --> \v\f x", "&nbsp; a &nbsp;", "&lt;p&gt;x&lt;/p&gt;"}

func TestPlainText(t *testing.T) {
	for _, src := range plainTexts {
		if got, want := Fragment(src, nil), parsed(src, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, the parser gives %+v", src, got, want)
		}
	}
}

func FuzzPlainText(f *testing.F) {
	for _, src := range plainTexts {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if got, want := Fragment(src, nil), parsed(src, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, the parser gives %+v", src, got, want)
		}
	})
}

// slowResolve is Resolve by net/url alone.
func slowResolve(href string, base *url.URL) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return "", false
	}
	u = base.ResolveReference(u)
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	return u.String(), true
}

func FuzzResolve(f *testing.F) {
	for _, href := range []string{"/a/b.html?x=1&y=2", "/", "//h/a", "/a//b/", "/..", "/a/./b", "/.a", "/a.", "/a/..b", "/a?", "/a?b?c", "/a?/../b", "/a?b=/.", "a", "#x", "/%41", "/ü", "/a:b", "mailto:x", "/a/b/.?x", " /a\n", "/a-_9"} {
		for _, base := range []string{"https://ana.example/2026/post.html?q#f", "HTTP://Ana.Example:8080", "http://u:p@h/", "https://[::1]:8/x", "ftp://h/x", "https:///x", "http://a_b.example/x", "mailto:x", "http://h%41/x"} {
			f.Add(href, base)
		}
	}
	f.Fuzz(func(t *testing.T, href, from string) {
		base, err := url.Parse(from)
		if err != nil {
			return
		}
		got, ok := Resolve(href, base)
		want, wantOK := slowResolve(href, base)
		if got != want || ok != wantOK {
			t.Errorf("%q on %q is %q, %v; want %q, %v", href, from, got, ok, want, wantOK)
		}
	})
}

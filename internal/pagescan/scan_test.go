package pagescan

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// tokens tells what html.Tokenizer sees in a page: tags with their place, name
// and attributes, and text.
func tokens(page []byte) []string {
	var all []string
	z := html.NewTokenizer(bytes.NewReader(page))
	for at := 0; ; {
		kind := z.Next()
		start := at
		at += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			return all
		case html.TextToken:
			all = append(all, fmt.Sprintf("text %d-%d", start, at))
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			s := fmt.Sprintf("%v %d-%d %s", kind, start, at, name)
			for more {
				var k, v []byte
				k, v, more = z.TagAttr()
				s += fmt.Sprintf(" %q=%q", k, v)
			}
			all = append(all, s)
		case html.EndTagToken:
			name, _ := z.TagName()
			all = append(all, fmt.Sprintf("%v %d-%d %s", kind, start, at, name))
		}
	}
}

// scanned tells the same of a scanner.
func scanned(page []byte) []string {
	var all []string
	z := scanner{page: page}
	for {
		kind := z.next()
		switch kind {
		case tokenEnd:
			return all
		case tokenText:
			all = append(all, fmt.Sprintf("text %d-%d", z.start, z.at))
		case tokenStart, tokenEmpty:
			as := html.StartTagToken
			if kind == tokenEmpty {
				as = html.SelfClosingTagToken
			}
			s := fmt.Sprintf("%v %d-%d %s", as, z.start, z.at, z.tag())
			seen := map[string]bool{}
			for i := range z.attrs {
				low := lower(z.attrs[i].key)
				if seen[low] {
					continue // the first counts
				}
				seen[low] = true
				key := bytes.ReplaceAll([]byte(low), []byte{0}, []byte("\ufffd"))
				s += fmt.Sprintf(" %q=%q", key, z.attrs[i].value())
				if got := z.attrs.Get(low); got != z.attrs[i].value() {
					s += fmt.Sprintf(" but Get gives %q", got)
				}
			}
			all = append(all, s)
		case tokenClose:
			all = append(all, fmt.Sprintf("%v %d-%d %s", html.EndTagToken, z.start, z.at, z.tag()))
		}
	}
}

// slowText is Text by html.Tokenizer.
func slowText(src []byte) string {
	var b bytes.Buffer
	z := html.NewTokenizer(bytes.NewReader(src))
	raw := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return string(bytes.Join(bytes.Fields(b.Bytes()), []byte(" ")))
		case html.TextToken:
			if !raw {
				b.Write(z.Text())
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			raw = string(name) == "script" || string(name) == "style"
			if !raw && !inline(name) {
				b.WriteByte(' ')
			}
		case html.EndTagToken:
			raw = false
		}
	}
}

func compareScan(t *testing.T, page []byte) {
	t.Helper()
	want, got := tokens(page), scanned(page)
	for i := range max(len(want), len(got)) {
		w, g := "nothing", "nothing"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			t.Fatalf("token %d is %s, html.Tokenizer sees %s", i, g, w)
		}
	}
	if want, got := slowText(page), Text(page); got != want {
		t.Fatalf("text %q, by html.Tokenizer %q", got, want)
	}
}

// hard are pieces of markup that readers disagree on.
var hard = []string{
	`<!-- <div class="x">no</div> --><!--><p><!---><p><!-- a --!><p><!-- --!x --><p><!-- --!- --><p><!-->`, `<!doctype html><p></p>`, `<!x`, `<!-`, `<!>a`, `<!`, `<?xml a="1>2"?><b>`, `<![CDATA[ <b> ]]><i>`,
	`</><b></ x><i></`, `<`, `a < b <c>d`, `<<a>`, `<a`, `<a href`, `<a href=`, `<a href="x`, `<a href=x`, `</a`, `</a b="c">`,
	`<a/><a /><a b/><a b=/><a b="/"><a b='c'/><a b=c/><a B=1 b=2/><a B=1 b=/><a = ==x =y='z'>`, "<a\tb\n=\r'c\r\nd\re'\ff>", `<A HREF=X>y</A>`,
	`<p a=&amp b=&amp; c=&ampx d=&amp= e="&notit; &not &not= &#39; &#x27; &#x2019; &#128; &#0; &#xD800; &#99999999; &#; &#x; &# &; & &copy; &copy &NotEqualTilde; ?a=b&c=d&e=f&lang=x" f="&apos;&nbsp;&lt;&gt;&quot;">`,
	`<p a='"&copy;' b="'&copy;" c=x"y'&copy;z>&amp &ampx &notit; &#39; &copy</p>`, "<p a=\"b\x00c\" d\x00=e><a\x00b></a\x00b>\x00",
	`<script>"<div class='x'>no</div>"</script><SCRIPT>a</Script ><script>x</scripty></script/><b>`, `<script><!-- <script> </script> --> </script><b>`, `<script><!-- <script> </script> x </script><b>`, `<script><!-- </script><b>`,
	`<script><!--<x> a <!--></script>`, `<script><!-- <script></script>--></script><b>`, `<script><!-- < </script><b>`, `<script><!-- a--></script><b>`, `<script><!-- <scriptx </script><b>`, `<script><!-- <script/ --> </script><b>`, `<script><!-- </scriptx> </script><b>`, `<script`, `<script>`, `<script></script`, `<script><!`, `<script><!-`, `<script/><b></script><i>`,
	`<style>a<b</style><title>x &amp; <b>y</b></title><textarea>&lt;<p></textarea><iframe><p></iframe><noscript><p></noscript><xmp><p></xmp><noembed><b></noembed><noframes><b></noframes>`, `<title>x`, `<plaintext><b></plaintext>`, `<plaintext>`, "<title>\x00</title>",
}

func TestScanSeesWhatTokenizerSees(t *testing.T) {
	for _, page := range hard {
		compareScan(t, []byte(page))
	}
}

// TestScanRecordings compares on each recorded page.
func TestScanRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings"), "*", "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, path := range files {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) { compareScan(t, page) })
	}
}

func FuzzScan(f *testing.F) {
	for _, page := range hard {
		f.Add([]byte(page))
	}
	f.Fuzz(func(t *testing.T, page []byte) { compareScan(t, page) })
}

func BenchmarkFind(b *testing.B) {
	page := bytes.Repeat([]byte(`<div class="_1abc _2def x" data-ft="{&quot;tn&quot;:&quot;*s&quot;}"><a href="/a?b=c&amp;d=e" class=y><span>Words of some length in a span</span></a></div>`), 2000)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if len(Find(page, func(tag string, a Attrs) bool { return a.HasClass("z") || a.Get("data-ft") == "x" })) > 0 {
			b.Fatal("found")
		}
	}
}

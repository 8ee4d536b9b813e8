package web

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// checkScan compares the quick scan of a page with html.Tokenizer's. The
// tokenizer is the standard; where text is wanted, scan uses it alone.
func checkScan(t *testing.T, body []byte) bool {
	t.Helper()
	address := &url.URL{Scheme: "https", Host: "example.org", Path: "/a/b"}
	quick, want := newDocument(address), newDocument(address)
	if !quick.scanLinks(body) {
		return false
	}
	want.scan(body, true)
	if !reflect.DeepEqual(quick, want) {
		t.Fatalf("of %.200q\nquick     title %q base %v lang %q canonical %q next %q links %q meta %v\ntokenizer title %q base %v lang %q canonical %q next %q links %q meta %v", body,
			quick.title, quick.base, quick.lang, quick.canonical, quick.next, quick.links, quick.meta,
			want.title, want.base, want.lang, want.canonical, want.next, want.links, want.meta)
	}
	return true
}

var scanCases = []string{
	`<HTML lang="de"><base href=/x/><TITLE>A &amp; B
</TITLE><a href="c">d</a><A HREF='e' rel=next>f</A>`,
	`<a href="?a=1&copy=2&amp;b=3">x</a><a href=?x=1&lt;y>`,
	`<p title=it's><a href=a"b>x</a><a title="a>b" href=c><a href="never closed>`,
	`<!-- <a href=no> --><!--> <a href=yes><!---><a href=yes2><!-- a --!><a href=yes3><!-- a -- b ---><a href=yes4>`,
	`<![CDATA[<a href=x>]]></ a href=n><a href=y></><?php <a href=z>?><a/href=w><area href = "v" />`,
	`<script>var a = "<a href=no>"</script><style><a href=no></style><textarea><a href=no></textarea><noscript><a href=no></noscript><a href=yes>`,
	`<title>one</title><svg><title>two</title></svg><title></title>`,
	`<meta name="description" content="x"><meta http-equiv=refresh content="0;url=/n"><link rel="canonical" href="/c"><link rel=next href=2>`,
	`<a href="b
c"><a href=1><a href="d` + "\r\n\x00" + `e"><a` + "\x0c" + `href=f><iframe><a href=no></iframe><xmp><a href=no></xmp ><a href=g><plaintext><a href=no>`,
	`<script><!-- <script> --></script><a href=x>`,
	`<a href=x`, `<`, `</`, `<!`, `<!-`, `<a =x href=y>`, `<a href==x>`, `<a href = >`, `<title>x`, `<A href HREF=0>`, "<a href=\x00>", `<a a b c d e f g h i j k l m n o p q r s t HREF=x A=2 title=y href=z>`, `<a href=x href=y>`,
}

func TestScanAgreesWithTokenizer(t *testing.T) {
	refused := 0
	for _, c := range scanCases {
		if !checkScan(t, []byte(c)) {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d cases were refused, want the one with a comment in its script", refused)
	}
	names, err := filepath.Glob("testdata/*.html")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		checkScan(t, body)
	}
}

func FuzzScan(f *testing.F) {
	for _, c := range scanCases {
		f.Add([]byte(c))
	}
	f.Fuzz(func(t *testing.T, body []byte) { checkScan(t, body) })
}

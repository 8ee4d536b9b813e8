package replay

import (
	"bytes"
	"strings"
	"testing"
)

// seeds are documents that try to get out.
var seeds = []string{
	`<p>plain<a href="x?a=1&amp;b">y</a>`,
	`<script>alert(1)</script><svg><script>alert(1)</script><script/>x</svg>`,
	`<img src=x onerror=alert(1)><body onload=alert(1)><a href="java&#x09;script:alert(1)">`,
	`<style>@import "http://evil.example/a";b{c:url(http://evil.example)}</style>`,
	`<svg><style>&lt;img src=x onerror=alert(1)></style><p><style><!--</style><img src=x onerror=alert(1)>--></style>`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<iframe srcdoc="<script>alert(1)</script><iframe srcdoc='<img src=//evil.example>'>"></iframe><iframe src="data:text/html,<script>">`,
	`<textarea><script>alert(1)</script></textarea><title></title><img src=//evil.example></title>`,
	`<base href="http://evil.example/"><img src=i><base href=x>`,
	`<meta http-equiv=refresh content="0;url=javascript:alert(1)"><meta http-equiv="refresh" content='1; "http://evil.example">`,
	`<img srcset="http://evil.example/a 1x, b, data:image/png;base64,AA 3x,(,) c">`,
	`<svg><a xlink:href="javascript:alert(1)"><set attributeName="xlink:href" to="javascript:alert(1)"/><image href="http://evil.example"/><use href="data:image/svg+xml,x"/></a></svg>`,
	`<!-- --!><img src=//evil.example><!--><img src=x><!--->`, `<![CDATA[<img src=//evil.example>]]>`,
	`<xmp><img src=x></xmp><plaintext><img src=x>`, `<a"b='c' d=e/f=>`, `<img/src/onerror=alert(1)//src=x>`, "<img src=\"x`\"\x00 o\x00nerror=1>",
	`<style>a{b:u\72l("http://evil.example");c:image-set("http://evil.example" 1x);--d:"//evil.example"}</style>`,
	`<p style="background:url(//evil.example);x:\75 rl('http://evil.example')">`,
	`<select><template><style></select><img src=//evil.example></style></template>`,
	"<style>a{b:url(\"http://evil.example\n\");c:url('x\\'", `<frameset><frame src=//evil.example></frameset><noframes><img src=x></noframes>`,
}

func FuzzHTML(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, mod := range []Mod{Page, Inner} {
			target := page
			target.Mod = mod
			out := AppendHTML(nil, doc, "text/html; charset=utf-8", target)
			judge(t, doc, out, judgeHTML(out, "/a/20260131120000"))
			out = AppendXHTML(nil, doc, "application/xhtml+xml", target)
			judge(t, doc, out, judgeHTML(out, "/a/20260131120000"))
		}
		// An SVG must be as safe for those who read it as HTML.
		out := AppendSVG(nil, doc, "image/svg+xml", page)
		judge(t, doc, out, judgeHTML(out, "/a/20260131120000"))
	})
}

// judge fails for a judgement, and for more output than there can be: each byte
// may begin a reference, which takes the prefix and the document's URL.
func judge(t *testing.T, in, out []byte, err error) {
	if err != nil {
		t.Fatalf("%v\n in  %q\n out %q", err, in, out)
	}
	if len(out) > 300*len(in)+1000 {
		t.Fatalf("%d bytes became %d", len(in), len(out))
	}
}

func FuzzCSS(f *testing.F) {
	for _, s := range []string{
		`a{b:url(x)}`, `@import "x";`, `a{b:u\72 l(http://evil.example)}`, `@\69mport url(//evil.example)`, `a{--x:"http://evil.example"}`,
		`a{b:image-set("x" 1x, var(--y, "http://evil.example"))}`, `/*`, `"`, `a{b:url("x`, "a{b:'x\ny", `\`, `<!-- --> </style><img src=x>`, `@charset "x";@namespace url(http://x);`,
		`a{b:url(x y)}`, `url(\29)`, `@import url(http://evil.example) layer("x");`, `& #a{}&#x41;&amp;`, `@property --a{initial-value:"//evil.example"}`, `@url(0`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, css []byte) {
		css = bytes.ToValidUTF8(css, nil)
		l := page.linker("utf-8")
		for _, markup := range []bool{false, true} {
			out := l.appendCSS(nil, css, markup)
			judge(t, css, out, judgeCSS(string(out), "/a/20260131120000"))
			again := l.appendCSS(nil, out, markup)
			if bytes.Count(again, []byte("url(")) < bytes.Count(out, []byte("url(")) {
				t.Fatalf("what was written is read differently\n in    %q\n out   %q\n again %q", css, out, again)
			}
			if !markup {
				continue
			}
			// In a style element of HTML and of SVG alike.
			for _, doc := range []string{"<style>" + string(out) + "</style><p>", "<svg><style>" + string(out) + "</style></svg><p>"} {
				judge(t, css, out, judgeHTML([]byte(doc), "/a/20260131120000"))
			}
		}
	})
}

func FuzzSrcset(f *testing.F) {
	for _, s := range []string{"a 1x, b 2x", "a,b", ", ,a,,", "data:image/png;base64,A 1x,b", "a (,) 1x, b", "http://evil.example/x,", "//evil.example 1x\x00", "javascript:x 1x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, set []byte) {
		l := page.linker("utf-8")
		out := l.appendSrcset(nil, bytes.ToValidUTF8(set, nil))
		for _, u := range srcsetURLs(string(out)) {
			judge(t, set, out, judgeURL(u, "/a/20260131120000", true))
		}
		if strings.ContainsAny(string(out), "\"<>") {
			t.Fatalf("%q needs escaping", out)
		}
		if len(out) > 300*len(set)+100 {
			t.Fatalf("%d bytes became %d", len(set), len(out))
		}
	})
}

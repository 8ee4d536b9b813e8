package replay

import (
	"strings"
	"testing"
)

// page is where the documents of the tests stand.
var page = Target{Prefix: "/a/20260131120000", URL: "http://site.example/dir/page.html?q=1", Mod: Page}

func TestAppendHTML(t *testing.T) {
	const p = "/a/20260131120000"
	for _, test := range []struct{ name, in, want string }{
		{"a link goes to a page with a banner", `<a href="x.html#top">x</a>`, `<a href="` + p + `/http://site.example/dir/x.html#top" target="_top">x</a>`},
		{"a fragment stays", `<a href=#top>`, `<a href="#top">`},
		{"an image", `<img src=/i.png alt="a < b">`, `<img src="` + p + `im_/http://site.example/i.png" alt="a &lt; b">`},
		{"another host", `<img src=//cdn.example/i.png>`, `<img src="` + p + `im_/http://cdn.example/i.png">`},
		{"character references", `<img src="a.php?x=1&amp;y=2&copy=3&#x26;z">`, `<img src="` + p + `im_/http://site.example/dir/a.php?x=1&amp;y=2&amp;copy=3&amp;z">`},
		{"dot segments", `<img src="../../../%2e%2e/i.png">`, `<img src="` + p + `im_/http://site.example/i.png">`},
		{"dots in a query", `<img src="i?u=/../x">`, `<img src="` + p + `im_/http://site.example/dir/i?u=/../x">`},
		{"a query alone", `<img src="?w=2">`, `<img src="` + p + `im_/http://site.example/dir/page.html?w=2">`},
		{"blanks and tabs", "<img src=' http://ex\tample.com/a b '>", `<img src="` + p + `im_/http://example.com/a%20b">`},
		{"backslashes", `<img src="\\evil.example\i.png">`, `<img src="` + p + `im_/http://evil.example/i.png">`},
		{"letters", `<img src="é.png">`, `<img src="` + p + `im_/http://site.example/dir/%C3%A9.png">`},
		{"script", `a<script>document.write("<b>")</script>b<SCRIPT src=x></SCRIPT >c`, `abc`},
		{"script that hides its end", `a<script><!--<script></script>x</script>--></script>b`, `a-->b`},
		{"event handlers", `<b onclick=x OnLoad=y ok=z>`, `<b ok="z">`},
		{"javascript links", `<a href="java&#10;script:alert(1)">x</a>`, `<a>x</a>`},
		{"mail", `<a href="mailto:a@b.example">x</a>`, `<a data-refrain-href="mailto:a@b.example">x</a>`},
		{"forms", `<form action=/send method=post><button formaction=x>`, `<form data-refrain-action="/send"><button data-refrain-action="x">`},
		{"noscript shows", `<noscript><img src=i></noscript>`, `<img src="` + p + `im_/http://site.example/dir/i">`},
		{"base", `<base href=//b.example/c/ target=_blank><img src=i>`, `<img src="` + p + `im_/http://b.example/c/i">`},
		{"preconnect", `<link rel=preconnect href=//x><link rel="preload stylesheet" href=y><link rel=stylesheet href=s.css integrity=q>`, `<link rel="stylesheet" href="` + p + `cs_/http://site.example/dir/s.css">`},
		{"srcset", `<img srcset="a.png, /b,c.png 2x,, data:image/png;base64,AA== 3x">`, `<img srcset="` + p + `im_/http://site.example/dir/a.png, ` + p + `im_/http://site.example/b,c.png 2x, data:image/png;base64,AA== 3x">`},
		{"style", `<style>@import "x.css"; a{background:url(i.png)} b>c{}</style>`, `<style>@import "` + p + `cs_/http://site.example/dir/x.css"; a{background:url("` + p + `im_/http://site.example/dir/i.png")} b>c{}</style>`},
		{"style that ends early for others", `<style>a{content:"</sty\le><img src=x>"}</style>`, `<style>a{content:"\3c /style>\3c img src=x>"}</style>`},
		{"style attribute", `<p style="background:url('&quot;x')">`, `<p style="background:url(&#34;` + p + `im_/http://site.example/dir/%22x&#34;)">`},
		{"a frame", `<iframe src=f.html onload=x>no frames<script></iframe>`, `<iframe src="` + p + `if_/http://site.example/dir/f.html"></iframe>`},
		{"a frame with a document", `<iframe srcdoc="<script>x</script><img src=i>">`, `<iframe srcdoc="&lt;img src=&#34;` + p + `im_/http://site.example/dir/i&#34;&gt;"></iframe>`},
		{"a frame with data", `<iframe src="data:text/html,<script>"></iframe>`, `<iframe></iframe>`},
		{"comments", `a<!-- <b> -->b<!-->c<!--->d<!--x--!>e`, `abcde`},
		{"text", `1 < 2 & 3 <`, `1 &lt; 2 & 3 &lt;`},
		{"a title with markup", `<title><b></title>`, `<title>&lt;b></title>`},
		{"old text", `<xmp><b>&amp;</xmp>`, `<pre>&lt;b&gt;&amp;amp;</pre>`},
		{"broken tags", `<a"b><img src="x`, ``},
		{"CDATA in SVG", `<svg><![CDATA[<img src=x>]]></svg><![CDATA[<b>]]>`, `<svg>&lt;img src=x&gt;</svg>]]>`},
		{"style in SVG", `<svg><style>&lt;a&gt;{fill:u&#114;l(x)}</style><script/><use href="#a"/></svg>`, `<svg><style>< a>{fill:url("` + p + `im_/http://site.example/dir/x")}</style><use href="#a"/></svg>`},
		{"animated links", `<svg><a><set attributeName=href to=javascript:x /><animate attributeName=x values=1;2 /></a></svg>`, `<svg><a><animate attributename="x" values="1;2"/></a></svg>`},
		{"a lazy image", `<img data-src=l.png src="data:image/gif;base64,R0">`, `<img src="` + p + `im_/http://site.example/dir/l.png" data-src="l.png">`},
		{"refresh", `<meta http-equiv=refresh content="3; URL='n.html'"><body class=x>`, `<body class="x"><p style="background:#fff8c4;color:#222;font:14px/1.4 sans-serif;border:1px solid #b59b00;padding:6px 10px;margin:4px">[Not followed here. This page forwards, after 3 s, to <a href="` + p + `/http://site.example/dir/n.html" target="_top">n.html</a>]</p>`},
		{"an image as an object", `<object data=i.png type=image/png width=2></object>`, `<img src="` + p + `im_/http://site.example/dir/i.png" width="2">`},
		{"a page made by its scripts", "<title>App</title><div id=root>\n</div><script>" + strings.Repeat("x", 2500) + "</script>", "<title>App</title><div id=\"root\">\n</div>" + `<p style="` + noteStyle + `">[Nothing is shown: this page is made by its scripts (3 kB), which do not run here. ReplayWeb.page runs them; what refrain read from the page, refrain show tells.]</p>`},
		{"a name that is none in HTML", `<_g>x</_g>`, `&lt;_g>x`},
		{"a doctype", `<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd"><p>`, `<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd"><p>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := string(AppendHTML(nil, []byte(test.in), "text/html; charset=utf-8", page))
			if got != test.want {
				t.Errorf("\n in   %s\n got  %s\n want %s", test.in, got, test.want)
			}
		})
	}
}

func TestAppendCSS(t *testing.T) {
	const p = "/a/20260131120000"
	for _, test := range []struct{ name, in, want string }{
		{"plain", "a{color:red}/* x */b{}", "a{color:red}/**/b{}"},
		{"url", `a{b:url( "x.png" )}`, `a{b:url( "` + p + `im_/http://site.example/dir/x.png" )}`},
		{"escaped name", `a{b:\75\72\6c(x)}`, `a{b:url("` + p + `im_/http://site.example/dir/x")}`},
		{"escaped quotes", `a{b:url(x\"\)y)}`, `a{b:url("` + p + `im_/http://site.example/dir/x%22)y")}`},
		{"imports", `@IMPORT url(a.css) screen;@\69mport 'b.css';`, `@IMPORT url("` + p + `cs_/http://site.example/dir/a.css") screen;@import "` + p + `cs_/http://site.example/dir/b.css";`},
		{"image-set", `a{b:image-set("x.png" 1x type("image/png"), url(y) 2x)}`, `a{b:image-set("` + p + `im_/http://site.example/dir/x.png" 1x type("image/png"), url("` + p + `im_/http://site.example/dir/y") 2x)}`},
		{"text stays text", `a:after{content:"http://x.example/"}`, `a:after{content:"http://x.example/"}`},
		{"var", `a{--u:"//x.example/i";b:image-set(var(--u, "q") 1x)}`, `a{--u:"` + p + `im_/http://x.example/i";b:image-set(var(--u, "` + p + `im_/http://site.example/dir/q") 1x)}`},
		{"namespace", `@namespace svg url(http://www.w3.org/2000/svg);`, `@namespace svg "http://www.w3.org/2000/svg";`},
		{"charset", `@charset "utf-8";a{}`, `a{}`},
		{"hidden from old browsers", `<!-- a{} -->`, ` a{} `},
		{"not closed", `a{b:url(x`, `a{b:url("` + p + `im_/http://site.example/dir/x")`},
		{"string over a line", "a{b:\"x\ny:url(z)}", "a{b:\"\ny:url(\"" + p + "im_/http://site.example/dir/z\")}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(AppendCSS(nil, []byte(test.in), "text/css", page)); got != test.want {
				t.Errorf("\n in   %s\n got  %s\n want %s", test.in, got, test.want)
			}
		})
	}
}

func TestAppendSVG(t *testing.T) {
	in := `<?xml version="1.0" encoding="iso-8859-1"?><!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" xmlns:x="http://www.w3.org/1999/xlink">` +
		`<x:script>1</x:script><script><![CDATA[x]]></script><image x:href="http://evil.example/"/><linearGradient id="a"/><text>` + "\xe9&nbsp;</text></svg>"
	want := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" xmlns:x="http://www.w3.org/1999/xlink"><image/><linearGradient id="a"/><text>é` + "\u00a0</text></svg>"
	if got := string(AppendSVG(nil, []byte(in), "image/svg+xml", page)); got != want {
		t.Errorf("\n got  %s\n want %s", got, want)
	}
}

// A short page with a long base must not grow without bound.
func TestOutputIsBounded(t *testing.T) {
	target := page
	target.URL = "http://site.example/" + strings.Repeat("x", 10_000) + "/"
	w := htmlWriter{l: target.linker("utf-8"), limit: 1 << 20}
	w.run([]byte(strings.Repeat("<a href=a>", 200_000)))
	if len(w.dst) > 1<<20+64<<10 {
		t.Errorf("%d bytes were written", len(w.dst))
	}
	if !strings.Contains(string(w.dst[len(w.dst)-200:]), "not shown") {
		t.Error("the page does not say that it was cut")
	}
}

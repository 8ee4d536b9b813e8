package pagescan

import "testing"

func TestFind(t *testing.T) {
	page := []byte(`<!-- <div class="x">no</div> --><script>"<div class='x'>no</div>"</script>
<div class="a x"><p>One<div>two &amp; <b>th</b>ree</div></div><div class=x>four<p></div><div class="x">open`)
	found := Find(page, func(tag string, a Attrs) bool { return tag == "div" && a.HasClass("x") })
	var got []string
	for _, e := range found {
		got = append(got, e.Text())
	}
	want := []string{"One two & three", "four", "open"}
	if len(got) != len(want) {
		t.Fatalf("found %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("element %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestReadHead(t *testing.T) {
	h := ReadHead([]byte(`<html lang=fr><title>A &amp;
 B</title><!-- <meta property="og:url" content="no"> --><meta content='x &#39;y&#39;' property='OG:title'/><link rel="alternate canonical" href="/c">
<script type="application/ld+json">{"@graph":[{"@type":"A","n":1},{"@type":"B"}]}</script><meta name=tag content=1><meta name=tag content=2>`))
	if h.Lang != "fr" || h.Title != "A & B" || h.Meta("none", "og:title") != "x 'y'" || h.Meta("og:url") != "" || h.Link("canonical") != "/c" {
		t.Errorf("head %+v", h)
	}
	if len(h.LD) != 3 || len(h.All("tag")) != 2 {
		t.Errorf("%d ld+json objects, tags %q", len(h.LD), h.All("tag"))
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(`<div class=x><p>a</div>`))
	f.Add([]byte(`<title>x`))
	f.Fuzz(func(t *testing.T, page []byte) {
		ReadHead(page)
		for _, e := range Find(page, func(tag string, a Attrs) bool { return tag == "div" }) {
			if len(e.Inner) > len(page) {
				t.Fatal("an element is larger than its page")
			}
			e.Text()
		}
	})
}

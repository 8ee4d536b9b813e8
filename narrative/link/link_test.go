package link

import (
	"net/url"
	"strings"
	"testing"
)

// Each row's addresses are one target, and no two rows have the same.
func TestOneTarget(t *testing.T) {
	o := Options{
		Native: func(u *url.URL) (string, bool) {
			if id, ok := strings.CutPrefix(u.String(), "https://www.youtube.com/watch?v="); ok {
				return "youtube:" + id, true
			}
			if strings.HasSuffix(u.Host, "youtu.be") {
				return "youtube:" + strings.Trim(u.Path, "/"), true
			}
			return "", false
		},
		Resolved: func(c string) (string, bool) {
			to, ok := map[string]string{
				"https://bit.ly/Abc1":       "https://t.co/zzz?amp=1",
				"https://t.co/zzz":          "https://news.example/2017/story?utm_source=tw&id=7",
				"https://circle.example/a":  "https://circle.example/b",
				"https://circle.example/b":  "https://circle.example/a/",
				"https://nowhere.example/x": "mailto:a@b.example",
			}[c]
			return to, ok
		},
	}
	keys := map[string]int{}
	for i, row := range [][]string{
		{"https://news.example/2017/story?id=7", "http://www.news.example/2017/story/?id=7#top", "HTTPS://News.Example.:443/2017/./x/../story?utm_medium=a&id=7&fbclid=q",
			"https://bit.ly/Abc1", "https://news.example/2017/story/amp/?id=7", "https://news.example/2017/story?amp=1&id=7", "https://l.facebook.com/l.php?u=https%3A%2F%2Fnews.example%2F2017%2Fstory%3Fid%3D7&h=AT0",
			"https://web.archive.org/web/20170801000000/http://news.example/2017/story?id=7", "https://web.archive.org/web/2017*/https:/news.example/2017/story?id=7",
			"https://www.google.com/url?sa=t&url=https://news.example/2017/story%3Fid%3D7", "https://www.google.com/amp/s/news.example/2017/story?id=7",
			"https://news-example.cdn.ampproject.org/c/s/news.example/2017/story?id=7", "https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fnews.example%2F2017%2Fstory%3Fid%3D7&data=x"},
		{"https://news.example/2017/story?id=8"},
		{"https://news.example/2017/story"},
		{"https://news.example/2017/Story"},
		{"https://blog.news.example/2017/story"},
		{"https://news.example:8443/2017/story"},
		{"https://news.example/", "http://www.news.example", "https://news.example/index.html", "https://news.example/#section"},
		{"https://app.example/#/post/1", "http://www.app.example#/post/1"},
		{"https://app.example/#/post/2"},
		{"https://app.example/#!post/2"},
		{"https://a.example/p?b=2&a=1", "https://a.example/p?a=1&b=2"},
		{"https://a.example/p?a=1&a=2"},
		{"https://a.example/p?a=2&a=1"},
		{"https://a.example/%7Ejo/%e4%b8%ad", "https://a.example/~jo/%E4%B8%AD", "https://a.example/~jo/中"},
		{"https://a.example/a%2Fb", "https://a.example/a%2fb"},
		{"https://a.example/a/b"},
		{"https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://youtu.be/dQw4w9WgXcQ?si=abc", "https://m.youtube.com/watch?v=dQw4w9WgXcQ&feature=share", "https://www.youtube.com/redirect?q=https%3A%2F%2Fyoutu.be%2FdQw4w9WgXcQ"},
		{"https://en.m.wikipedia.org/wiki/OSINT", "https://en.wikipedia.org/wiki/OSINT"},
		{"https://de.wikipedia.org/wiki/OSINT"},
		{"https://mobile.twitter.com/ana/status/1?s=20", "https://twitter.com/ana/status/1?ref_src=twsrc%5Etfw"},
		{"https://t.co/AbC"},
		{"https://t.co/aBc"},
		{"https://github.com/a/b?ref=main"},
		{"https://github.com/a/b?ref=dev"},
		{"https://circle.example/a/"}, // its redirect leads back to it
		{"https://nowhere.example/x"},
		{"https://bücher.example/", "https://xn--bcher-kva.example"},
		{"https://[2001:db8::1]/x", "http://[2001:DB8::1]:80/x"},
		{"https://amp.dev/"},
		{"https://m.example/"},
		{"https://example/"},
		{"https://l.facebook.com/l.php?u=javascript:alert(1)"},
	} {
		first, ok := o.Of(row[0])
		if !ok {
			t.Errorf("%s is no address", row[0])
			continue
		}
		if first.Key == "circle.example/b" {
			first.Key = "circle.example/a"
		}
		if other, taken := keys[first.Key]; taken {
			t.Errorf("rows %d and %d are one: %s", other, i, first.Key)
		}
		keys[first.Key] = i
		for _, raw := range row[1:] {
			if got, ok := o.Of(raw); !ok || got.Key != first.Key {
				t.Errorf("%s has key %q, and %s %q", raw, got.Key, row[0], first.Key)
			}
		}
	}
	for _, bad := range []string{"", "mailto:a@b.example", "javascript:alert(1)", "https://", "not an address", "https://a.example/" + strings.Repeat("x", MaxBytes), "http://%zz/"} {
		if got, ok := o.Of(bad); ok {
			t.Errorf("%.40q is taken as %+v", bad, got)
		}
	}
}

func TestTarget(t *testing.T) {
	o := Options{Resolved: func(c string) (string, bool) { return "https://news.example/x", c == "https://bit.ly/1" }}
	got, _ := o.Of("http://bit.ly/1")
	if len(got.Via) != 0 || !got.Short { // the archive has it under https
		t.Errorf("%+v", got)
	}
	got, _ = o.Of("https://bit.ly/1")
	if got.URL != "https://news.example/x" || len(got.Via) != 1 || got.Via[0] != "https://bit.ly/1" || got.Short || got.Home {
		t.Errorf("%+v", got)
	}
	got, _ = o.Of("https://name.blogspot.com/")
	if got.Domain != "name.blogspot.com" || !got.Home || got.Key != "name.blogspot.com" {
		t.Errorf("%+v", got)
	}
	for host, want := range map[string]bool{"t.co": true, "www.bit.ly": true, "x.app.link": true, "app.link": false, "example.org": false, "notbit.ly": false} {
		if Shortener(host) != want {
			t.Errorf("Shortener(%s) is %v", host, !want)
		}
	}
}

func TestWeight(t *testing.T) {
	if Weight(1000, 2) != 1 || Weight(1000, 1000) != 0 || Weight(1000, 1) != 0 || Weight(2, 2) != 1 || Weight(0, 0) != 0 {
		t.Error("the ends of the scale")
	}
	last := 1.0
	for with := 3; with < 1000; with++ {
		w := Weight(1000, with)
		if w >= last || w <= 0 {
			t.Fatalf("weight %f of %d follows %f", w, with, last)
		}
		last = w
	}
}

// The canonical form of a canonical form is itself.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"https://news.example/a/../b/amp?b=1&a=2#!x", "http://l.facebook.com/l.php?u=https://a.example/%7e", "https://web.archive.org/web/2017/https:/a.example",
		"https://a.example/x.amp.amp.html", "https://en.m.wikipedia.org/%2e%2e/x//y/", "https://[::1]:8/?&=&a", "https://a.example/index.html/index.html", "https://a.example/#/%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := Options{}.Of(raw)
		if !ok {
			return
		}
		again, ok := Options{}.Of(got.URL)
		if !ok || again.URL != got.URL || again.Key != got.Key || len(again.Via) > 0 && len(got.Via) < maxSteps {
			t.Fatalf("%q gives %+v, and that %+v", raw, got, again)
		}
	})
}

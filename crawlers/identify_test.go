package crawlers

import "testing"

func TestIsAsset(t *testing.T) {
	for _, test := range []struct {
		url, kind, body string
		want            bool
	}{
		{"https://a.example/x.jpg", "image/jpeg", "\xff\xd8", true},
		{"https://a.example/robots.txt", "text/plain", "User-agent: *", true},
		{"https://a.example/x.css", "text/css", "a{}", true},
		{"https://a.example/x.js", "application/javascript", "(function(){var a={}})()", true},
		{"https://b.tumblr.com/api/read/json", "application/javascript; charset=utf-8", "var tumblr_api_read = {\"a\":1};", false},
		{"https://a.example/data", "text/javascript", "])}while(1);</x>{}", false},
		{"https://a.example/", "text/html", "<p>", false},
		{"https://a.example/feed", "", "<rss>", false},
		{"https://a.example/f", "application/octet-stream", "<rss>", false},
		{"https://a.example/f.bin", "application/octet-stream", "\x00\x01", true},
	} {
		ex := Exchange{URL: test.url, Status: 200, Body: []byte(test.body), Header: Header{}}
		if test.kind != "" {
			ex.Header.Set("Content-Type", test.kind)
		}
		if got := IsAsset(ex); got != test.want {
			t.Errorf("IsAsset(%s, %s) = %v", test.url, test.kind, got)
		}
	}
}

package web_test

import (
	"slices"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/web"
)

// The analytics and ad ids of a page stand among its tags; keywords that only
// look like them do not.
func TestIDsOfAPage(t *testing.T) {
	body := `<!doctype html><html lang="en"><head><title>The harbour bridge</title>
<meta name="keywords" content="bridges, analytics:UA-7171717-1, ads:how to">
<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABC1234567"></script>
<script>gtag('config', 'G-ABC1234567'); ga('create', 'UA-7654321-1', 'auto');</script>
<script>var _paq = window._paq || []; (function() { var u="//stats.harbour.example/"; _paq.push(['setTrackerUrl', u+'matomo.php']); _paq.push(['setSiteId', '3']); })();</script>
</head><body><article><p>The harbour bridge will close in March, says the council, and the ferry will run every hour until the works are done; the tickets of one are good for the other. Write to UA-2222222-x.</p></article>
<ins class="adsbygoogle" data-ad-client="ca-pub-1029384756102938"></ins></body></html>`
	c := web.Collector{}
	ref := crawlers.Ref{Platform: "web", Kind: crawlers.RefPage, ID: "https://harbour.example/bridge", URL: "https://harbour.example/bridge"}
	page, err := crawlers.Read(c, crawlers.Step{Ref: ref}, crawlers.Exchange{URL: ref.URL, Status: 200, Header: crawlers.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte(body)})
	if err != nil || len(page.Posts) != 1 {
		t.Fatalf("%+v %v", page, err)
	}
	want := []string{"bridges", "ads:how to", "analytics:UA-7654321-1", "analytics:G-ABC1234567", "ads:ca-pub-1029384756102938", "analytics:matomo-3@stats.harbour.example"}
	if got := page.Posts[0].Tags; !slices.Equal(got, want) {
		t.Errorf("tags %q, want %q", got, want)
	}
}

package pinterest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var fetched = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exchange(address string, status int, body []byte, header ...string) crawlers.Exchange {
	h := crawlers.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return crawlers.Exchange{URL: address, Status: status, Header: h, Body: body, FetchedAt: fetched}
}

const (
	fog    = "https://www.pinterest.com/pin/870000000000000101/"
	search = site + "/resource/BaseSearchResource/get/?source_url=%2Fsearch%2Fpins%2F%3Fq%3Dnets&data=%7B%22options%22%3A%7B%22query%22%3A%22nets%22%7D%7D"
)

// cases are our own files, each of a real shape, with the outcome they stand
// for; those with a dot in their name have a golden file.
func cases(t testing.TB) []crawlertest.Case {
	page := func(title, words string) []byte {
		return []byte("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><p>" + words + "</p></body></html>")
	}
	refusal := func(words string, status int) []byte {
		return fmt.Appendf(nil, `{"resource_response":{"status":"failure","data":null,"error":{"message":%q,"http_status":%d}},"resource":{"name":"BoardResource","options":{"username":"mira_okafor","slug":"east-harbour"}}}`, words, status)
	}
	const board = site + "/resource/BoardResource/get/?source_url=%2Fmira_okafor%2Feast-harbour%2F"
	list := []crawlertest.Case{
		{Name: "pin_page.html", Exchange: exchange(fog, 200, file(t, "pin_page.html")), Outcome: post.OK, Posts: 1},
		{Name: "pin_page_registered.html", Exchange: exchange(fog, 200, file(t, "pin_page_registered.html")), Outcome: post.OK, Posts: 1},
		{Name: "pin_page_2020.html", Exchange: exchange(fog, 200, file(t, "pin_page_2020.html")), Outcome: post.OK, Posts: 1},
		{Name: "pin_page_2015.html", Exchange: exchange("https://www.pinterest.com/pin/870000000000000303/", 200, file(t, "pin_page_2015.html")), Outcome: post.OK, Posts: 1},
		{Name: "pin_page_metas.html", Exchange: exchange(fog, 200, file(t, "pin_page_metas.html")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "pin_page_own_metas.html", Exchange: exchange(fog, 200, file(t, "pin_page_own_metas.html")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "pin_page_gone.html", Exchange: exchange(fog, 200, file(t, "pin_page_gone.html")), Outcome: post.NotFound},
		{Name: "profile_2020.html", Exchange: exchange("https://www.pinterest.com/mira_okafor/", 200, file(t, "profile_2020.html")), Outcome: post.OK, Posts: 2},
		{Name: "widget_board.json", Exchange: exchange(widgets+"/boards/mira_okafor/east-harbour/pins/", 200, file(t, "widget_board.json")), Outcome: post.OK, Posts: 3},
		{Name: "widget_pin.json", Exchange: exchange(widgets+"/pins/info/?pin_ids=870000000000000101", 200, file(t, "widget_pin.json")), Outcome: post.OK, Posts: 1},
		{Name: "widget_gone.json", Exchange: exchange(widgets+"/pins/info/?pin_ids=870000000000000404", 200, file(t, "widget_gone.json")), Outcome: post.NotFound},
		{Name: "widget_failure.json", Exchange: exchange(widgets+"/users/nobody_here/pins/", 404, file(t, "widget_failure.json")), Outcome: post.NotFound},
		{Name: "feed_user.xml", Exchange: exchange("https://www.pinterest.com/mira_okafor/feed.rss", 200, file(t, "feed_user.xml")), Outcome: post.OK, Posts: 2},
		{Name: "feed_board.xml", Exchange: exchange("https://www.pinterest.com/mira_okafor/east-harbour.rss", 200, file(t, "feed_board.xml")), Outcome: post.OK, Posts: 1},
		{Name: "feed_empty.xml", Exchange: exchange("https://www.pinterest.com/nobody_here/feed.rss", 200, file(t, "feed_empty.xml")), Outcome: post.OK},
		{Name: "oembed.json", Exchange: exchange(site+"/oembed.json?url="+url.QueryEscape(fog), 200, file(t, "oembed.json")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "resource_search.json", Exchange: exchange(search, 200, file(t, "resource_search.json")), Outcome: post.OK, Posts: 3},
		{Name: "resource_last.json", Exchange: exchange(site+"/resource/UserActivityPinsResource/get/?source_url=%2Fwestpier%2F", 200, file(t, "resource_last.json")), Outcome: post.OK, Posts: 1},
		{Name: "resource_pin.json", Exchange: exchange(site+"/resource/PinResource/get/?source_url=%2Fpin%2F870000000000000304%2F", 200, file(t, "resource_pin.json")), Outcome: post.OK, Posts: 1},
		{Name: "resource_board.json", Exchange: exchange(site+"/resource/BoardResource/get/?source_url=%2Fwestpier%2Fnets%2F", 200, file(t, "resource_board.json")), Outcome: post.OK},
		{Name: "resource_user.json", Exchange: exchange(site+"/resource/UserResource/get/?source_url=%2Fwestpier%2F", 200, file(t, "resource_user.json")), Outcome: post.OK, Posts: 1},
		{Name: "resource_invalid.json", Exchange: exchange(site+"/resource/PinResource/get/?source_url=%2Fpin%2F870000000000000304%2F", 403, file(t, "resource_invalid.json")), Outcome: post.LayoutChanged},

		{Name: "widget with callback", Exchange: exchange(widgets+"/pins/info/?pin_ids=870000000000000101&callback=f", 200, []byte("f("+string(file(t, "widget_pin.json"))+")")), Outcome: post.OK, Posts: 1},
		{Name: "the page of another pin", Step: crawlers.Step{Ref: pinRef("870000000000000999")}, Exchange: exchange("https://www.pinterest.com/pin/870000000000000999/", 200, file(t, "pin_page.html")), Outcome: post.LayoutChanged},
		{Name: "the oEmbed of another pin", Step: crawlers.Step{Ref: pinRef("870000000000000999")}, Exchange: exchange(site+"/oembed.json?url=https%3A%2F%2Fwww.pinterest.com%2Fpin%2F870000000000000999%2F", 200, file(t, "oembed.json")), Outcome: post.LayoutChanged},
		{Name: "a shell", Exchange: exchange(fog, 200, page("Pinterest", "")), Outcome: post.LayoutChanged},
		{Name: "a shell where a feed was due", Exchange: exchange("https://www.pinterest.com/mira_okafor/_saved/feed.rss", 200, page("Pinterest", "")), Outcome: post.LayoutChanged},
		{Name: "secret board", Exchange: exchange(board, 403, refusal("You are not permitted: this board is secret.", 403)), Outcome: post.Private},
		{Name: "no board", Exchange: exchange(board, 404, refusal("Board not found.", 404)), Outcome: post.NotFound},
		{Name: "suspended", Exchange: exchange(board, 404, refusal("This user has been suspended.", 404)), Outcome: post.Suspended},
		{Name: "removed", Exchange: exchange(board, 404, refusal("This Pin was removed because it violates our policy.", 404)), Outcome: post.Removed},
		{Name: "refused without words", Exchange: exchange(board, 403, refusal("", 403)), Outcome: post.Blocked},
		{Name: "rate limited", Exchange: exchange(board, 429, refusal("Slow down", 429)), Outcome: post.RateLimited},
		{Name: "server error", Exchange: exchange(fog, 503, []byte("upstream")), Outcome: post.ServerError},
		{Name: "not found", Exchange: exchange(fog, 404, page("Pinterest", "We couldn't find that page")), Outcome: post.NotFound},
		{Name: "geographic host", Exchange: exchange("https://www.pinterest.com/pin/870000000000000101/", 302, nil, "Location", "https://www.pinterest.de/pin/870000000000000101/"), Outcome: post.OK},
		{Name: "words in the address", Exchange: exchange(fog, 301, nil, "Location", "/pin/fog--870000000000000101/"), Outcome: post.OK},
		{Name: "another pin of the image", Exchange: exchange(fog, 301, nil, "Location", "/pin/870000000000000777/"), Outcome: post.Unavailable},
		{Name: "to the front page", Exchange: exchange(fog, 302, nil, "Location", "/?show_error=true"), Outcome: post.NotFound},
		{Name: "login", Exchange: exchange(fog, 302, nil, "Location", "/login/?next=%2Fpin%2F"), Outcome: post.LoginWall},
		{Name: "short link", Exchange: exchange(shortener+"AbCdEfG/redirect/", 307, nil, "Location", "https://www.pinterest.com/pin/870000000000000101/sent/?invite_code=x&sender=1"), Outcome: post.OK},
		{Name: "short link to a board", Exchange: exchange(shortener+"AbCdEfG/redirect/", 307, nil, "Location", "https://www.pinterest.com/mira_okafor/east-harbour/?invite_code=x"), Outcome: post.OK},
		{Name: "short link to nothing", Exchange: exchange(shortener+"AbCdEfG/redirect/", 302, nil, "Location", "https://www.pinterest.com/"), Outcome: post.NotFound},
	}
	return list
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{fog, "https://pinterest.com/pin/870000000000000101", "http://www.pinterest.co.uk/pin/fog-in-the-harbour--870000000000000101/?mt=login#x", "https://de.pinterest.com/pin/870000000000000101/", "https://www.pinterest.com.mx/pin/870000000000000101/", "https://jp.pinterest.com/pin/--870000000000000101/", "https://www.pinterest.com/pin/870000000000000101/sent/?invite_code=0&sender=1", widgets + "/pins/info/?pin_ids=870000000000000101", site + "/oembed.json?url=" + url.QueryEscape(fog), "https://assets.pinterest.com/ext/embed.html?id=870000000000000101", "https://www.pinterest.se/pin/870000000000000101/"},
			{"https://www.pinterest.com/mira_okafor/", "https://pinterest.de/Mira_Okafor", "https://www.pinterest.com/mira_okafor/_created/", "https://www.pinterest.com/mira_okafor/_saved/", "https://www.pinterest.com/mira_okafor/pins/", "https://www.pinterest.com/mira_okafor/boards/", "https://www.pinterest.com/mira_okafor/feed.rss", widgets + "/users/mira_okafor/pins/"},
			{"https://www.pinterest.com/mira_okafor/east-harbour/", "https://www.pinterest.fr/Mira_Okafor/East-Harbour", "https://www.pinterest.com/mira_okafor/east-harbour.rss", "https://www.pinterest.com/mira_okafor/east-harbour/?invite_code=a&sender=1", "https://api.pinterest.com/v3/pidgets/boards/mira_okafor/east-harbour/pins/", site + "/resource/BoardResource/get/?source_url=%2Fmira_okafor%2Feast-harbour%2F"},
			{"https://www.pinterest.com/mira_okafor/%E6%B8%AF/", "https://www.pinterest.jp/mira_okafor/港"},
			{"https://www.pinterest.com/mira_okafor/east-harbour/mornings/", "https://uk.pinterest.com/mira_okafor/east-harbour/mornings"},
			{"https://www.pinterest.com/search/pins/?q=harbour%20fog", "https://www.pinterest.com/search/pins/?q=Harbour+fog&rs=typed", "https://www.pinterest.com/search/?q=harbour+fog"},
			{"https://pin.it/AbCdEfG", "http://pin.it/AbCdEfG/", shortener + "AbCdEfG/redirect/"},
		},
		ForeignURLs: []string{"https://www.pinterest.com/", "https://www.pinterest.com/ideas/fog/123456789/", "https://www.pinterest.com/today/", "https://www.pinterest.com/settings", "https://www.pinterest.com/pin/create/button/?url=x", "https://www.pinterest.com/explore/x/",
			"https://help.pinterest.com/en", "https://developers.pinterest.com/docs", "https://notpinterest.com/pin/870000000000000101/", "https://pinterest.example/pin/870000000000000101/", "https://www.pinterest.com.example.org/pin/870000000000000101/", "https://i.pinimg.com/236x/a.jpg", "https://pin.it/", "https://www.pinterest.com/search/users/?q=x", "https://www.pinterest.com/_/graphql/"},
		Exchanges: cases(t),
		Foreign: []crawlers.Exchange{
			{URL: "https://ana.example/fog", Body: []byte(`<html><head><link rel="canonical" href="https://ana.example/fog"></head><body><a href="https://www.pinterest.com/pin/create/button/">Pin</a><img src="https://i.pinimg.com/236x/a.jpg"></body></html>`)},
			{URL: "https://ana.example/feed", Body: file(t, "feed_user.xml")},
			{Body: []byte(`<rss><channel><link>https://ana.example/</link></channel></rss>`)}, {Body: []byte(`{"status":"success","data":[]}`)}, {Body: []byte(`{"id":"123456","type":"image","images":{},"board":{}}`)}, {Body: []byte(`{"provider_name":"YouTube","html":""}`)},
			{Body: []byte(`{"data":[{"id":"12345678","media_type":"IMAGE"}]}`)}, {Body: []byte(`{"data":{"node":{"id":"123456"}}}`)},
		},
	})
}

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

// TestGolden compares what Read gives with the golden files, with the address
// and, where the content tells the pin, without.
func TestGolden(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			ref, ok := New().Identify(k.Exchange)
			if !ok {
				t.Fatal("Identify refuses it")
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, k.Exchange)
			if err != nil {
				t.Fatal(err)
			}
			steps := []string{}
			for _, n := range page.Next {
				req, err := New().Request(n)
				if err != nil {
					t.Error(err)
				}
				steps = append(steps, n.Key()+" "+req.URL)
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			if err := enc.Encode(map[string]any{"ref": ref.Key(), "outcome": page.Outcome, "reason": page.Reason, "posts": page.Posts, "next": steps, "identities": page.Identities, "coverage": page.Coverage, "assets": page.Assets}); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", k.Name+".golden")
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s differs; run go test -update and look at the change\ngot:\n%s", path, b.Bytes())
			}
			bare := k.Exchange
			bare.URL = ""
			if again, ok := New().Identify(bare); ok {
				if p, err := crawlers.Read(New(), crawlers.Step{Ref: again}, bare); err != nil || len(p.Posts) != len(page.Posts) {
					t.Errorf("without an address: %d posts, want %d (%v)", len(p.Posts), len(page.Posts), err)
				}
			} else if len(page.Posts) > 0 {
				t.Error("without an address it is not known as Pinterest's")
			}
		})
	}
}

// TestShortLink checks where short links lead, and what is stripped.
func TestShortLink(t *testing.T) {
	want := map[string]string{"short link": fog, "short link to a board": widgets + "/boards/mira_okafor/east-harbour/pins/"}
	for _, k := range cases(t) {
		if want[k.Name] == "" {
			continue
		}
		page, err := crawlers.Read(New(), crawlers.Step{Ref: shortRef("AbCdEfG")}, k.Exchange)
		if err != nil || len(page.Next) != 1 || len(page.Identities) != 1 {
			t.Fatalf("%s: %+v %v", k.Name, page, err)
		}
		if req, err := New().Request(page.Next[0]); err != nil || req.URL != want[k.Name] {
			t.Errorf("%s: next request %s %v, want %s", k.Name, req.URL, err, want[k.Name])
		}
	}
}

// TestResourcePaging walks an alias of a board and a section to their pins.
func TestResourcePaging(t *testing.T) {
	ref := boardRef("westpier", "nets", "")
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref, Route: routeResource}, exchange(site+"/resource/BoardResource/get/", 200, file(t, "resource_board.json")))
	if err != nil || len(page.Next) != 1 {
		t.Fatal(page, err)
	}
	req, err := New().Request(page.Next[0])
	if err != nil || !strings.Contains(req.URL, "BoardFeedResource") || !strings.Contains(req.URL, "870000000000000032") || req.Header.Get("X-Pinterest-PWS-Handler") == "" {
		t.Errorf("%+v %v", req, err)
	}
	section := []byte(`{"resource_response":{"status":"success","data":{"id":"870000000000000051","type":"board_section","slug":"big"}},"resource":{"name":"BoardSectionResource","options":{"username":"westpier","slug":"nets","section_slug":"big"}}}`)
	page, err = crawlers.Read(New(), crawlers.Step{Ref: boardRef("westpier", "nets", "big"), Route: routeResource}, exchange(site+"/resource/BoardSectionResource/get/", 200, section))
	if err != nil || len(page.Next) != 1 {
		t.Fatalf("%+v %v", page, err)
	}
	if req, err = New().Request(page.Next[0]); err != nil || !strings.Contains(req.URL, "BoardSectionPinsResource") || !strings.Contains(req.URL, "870000000000000051") {
		t.Errorf("%+v %v", req, err)
	}
}

func TestReadItem(t *testing.T) {
	var in struct {
		R struct {
			Data json.RawMessage `json:"data"`
		} `json:"resource_response"`
	}
	if err := json.Unmarshal(file(t, "resource_pin.json"), &in); err != nil {
		t.Fatal(err)
	}
	p, ok := ReadItem(in.R.Data)
	if !ok || p.ID != "870000000000000304" || p.Account.Handle != "westpier" || p.Created.IsZero() {
		t.Errorf("%+v %v", p, ok)
	}
	for _, raw := range []string{"", "null", "{}", `{"id":"123456","type":"board"}`, `[]`} {
		if _, ok := ReadItem([]byte(raw)); ok {
			t.Errorf("%s is taken for a pin", raw)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Status, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, address string, status int, body []byte) {
		ex := crawlers.Exchange{URL: address, Status: status, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = accountRef("mira_okafor")
		}
		page, err := New().Read(crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Next {
			if _, err := New().Request(s); err != nil {
				t.Errorf("next step %s: %v", s.Key(), err)
			}
		}
		if _, err := json.Marshal(page); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkPage reads a pin's page of 450 kB, most of which is not the pin's.
func BenchmarkPage(b *testing.B) {
	filler := `<script id="__PWS_ROUTES__" type="application/json">` + strings.Repeat(`{"a/b.js":{"dependencies":["https://s.pinimg.com/webapp/x.js"]}},`, 4000) + `</script><div class="zI7 iyn">` + strings.Repeat(`<div class="x">words &amp; more</div>`, 4500)
	body := bytes.Replace(file(b, "pin_page.html"), []byte(`<body>`), []byte(`<body>`+filler), 1)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if page, err := crawlers.Read(New(), crawlers.Step{Ref: pinRef("870000000000000101")}, crawlers.Exchange{URL: fog, Status: 200, Body: body}); err != nil || len(page.Posts) != 1 {
			b.Fatal(err, len(page.Posts))
		}
	}
}

// BenchmarkResource reads a page of 25 pins.
func BenchmarkResource(b *testing.B) {
	var in map[string]any
	if err := json.Unmarshal(file(b, "resource_search.json"), &in); err != nil {
		b.Fatal(err)
	}
	data := in["resource_response"].(map[string]any)["data"].(map[string]any)
	one, _ := json.Marshal(data["results"].([]any)[1])
	var list []json.RawMessage
	for i := range 25 {
		list = append(list, bytes.ReplaceAll(one, []byte("870000000000000305"), fmt.Appendf(nil, "8700000000000009%02d", i)))
	}
	data["results"] = list
	body, _ := json.Marshal(in)
	ref, _ := searchRef("nets")
	b.SetBytes(int64(len(body)))
	n := 0
	for b.Loop() {
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref, Route: routeResource}, crawlers.Exchange{URL: search, Status: 200, Body: body})
		if err != nil || len(page.Posts) != 25 {
			b.Fatal(err, len(page.Posts))
		}
		n += len(page.Posts)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "posts/s")
}

package importers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/facebook"
	"github.com/refrain-archive/refrain/crawlers/instagram"
	"github.com/refrain-archive/refrain/crawlers/pinterest"
	"github.com/refrain-archive/refrain/crawlers/quora"
	"github.com/refrain-archive/refrain/crawlers/reddit"
	"github.com/refrain-archive/refrain/crawlers/tiktok"
	"github.com/refrain-archive/refrain/crawlers/twitter"
	"github.com/refrain-archive/refrain/crawlers/vimeo"
	"github.com/refrain-archive/refrain/crawlers/web"
	"github.com/refrain-archive/refrain/crawlers/youtube"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// readers are the collectors of these tests.
func readers() []crawlers.Collector {
	return []crawlers.Collector{
		facebook.New(), instagram.Collector{}, pinterest.Collector{}, quora.Collector{}, reddit.Collector{}, tiktok.Collector{}, twitter.Collector{}, vimeo.New(), youtube.Collector{}, web.Collector{},
	}
}

// importFile reads a file whole.
func importFile(t testing.TB, path string, o Options) (*File, []Entry, Report, error) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		return nil, nil, Report{}, err
	}
	t.Cleanup(func() { _ = f.Close() })
	if o.Collectors == nil {
		o.Collectors = readers()
	}
	if o.Digest, err = f.Digest(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	var list []Entry
	report, err := f.Read(context.Background(), o, func(e Entry) error {
		list = append(list, e)
		for _, p := range e.Page.Posts {
			if p.Capture.Import != "sha256:"+o.Digest || p.Capture.Line < 1 && p.Capture.RecordID == "" || p.Platform == "" || p.ID == "" || p.Reader == "" {
				t.Errorf("entry %d: an incomplete post: %+v", e.Number, p)
			}
			if p.FetchedAt != e.Exchange.FetchedAt && !e.Exchange.FetchedAt.IsZero() {
				t.Errorf("entry %d: post of %s, entry of %s", e.Number, p.FetchedAt, e.Exchange.FetchedAt)
			}
		}
		return nil
	})
	return f, list, report, err
}

func posts(list []Entry) (all []post.Post) {
	for _, e := range list {
		all = append(all, e.Page.Posts...)
	}
	return all
}

const redditLines = `{"author":"ana_k","author_fullname":"t2_abc1","id":"c0ffee","link_id":"b00k","parent_id":"b00k","body":"I saw this &gt; twice","subreddit":"bridges","subreddit_id":"t5_xyz","created_utc":1546300800,"retrieved_on":1546400800,"score":3}
{"author":"ana_k","id":"c0ffef","link_id":"t3_b00k","parent_id":"t1_c0ffee","body":"again","subreddit":"bridges","created_utc":"1546300801","retrieved_on":1546400801,"score":"4"}

{broken
{"author":"bela","id":"b00k","title":"The bridge","selftext":"is old","subreddit":"bridges","created_utc":1546300000,"retrieved_on":1546400800,"num_comments":2,"is_self":true}
`

func TestRedditDump(t *testing.T) {
	for name, content := range map[string]string{
		"plain": redditLines, "gzip": gz(t, redditLines[:300], redditLines[300:]), "zstd": zst(t, redditLines), "crlf": strings.ReplaceAll(redditLines, "\n", "\r\n"),
		"bom": "\xef\xbb\xbf" + redditLines, "first line broken": "{\"author\":\n" + redditLines,
	} {
		_, list, report, err := importFile(t, write(t, "x", content), Options{})
		all := posts(list)
		if err != nil || report.Format != FormatReddit || len(all) != 3 || report.Kinds["comment"] != 2 || report.Unread() < 1 {
			t.Errorf("%s: %d posts, %+v, %v", name, len(all), report, err)
			continue
		}
		line := all[0].Capture.Line
		c, p := all[0], all[2]
		if c.ID != "t1_c0ffee" || c.Thread != "t3_b00k" || c.Refs[0].ID != "t3_b00k" || len(c.Refs) != 1 || c.Text != "I saw this > twice" || c.Account.ID != "t2_abc1" ||
			c.FetchedAt.Unix() != 1546400800 || all[1].Refs[1].ID != "t1_c0ffee" || all[1].Counts[0].Value != 4 || all[1].Created.Time.Unix() != 1546300801 {
			t.Errorf("%s: %+v", name, c)
		}
		if p.ID != "t3_b00k" || p.Title != "The bridge" || p.Capture.Line != line+4 || p.Account.Handle != "bela" {
			t.Errorf("%s: %+v", name, p)
		}
		if first := report.Problems[len(report.Problems)-1]; first.First != line+3 && name != "first line broken" {
			t.Errorf("%s: the broken line is reported at %d", name, first.First)
		}
	}
}

// zst packs with a window that dumps have: far larger than the text.
func zst(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	z, err := zstd.NewWriter(&b, zstd.WithWindowSize(128<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestResume(t *testing.T) {
	_, list, report, err := importFile(t, write(t, "x", redditLines), Options{After: 2})
	if err != nil || len(posts(list)) != 1 || list[0].Number != 5 || report.Entries != 4 {
		t.Errorf("%+v %+v %v", list, report, err)
	}
}

func TestOnlyOnePlatform(t *testing.T) {
	_, list, report, err := importFile(t, write(t, "x", redditLines), Options{Platform: "x"})
	if err != nil || len(list) != 0 || report.Unread() != 4 {
		t.Errorf("%+v %+v %v", list, report, err)
	}
}

func TestCSVForms(t *testing.T) {
	for _, test := range []struct {
		name, content string
		format        Format
		want          []string // platform, id, kind, account, created, counts, text
		unread        int64
	}{
		{"crowdtangle", "\xef\xbb\xbfPage Name,User Name,Facebook Id,Page Category,Followers at Posting,Post Created,Type,Total Interactions,Likes,Comments,Shares,Love,URL,Message,Link,Overperforming Score (weighted — Likes 1x)\n" +
			"Bridge News,bridgenews,1234567,MEDIA,\"12,345\",2021-03-01 12:00:00 UTC,Link,\"1,010\",1000,5,5,0,https://www.facebook.com/1234567/posts/7654321,\"The bridge,\nis old\",https://a.example/story,1.5\n" +
			"No Link,,,,,,,,,,,,,hello,,\n", FormatCrowdTangle,
			[]string{"facebook|7654321|post|1234567 bridgenews Bridge News|2021-03-01T12:00:00Z|likes=1000 comments=5 shares=5 love=0 interactions=1010|The bridge,\nis old|2"}, 1},
		{"library", "id,creation_time,modified_time,text,lang,content_type,statistics.like_count,statistics.love_count,statistics.views,post_owner.type,post_owner.id,post_owner.name,surface.type\n" +
			"99,2024-05-01T10:00:00+00:00,,The bridge,en,photos,12,1,,page,77,Bridge News,page\n", FormatMCL,
			[]string{"facebook|mcl:99|post|mcl:77  Bridge News|2024-05-01T10:00:00Z|likes=12 love=1|The bridge|2"}, 0},
		{"library comments", "id,post_id,parent_comment_id,text,creation_time,owner.id,owner.username,owner.name,statistics.reaction_count\n5,99,,no it is not,2024-05-01T11:00:00,78,bela,Bela,0\n", FormatMCL,
			[]string{"facebook|mcl:5|comment|mcl:78 bela Bela|2024-05-01T11:00:00Z|reactions=0|no it is not|2"}, 0},
		{"videos", "position,channelId,channelTitle,videoId,publishedAt,publishedAtSQL,videoTitle,videoDescription,tags,videoCategoryLabel,durationSec,viewCount,likeCount,dislikeCount,commentCount\n" +
			"1,UCabc,Bridge TV,AbCdEfGhIjK,2020-01-02T03:04:05Z,2020-01-02 03:04:05,The bridge,is old,\"one,two\",News,61,100,,,3\n", FormatYTDT,
			[]string{"youtube|AbCdEfGhIjK|video|UCabc  Bridge TV|2020-01-02T03:04:05Z|views=100 comments=3|is old|2"}, 0},
		{"videos tab", "channelId\tchannelTitle\tvideoId\tpublishedAt\tvideoTitle\tvideoDescription\tviewCount\nUCabc\tBridge TV\tAbCdEfGhIjK\t2020-01-02T03:04:05.000Z\tThe bridge\tsays \"old\"\t7\n", FormatYTDT,
			[]string{"youtube|AbCdEfGhIjK|video|UCabc  Bridge TV|2020-01-02T03:04:05Z|views=7|says \"old\"|2"}, 0},
		{"comments", "id,replyCount,likeCount,publishedAt,authorName,text,authorChannelId,authorChannelUrl,isReply,isReplyTo,isReplyToName\n" +
			"Ugx1,1,4,2020-01-02 03:04:05,Ana,old?,UCana,http://www.youtube.com/channel/UCana,0,,\n", FormatYTDT,
			[]string{"youtube|Ugx1|comment|UCana  Ana|2020-01-02T03:04:05Z|likes=4 replies=1|old?|2"}, 0},
		{"plain", "url;author;text;created;likes;count_stars;fetched_at\nhttps://www.reddit.com/r/bridges/comments/b00k/x/;@ana;hi;2020-01-02T03:04:05Z;1;9;2020-01-03T00:00:00Z\nfoo;;a;;;;\n", FormatOwnCSV,
			[]string{"reddit|t3_b00k|post| ana |2020-01-02T03:04:05Z|stars=9 likes=1|hi|2"}, 1},
		{"plain lines", `{"platform":"x","id":20,"author":"jack","text":"hi","created":"2006-03-21T20:50:14Z","counts":{"likes":3},"fetched_at":"2020-01-03T00:00:00Z"}` + "\n" +
			`{"type":"page","url":"https://a.example/","platform":"web"}` + "\n" +
			`{"type":"post","platform":"reddit","id":"t1_c","kind":"comment","account":{"platform":"reddit","handle":"ana"},"text":"hm","created":{"time":"2020-01-01T00:00:00Z","source":"field"},"capture":{"record_id":"urn:uuid:1","offset":1},"reader":"reddit/1"}` + "\n" +
			`{"platform":"plaza","id":"1","text":"x"}` + "\n", FormatOwnJSON,
			[]string{"x|20|post| jack |2006-03-21T20:50:14Z|likes=3|hi|1", "reddit|t1_c|comment| ana |2020-01-01T00:00:00Z||hm|3"}, 1},
	} {
		_, list, report, err := importFile(t, write(t, "x", test.content), Options{})
		if err != nil || report.Format != test.format || report.Unread() != test.unread {
			t.Errorf("%s: %+v, %v", test.name, report, err)
		}
		var got []string
		for _, p := range posts(list) {
			var counts []string
			for _, c := range p.Counts {
				counts = append(counts, c.Name+"="+itoa(int(c.Value)))
			}
			created := ""
			if !p.Created.Time.IsZero() {
				created = p.Created.Time.Format(time.RFC3339)
			}
			got = append(got, strings.Join([]string{p.Platform, p.ID, string(p.Kind), p.Account.ID + " " + p.Account.Handle + " " + p.Account.Name, created, strings.Join(counts, " "), p.Text, itoa(int(p.Capture.Line))}, "|"))
		}
		if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestSavedPages(t *testing.T) {
	const body = `<html><head><title>The bridge</title></head><body><article><h1>The bridge</h1><p>Long ago a bridge was built over the river, and it stands to this day.</p></article></body></html>`
	for _, test := range []struct{ content, url, by, at string }{
		{"<!DOCTYPE html>\n<!-- saved from url=(0029)https://news.example/bridge/?a --> \n" + body, "https://news.example/bridge/?a", "a browser (save as)", ""},
		{"<!DOCTYPE html> <html><!--\n Page saved with SingleFile \n url: https://news.example/bridge/ \n saved date: Wed Sep 24 2025 10:00:00 GMT+0200 (Central European Summer Time)\n-->" + body, "https://news.example/bridge/", "SingleFile", "2025-09-24T08:00:00Z"},
		{strings.Replace(body, "<title>", `<link href="https://news.example/c" rel="canonical"><title>`, 1), "https://news.example/c", "not known (the address is the page's own)", ""},
	} {
		_, list, _, err := importFile(t, write(t, "x.txt", test.content), Options{})
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %d entries, %v", test.url, len(list), err)
			continue
		}
		e := list[0]
		at := ""
		if !e.Exchange.FetchedAt.IsZero() {
			at = e.Exchange.FetchedAt.Format(time.RFC3339)
		}
		if e.Exchange.URL != test.url && e.Exchange.URL != strings.TrimSuffix(test.url, "a") || e.Exporter != test.by || at != test.at || len(e.Page.Posts) != 1 || e.Page.Posts[0].Title != "The bridge" {
			t.Errorf("%s: %+v", test.url, e)
		}
	}
	if _, _, _, err := importFile(t, write(t, "x", body), Options{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a page without address: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "blank": " \n\n", "words": "hello\nworld\n", "numbers": "[1,2,3]", "object": `{"a":1}`, "table": "a,b\n1,2\n", "picture": "\x89PNG\r\n\x1a\n\x00\x00",
		"office": "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00[Content_Types].xml", "archive part": "window.YTD.like.part0 = [ {", "utf-16": "\xff\xfea\x00,\x00b\x00",
	} {
		_, _, report, err := importFile(t, write(t, "x", content), Options{})
		if err == nil || report.Posts > 0 {
			t.Errorf("%s: it is taken: %+v", name, report)
		}
	}
}

func TestSecretsAreRedacted(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@a.example/x#frag":                               "https://a.example/x",
		"https://a.example/api?keyword=bridge&msToken=abc&X-Bogus=1": "https://a.example/api?keyword=bridge&msToken=REDACTED&X-Bogus=REDACTED",
		"https://a.example/?_signature=x&cursor=20&access_token=1#f": "https://a.example/?_signature=REDACTED&cursor=20&access_token=REDACTED",
		"https://a.example/?q=" + strings.Repeat("Ab1", 40):          "https://a.example/?q=REDACTED",
		"": "",
	} {
		if got := redactURL(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestMembers(t *testing.T) {
	got := map[string]string{}
	if err := members([]byte(` {"a" : {"x":"}\"]"} ,"b\n":[1,{"c":"\\"}], "d":-1.5e3,"e":null}`), func(k string, v []byte) { got[k] = string(v) }); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"a": `{"x":"}\"]"}`, "b\n": `[1,{"c":"\\"}]`, "d": "-1.5e3", "e": "null"} {
		if got[k] != v {
			t.Errorf("%q: %s, want %s", k, got[k], v)
		}
	}
	for _, bad := range []string{"", "[]", "{", `{"a"`, `{"a":`, `{"a":}`, `{"a":1`, `{"a":1}x`, `{"a":"b}`, `{"a" 1}`, `{a:1}`, `{"a":[1}`} {
		if err := members([]byte(bad), func(string, []byte) {}); err == nil && bad != `{"a":[1}` {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestZeeschuimerRecordings reads every line of the recorded exports. What they
// must give comes from a plain decoding of the lines, by key.
func TestZeeschuimerRecordings(t *testing.T) {
	for _, test := range []struct{ file, platform string }{
		{"recordings/x/zeeschuimer_search_2023.ndjson", "x"}, {"recordings/instagram/zeeschuimer_feed_2026.ndjson", "instagram"}, {"recordings/tiktok/zeeschuimer_search_2023.ndjson", "tiktok"},
	} {
		path := sharedtest.Path(t, test.file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, list, report, err := importFile(t, path, Options{})
		if err != nil || report.Format != FormatZeeschuimer || len(report.Problems) > 0 {
			t.Errorf("%s: %+v, %v", test.file, report, err)
		}
		byLine := map[int64]Entry{}
		for _, e := range list {
			byLine[e.Number] = e
		}
		for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			var want struct {
				ID        string  `json:"item_id"`
				Collected float64 `json:"timestamp_collected"`
				URL       string  `json:"source_url"`
				Agent     string  `json:"user_agent"`
			}
			if err := json.Unmarshal([]byte(line), &want); err != nil {
				t.Fatal(err)
			}
			e, ok := byLine[int64(i+1)]
			if !ok {
				t.Errorf("%s line %d: not read", test.file, i+1)
				continue
			}
			found := false
			for _, p := range e.Page.Posts {
				number, _, _ := strings.Cut(want.ID, "_")
				found = found || (p.ID == want.ID || p.ID == number) && p.Platform == test.platform
			}
			if !found || e.Exchange.FetchedAt.UnixMilli() != int64(want.Collected) || !strings.Contains(e.Exporter, want.Agent) {
				t.Errorf("%s line %d: %s at %s by %s", test.file, i+1, want.ID, e.Exchange.FetchedAt, e.Exporter)
			}
			for _, secret := range []string{"msToken=", "X-Bogus=", "_signature=", "verifyFp=", "device_id="} {
				if _, after, has := strings.Cut(e.Exchange.URL, secret); has && !strings.HasPrefix(after, Redacted) {
					t.Errorf("%s line %d: %s is shown", test.file, i+1, secret)
				}
			}
		}
		t.Logf("%s: %d lines, %d posts %v", test.file, report.Entries, report.Posts, report.Kinds)
	}
}

// TestXRecordings reads what twarc and others kept of X's APIs: every id under
// data, in a plain decoding, is among the posts.
func TestXRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "recordings/x"), "v[12]_*"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, list, report, err := importFile(t, path, Options{})
		have := map[string]bool{}
		for _, p := range posts(list) {
			have[strings.TrimPrefix(p.ID, "user:")] = true
		}
		want := map[string]bool{}
		for _, line := range strings.Split(string(data), "\n") {
			var v any
			if json.Unmarshal([]byte(line), &v) == nil {
				plainIDs(v, want)
			}
		}
		var whole any
		if json.Unmarshal(data, &whole) == nil {
			plainIDs(whole, want)
		}
		missing := 0
		for id := range want {
			if !have[id] {
				missing++
			}
		}
		t.Logf("%-40s %-12s entries %3d posts %3d wanted %3d unread %d %v", name, report.Format, report.Entries, report.Posts, len(want), report.Unread(), report.Problems)
		if err != nil || missing > 0 || len(have) == 0 {
			t.Errorf("%s: %d of %d missing, %v, %+v", name, missing, len(want), err, report)
		}
		if name == "v2_streaming_output_with_error.jsonl" && (report.Unread() != 1 || report.Problems[0].First != 8) {
			t.Errorf("%s: the broken line 8 is not reported: %+v", name, report.Problems)
		}
	}
}

// TestTikTokResearch reads answers of the Research API whole, as lists and as
// single items.
func TestTikTokResearch(t *testing.T) {
	const video = `{"id":7028740000000000000,"create_time":1633823999,"username":"ana","region_code":"CA","video_description":"old #bridge","view_count":10}`
	const end = `,"error":{"code":"ok","message":"","log_id":"1"}}`
	for name, content := range map[string]string{
		"answer": `{"data":{"videos":[` + video + `],"cursor":100,"has_more":false,"search_id":"1"}` + end, "answers": "{\n \"data\":{\"videos\":[" + video + "]}" + end + "\n{\"data\":{\"videos\":[]}" + end,
		"lines": video + "\n" + video + "\n", "array": "[" + video + "]",
	} {
		_, list, report, err := importFile(t, write(t, "x", content), Options{})
		all := posts(list)
		if err != nil || report.Format != FormatTikTok || len(all) == 0 || all[0].ID != "7028740000000000000" || all[0].Created.Time.Unix() != 1633823999 {
			t.Errorf("%s: %+v, %+v, %v", name, all, report, err)
		}
	}
	for _, name := range []string{"comments", "q_user", "q_videos"} {
		_, list, report, err := importFile(t, sharedtest.Path(t, "recordings/tiktok/research_example_resp_"+name+".json"), Options{})
		// The answer about a user does not say whose it is: that is in the request.
		if err != nil || (len(posts(list)) == 0) != (name == "q_user") || (report.Unread() == 0) == (name == "q_user") {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
}

// plainIDs gathers the ids of what an answer lists.
func plainIDs(v any, ids map[string]bool) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			plainIDs(e, ids)
		}
	case map[string]any:
		switch {
		case x["data"] != nil:
			plainIDs(x["data"], ids)
		case x["users"] != nil:
			plainIDs(x["users"], ids)
		case x["id_str"] != nil:
			ids[x["id_str"].(string)] = true
		case x["id"] != nil:
			ids[x["id"].(string)] = true
		}
	}
}

func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		redditLines, `{"nav_index":"1","item_id":"1","timestamp_collected":1697108706245,"source_platform":"twitter.com","source_url":"https://x.com/?a=1","data":{"rest_id":"1"}}`,
		`[{"id":"1","text":"x","author_id":"2","public_metrics":{}}]`, "url,text\nhttps://a.example/,x\n", "Page Name,URL,Total Interactions\na,https://www.facebook.com/1/posts/2,3\n",
		"<html><!--\n Page saved with SingleFile \n url: https://a.example/ \n--><p>x", `{"log":{"entries":[{"request":{"url":"https://a.example/"},"response":{"status":200,"content":{"text":"x"}}}]}}`,
		`window.YTD.tweets.part0 = [ {"tweet":{"id_str":"1","full_text":"x","created_at":"Tue Oct 10 20:19:24 +0000 2018"}} ]`, `{"data":{"videos":[{"id":1}],"has_more":false},"error":{"code":"ok"}}`,
		`{"platform":"x","id":"1","text":"x","counts":{"likes":1},"media":["https://a.example/a.mp4"]}`,
	} {
		f.Add([]byte(seed))
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(folder, "x")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		sum := sha256.Sum256(data)
		report, err := file.Read(context.Background(), Options{Collectors: readers(), Digest: hex.EncodeToString(sum[:])}, func(e Entry) error {
			for _, p := range e.Page.Posts {
				if p.ID == "" || p.Platform == "" || p.Capture.Import == "" {
					t.Errorf("a post without id, platform or capture: %+v", p)
				}
			}
			return nil
		})
		if err == nil && report.Posts == 0 && report.Unread() == 0 && len(report.Findings) == 0 && report.Entries > 0 && file.Form.Format == FormatReddit {
			t.Errorf("entries are passed over without a word: %+v", report)
		}
	})
}

func benchmarkLines(b *testing.B, name string) {
	data, err := os.ReadFile(sharedtest.Path(b, name))
	if err != nil {
		b.Fatal(err)
	}
	const copies = 20
	big := filepath.Join(b.TempDir(), "x")
	if err := os.WriteFile(big, []byte(strings.Repeat(strings.TrimSpace(string(data))+"\n", copies)), 0o600); err != nil {
		b.Fatal(err)
	}
	file, err := Open(big)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	b.SetBytes(int64(len(data) * copies))
	lines, began := int64(0), cpuTime()
	for b.Loop() {
		report, err := file.Read(context.Background(), Options{Collectors: readers(), Digest: "0"}, func(Entry) error { return nil })
		if err != nil || report.Posts == 0 {
			b.Fatal(report, err)
		}
		lines += report.Entries
	}
	b.ReportMetric(float64(lines)/(cpuTime()-began).Seconds(), "lines/cpu-s")
}

func BenchmarkZeeschuimerX(b *testing.B) {
	benchmarkLines(b, "recordings/x/zeeschuimer_search_2023.ndjson")
}

func BenchmarkZeeschuimerInstagram(b *testing.B) {
	benchmarkLines(b, "recordings/instagram/zeeschuimer_feed_2026.ndjson")
}

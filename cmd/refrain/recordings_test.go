package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// refrain runs the program as a user does and gives its output.
func refrain(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &errs})
	if want >= 0 && code != want {
		t.Fatalf("refrain %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String()
}

// A recording is a file that one host answers with, and the seed that asks for it.
type recording struct {
	file    string
	seed    string
	route   string // PLATFORM:ROUTE, where another than the first must be asked
	kind    string // Content-Type; empty is told by the file's name
	status  int    // 0 is 200
	outcome post.Outcome
}

// e2eRecordings are the real recordings of the first five platforms that answer
// something a collector asks for. What they must give is tested beside each
// collector; here the whole chain must give the same.
var e2eRecordings = []recording{
	{file: "blogspot/atom_2014_4fsod.xml", seed: "http://4fsodonline.blogspot.com/"},
	{file: "blogspot/atom_2016_googleadsdeveloper_label.xml", seed: "http://googleadsdeveloper.blogspot.com/search/label/adwords_api"},
	{file: "blogspot/post_page_2016_siliconexposed.html", seed: "http://siliconexposed.blogspot.com/2016/05/open-verilog-flow-for-silego-greenpak4.html", route: "blogspot:html"},
	{file: "blogspot/post_page_emacspeak.html", seed: "https://emacspeak.blogspot.com/2019/10/meta-programming-in-emacs-using.html", route: "blogspot:html"},
	{file: "blogspot/post_page_sibenlab.html", seed: "http://sibenlab.blogspot.com/2018/06/sibenlab-privacy-policy.html", route: "blogspot:html"},
	{file: "blogspot/api_v3_posts.json", seed: "http://example.blogspot.com/", route: "blogspot:api"},
	{file: "tumblr/v2_posts_neweditor_text_2025.json", seed: "https://mooserific.tumblr.com/", route: "tumblr:api"},
	{file: "tumblr/v2_posts_legacy_photo_2018.json", seed: "https://mooserific.tumblr.com/", route: "tumblr:api"},
	{file: "tumblr/v2_posts_legacy_text_2010.json", seed: "https://mooserific.tumblr.com/", route: "tumblr:api"},
	{file: "tumblr/post_page_2024.html", seed: "https://he-who-photographs-rather-ok.tumblr.com/post/165326273724", route: "tumblr:html"},
	{file: "tumblr/post_page_2014_mcupdate.html", seed: "http://mcupdate.tumblr.com/post/96439224994/minecraft-18-the-bountiful-update", route: "tumblr:html"},
	{file: "livejournal/rss_2004_kyq.xml", seed: "https://kyq.livejournal.com/"},
	{file: "livejournal/post_page_2018_lozga_170880.html", seed: "https://lozga.livejournal.com/170880.html", route: "livejournal:html"},
	{file: "medium/feed_publication_tag_2018.xml", seed: "https://medium.com/invironment/tagged/food", route: "medium:feed"},
	{file: "medium/post_apollo.html", seed: "https://medium.com/webpack/webpack-3-official-release-15fd2dd8f07b"},
	{file: "medium/post_2015_obv.html", seed: "https://medium.com/@ckirchoff/on-behalf-of-literally-429fab868ca8"},
	{file: "medium/post_noscript.html", seed: "https://medium.com/@JakobUlbrich/flag-attributes-in-android-how-to-use-them-ac4ec8aee7d1"},
	{file: "reddit/rss_r_homelab_atom_2023.xml", seed: "https://www.reddit.com/r/homelab/new/", route: "reddit:feed"},
	{file: "reddit/goreddit_post_post.json", seed: "https://www.reddit.com/comments/testpost/", route: "reddit:api"},
	{file: "reddit/goreddit_subreddit_posts.json", seed: "https://www.reddit.com/r/test/hot/", route: "reddit:api"},
	{file: "reddit/goreddit_subreddit_search-posts.json", seed: "https://www.reddit.com/search?q=test", route: "reddit:api"},
	{file: "reddit/goreddit_user_overview.json", seed: "https://www.reddit.com/user/v_95/", route: "reddit:api"},
	{file: "reddit/comments_json_2025_1i9by4t.json", seed: "https://www.reddit.com/comments/1i9by4t/", route: "reddit:api"},
	{file: "reddit/wall_403_blocked_2026_head2000.html", seed: "https://www.reddit.com/r/test/", route: "reddit:feed", status: 403, outcome: post.Blocked},
}

func (r recording) contentType() string {
	switch {
	case r.kind != "":
		return r.kind
	case strings.HasSuffix(r.file, ".json"):
		return "application/json; charset=utf-8"
	case strings.HasSuffix(r.file, ".xml"):
		return "application/atom+xml; charset=utf-8"
	}
	return "text/html; charset=utf-8"
}

// TestRecordingsThroughTheWholeChain serves each recording at its own host,
// collects it, finds it by search, and reads it again from the WARC: with equal
// results, and equal to what extract gives for the bare file.
func TestRecordingsThroughTheWholeChain(t *testing.T) {
	sharedtest.Path(t, "recordings")
	var current atomic.Pointer[recording]
	var body atomic.Pointer[[]byte]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := current.Load()
		switch {
		case r.URL.Path == "/robots.txt":
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Path == "/api/v1/access_token":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"tok3n","token_type":"bearer","expires_in":3600}`) //nolint:errcheck // a test server
		default:
			w.Header().Set("Content-Type", rec.contentType())
			if rec.status != 0 {
				w.WriteHeader(rec.status)
			}
			w.Write(*body.Load()) //nolint:errcheck // a test server
		}
	}))
	defer server.Close()
	for _, rec := range e2eRecordings {
		t.Run(rec.file, func(t *testing.T) {
			data := sharedtest.Read(t, "recordings/"+rec.file)
			current.Store(&rec)
			body.Store(&data)
			dir := t.TempDir()
			config := filepath.Join(dir, "refrain.yaml")
			text := fmt.Sprintf("contact: test@refrain.example\narchive: %q\nstate: %q\ncrawl: {pace: {\"*\": 1ms}}\norigins: {\"*\": %q}\nkeys: {reddit: {id: i, secret: s3cret}, tumblr: {secret: s3cret}, blogger: {secret: s3cret}}\n",
				filepath.Join(dir, "archive"), filepath.Join(dir, "state"), server.URL)
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"--config", config, "--quiet", "collect", "--max-pages", "1", "--wait", "0s", rec.seed}
			if rec.route != "" {
				args = append(args, "--route", rec.route)
			}
			refrain(t, -1, args...) // 0 or 3: what a page links to further is answered with the same page
			rec.check(t, dir, config, data)
		})
	}
}

func (r recording) check(t *testing.T, dir, config string, data []byte) {
	t.Helper()
	refrain(t, exitDone, "--config", config, "--quiet", "verify")
	lines := strings.Split(strings.TrimSpace(refrain(t, exitDone, "--config", config, "--quiet", "--json", "search", "--limit", "0")), "\n")
	found := map[string]post.Post{} // by record and key: the corpus shows the newest of a post
	for _, line := range lines {
		var hit corpus.Hit
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &hit); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		found[hit.Post.Capture.RecordID+" "+hit.Post.Key()] = hit.Post
	}
	warcs, err := filepath.Glob(filepath.Join(dir, "archive", "segments", "*", "*", "*", "*.warc.gz"))
	if err != nil || len(warcs) == 0 {
		t.Fatalf("no WARC: %v", err)
	}
	for _, name := range warcs {
		noSecret(t, name)
	}
	extracted := map[string]post.Post{}
	var first *crawlers.Line // the line of the exchange that answered the seed
	for _, line := range strings.Split(refrain(t, exitDone, append([]string{"--quiet", "extract"}, warcs...)...), "\n") {
		if line == "" {
			continue
		}
		page, p, err := crawlers.ParseLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if page != nil && first == nil && page.Ref != nil {
			first = page
		}
		if p != nil {
			extracted[p.Capture.RecordID+" "+p.Key()] = *p
		}
	}
	if first == nil {
		t.Fatal("the WARC holds no exchange of the platform")
	}
	want := r.outcome
	if want != "" {
		if first.Outcome != want || len(found) != 0 {
			t.Errorf("outcome %s with %d posts, want %s", first.Outcome, len(found), want)
		}
		return
	}
	if len(found) == 0 {
		t.Fatalf("no post was collected: %s %s", first.Outcome, first.Reason)
	}
	for key, p := range found {
		again, ok := extracted[key]
		if !ok {
			t.Errorf("post %s is not extracted from the WARC", key)
			continue
		}
		// WARC-Date says when the request began, fetched_at when its answer ended.
		again.FetchedAt = p.FetchedAt
		if !reflect.DeepEqual(p, again) {
			a, _ := json.Marshal(p)
			b, _ := json.Marshal(again)
			t.Errorf("collected %s\nextracted %s", a, b)
		}
	}
	r.checkFile(t, dir, data, first, found)
}

// noSecret looks for the keys of the test in every byte of a WARC, unpacked, and
// for the token that the platform gave for them.
func noSecret(t *testing.T, name string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"s3cret", "tok3n", "aTpzM2NyZXQ"} { // the last is Basic authentication
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s holds %q", filepath.Base(name), secret)
		}
	}
}

// checkFile compares with what extract gives for the bare file.
func (r recording) checkFile(t *testing.T, dir string, data []byte, first *crawlers.Line, found map[string]post.Post) {
	t.Helper()
	file := filepath.Join(dir, "body")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	bare := map[string]bool{}
	for _, line := range strings.Split(refrain(t, exitDone, "--quiet", "extract", "--url", first.URL, "--header", "Content-Type: "+r.contentType(), file), "\n") {
		if line == "" {
			continue
		}
		if _, p, err := crawlers.ParseLine([]byte(line)); err != nil {
			t.Fatal(err)
		} else if p != nil {
			bare[p.Key()+" "+p.Title+" "+p.Text] = true
		}
	}
	n := 0
	for _, p := range found {
		n++ // every address of the host answers with the same file
		if !bare[p.Key()+" "+p.Title+" "+p.Text] {
			t.Errorf("post %s is not the one that the bare file gives", p.Key())
		}
	}
	if n == 0 || n > len(bare) {
		t.Errorf("%d posts collected from the answer, the bare file gives %d", n, len(bare))
	}
	t.Logf("%d posts: collected, found, extracted again, and equal to the %d of the bare file", n, len(bare))
}

package importers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/facebook"
	"github.com/refrain-archive/refrain/crawlers/instagram"
	"github.com/refrain-archive/refrain/crawlers/pinterest"
	"github.com/refrain-archive/refrain/crawlers/quora"
	"github.com/refrain-archive/refrain/crawlers/reddit"
	"github.com/refrain-archive/refrain/crawlers/tiktok"
	"github.com/refrain-archive/refrain/crawlers/twitter"
	"github.com/refrain-archive/refrain/crawlers/vimeo"
	"github.com/refrain-archive/refrain/crawlers/youtube"
	"github.com/refrain-archive/refrain/post"
)

// An itemReader reads one item of a platform as other tools keep it.
type itemReader func(raw []byte) (crawlers.Page, error)

// native gives the platform's own reader of single items; nil where it has none.
func native(platform string) itemReader {
	switch platform {
	case "facebook":
		return one(facebook.ReadItem)
	case "instagram":
		return one(instagram.ReadItem)
	case "pinterest":
		return one(pinterest.ReadItem)
	case "quora":
		return one(quora.ReadItem)
	case "reddit":
		return reddit.ReadItem
	case "tiktok":
		return one(tiktok.ReadItem)
	case "vimeo":
		return one(func(raw []byte) (post.Post, bool) { return vimeo.ReadItem(raw, time.Time{}) })
	case "x":
		return some(twitter.ReadItem)
	case "youtube":
		return some(func(raw []byte) ([]post.Post, bool) {
			posts := youtube.ReadItems(raw, time.Time{})
			return posts, len(posts) > 0
		})
	}
	return nil
}

// errNoItem says that a platform's reader does not know what it was given.
var errNoItem = errors.New("not an item that is known")

func some(read func([]byte) ([]post.Post, bool)) itemReader {
	return func(raw []byte) (crawlers.Page, error) {
		posts, ok := read(raw)
		if !ok {
			if why := whyBroken(raw); why != "" {
				return crawlers.Page{}, fmt.Errorf("%w: %s", errBroken, why)
			}
			return crawlers.Page{}, errNoItem
		}
		return crawlers.Page{Posts: posts, Coverage: crawlers.Coverage{Served: len(posts)}}, nil
	}
}

func one(read func([]byte) (post.Post, bool)) itemReader {
	return some(func(raw []byte) ([]post.Post, bool) {
		p, ok := read(raw)
		return []post.Post{p}, ok
	})
}

// An origin is what a file says about where one item comes from.
type origin struct {
	url      string    // that was asked; empty if the file does not say
	at       time.Time // when it was observed; zero if the file does not say
	exporter string
	partial  bool // the exporter saw only a part of it
}

// native reads a native item with its platform's reader and gives its entry.
func (r *reading) native(n int64, platform string, raw []byte, from origin) error {
	c := r.collector(platform)
	if c == nil {
		r.report.problem(n, true, "items of %s: there is no collector that reads them", platform)
		return nil
	}
	read := native(platform)
	if read == nil {
		return r.answerOf(n, c, raw, from)
	}
	return r.read(n, c, crawlers.Ref{}, from, nil, func() (crawlers.Page, error) { return read(raw) })
}

// answerOf reads a text as the body of an answer of c's platform.
func (r *reading) answerOf(n int64, c crawlers.Collector, body []byte, from origin) error {
	ex := crawlers.Exchange{Method: "GET", URL: from.url, Status: 200, Header: crawlers.Header{"Content-Type": {"application/json"}}, Body: body, FetchedAt: from.at, Capture: r.capture(n)}
	ref, ok := c.Identify(ex)
	if !ok {
		ref = crawlers.Ref{Platform: crawlers.Platform(c)}
	}
	return r.read(n, c, ref, from, body, func() (crawlers.Page, error) { return c.Read(crawlers.Step{Ref: ref}, ex) })
}

// read completes a page and gives its entry.
func (r *reading) read(n int64, c crawlers.Collector, ref crawlers.Ref, from origin, body []byte, read func() (crawlers.Page, error)) error {
	platform := crawlers.Platform(c)
	if r.wrong(platform) {
		r.report.problem(n, true, "items of %s: --platform says that only %s is wanted", platform, r.o.Platform)
		return nil
	}
	if from.url != r.shown[0] { // many items come from one answer
		r.shown = [2]string{from.url, redactURL(from.url)}
	}
	from.url = r.shown[1]
	ex := crawlers.Exchange{URL: from.url, FetchedAt: from.at, Capture: r.capture(n)}
	step := crawlers.Step{Ref: ref}
	page, err := crawlers.Read(pageOf{c, read}, step, ex)
	if err != nil {
		r.report.problem(n, errors.Is(err, errNoItem), "%s", reasonOf(err, platform))
		return nil
	}
	switch page.Outcome {
	case post.LayoutChanged, post.UnexpectedType:
		r.report.problem(n, false, "%s: %s (%s)", platform, page.Reason, page.Outcome)
		return nil
	}
	if len(page.Posts) == 0 && page.Outcome.Scope() == post.ScopeServed && len(page.Identities) == 0 {
		r.report.problem(n, true, "%s: nothing that is a post", platform)
		return nil
	}
	if from.partial {
		for i := range page.Posts {
			if page.Posts[i].Outcome == post.OK {
				page.Posts[i].Outcome = post.OKPartial
			}
		}
		if page.Outcome == post.OK {
			page.Outcome, page.Reason = post.OKPartial, "the exporter saw only a part of it"
		}
	}
	page.Next, page.Assets = nil, nil
	return r.give(Entry{Number: n, Collector: c, Step: step, Exchange: ex, Page: page, Exporter: from.exporter})
}

// reasonOf is the core of a reader's error: what differs from item to item is
// left out, so that equal reasons are counted together.
func reasonOf(err error, platform string) string {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return "broken JSON: " + syntax.Error()
	case errors.Is(err, errBroken):
		return brokenReason(err)
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return platform + ": " + err.Error()
		}
		err = inner
	}
}

// brokenReason is the words from errBroken on.
func brokenReason(err error) string {
	s := err.Error()
	if i := strings.Index(s, errBroken.Error()); i >= 0 {
		return s[i:]
	}
	return s
}

// item gives the function that reads one JSON text of a format.
func (r *reading) item(f Format) func(n int64, raw []byte) error {
	switch f {
	case FormatZeeschuimer:
		return r.zeeschuimer
	case FormatXv2:
		return r.xv2
	case FormatXv1:
		return func(n int64, raw []byte) error { return r.native(n, "x", raw, origin{}) }
	case FormatXArchive:
		return r.xArchive
	case FormatReddit:
		return r.reddit
	case FormatTikTok:
		return r.tiktok
	}
	return r.ownJSON
}

// broken counts a text that is no JSON.
func (r *reading) broken(n int64, raw []byte, err error) {
	if why := whyBroken(raw); why != "" {
		r.report.problem(n, false, "broken JSON: %s", why)
		return
	}
	r.report.problem(n, false, "%v", err)
}

// zeeschuimer reads a line of the browser extension: one native item, with when
// and where it was seen. Its fields are in docs/importing.md.
func (r *reading) zeeschuimer(n int64, raw []byte) error {
	var data, source []byte
	var from origin
	err := members(raw, func(key string, value []byte) {
		switch key {
		case "data":
			data = value
		case "source_platform":
			source = value
		case "timestamp_collected":
			from.at = millis(text(value))
		case "source_url":
			from.url = text(value)
		case "source_platform_url":
			if from.url == "" {
				from.url = text(value)
			}
		case "user_agent":
			if agent := text(value); agent != "" {
				from.exporter = "Zeeschuimer in " + agent
			}
		}
	})
	switch {
	case err != nil:
		r.broken(n, raw, err)
		return nil
	case len(data) == 0 || data[0] != '{':
		r.report.problem(n, false, "no native item under data")
		return nil
	}
	platform := zeeschuimerPlatform(text(source))
	if bytes.Contains(data, []byte(`"_zs_partial"`)) {
		_ = members(data, func(key string, value []byte) { // a broken item is told by its reader
			if key == "_zs_partial" && string(value) == "true" {
				from.partial = true
			}
		})
	}
	return r.native(n, platform, data, from)
}

// zeeschuimerPlatform is the registry name of a source_platform: "tiktok.com",
// "tiktok-comments", "twitter.com".
func zeeschuimerPlatform(source string) string {
	name := strings.TrimPrefix(strings.ToLower(source), "www.")
	if i := strings.IndexAny(name, ".-/"); i > 0 {
		name = name[:i]
	}
	if name == "twitter" {
		return "x"
	}
	if name == "" {
		return "a platform that the line does not name"
	}
	return name
}

func millis(s string) time.Time {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 1e11 || n > 253402300799000 {
		return time.Time{}
	}
	return time.UnixMilli(int64(n)).UTC()
}

// seconds reads a time in seconds since 1970, as a number or a string of one.
func seconds(s string) time.Time {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 1e8 || n > 253402300799 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// reddit reads a line of a dump. When it was observed stands in retrieved_on,
// or in retrieved_utc.
func (r *reading) reddit(n int64, raw []byte) error {
	var from origin
	err := members(raw, func(key string, value []byte) {
		switch key {
		case "retrieved_on", "retrieved_utc":
			if at := seconds(text(value)); !at.IsZero() {
				from.at = at
			}
		}
	})
	if err != nil {
		r.broken(n, raw, err)
		return nil
	}
	return r.native(n, "reddit", raw, from)
}

// xArchive reads an element of tweets.js: a post of API v1.1 under "tweet".
func (r *reading) xArchive(n int64, raw []byte) error {
	item := raw
	err := members(raw, func(key string, value []byte) {
		if key == "tweet" {
			item = value
		}
	})
	if err != nil {
		r.broken(n, raw, err)
		return nil
	}
	return r.native(n, "x", item, origin{exporter: "X account archive"})
}

const xAPI = "https://api.twitter.com/2/tweets"

// xv2 reads an answer of X's API v2, one post or account of it, the includes of
// a page, or a line of a compliance job.
func (r *reading) xv2(n int64, raw []byte) error {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &m); err != nil {
		r.report.problem(n, false, "broken JSON: %v", err)
		return nil
	}
	c := r.collector("x")
	if c == nil {
		r.report.problem(n, true, "items of x: there is no collector that reads them")
		return nil
	}
	from := origin{url: xAPI}
	if twarc := m["__twarc"]; twarc != nil {
		var t struct {
			URL       string    `json:"url"`
			Version   string    `json:"version"`
			Retrieved time.Time `json:"retrieved_at"`
		}
		if json.Unmarshal(twarc, &t) == nil {
			from.at, from.exporter = t.Retrieved.UTC(), strings.TrimSpace("twarc "+t.Version)
			if t.URL != "" {
				from.url = t.URL
			}
		}
	}
	switch {
	case m["data"] != nil || m["errors"] != nil || m["meta"] != nil:
		if m["data"] == nil && m["errors"] == nil {
			return nil // the last page of a search: no posts, and nothing wrong
		}
		return r.answerOf(n, c, raw, from)
	case m["action"] != nil && m["id"] != nil:
		at, _ := time.Parse(time.RFC3339, text(m["redacted_at"]))
		return r.native(n, "x", raw, origin{url: "https://api.twitter.com/2/compliance/jobs", at: at.UTC(), exporter: "X compliance job"})
	case m["users"] != nil:
		from.url = "https://api.twitter.com/2/users"
		return r.answerOf(n, c, wrap(`{"data":`, m["users"], `}`), from)
	case m["username"] != nil && m["text"] == nil:
		from.url = "https://api.twitter.com/2/users"
		return r.answerOf(n, c, wrap(`{"data":`, raw, `}`), from)
	}
	return r.native(n, "x", raw, from)
}

func wrap(before string, raw []byte, after string) []byte {
	return append(append([]byte(before), raw...), after...)
}

const tiktokAPI = "https://open.tiktokapis.com/v2/research/"

// tiktok reads an answer of the Research API, or one video or comment of it.
func (r *reading) tiktok(n int64, raw []byte) error {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &m); err != nil {
		r.report.problem(n, false, "broken JSON: %v", err)
		return nil
	}
	c := r.collector("tiktok")
	if c == nil {
		r.report.problem(n, true, "items of tiktok: there is no collector that reads them")
		return nil
	}
	body, data := raw, m["data"]
	const end = `},"error":{"code":"ok","message":""}}`
	switch {
	case data != nil:
	case m["videos"] != nil || m["comments"] != nil: // the data of an answer, alone
		body, data = wrap(`{"data":`, raw, `,"error":{"code":"ok","message":""}}`), raw
	case m["video_description"] != nil || m["region_code"] != nil || m["voice_to_text"] != nil:
		body = wrap(`{"data":{"videos":[`, raw, `]`+end)
		data = []byte(`{"videos":[]}`)
	default:
		body = wrap(`{"data":{"comments":[`, raw, `]`+end)
		data = []byte(`{"comments":[]}`)
	}
	from := origin{url: tiktokAPI + "video/query/"}
	switch {
	case bytes.Contains(data, []byte(`"comments"`)) && !bytes.Contains(data, []byte(`"videos"`)):
		from.url = tiktokAPI + "video/comment/list/"
	case bytes.Contains(data, []byte(`"bio_description"`)) || bytes.Contains(data, []byte(`"display_name"`)):
		from.url = tiktokAPI + "user/info/"
	}
	return r.answerOf(n, c, body, from)
}

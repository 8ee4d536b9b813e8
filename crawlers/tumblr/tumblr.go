// Package tumblr collects public blogs of Tumblr, with their reblog chains.
//
// # Endpoints
//
//	GET https://NAME.tumblr.com/api/read/json?start=N&num=50[&tagged=T][&id=ID]
//	    API v1: a whole blog without a key, 50 posts a page; the body is "var tumblr_api_read = {…};"
//	GET https://NAME.tumblr.com/rss, /tagged/T/rss      about the 20 newest posts
//	GET https://www.tumblr.com/oembed/1.0?url=POST      author, canonical address, the blog's uuid
//	GET https://NAME.tumblr.com/post/ID                 a post in the blog's own theme (og: and ld+json)
//	GET https://www.tumblr.com/NAME/ID                  the same in the site's own view (___INITIAL_STATE___ JSON)
//	GET https://api.tumblr.com/v2/blog/NAME/posts?limit=50&reblog_info=true&notes_info=true&npf=true
//	    API v2 with the user's consumer key in api_key: trails and notes; next page by _links.next or before=TIME
//	GET https://api.tumblr.com/v2/blog/NAME/notes?id=ID&mode=conversation   replies and reblogs
//	GET https://api.tumblr.com/v2/tagged?tag=T&before=TIME                  posts of all blogs under a tag
//	GET https://tmblr.co/CODE, https://at.tumblr.com/…                      short links: one redirect
//
// # Identity
//
// A blog can be renamed; its uuid ("t:…") is its identity and Account.ID, where
// an answer shows it (v1 and RSS do not). Post.ID is decimal, up to 2^63, and
// kept as a string. Dead accounts in trails carry names ending in
// -deactivatedYYYYMMDD.
//
// # Reblogs
//
// A post is a reblog only where a reblogged-from or parent field exists: an
// original, too, has a trail with itself. Refs of a reblog are repost_of (the
// post it was taken from), reblog_root, and trail in order, oldest first. In
// API v1 the trail is in the body, as nested quotations that each name the
// address of the quoted post.
//
// # Pictures
//
// 64.media.tumblr.com/HASH/POST-MEDIA/s640x960/NAME.jpg: HASH and POST-MEDIA
// name the upload in all its sizes and reblogs. Media has the address in the
// post, Assets the largest size that the answer names.
//
// # Limits
//
// 300 requests a minute, 18,000 an hour, 432,000 a day per address; 1,000 an
// hour and 5,000 a day per key (tumblr/docs, api.md, read 2026-09). Blogs'
// robots.txt asks for Crawl-delay: 1 and forbids /random and /day (2026-09-01).
//
// Not collected: likes, followers, the dashboard, asks before they are
// answered, blogs that are shown to logged-in readers only.
package tumblr

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const platform = "tumblr"

// Names of routes.
const (
	routeJSON   = "json"
	routeFeed   = "feed"
	routeOEmbed = "oembed"
	routeHTML   = "html"
	routeAPI    = "api"
)

const pageSize = 50 // posts asked for on a page of API v1 and v2: the most that is served

// Collector is the collector of Tumblr. Its zero value is ready to use.
type Collector struct{}

// New gives the collector.
func New() crawlers.Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Tumblr",
		Reader:   1,
		Collects: "whole blogs, posts, tags and searches, with reblog parents, roots and trails; replies and reblogs with a key",
		Seeds: []string{
			"https://NAME.tumblr.com/",
			"https://www.tumblr.com/NAME",
			"https://www.tumblr.com/NAME/1234567890/slug",
			"https://NAME.tumblr.com/post/1234567890/slug",
			"https://NAME.tumblr.com/tagged/TAG",
			"https://NAME.tumblr.com/day/2024/5/2",
			"https://www.tumblr.com/tagged/TAG",
			"https://www.tumblr.com/search/WORDS",
			"https://tmblr.co/ZxAbCd",
		},
		Routes: []crawlers.Route{
			{Name: routeJSON, Kinds: kinds(), Gives: "API v1: the whole blog with direct reblog parents and roots, no key", Every: time.Second, PageSize: pageSize, Robots: true},
			{Name: routeFeed, Kinds: []crawlers.RefKind{crawlers.RefAccount}, Gives: "the newest 20 posts as RSS", Every: time.Second, PageSize: 20, Robots: true},
			{Name: routeOEmbed, Kinds: []crawlers.RefKind{crawlers.RefPost}, Gives: "author, uuid and canonical address of one post", Hosts: []string{"www.tumblr.com"}, Every: time.Second, PageSize: 1, Robots: true},
			{Name: routeHTML, Kinds: kinds(), Gives: "pages of the blog's theme or of the site", Every: time.Second, PageSize: 10, Robots: true},
			{Name: routeAPI, Key: "tumblr", Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefPost, crawlers.RefTag, crawlers.RefBoard}, Gives: "API v2: NPF text, full trails, counts, notes", Hosts: []string{"api.tumblr.com"}, Every: 4 * time.Second, PageSize: pageSize, Cost: "1 of the key's 1,000 requests an hour and 5,000 a day", Units: 1},
		},
		Keys: []crawlers.Key{{
			Name: "tumblr", Scheme: crawlers.KeyQuery, Param: "api_key", Hosts: []string{"api.tumblr.com"},
			Help: "the OAuth consumer key of an application registered at https://www.tumblr.com/oauth/apps (free)",
		}},
		Hosts: []string{"*.tumblr.com", "tmblr.co"},
		Limits: []string{
			"without a key: the direct parent and the root of a reblog, and the trail as far as its body quotes it; no replies",
			"blogs shown to logged-in readers only, or marked as sensitive, are reported, not entered",
			"tags and searches over all blogs need a key beyond their first page",
		},
		Checked: "2026-11-23",
	}
}

func kinds() []crawlers.RefKind {
	return []crawlers.RefKind{crawlers.RefAccount, crawlers.RefPost, crawlers.RefTag, crawlers.RefSearch, crawlers.RefBoard, crawlers.RefShort}
}

func newRef(kind crawlers.RefKind, id, of, url string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, Of: of, URL: url, Alias: alias}
}

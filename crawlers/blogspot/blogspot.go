// Package blogspot collects public blogs of Blogger: NAME.blogspot.com, its
// country addresses, and custom domains.
//
// # Endpoints
//
//	GET https://HOST/feeds/posts/default?alt=json&start-index=N&max-results=150&orderby=published&redirect=false
//	    a blog's posts, newest first, whole text, comment counts; JSON with alt=json, Atom without, RSS with alt=rss
//	GET https://HOST/feeds/posts/default/-/LABEL     the posts under a label; ?q=WORDS searches; ?published-min=&published-max= is a window
//	GET https://HOST/feeds/posts/default/POSTID      one post
//	GET https://HOST/feeds/POSTID/comments/default   the comments of a post; /feeds/comments/default those of the blog
//	GET https://HOST/YYYY/MM/SLUG.html, /p/SLUG.html a post or static page as its theme shows it
//	GET https://www.blogger.com/feeds/BLOGID/...     the same feeds by the blog's number
//	GET https://www.blogger.com/profile/N            an author's profile, with links to the blogs it names
//	GET https://www.googleapis.com/blogger/v3/...    API v3, with the user's key in the header X-Goog-Api-Key
//
// A feed page holds at most 150 entries since 2015 (500 before), and the server
// may serve fewer than asked: the next page starts after the entries received,
// and the list ends at openSearch:totalResults. rel=next may name
// www.blogger.com instead of the blog's host. redirect=false keeps the feed
// from FeedBurner, whose copies rewrite links (feedburner:origLink has the real
// one). API v3 serves 500 items a page.
//
// # Identity
//
// The number of a blog (BLOGID, in every entry id
// tag:blogger.com,1999:blog-BLOGID.post-POSTID) is its identity. A freed name
// can be taken by someone else: a host whose BLOGID changed has a new owner.
// Post.ID is POSTID, for comments the comment's own number.
//
// # Comments
//
// thr:in-reply-to of a comment names the post; the comment that it answers is
// in link rel=related. Contents that were taken away stay as entries with the
// property blogger.contentRemoved.
//
// # Times
//
// Feeds and API give the moment with the blog's own offset, which is kept in
// Time.Raw. Pages give it in the title of abbr.published or in ld+json; a date
// without a clock is an interval. The address of a comment (?showComment=MS)
// carries its moment in milliseconds; it is used only where a page shows
// nothing better.
//
// # Limits
//
// No published limit for the feeds; the default pace is one request in 2 s.
// The API's quota is set per key in the Google console.
//
// Not collected: e-mail addresses (always noreply@blogger.com), followers,
// widgets. View counts are not served to readers. Feed date windows and q= are
// used as documented for the GData API of 2012; they were not checked against
// today's service.
package blogspot

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const platform = "blogspot"

// Names of routes.
const (
	routeFeed = "feed"
	routeHTML = "html"
	routeAPI  = "api"
)

const (
	feedPage = 150 // entries asked for on a feed page: the most that is served
	apiPage  = 500 // items asked for on an API page
)

// Collector is the collector of Blogger. Its zero value is ready to use.
type Collector struct{}

// New gives the collector.
func New() crawlers.Collector { return Collector{} }

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Blogspot (Blogger)",
		Reader:   1,
		Collects: "whole blogs with their comments, static pages, labels, searches, single posts; custom domains",
		Seeds: []string{
			"https://NAME.blogspot.com/",
			"https://NAME.blogspot.de/2024/05/slug.html",
			"https://NAME.blogspot.com/p/slug.html",
			"https://NAME.blogspot.com/search/label/LABEL",
			"https://NAME.blogspot.com/search?q=WORDS",
			"https://NAME.blogspot.com/2024/05/",
			"https://NAME.blogspot.com/feeds/posts/default",
			"https://www.blogger.com/feeds/1234567890/posts/default",
			"https://www.blogger.com/profile/1234567890",
		},
		Routes: []crawlers.Route{
			{Name: routeFeed, Gives: "posts, comments and counts as JSON feeds, the whole history", Every: 2 * time.Second, PageSize: feedPage, Robots: true},
			{Name: routeHTML, Gives: "a post or page as its theme shows it, with the comments on it", Every: 2 * time.Second, PageSize: 1, Robots: true},
			{Name: routeAPI, Key: "blogger", Gives: "posts, pages and comments by API v3", Hosts: []string{"www.googleapis.com"}, Every: 2 * time.Second, PageSize: apiPage, Cost: "1 request of the key's daily quota", Units: 1},
		},
		Keys: []crawlers.Key{{
			Name: "blogger", Scheme: crawlers.KeyHeader, Param: "X-Goog-Api-Key", Hosts: []string{"www.googleapis.com"},
			Help: "an API key for the Blogger API v3, made in the Google Cloud console",
		}},
		Hosts: []string{"*.blogspot.com", "www.blogger.com", "www.googleapis.com"},
		Limits: []string{
			"150 entries a feed page; owners may limit feeds to summaries, then each post's page is fetched for its text",
			"no view counts",
			"invited-only blogs and blogs behind the adult notice are reported, not entered",
		},
		Checked: "2026-11-23",
	}
}

// newRef completes a Ref of this platform.
func newRef(kind crawlers.RefKind, id, of, url string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, Of: of, URL: url, Alias: alias}
}

var _ crawlers.Collector = Collector{}

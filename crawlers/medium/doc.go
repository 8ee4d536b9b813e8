// Package medium collects public stories from medium.com, its subdomains and
// the custom domains of its publications.
//
// # Endpoints
//
//	GET /feed/@{U}, /feed/{PUB}, /feed/{PUB}/tagged/{T}, /feed/tag/{T}, https://{CUSTOM}/feed
//	        RSS 2.0, the 10 newest stories, whole in content:encoded; a members-only story has a snippet in description
//	GET /p/{ID}                          a story: HTML with window.__APOLLO_STATE__ and ld+json; redirects to its full address
//	GET /@{U}, /{PUB}, /tag/{T}          the newest stories of a profile, publication or tag, as Apollo previews
//	GET /tag/{T}/archive/{YYYY/MM/DD}    the stories of one day, in obvInit(…); an empty day redirects to its month
//	GET https://link.medium.com/{CODE}   a short link: a redirect
//
// No route needs a key, and none is offered for reading: api.medium.com/v1 only
// writes. Saved answers of other times are read too: pages of 2015
// (GLOBALS.embedded with the story, or section--body and graf markup), pages
// kept without their scripts (head metas and markup), and ?format=json with its
// prefix "])}while(1);</x>" (dead for most callers since 2019, so it is not
// asked for).
//
// # Limits
//
// Feeds serve the 10 newest stories (since 2019, last confirmed 2026-09-22 in
// public issue threads). Pages stand behind Cloudflare, which refuses many
// addresses: in tests of 2026-09-16 a page was served or not by address and
// client, and a few large archive pages exhausted an address. The collector
// asks for one page in 10 s, and gives up a host on the first challenge.
//
// # What a post is
//
// ID is the story's hexadecimal id, URL https://medium.com/p/ID. A response is
// a comment with a reply_to. Text is the paragraphs without the title, list
// items on lines of their own, captions in place; the sentences that feeds add
// ("… was originally published in …", "Continue reading on …") are not text.
// Created is firstPublishedAt,
// Edited latestPublishedAt where it is later; the head meta
// article:published_time of pages since 2017 is the latter, not the former, so
// a page without data gives the day of its dateline as Created. Counts are
// claps (clapCount, totalClapCount), voters (voterCount, recommends) and
// comments (responses); feeds carry none. Tags are the slugs of the story's
// tags, "publication:SLUG", and the marks member-only, unlisted, series. A
// story first published elsewhere (canonicalUrl, importedUrl) has a repost_of
// to that address, on platform web.
//
// Images have an id (1*NAME) that is the same at every size and host; their URL
// is https://miro.medium.com/ID, which names the original.
//
// # Not collected
//
// Highlights, claps by person, followers, private notes; GraphQL is not asked
// for (it answers 403), only read where an archive holds its answers; friend
// links' ?sk= tokens are dropped from every address.
package medium

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform  = "medium"
	routeFeed = "feed"
	routeHTML = "html"

	base      = "https://medium.com"
	imageBase = "https://miro.medium.com/"
	feedItems = 10 // stories in a feed
	maxHops   = 5  // redirects of one step
)

// Collector collects from medium.com. Its zero value is ready to use.
type Collector struct{}

// New gives the collector of medium.com.
func New() Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the platform's data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Medium",
		Reader:   1,
		Collects: "stories with full text, images, links, claps and response counts; responses; publications, tags and days of a tag",
		Seeds: []string{
			"https://medium.com/@example",
			"https://example.medium.com/",
			"https://medium.com/u/0123456789ab",
			"https://medium.com/example-publication",
			"https://medium.com/@example/a-story-0123456789ab",
			"https://medium.com/p/0123456789ab",
			"https://medium.com/tag/example",
			"https://medium.com/example-publication/tagged/example",
			"https://medium.com/tag/example/archive/2020/01/31",
			"https://link.medium.com/AbCdEfGhIj",
		},
		Routes: []crawlers.Route{
			{
				Name: routeFeed, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefGroup, crawlers.RefTag},
				Gives: "the 10 newest stories whole, without counts",
				Every: 5 * time.Second, PageSize: feedItems, Robots: true,
			},
			{
				Name: routeHTML, Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount, crawlers.RefGroup, crawlers.RefTag, crawlers.RefShort},
				Gives: "a story with claps and responses; lists of profiles, publications, tags and days",
				Every: 10 * time.Second, Robots: true,
			},
		},
		Hosts: []string{"medium.com", "*.medium.com"},
		Limits: []string{
			"feeds serve the 10 newest stories; older ones are reached by a tag's day pages, or by their address",
			"Cloudflare refuses many addresses: a challenge or a block says nothing about the story",
			"members-only stories come in part",
			"responses are counted, and read where a page shows them; there is no listing of all",
		},
		Checked: "2026-11-23",
	}
}

// Package facebook takes what Facebook shows of public pages and posts without
// login, reads pages and posts through the Graph API with the user's token, and
// reads the site's own answers since 2020 that archives and exports hold.
//
// # Endpoints
//
//	GET https://www.facebook.com/PAGE                        a page: head metadata ("3,783 likes · 65 were here"), and in
//	                                                         its scripts one or two newest posts as JSON (Comet)
//	GET https://www.facebook.com/PAGE/posts/ID, /watch/?v=ID, /photo.php?fbid=ID
//	                                                         a post, where it is served at all: mostly a redirect to the login form
//	GET https://www.facebook.com/plugins/post.php?href=POST&show_text=true
//	GET https://www.facebook.com/plugins/video.php?href=VIDEO&show_text=true
//	GET https://www.facebook.com/plugins/page.php?href=PAGE&tabs=timeline
//	                                                         the official embeds: HTML with text, author and time
//	                                                         (abbr data-utime); no recording of one was at hand
//	GET https://graph.facebook.com/v23.0/PAGE/posts?fields=…&limit=25&after=CURSOR
//	GET https://graph.facebook.com/v23.0/PAGE_POST, /PAGE_POST/comments, /PAGE
//	GET https://graph.facebook.com/v23.0/oembed_post?url=, /oembed_video?url=
//	                                                         the Graph API with a token; oEmbed is without author since 2025-11-03
//	GET https://www.facebook.com/share/CODE, https://fb.watch/CODE, https://fb.me/CODE
//	                                                         short links: one redirect
//
// Read where archives have them, never asked for: pages of m.facebook.com and
// mbasic.facebook.com (until about 2023), their pagination answers
// ("for (;;);" and JSON with HTML in it), server-rendered desktop pages (until
// 2022: ld+json SocialMediaPosting, abbr data-utime), and /api/graphql answers.
//
// # Ids
//
// A post has one number within its page. Facebook writes it in three more ways,
// all resolved without a request: pfbid… in addresses is made anew for each
// reader, and one post has many; the JSON of its page holds, in base 64,
// feedback:POST and S:_IOWNER:POST. Post.ID is the number. A post that is only
// known by a pfbid is an alias until an answer shows its number.
//
// A page has two numbers: that of its profile (1000…, userID in its page) and
// the older one of the page (delegate_page, the OWNER in S:_I). Account.ID is the
// one that stands with the post, the other is an identity of it.
//
// # Counts
//
// reaction_count is exact, i18n_reaction_count ("345K") rounded. A post's
// comments are all of them; toplevel_comment_count and the list pages of m. count
// without replies and are not taken for it.
//
// # Walls
//
// A login form stands on public pages too. A page is a wall if it is titled as
// a login page and has no og:title.
//
// Not collected: groups, private profiles, friends, search, anything behind a
// login, and further posts of a page by GraphQL, which wants tokens of the site's
// own code. robots.txt was not in what these facts are from; it is obeyed as it
// stands when it is fetched.
package facebook

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform = "facebook"
	site     = "https://www.facebook.com"
	graph    = "https://graph.facebook.com/v23.0"
	keyName  = "facebook"
)

// Names of routes.
const (
	routeAPI    = "api"
	routeHTML   = "html"
	routePlugin = "plugin"
)

const (
	pageSize    = 25  // posts asked for on a page of the Graph API
	commentSize = 100 // comments asked for on a page of the Graph API
)

// Collector is the collector of Facebook. Its zero value is ready to use.
type Collector struct{}

// New gives the collector.
func New() crawlers.Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Facebook",
		Reader:   1,
		Collects: "a page's profile and newest one or two posts and single public posts, as far as they are served without login; whole pages with comments with a Graph API token; everything in exports and archives",
		Seeds: []string{
			"https://www.facebook.com/NAME",
			"https://www.facebook.com/profile.php?id=100012345678901",
			"https://www.facebook.com/people/Name/100012345678901/",
			"https://www.facebook.com/NAME/posts/1234567890123456",
			"https://www.facebook.com/NAME/posts/pfbid0abcdefghijklmnopqrstuvwxyzl",
			"https://www.facebook.com/permalink.php?story_fbid=1234567890123456&id=100012345678901",
			"https://www.facebook.com/groups/NAME/posts/1234567890123456/",
			"https://www.facebook.com/photo.php?fbid=1234567890123456",
			"https://www.facebook.com/watch/?v=1234567890123456",
			"https://www.facebook.com/reel/1234567890123456",
			"https://www.facebook.com/share/p/CODE/",
			"https://fb.watch/CODE/",
		},
		Routes: []crawlers.Route{
			{Name: routeAPI, Key: keyName, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefPost}, Gives: "Graph API: all posts of a page with exact counts and times, comments", Hosts: []string{"graph.facebook.com"}, Every: 20 * time.Second, PageSize: pageSize, Cost: "1 of 200 calls an hour", Units: 1},
			{Name: routeHTML, Gives: "a page's profile and newest one or two posts; a post, where it is served", Hosts: []string{"www.facebook.com"}, Every: 30 * time.Second, PageSize: 1, Robots: true},
			{Name: routePlugin, Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount}, Gives: "the official embeds: a post's text, author and time; a page's newest posts", Hosts: []string{"www.facebook.com"}, Every: 20 * time.Second, Robots: true},
		},
		Keys: []crawlers.Key{{
			Name: keyName, Scheme: crawlers.KeyBearer, Hosts: []string{"graph.facebook.com"},
			Help: "a page token of your own page, or an app token with Page Public Content Access (https://developers.facebook.com/docs/features-reference/page-public-content-access)",
		}},
		Hosts: []string{"www.facebook.com", "graph.facebook.com", "fb.watch", "fb.me"},
		Limits: []string{
			"without login most posts redirect to the login form: that says nothing about the post",
			"history of a page: with a Graph API token, or by importing a Zeeschuimer, Content Library or CrowdTangle export",
			"groups and personal profiles: imports only",
			"picture and video addresses expire within days: collect with --media at once",
		},
		Checked: "2026-11-23",
	}
}

func newRef(kind crawlers.RefKind, id, of, url string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, Of: of, URL: url, Alias: alias}
}

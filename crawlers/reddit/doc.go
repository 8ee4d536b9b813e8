// Package reddit collects public posts and comments from reddit.com.
//
// # Endpoints
//
// Route "api", with the user's own application key (OAuth 2, grant
// client_credentials), at oauth.reddit.com, always with raw_json=1:
//
//	GET  /r/{SUB}/new, /user/{U}/overview, /search, /domain/{HOST}/new   a Listing of t3 (posts) and t1 (comments), 100 a page, "after" gives the next
//	GET  /comments/{ID}?limit=2048&sort=confidence                       [Listing of the post, Listing of its comment tree]
//	GET  /comments/{ID}/_/{CID}                                          the same for one comment, with its parents
//	POST /api/morechildren                                               comments that a thread names but does not carry, at most 100 ids
//	GET  /api/info?id= or ?url=                                          single things; every submission of one link
//	GET  /duplicates/{ID}                                                [the post, other submissions of its link]
//	GET  /r/{SUB}/about, /user/{U}/about                                 t5 (subreddit), t2 (account)
//
// Route "feed", without a key, at www.reddit.com: the same listings as Atom
// (/r/{SUB}/new/.rss, /user/{U}/submitted/.rss, /comments/{ID}/.rss,
// /search.rss?q=, /domain/{HOST}/new/.rss). An entry has id, author, title, the
// body as HTML between "<!-- SC_OFF -->" and "<!-- SC_ON -->", the outgoing link
// (the anchor "[link]") and the time; no counts, no parent of a comment, no
// gallery items. Share links (/r/{SUB}/s/{CODE}) and v.redd.it/{ID} answer a
// redirect to the post, read by a resolve step.
//
// Saved answers of other times are read too: RSS 2.0 of 2015, Atom with XHTML
// of 2016, oEmbed, and JSON taken without raw_json=1, in which "&", "<" and ">"
// stand as character references (told from the content and undone once).
//
// # Limits
//
// The Data API allows 100 requests a minute to one application (documented;
// answers of 2016 to 2018 carry 600 in 10 minutes, later ones 1,000) and serves
// at most 1,000 items of a listing; the default pace is one request per 600 ms.
// Feeds have answered about one request a minute and address since June 2026
// (public issue reports, read 2026-11-23); the default pace is one per 65 s.
// x-ratelimit-remaining and x-ratelimit-reset (seconds) are obeyed. The JSON
// views without a key have answered 403 since the end of May 2026, and
// old.reddit.com sends readers without a login to a login page since 30 June
// 2026 (same sources): neither is asked for.
//
// # What a post is
//
// ID is the full name (t3_… a post, t1_… a comment, t5_… and t2_… the profile
// of a subreddit or account, as kind account). Text is the author's Markdown
// where the API gives it, and the text of the HTML in feeds. Tags are the
// subreddit as "r/NAME", the link flair, and marks: nsfw, spoiler, quarantined,
// locked, archived, stickied, crosspost, poll, gallery, gallery_deleted,
// media_failed, edited (the platform says that, but not when), submitter,
// distinguished:WHO, removed_by:WHO. Counts are score (hidden while the
// platform hides it), upvote_ratio_permille (0.93 is 930, as rounded as the
// platform states it), comments, crossposts, duplicates, awards, and for polls
// poll_votes and one poll_option:TEXT each, hidden until the platform shows
// them. Times are created_utc and edited; the field "created" is never read: it
// was local time for years. A deleted or removed thing keeps its id, time and
// title, has no text, and says which of the two it is in its Outcome.
//
// A quarantined or gated subreddit is age_gated: it asks a logged-in reader to
// opt in. A 403 without a reason on a subreddit is private.
//
// # Not collected
//
// HTML pages of any host (they need a login or a script), votes and karma by
// person, saved and hidden lists, moderator logs, wikis, chats; what an
// application that poses as Reddit's own would be served.
package reddit

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform  = "reddit"
	routeAPI  = "api"
	routeFeed = "feed"

	web   = "https://www.reddit.com"
	oauth = "https://oauth.reddit.com"

	pageSize     = 100  // most items of one page that the API and the feeds grant
	listingCap   = 1000 // most items of one listing
	moreChildren = 100  // most ids of one request for more comments
	maxHops      = 5    // redirects of one step
)

// Collector collects from reddit.com. Its zero value is ready to use.
type Collector struct{}

// New gives the collector of reddit.com.
func New() Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the platform's data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Reddit",
		Reader:   1,
		Collects: "posts with crossposts, galleries, videos and polls, comments as threads, other submissions of a link, profiles of subreddits and accounts",
		Seeds: []string{
			"https://www.reddit.com/r/example/",
			"https://www.reddit.com/user/example/",
			"https://www.reddit.com/r/example/comments/1abcde/a_title/",
			"https://www.reddit.com/r/example/comments/1abcde/comment/k2abcde/",
			"https://redd.it/1abcde",
			"https://www.reddit.com/r/example/s/AbCdEfGhIj",
			"https://www.reddit.com/search/?q=example",
			"https://www.reddit.com/domain/example.org/",
			"https://www.reddit.com/duplicates/1abcde/",
			"https://www.reddit.com/user/example/m/list/",
			"https://i.redd.it/abcdefghijk1.jpg",
			"https://v.redd.it/abcdefghijk1",
			"https://www.reddit.com/new/",
		},
		Routes: []crawlers.Route{
			{
				Name: routeAPI, Key: platform,
				Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefComment, crawlers.RefGroup, crawlers.RefAccount, crawlers.RefBoard,
					crawlers.RefSearch, crawlers.RefDomain, crawlers.RefDiscussion, crawlers.RefMedia, crawlers.RefSite},
				Gives: "posts, comments and profiles with all fields and counts; up to 1,000 items of a listing",
				Hosts: []string{"oauth.reddit.com"}, Every: 600 * time.Millisecond, PageSize: pageSize,
				Cost: "1 of 100 requests a minute",
			},
			{
				Name:  routeFeed,
				Gives: "the newest 25 to 100 items as Atom, without counts; share links",
				Hosts: []string{"www.reddit.com", "v.redd.it"}, Every: 65 * time.Second, PageSize: 25, Robots: true,
			},
		},
		Keys: []crawlers.Key{{
			Name: platform, Scheme: crawlers.KeyClientCredentials,
			TokenURL: web + "/api/v1/access_token",
			Hosts:    []string{"oauth.reddit.com", "www.reddit.com"},
			Help:     "register an application of type \"script\" or \"web app\" at https://www.reddit.com/prefs/apps and set its id and secret",
		}},
		Hosts: []string{"oauth.reddit.com", "www.reddit.com", "v.redd.it", "i.redd.it", "preview.redd.it", "external-preview.redd.it"},
		Limits: []string{
			"Reddit's robots.txt may forbid everything that is fetched without a key: then only the api route with your own application key (keys.reddit) works",
			"without a key: feeds only, about one request a minute and address, no counts, no crosspost parents, no gallery items, newest 25 to 100 items",
			"with a key: at most 1,000 items of any listing; older posts only by search, by link or by id",
			"comments that a thread folds away take one more request per 100",
		},
		Checked: "2026-11-23",
	}
}

// Package twitter collects public posts from X (x.com, formerly twitter.com).
// Its platform name is "x".
//
// # Endpoints
//
// Route "syndication", without a key, for posts whose id is known. It is what
// X's own embedded posts ask for:
//
//	GET https://cdn.syndication.twimg.com/tweet-result?id={ID}&lang=en&token={T}
//
// T is a number made of the id (see Token). The answer is one post as JSON:
// text, author, time, likes, number of replies, media, the quoted post and the
// parent; never reposts, quotes or views of the post itself. A long post ("note
// tweet") is cut after 280 characters. A post that is not shown answers 200 with
// a TweetTombstone and a reason, or with an empty tombstone and none; an unknown
// id answers 404; a token that X does not accept answers 200 and {}. The
// shortener t.co, and pic.x.com, answer a redirect (or a page that holds one).
//
// Route "oembed", without a key, for the same: GET https://publish.x.com/oembed
// gives text, author and day as a quotation in HTML.
//
// Route "api", API v2 with the user's own bearer token, at https://api.x.com:
//
//	GET /2/tweets?ids=                        posts, up to 100 ids
//	GET /2/users/by/username/{U}, /2/users/{ID}   a profile
//	GET /2/users/{ID}/tweets                  an account's posts, 100 a page, at most 3,200
//	GET /2/tweets/search/recent?query=        the last seven days: words, hashtags, replies of a conversation
//	GET /2/lists/{ID}/tweets, /2/communities/{ID}, /2/spaces/{ID}
//
// Answers of other times and tools are read, but never asked for: GraphQL of
// the web client (users with "legacy" and, since 2025, with "core" and parts of
// their own), API v1.1, API v2 as twarc and academictwitteR store it (one answer
// a line, flattened posts, arrays of posts), lines of compliance jobs, items of
// Zeeschuimer, tweets.js of an account's own archive, and the timeline pages of
// the old embed. ReadItem reads a single one of these for importers.
//
// # Limits
//
// tweet-result answered 15 requests in a row with 200 and names no rate (public
// measurement of 2026-07-19); the default pace is one request in two seconds.
// oEmbed answers 429 with code 429 when it is asked too fast. API v2 is paid per
// item: $0.005 for a post, space, community or list, $0.010 for a user, at most
// two million posts a month, the same item once a UTC day
// (https://docs.x.com/x-api/getting-started/pricing, read 2026-11-23).
//
// # What a post is
//
// ID is the number of the post. Ids since 4 November 2010 hold the millisecond
// of creation: where an answer states no time (tombstones, oEmbed), Created is
// that moment with source "id"; for older ids it is an interval. Text is the
// whole text where the answer has it (notes, extended text), with &amp;, &lt;
// and &gt; decoded and short links as they stand; Links are their targets, as
// X expanded and resolved them. A repost is a post of its own with a reference;
// the original, a quoted post and a parent that an answer carries stand on the
// page before it. Its counts are what X states beside it: reposts counts the
// original's. Thread is the conversation's first post. Counts are likes,
// reposts, comments (replies), quotes, bookmarks, views, video_views and
// poll_option:TEXT. Tags are $CASHTAGS and marks: sensitive, edited,
// stale_edit (a later version exists), version_of:ID (the first version),
// promoted, pinned, cut (text ends early), community_note, source:APP,
// place:NAME, geo:LAT,LON, reply_settings:WHO, withheld_in:CC, media_from:ID
// (media first posted there), space, poll. A text by which X says that it
// withholds a post is not taken for the author's.
//
// A profile is a post of kind account with the id "user:NUMBER" (numbers of
// users and posts overlap). Its tags are verified, blue_verified,
// verified_type:T, protected, location:TEXT, based_in:COUNTRY,
// username_changes:N, username_changed:DATE, created_via:HOW, affiliate:HANDLE,
// affiliation:NAME, category:NAME, verified_since:DATE, and where it takes tips,
// tips:SERVICE:NAME.
//
// An empty tombstone is unavailable: X says nothing, and has put it before live
// posts of adults-only content. {} is a fault of our request and is asked again
// once with another token; neither is ever taken for gone.
//
// # Not collected
//
// What needs a login, the web client's own credentials or a guest token
// (timelines, search and replies of the website), likes, followers and list
// members by person, bookmarks, messages, trends.
package twitter

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform         = "x"
	routeAPI         = "api"
	routeSyndication = "syndication"
	routeOEmbed      = "oembed"
	keyName          = "x"

	web      = "https://x.com"
	api      = "https://api.x.com"
	embed    = "https://cdn.syndication.twimg.com"
	publish  = "https://publish.x.com"
	pageSize = 100 // most items of one page of API v2
	timeline = 3200
)

// Collector collects from X. Its zero value is ready to use.
type Collector struct{}

// New gives the collector of X.
func New() crawlers.Collector { return Collector{} }

// About is the platform's data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "X (Twitter)",
		Reader:   1,
		Collects: "single posts with author, time, counts, media, quoted and parent posts; with a key accounts, searches, hashtags, lists and replies of the last seven days",
		Seeds: []string{
			"https://x.com/example/status/1234567890123456789",
			"https://twitter.com/i/web/status/1234567890123456789",
			"https://t.co/AbCdEfGhIj",
			"https://x.com/example",
			"https://x.com/i/user/783214",
			"https://x.com/hashtag/example",
			"https://x.com/search?q=example",
			"https://x.com/i/lists/1234567890",
			"https://x.com/i/communities/1234567890123456789",
			"https://x.com/i/spaces/1YqKDqWQyAAxV",
		},
		Routes: []crawlers.Route{
			{
				Name: routeAPI, Key: keyName,
				Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount, crawlers.RefTag, crawlers.RefSearch, crawlers.RefBoard, crawlers.RefGroup, crawlers.RefMedia},
				Gives: "posts with all fields and counts; an account's last 3,200 posts; searches and replies of the last seven days",
				Hosts: []string{"api.x.com"}, Every: 2 * time.Second, PageSize: pageSize,
				Cost:  "about $0.005 per post and $0.010 per user read; X states the current rates in its developer console",
				Units: pageSize,
			},
			{
				Name:  routeSyndication,
				Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefShort},
				Gives: "one known post with its quoted and parent post, likes and number of replies; targets of t.co links",
				Hosts: []string{"cdn.syndication.twimg.com", "t.co", "pic.x.com", "pic.twitter.com"}, Every: 2 * time.Second, Robots: true,
			},
			{
				Name:  routeOEmbed,
				Kinds: []crawlers.RefKind{crawlers.RefPost},
				Gives: "text and author of one known post, no counts and no media",
				Hosts: []string{"publish.x.com", "publish.twitter.com"}, Every: 5 * time.Second, Robots: true,
			},
		},
		Keys: []crawlers.Key{{
			Name: keyName, Scheme: crawlers.KeyBearer,
			Hosts: []string{"api.x.com"},
			Help:  "make a project at https://console.x.com, buy credits, and set the app's bearer token",
		}},
		Hosts: []string{"cdn.syndication.twimg.com", "publish.x.com", "publish.twitter.com", "api.x.com", "t.co", "pic.x.com", "pic.twitter.com", "pbs.twimg.com", "video.twimg.com"},
		Limits: []string{
			"without a key: single posts whose address or id is known, nothing else; accounts, searches and replies need keys.x or an import (Zeeschuimer, twarc, an account's own archive)",
			"without a key: no reposts, quotes or views, and long posts are cut after 280 characters",
			"with a key: paid per item read; an account's last 3,200 posts, searches and replies of the last seven days only",
		},
		Checked: "2026-11-23",
	}
}

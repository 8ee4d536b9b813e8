// Package vimeo collects public videos, users, channels, groups, showcases and
// comments of Vimeo.
//
// # Endpoints
//
//	GET https://api.vimeo.com/videos/ID[:HASH], /users/ID/videos, /channels/NAME/videos,
//	    /groups/NAME/videos, /albums/ID/videos, /categories/NAME/videos, /tags/WORD/videos, /videos?query=WORDS, /videos/ID/comments
//	    API 3.4 with the user's own token: complete JSON, next page by paging.next
//	GET https://vimeo.com/api/oembed.json?url=VIDEO       one video without a key: text, author, day and second of upload
//	GET https://vimeo.com/ID[/HASH]                       the page: ld+json and window.vimeo.clip_page_config
//	GET https://player.vimeo.com/video/ID[?h=HASH]        the embedded player: playerConfig JSON, lists text tracks
//	GET https://vimeo.com/api/v2/video/ID.json, /api/v2/NAME/videos.json?page=1..3, /api/v2/channel/NAME/videos.json, /api/v2/NAME/info.json
//	    "simple API": 20 videos a page, recorded 2009-2013; whether it still answers is not known
//	GET https://vimeo.com/NAME/videos/rss, /channels/NAME/videos/rss   RSS; documented once, no recording was found
//
// Archives also hold the "advanced API" of 2008-2016 (vimeo.videos.search and
// others: {stat, videos: {video: […]}}); it is read, it does not exist any more.
//
// # Unlisted videos
//
// /ID/HASH with ten hex digits is an unlisted video. Without its hash it is a
// 404, so the hash stays in Ref.URL and Ref.Of. Post.ID is the number alone.
//
// # Ids
//
// Videos, users and comments are numbered separately. Post.ID is the number of
// a video, "comment:N" of a comment, "user:N" of a user's profile and
// "channels/N" of a channel's. /userN names user N. Ids carry no time.
//
// # Times
//
// The API and ld+json state an offset. Dates without one (oEmbed upload_date,
// uploaded_on of pages, the simple API) are New York time: video 136971428 is
// 17:37:43 there and 21:37:43+00:00 in the API, while its page calls it "EST" in
// August. The hour that a clock repeats in autumn gives an interval.
//
// # Walls
//
// A password form comes with status 200; "VimeUhOh" with 404, and with 451 for
// what was taken down on legal grounds. oEmbed of a video whose embedding is
// limited answers 200 with only html, size and id. Since 2025 pages answer
// clients that are not logged in with a challenge of Cloudflare, with 403 for
// anonymous ones since August 2026: reported, not fought.
//
// # Limits
//
// The API states its limit in X-RateLimit-Limit, -Remaining and -Reset. The
// embedded credentials of Vimeo's own applications are not used.
//
// Not collected: video files, likers, followers, what a password or login
// guards.
package vimeo

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const platform = "vimeo"

// Names of routes.
const (
	routeAPI    = "api"
	routeOEmbed = "oembed"
	routeHTML   = "html"
	routePlayer = "player"
	routeSimple = "simple"
	routeFeed   = "feed"
)

const keyName = "vimeo"

const pageSize = 100 // items asked for on a page of the API

// Collector is the collector of Vimeo. Its zero value is ready to use.
type Collector struct{}

// New gives the collector.
func New() crawlers.Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the data sheet.
func (Collector) About() crawlers.About {
	kinds := func(k ...crawlers.RefKind) []crawlers.RefKind { return k }
	video, user, group, board, tag, search := crawlers.RefPost, crawlers.RefAccount, crawlers.RefGroup, crawlers.RefBoard, crawlers.RefTag, crawlers.RefSearch
	site := []string{"vimeo.com"}
	return crawlers.About{
		Platform: platform,
		Title:    "Vimeo",
		Reader:   1,
		Collects: "single videos; whole users, channels, groups, showcases, categories, searches and comments with a key",
		Seeds: []string{
			"https://vimeo.com/136971428",
			"https://vimeo.com/136971428/b646dcf635",
			"https://player.vimeo.com/video/136971428",
			"https://vimeo.com/NAME",
			"https://vimeo.com/user12345",
			"https://vimeo.com/channels/NAME",
			"https://vimeo.com/groups/NAME",
			"https://vimeo.com/showcase/1234567",
			"https://vimeo.com/ondemand/NAME",
			"https://vimeo.com/event/123456",
			"https://vimeo.com/categories/NAME",
			"https://vimeo.com/tag:WORD",
			"https://vimeo.com/search?q=WORDS",
		},
		Routes: []crawlers.Route{
			{Name: routeAPI, Key: keyName, Kinds: kinds(video, user, group, board, tag, search), Gives: "API 3.4: whole listings, exact counts and times, comments", Hosts: []string{"api.vimeo.com"}, Every: 2 * time.Second, PageSize: pageSize, Cost: "1 request of the token's limit, which each answer states", Units: 1},
			{Name: routeOEmbed, Kinds: kinds(video), Gives: "one video: text, author, time, thumbnail", Hosts: site, Every: 3 * time.Second, PageSize: 1, Robots: true},
			{Name: routeHTML, Kinds: kinds(video, user, group, board, tag, search), Gives: "pages; most clients get a challenge instead since 2025", Hosts: site, Every: 5 * time.Second, PageSize: 1, Robots: true},
			{Name: routePlayer, Kinds: kinds(video), Gives: "the embedded player of one video: title, owner, text tracks", Hosts: []string{"player.vimeo.com"}, Every: 3 * time.Second, PageSize: 1, Robots: true, OptIn: true},
			{Name: routeSimple, Kinds: kinds(video, user, group, board), Gives: "the simple API of old, 60 newest videos; it may not answer any more", Hosts: site, Every: 3 * time.Second, PageSize: 20, Robots: true, OptIn: true},
			{Name: routeFeed, Kinds: kinds(user, group, board), Gives: "RSS of the newest videos; it may not answer any more", Hosts: site, Every: 3 * time.Second, PageSize: 25, Robots: true, OptIn: true},
		},
		Keys: []crawlers.Key{{
			Name: keyName, Scheme: crawlers.KeyBearer, Hosts: []string{"api.vimeo.com"},
			Help: "an access token with scope public (\"Unauthenticated\") of an app at https://developer.vimeo.com/apps (free)",
		}},
		Hosts: []string{"vimeo.com", "api.vimeo.com", "player.vimeo.com", "*.vimeocdn.com"},
		Limits: []string{
			"without a key: single videos, by oEmbed; listings need keys.vimeo, as pages answer with a challenge",
			"videos whose embedding is limited show nothing but their existence without a key",
			"videos behind a password are reported, not entered",
		},
		Checked: "2026-11-23",
	}
}

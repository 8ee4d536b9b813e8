// Package tiktok collects public posts from tiktok.com.
//
// # Endpoints
//
// Route "api", the Research API with the researcher's own client key and secret
// (OAuth 2, client credentials), at https://open.tiktokapis.com/v2/research/:
//
//	POST user/info/           an account's profile, by handle
//	POST video/query/         videos by account, hashtag, words, sound or id, 100 a page, in windows of at most 30 days
//	POST video/comment/list/  comments of a video, 100 a page
//
// A query names its days, and a collector has no clock: the day of the newest
// window is that of the first answer. For accounts this is the profile; for
// hashtags, words and sounds it is the same query over two days before TikTok
// existed, whose answer is empty.
//
// Route "embed", without a key, at https://www.tiktok.com: the pages that other
// sites show in a frame. Their data is JSON in the script
// __FRONTITY_CONNECT_STATE__, under source.data and the page's own path:
//
//	GET /embed/@{U}                      a profile with rounded counts, and its newest videos (about ten): id, caption, views
//	GET /embed/tag/{T}, /embed/music/{N} the same for a hashtag or sound
//	GET /embed/v2/{ID}                   one video or photo post: text, author, time, likes, comments, shares, views, media
//
// Each video of a list is asked for by itself. Short links (vm.tiktok.com,
// vt.tiktok.com, /t/) answer a redirect.
//
// Route "oembed", without a key: GET /oembed?url= gives caption, author and a
// still; no time, no counts.
//
// Route "html", without a key: GET /@{U}/video/{ID} and /@{U}. A page has its
// data in __UNIVERSAL_DATA_FOR_REHYDRATION__; a profile of today carries no
// videos. Clients that TikTok does not trust get an interstitial instead
// ("Please wait…"), which is recorded as a challenge and not answered.
//
// Pages and answers of other times are read, but never asked for: SIGI_STATE of
// 2021 to 2023, __NEXT_DATA__ of 2020, answers of the site's own interfaces and
// of the mobile application as browser extensions save them. ReadItem reads a
// single item or comment for importers (Zeeschuimer, Research API).
//
// # Limits
//
// The Research API is for approved researchers, allows 1,000 requests a day
// (unverified), lags about two days, and gives at most 1,000 comments of a video
// (https://developers.tiktok.com/doc/research-api-specs-query-videos, read
// 2026-11-23). TikTok names no limit for embeds and oEmbed; the default paces
// are guesses on the slow side. Codes of pages that are not shown were read in
// the sources of two downloaders, which differ about 10204: "not available" and
// "your address is blocked". It is unavailable here, and asked again by oEmbed.
//
// # What a post is
//
// ID is the number of a video, photo post or comment. The upper 32 bits of an id
// are seconds since 1970, some seconds before the post appeared, or days where
// it was scheduled: where an answer states no time, Created is "not before" that
// moment, with source "id". Counts are likes, comments, shares, views, saves,
// reposts; of accounts followers, following, friends, posts, likes (received)
// and likes_given. Pages without a login round counts from 10,000 on to three
// digits or so; a count from 10,000 on that ends in two zeros is told to be
// rounded, unless the Research API states it. Where a page states one count
// twice, the more exact one is taken. On-screen text and the transcript are the
// video's alternative text. Captions are media of kind file.
//
// Media addresses are signed, expire within a day or so, and may want the cookie
// of the page: a video may not be there for --media.
//
// Tags are ad, aigc, private, reviewing, removed_from_feeds, region:CC, place:NAME,
// label:TEXT, warning:TEXT, sound:ID, sound_title:TEXT, effect:ID, playlist:ID;
// of accounts verified, private, region:CC, seller, live, category:TEXT. A duet
// or stitch refers to its source as quote_of. A profile is a post of kind account
// with the id "user:NUMBER", or "@HANDLE" where an answer states no number.
//
// # Not collected
//
// What needs a login, a browser's proof of work, or a request signature
// (timelines, search and comments of the website and of the application);
// likers and followers by person.
package tiktok

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform    = "tiktok"
	routeAPI    = "api"
	routeEmbed  = "embed"
	routeOEmbed = "oembed"
	routeHTML   = "html"
	keyName     = "tiktok"

	web      = "https://www.tiktok.com"
	research = "https://open.tiktokapis.com/v2/research"
	pageSize = 100 // most items of one page of the Research API
)

// Collector collects from TikTok. Its zero value is ready to use.
type Collector struct{}

// New gives the collector of TikTok.
func New() crawlers.Collector { return Collector{} }

// About is the platform's data sheet.
func (Collector) About() crawlers.About {
	own := []string{"www.tiktok.com", "vm.tiktok.com", "vt.tiktok.com"}
	return crawlers.About{
		Platform: platform,
		Title:    "TikTok",
		Reader:   1,
		Collects: "single videos and photo posts with counts, sound, captions and on-screen text; the newest videos of accounts, hashtags and sounds; with a key whole histories, searches and comments",
		Seeds: []string{
			"https://www.tiktok.com/@example/video/7571863205253778710",
			"https://www.tiktok.com/@example/photo/7571863205253778710",
			"https://www.tiktok.com/@example",
			"https://vm.tiktok.com/ZMabcdefg/",
			"https://www.tiktok.com/t/ZTabcdefg/",
			"https://www.tiktok.com/tag/example",
			"https://www.tiktok.com/music/original-sound-7005293191817644806",
			"https://www.tiktok.com/search?q=example",
		},
		Routes: []crawlers.Route{
			{
				Name: routeAPI, Key: keyName,
				Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount, crawlers.RefTag, crawlers.RefBoard, crawlers.RefSearch},
				Gives: "whole histories of accounts, hashtags, sounds and words with exact counts and transcripts; comments; profiles",
				Hosts: []string{"open.tiktokapis.com"}, Every: time.Second, PageSize: pageSize,
				Cost: "1 of 1,000 requests a day", Units: 1,
			},
			{
				Name:  routeEmbed,
				Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount, crawlers.RefTag, crawlers.RefBoard, crawlers.RefShort},
				Gives: "one video or photo post with counts and time; the newest ten or so of an account, hashtag or sound; short links",
				Hosts: own, Every: 5 * time.Second, PageSize: 10, Robots: true,
			},
			{
				Name:  routeOEmbed,
				Kinds: []crawlers.RefKind{crawlers.RefPost},
				Gives: "caption, author and still of one post",
				Hosts: own, Every: 5 * time.Second, Robots: true,
			},
			{
				Name:  routeHTML,
				Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount},
				Gives: "one post with all fields, or a profile without posts; often a challenge instead",
				Hosts: own, Every: 20 * time.Second, Robots: true,
			},
		},
		Keys: []crawlers.Key{{
			Name: keyName, Scheme: crawlers.KeyClientCredentials, Param: "client_key",
			TokenURL: "https://open.tiktokapis.com/v2/oauth/token/",
			Hosts:    []string{"open.tiktokapis.com"},
			Help:     "apply for the Research API at https://developers.tiktok.com/products/research-api/ (non-profit research) and set the project's client key and secret",
		}},
		Hosts: append([]string{"open.tiktokapis.com", "m.tiktok.com", "*.tiktokcdn.com", "*.tiktokcdn-us.com", "*.tiktokcdn-eu.com"}, own...),
		Limits: []string{
			"without a key: the newest ten or so videos of an account, hashtag or sound; no comments, no search; older videos only by their address or by import (Zeeschuimer)",
			"counts from 10,000 on are rounded without a key",
			"with a key: the Research API lags about two days and gives at most 1,000 comments of a video; a history takes one request for each 30 days",
			"media addresses expire within hours and may be refused without the page's cookie",
		},
		Checked: "2026-11-23",
	}
}

// Package youtube collects public videos, shorts, streams, channels, playlists,
// hashtags and comments of YouTube.
//
// # Endpoints
//
//	GET https://www.googleapis.com/youtube/v3/{channels,playlistItems,videos,commentThreads,comments,search}
//	    Data API v3 with the user's key: exact counts and times, whole channels, comments
//	GET https://www.youtube.com/watch?v=ID           ytInitialPlayerResponse and ytInitialData in scripts: one video, exact
//	GET https://www.youtube.com/channel/UC…/videos   ytInitialData: the newest 30 of a tab (videos, shorts, streams, posts)
//	GET https://www.youtube.com/playlist?list=PL…    the first 100 of a playlist
//	GET https://www.youtube.com/hashtag/TAG          the first videos under a tag
//	GET https://www.youtube.com/oembed?format=json&url=…   title, author, thumbnail: whether a video stands
//	GET https://www.youtube.com/feeds/videos.xml?channel_id=UC…|playlist_id=…   Atom, the newest 15
//	GET https://www.youtube.com/results?search_query=…     search
//	GET https://www.youtube.com/api/timedtext?…      caption text; the address is signed and expires within hours
//	POST https://www.youtube.com/youtubei/v1/{browse,next,search,player}   InnerTube, what the pages themselves ask
//
// Pages are asked for with hl=en, gl=US and the cookie SOCS=CAE=, which is what
// the consent form sets for "reject all": relative dates and counts are in the
// language of the page, and only some languages are read.
//
// # What robots.txt says
//
// For all agents: Disallow: /api/ /comment /feeds/videos.xml /get_video
// /results /watch_popup /youtubei/ and others (two stored copies; a third
// document re-read the feed's line on 2026-07-22). So feed, search, captions
// and InnerTube are routes that the user has to name, and that the layer below
// refuses unless robots.txt is overridden for the case.
//
// # Shapes
//
// A list is made of lockupViewModel, shortsLockupViewModel, videoRenderer,
// gridVideoRenderer, playlistVideoRenderer and others, and which of them is
// served changes within one month and one page. They are found by their names
// at any depth. On a page of one video, the list beside it is not about it and
// is not read. Pages before 2017 carry microdata and HTML only; those before
// 2020 the player's answer as text within ytplayer.config.
//
// # Times and counts
//
// Ids carry no time. publishDate and uploadDate are exact (with a Pacific
// offset), in recordings before mid-2023 a day. Lists have relative dates
// ("3 years ago"), which give an interval before the fetch; shorts in lists
// have none. likeCount is missing from a video whose likes are hidden.
// On a running stream, "watching now" is the count viewers, not views.
//
// # Walls
//
// A player's playabilityStatus and a page's alerts name the state in words:
// private, age gate, country, members, removed, terminated. "Sign in to
// confirm you're not a bot" is about our address. A 404 of the feed says
// nothing about the channel: in 2026 whole days of 404 for every channel were
// reported.
//
// # Limits
//
// Data API: 10,000 units a day per project, every list call 1 unit, captions.list
// 50; search.list has a bucket of its own of 100 calls a day (quota page, read
// 2026-11-23). A channel of N uploads costs N/50 + N/50 units.
//
// Not collected: video files, live chat, lists of subscribers and likers,
// videos that a page recommends, and anything that needs a login or a proof of
// origin token.
package youtube

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const platform = "youtube"

// Names of routes.
const (
	routeAPI         = "api"
	routeHTML        = "html"
	routeOEmbed      = "oembed"
	routeAPICaptions = "api_captions"
	routeCaptions    = "captions"
	routeFeed        = "feed"
	routeInnertube   = "innertube"
	routeResults     = "results"
)

const keyName = "youtube"

// Collector is the collector of YouTube. Its zero value is ready to use.
type Collector struct{}

// New gives the collector.
func New() crawlers.Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the data sheet.
func (Collector) About() crawlers.About {
	video, comment, channel := crawlers.RefPost, crawlers.RefComment, crawlers.RefAccount
	list, tag, search, short, note := crawlers.RefBoard, crawlers.RefTag, crawlers.RefSearch, crawlers.RefShort, crawlers.RefPage
	kinds := func(k ...crawlers.RefKind) []crawlers.RefKind { return k }
	www, google := []string{"www.youtube.com"}, []string{"www.googleapis.com"}
	return crawlers.About{
		Platform: platform,
		Title:    "YouTube",
		Reader:   1,
		Collects: "videos, shorts, streams, community posts, channels, playlists, hashtags; whole channels, searches and comments with a key",
		Seeds: []string{
			"https://www.youtube.com/watch?v=dQw4w9WgXcQ",
			"https://youtu.be/dQw4w9WgXcQ",
			"https://www.youtube.com/shorts/dQw4w9WgXcQ",
			"https://www.youtube.com/live/dQw4w9WgXcQ",
			"https://www.youtube.com/watch?v=dQw4w9WgXcQ&lc=COMMENT_ID",
			"https://www.youtube.com/channel/UCuAXFkgsw1L7xaCfnd5JJOw",
			"https://www.youtube.com/@HANDLE",
			"https://www.youtube.com/c/NAME",
			"https://www.youtube.com/user/NAME",
			"https://www.youtube.com/playlist?list=PLFgquLnL59alCl_2TQvOiD5Vgm1hCaGSI",
			"https://www.youtube.com/post/UgkxAbCdEfGhIjKlMnOpQrStUvWxYz012345",
			"https://www.youtube.com/hashtag/TAG",
			"https://www.youtube.com/results?search_query=WORDS",
		},
		Routes: []crawlers.Route{
			{Name: routeAPI, Key: keyName, Kinds: kinds(video, comment, channel, list, search), Gives: "Data API v3: exact counts and times, whole channels and playlists, comments", Hosts: google, Every: 200 * time.Millisecond, PageSize: 50, Cost: "1 of the project's 10,000 units a day; a search 1 of 100 searches a day", Units: 1},
			{Name: routeHTML, Kinds: kinds(video, note, comment, channel, list, tag, short), Gives: "pages: one video exactly, the newest 30 of a channel's tabs, the first 100 of a playlist", Hosts: www, Every: 3 * time.Second, PageSize: 30, Robots: true},
			{Name: routeOEmbed, Kinds: kinds(video), Gives: "title, channel name and thumbnail of one video: whether it stands", Hosts: www, Every: 3 * time.Second, PageSize: 1, Robots: true},
			{Name: routeAPICaptions, Key: keyName, Kinds: kinds(video), Gives: "as api, and the list of a video's captions", Hosts: google, Every: 200 * time.Millisecond, PageSize: 1, Cost: "50 of the project's 10,000 units a day for each list", Units: 50, OptIn: true},
			{Name: routeCaptions, Kinds: kinds(video), Gives: "as html, and the text of a video's captions where it is served; robots.txt disallows it", Hosts: www, Every: 3 * time.Second, PageSize: 1, Robots: true, OptIn: true},
			{Name: routeFeed, Kinds: kinds(channel, list), Gives: "Atom: the newest 15 with exact times; robots.txt disallows it", Hosts: www, Every: 3 * time.Second, PageSize: 15, Robots: true, OptIn: true},
			{Name: routeInnertube, Kinds: kinds(video, comment, channel, list, tag, search), Gives: "the pages' own interface: whole tabs, playlists, searches and comments; robots.txt disallows it", Hosts: www, Every: 3 * time.Second, PageSize: 30, Robots: true, OptIn: true},
			{Name: routeResults, Kinds: kinds(search), Gives: "the first page of a search; robots.txt disallows it", Hosts: www, Every: 3 * time.Second, PageSize: 20, Robots: true, OptIn: true},
		},
		Keys: []crawlers.Key{{
			Name: keyName, Scheme: crawlers.KeyHeader, Param: "X-Goog-Api-Key", Hosts: google,
			Help: "an API key of a Google Cloud project with YouTube Data API v3 enabled: https://console.cloud.google.com/apis/credentials (free)",
		}},
		Hosts: []string{"www.youtube.com", "www.googleapis.com", "*.ytimg.com", "*.ggpht.com", "*.googleusercontent.com"},
		Limits: []string{
			"without a key: the newest 30 of each tab of a channel, the first 100 of a playlist, no comments, no search",
			"lists give relative dates and rounded counts; each video's own page gives them exactly",
			"pages ask addresses of data centres to sign in as a check against bots: reported as bot_check",
			"/c/NAME and /NAME are resolved by their page and then collected by pages; give the @handle or UC id to use the key",
			"the key gives no caption text and no community posts",
		},
		Checked: "2026-11-23",
	}
}

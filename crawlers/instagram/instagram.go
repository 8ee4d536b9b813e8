// Package instagram collects single public posts of Instagram without login,
// accounts and hashtags through the Graph API with the user's token, and reads
// every shape of Instagram's own answers that archives and exports hold.
//
// # Endpoints
//
//	GET https://www.instagram.com/p/CODE/                   a post: meta tags (caption whole, counts rounded, day), pk in
//	                                                        al:ios:url, owner in instapp:owner_user_id; in 2026 mostly also the
//	                                                        item as JSON (xig_polaris_media.if_not_gated_logged_out, older
//	                                                        xdt_api__v1__media__shortcode__web_info)
//	GET https://www.instagram.com/NAME/                     an account: meta tags with rounded counts; some answers hold 12 posts
//	GET https://www.instagram.com/p/CODE/embed/captioned/   the official embed: caption, picture, author; mostly
//	                                                        contextJSON with the whole item
//	GET https://www.instagram.com/NAME/embed/               an account's embed: contextJSON with its 6 to 12 newest posts
//	GET https://graph.facebook.com/v23.0/me/accounts?fields=instagram_business_account{id,username}
//	                                                        the id of the token's own Instagram account, which the next two need
//	GET https://graph.facebook.com/v23.0/ME?fields=business_discovery.username(NAME){…,media{…}}
//	                                                        a business or creator account: profile, posts, paged by media.after(CURSOR)
//	GET https://graph.facebook.com/v23.0/ig_hashtag_search?user_id=ME&q=TAG, /HASHTAG/recent_media, /HASHTAG/top_media
//	                                                        posts of a hashtag, without their authors
//	GET https://graph.facebook.com/v23.0/instagram_oembed?url=POST
//	                                                        the embed code; author and thumbnail are gone since 2025-11-03
//	GET https://www.instagram.com/share/CODE                a share link: one redirect
//
// Read where archives and exports have them, never asked for: /p/CODE/?__a=1,
// /api/v1/… (items, users, comments), /graphql/query (edges), comments and
// stories of logged-in captures. They are private interfaces, or answer logged-in
// readers only.
//
// # Ids
//
// A post has one number, pk, in all of these but the Graph API. Its short code
// in addresses is pk in base 64 (A-Z a-z 0-9 - _, most significant digit first);
// codes of posts of private accounts are 28 letters longer. Post.ID is pk, so
// that a post is one post by whichever route it came. The Graph API has numbers
// of its own for media and accounts (17841…, 17…): media are told by their
// permalink, and both numbers of an account are kept as identities of it where
// an answer shows both (id and fbid).
//
// pk>>23 is milliseconds since 2011-08-24T21:07:01.721Z, the moment the upload
// began. In 2026 of 125 posts 118 were published within an hour of it, one
// 87 minutes before, the others up to 6 days later (scheduled posts; the site lets
// people schedule 75 days ahead). So it bounds the time and is not the time:
// where nothing else is there, Created is the interval from a day before to 75
// days after, and Created.Raw names the moment.
//
// # Counts
//
// Meta tags say 298K: rounded. Items say the number, unless the author hides
// it: with like_and_view_counts_disabled the like_count that is served counts
// friends among the likers, and is not taken. -1 is hidden too. The Graph API
// leaves like_count out.
//
// # Limits
//
// Without login a few pages an hour are served, then redirects to
// /accounts/login/ or an empty page, by reputation of the address (yt-dlp and
// instaloader issues, 2025-07 to 2026-09). The driver stops at the first. Graph
// API: 200 calls an hour and user; 30 hashtags in 7 days (developers' pages, read
// 2026-11, not measured).
//
// Not collected: stories, highlights, followers, comments without the Graph
// API, anything behind a login; web_profile_info and GraphQL, which want the
// site's own app id or tokens. robots.txt was not in what these facts are from;
// it is obeyed as it stands when it is fetched.
package instagram

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform = "instagram"
	site     = "https://www.instagram.com"
	graph    = "https://graph.facebook.com/v23.0"
	keyName  = "instagram"
)

// Names of routes.
const (
	routeAPI   = "api"
	routeHTML  = "html"
	routeEmbed = "embed"
)

const pageSize = 25 // media asked for on a page of the Graph API

// Collector is the collector of Instagram. Its zero value is ready to use.
type Collector struct{}

// New gives the collector.
func New() crawlers.Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Instagram",
		Reader:   1,
		Collects: "single posts and reels as served without login; business and creator accounts and hashtags with a Graph API token; everything in exports and archives",
		Seeds: []string{
			"https://www.instagram.com/p/CODE123abc_/",
			"https://www.instagram.com/reel/CODE123abc_/",
			"https://www.instagram.com/NAME/p/CODE123abc_/",
			"https://www.instagram.com/share/p/CODE123abc_",
			"https://www.instagram.com/NAME/",
			"https://www.instagram.com/explore/tags/TAG/",
			"https://www.instagram.com/explore/locations/1234/place/",
			"https://www.instagram.com/stories/NAME/1234567890123456789/",
			"https://www.instagram.com/stories/highlights/1234567890123456789/",
			"instagram://media?id=1234567890123456789",
		},
		Routes: []crawlers.Route{
			{Name: routeAPI, Key: keyName, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefTag}, Gives: "Graph API: business and creator accounts with exact counts and times; hashtags without authors", Hosts: []string{"graph.facebook.com"}, Every: 20 * time.Second, PageSize: pageSize, Cost: "1 of 200 calls an hour", Units: 1},
			{Name: routeHTML, Gives: "a post's caption, rounded counts and day; an account's name and rounded counts; sometimes the whole item", Hosts: []string{"www.instagram.com"}, Every: 30 * time.Second, Robots: true},
			{Name: routeEmbed, Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount}, Gives: "the official embed: caption, picture, author; often the whole item, or the newest posts of an account", Hosts: []string{"www.instagram.com"}, Every: 30 * time.Second, PageSize: 12, Robots: true},
		},
		Keys: []crawlers.Key{{
			Name: keyName, Scheme: crawlers.KeyBearer, Hosts: []string{"graph.facebook.com"},
			Help: "a user token with instagram_basic and pages_show_list, of a person whose Facebook page is linked to an Instagram business account (https://developers.facebook.com/docs/instagram-platform)",
		}},
		Hosts: []string{"www.instagram.com", "graph.facebook.com"},
		Limits: []string{
			"without login a few pages an hour: a login wall ends the run and says nothing about the target",
			"accounts and hashtags: with a Graph API token (business and creator accounts only), or by importing a Zeeschuimer, Content Library or account export",
			"picture and video addresses expire within days: collect with --media at once",
			"comments: imports only",
		},
		Checked: "2026-11-23",
	}
}

func newRef(kind crawlers.RefKind, id, of, url string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, Of: of, URL: url, Alias: alias}
}

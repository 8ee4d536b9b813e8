// Package mastodon collects public posts from the servers ("instances") of
// Mastodon, and from those that speak its client interface.
//
// # Endpoints, on any server
//
//	GET /api/v1/accounts/lookup?acct={USER}                      an account with its id on this server
//	GET /api/v1/accounts/{ID}/statuses?limit=40&max_id={ID}      its posts and boosts, newest first
//	GET /api/v1/statuses/{ID}                                    one post
//	GET /api/v1/statuses/{ID}/context                            what it answers to, and its replies
//	GET /@{USER}.rss                                             the newest 20 posts, without boosts and counts
//
// None needs a login or key (docs.joinmastodon.org, client/public: "Playing with
// public data"), so robots.txt binds all of them. A server may close its
// interface to the public: it then answers 401 "This method requires an
// authenticated user", which is a login_wall; the feed often still answers.
// Servers document 300 requests in 5 minutes for each address
// (docs.joinmastodon.org/api/rate-limits); the default pace is a third of that.
//
// Also read: pages of profiles and posts, for their head metadata only.
//
// # Whose server
//
// Every host may be one. Match knows the shapes https://HOST/@USER,
// https://HOST/@USER/ID, /users/USER and /users/USER/statuses/ID and refuses the
// hosts of platforms that use them too; whether a host is a Mastodon server shows
// in its answer. Where it is none, the address is handed on as a page of the web.
// https://HOST/@USER@HOME is the account at its home.
//
// # What a post is
//
// Numbers of posts and accounts count on one server each, and a post is copied to
// many. ID is therefore NUMBER@HOME, with the server that the post comes from, the
// same wherever a copy was read; of posts from other software it is the
// ActivityPub address (uri). Account ids are NUMBER@SERVER and known for accounts
// of the asked server only; a handle is USER@HOME.
//
// Text is the content; Title the content warning. A boost is a post of its own
// without text, with a repost_of; the boosted and the quoted post come as posts
// too. A server knows of a foreign post's likes, boosts and replies only what
// reached it: their precision is unknown. Counts: likes, reposts, comments,
// quotes, and poll:OPTION. Tags: sensitive, unlisted, pinned, bot, app:NAME,
// moved_to:USER@HOME.
//
// # Not collected
//
// Who liked or boosted, followers, public timelines, posts for followers only.
package mastodon

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform  = "mastodon"
	routeAPI  = "api"
	routeFeed = "feed"

	apiPage   = 40
	feedItems = 20
)

// Collector collects from Mastodon servers. Its zero value is ready to use.
type Collector struct{}

// New gives the collector of Mastodon servers.
func New() crawlers.Collector { return Collector{} }

// About is the platform's data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Mastodon",
		Reader:   1,
		Collects: "posts, boosts, quotes, polls and replies of public accounts on any server, with media and counts; profiles",
		Seeds: []string{
			"https://mastodon.example/@example",
			"https://mastodon.example/@example/112233445566778899",
			"https://mastodon.example/users/example",
			"https://mastodon.example/users/example/statuses/112233445566778899",
			"https://mastodon.example/@example@other.example",
		},
		Routes: []crawlers.Route{
			{
				Name: routeAPI, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefPost},
				Gives: "all public posts with counts, media, boosts, polls and replies",
				Every: 3 * time.Second, PageSize: apiPage, Robots: true,
			},
			{
				Name: routeFeed, Kinds: []crawlers.RefKind{crawlers.RefAccount},
				Gives: "the newest 20 posts, without boosts and counts",
				Every: 3 * time.Second, PageSize: feedItems, Robots: true,
			},
		},
		// The largest servers. Others are reached as the target's own host.
		Hosts: []string{"mastodon.social", "mastodon.online", "mstdn.social", "mas.to", "mastodon.world", "techhub.social", "infosec.exchange", "hachyderm.io", "fosstodon.org", "mstdn.jp", "pawoo.net", "truthsocial.com"},
		Limits: []string{
			"a server may close its interface to the public: only the feed is left then",
			"counts of posts from other servers are what reached the asked one",
			"replies are those that the asked server knows",
		},
		Checked: "2026-11-23",
	}
}
